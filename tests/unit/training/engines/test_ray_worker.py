"""A worker on a node computes what the trial's key says, or says why it does not."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.terms.cost import LabelTerms
from tests.trials import flat_trial
from training.engines.ray_worker import TrialWorker
from training.models.source import PICO_FOLDER, ModelSource, find_model
from training.running.runner import TrialRunner
from training.task import Task
from training.trial import Trial, TrialResult

TERMS = {name: LabelTerms(Decimal(1), 0.2, "redraw") for name in ("easy", "medium", "hard")}


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(120), target=16, others=8)


@pytest.fixture
def trial(task: Task, llama_source: ModelSource) -> Trial:
    return flat_trial(task, llama_source, "zero_shot", {}, {}, TERMS, 0)


def test_it_returns_what_a_runner_returns(
    task: Task, llama_source: ModelSource, trial: Trial, tmp_path: Path
) -> None:
    worker = TrialWorker(task, llama_source, in_folder=True)
    assert worker.ready() is None
    result = worker.run(trial)
    assert isinstance(result, TrialResult)
    expected = TrialRunner(task, llama_source, tmp_path).run(trial)
    np.testing.assert_array_equal(result.correct, expected.correct)


def test_bad_input_is_returned(task: Task, llama_source: ModelSource, trial: Trial) -> None:
    worker = TrialWorker(task, llama_source, in_folder=True)
    assert worker.ready() is None
    older = worker.run(replace(trial, version=trial.version - 1))
    assert isinstance(older, InputError)
    assert f"asked for {trial.version - 1}); install the same version" in str(older)
    other = worker.run(replace(trial, compute="bfloat16"))
    assert isinstance(other, InputError)
    assert "computes in float32, the machine that asks in bfloat16" in str(other)


def test_the_model_must_be_the_same_on_the_node(
    task: Task, llama_source: ModelSource, tmp_path: Path
) -> None:
    absent = replace(llama_source, location=str(tmp_path / "absent"))
    refusal = TrialWorker(task, absent, in_folder=True).ready()
    assert f"has no folder {tmp_path / 'absent'}" in str(refusal)

    other = tmp_path / "other"
    shutil.copytree(llama_source.location, other)
    (other / "more.json").write_text("{}")
    refusal = TrialWorker(task, replace(llama_source, location=str(other)), in_folder=True).ready()
    assert f"here {llama_source.revision}); bring the same files" in str(refusal)


def test_the_embedded_model_is_wherever_the_node_has_it(task: Task, tmp_path: Path) -> None:
    elsewhere = replace(find_model("pico"), location=str(tmp_path))
    worker = TrialWorker(task, elsewhere, in_folder=True)
    assert worker.ready() is None
    assert worker._source.location == str(PICO_FOLDER)


def test_a_hub_model_is_not_looked_for_in_folders(task: Task, llama_source: ModelSource) -> None:
    hub = replace(llama_source, name="org/name", location="org/name")
    worker = TrialWorker(task, hub, in_folder=False)
    assert worker.ready() is None
    assert worker._source == hub
