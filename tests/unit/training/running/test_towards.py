"""Probabilities after training towards any targets equal training and asking by hand."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from training.models import number_types
from training.models.source import ModelSource
from training.probes.probe import ProbeJob, fit_probes
from training.prompts import PROMPT_VERSION
from training.running.runner import TrialRunner
from training.running.towards import (
    Training,
    adapter_probabilities,
    probe_probabilities,
    zero_shot_probabilities,
)
from training.targets.make import smooth_labels
from training.task import Task
from training.trial import Recipe
from training.tuning import qlora
from training.tuning.qlora import QloraSettings

SHORT = QloraSettings(rank=4, alpha=8, batch=8, epochs=1, least_updates=6, learning_rate=3e-3)
ADAPTER = Recipe("qlora", tuple(sorted(asdict(SHORT).items())), PROMPT_VERSION, "nf4")
SHARED = ("no", "yes", "red plum")


@pytest.fixture(autouse=True)
def encoders_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_types, "_multiplies_bfloat16", lambda: False)


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(150, SHARED), target=20, others=10)


def training(task: Task, amount: float, seed: int = 0) -> Training:
    """Twenty easy items, their own answers smoothed."""
    positions = np.sort(task.pools["easy"][:20])
    counts = task.choice_counts[positions]
    return Training(positions, smooth_labels(task.answers[positions], counts, amount), seed)


def test_a_probe_is_as_sure_as_its_scores_say(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    runner = TrialRunner(task, bert_source, tmp_path)
    told: list[int] = []
    recipe = Recipe("probe", (("penalty", 0.02),), PROMPT_VERSION)
    trainings = [training(task, 0.0), training(task, 0.5)]
    tested = task.test_positions
    found = probe_probabilities(runner, recipe, trainings, tested, lambda items, _tokens: told.append(items))
    assert found.shape == (2, tested.size, 3)
    assert sum(told) == tested.size + 20
    features, mask = runner.features(PROMPT_VERSION), np.ones((20, 3), dtype=bool)
    for own, probabilities in zip(trainings, found, strict=True):
        rows = features.get(own.positions, runner.reader)
        [probe] = fit_probes(rows, mask, [ProbeJob(np.arange(20), own.targets)], (0.02,))
        scores = probe.scores(
            features.get(tested, runner.reader), np.ones((tested.size, 3), dtype=bool)
        )
        np.testing.assert_allclose(probabilities, softmax(scores, 1), atol=1e-6)
    assert found[1].max() < found[0].max()  # smoothed labels make a model less sure


def test_an_adapter_is_trained_once_and_then_remembered(
    tmp_path: Path, task: Task, llama_source: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, kept = TrialRunner(task, llama_source, tmp_path), tmp_path / "kept"
    tested = task.test_positions
    found = adapter_probabilities(runner, ADAPTER, training(task, 0.2), tested, kept)
    assert found.shape == (tested.size, 3)
    np.testing.assert_allclose(found.sum(1), 1)
    other = adapter_probabilities(runner, ADAPTER, training(task, 0.6), tested, kept)
    again = adapter_probabilities(runner, ADAPTER, training(task, 0.2, seed=1), tested, kept)
    assert not np.array_equal(found, other) and not np.array_equal(found, again)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an adapter was trained again")

    monkeypatch.setattr(qlora, "train_and_score", refuse)
    later = TrialRunner(task, llama_source, tmp_path)
    np.testing.assert_array_equal(
        adapter_probabilities(later, ADAPTER, training(task, 0.2), tested, kept), found
    )


def test_a_decoder_is_asked_untrained(
    tmp_path: Path, task: Task, llama_source: ModelSource
) -> None:
    runner = TrialRunner(task, llama_source, tmp_path)
    found = zero_shot_probabilities(runner, PROMPT_VERSION, task.test_positions)
    np.testing.assert_allclose(found.sum(1), 1)
    scores = runner.features(PROMPT_VERSION).scores(task.test_positions, runner.model).by("sum")
    np.testing.assert_array_equal(found.argmax(1), scores.argmax(1))
