"""Trials run once, and come out the same in any order and on any number of workers."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.terms.cost import LabelTerms
from tests.trials import flat_trial
from training.engines import SilentWatcher, Watcher, local, local_engine
from training.engines.dispatch import trial_name
from training.models.number_types import Quantisation
from training.models.source import ModelSource
from training.progress import Passed, Tell, nobody
from training.running.runner import TrialRunner
from training.store import TrialStore
from training.task import Task
from training.trial import (
    Method,
    Trial,
    TrialResult,
)
from training.tuning.diverged import TrainingDivergedError
from training.tuning.qlora import QloraSettings

TERMS = {name: LabelTerms(Decimal(1), 0.2, "redraw") for name in ("easy", "medium", "hard")}
SHORT = QloraSettings(rank=4, alpha=8, batch=8, epochs=1, least_updates=4, learning_rate=5e-3)


class Recorder:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.steps: list[int] = []
        self.under_way: dict[str, list[Passed]] = {}
        self.over: list[str] = []

    def stage(self, description: str, total: int) -> None:
        self.stages.append((description, total))
        self.steps.append(0)

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        self.steps[-1] += steps

    def within(self, step: str, passed: Passed) -> None:
        self.under_way.setdefault(step, []).append(passed)

    def ended(self, step: str) -> None:
        self.over.append(step)


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(120), target=16, others=8)


@pytest.fixture
def trials(task: Task, llama_source: ModelSource) -> list[Trial]:
    """Zero-shot, two probes and three adapters."""

    def trial(method: Method, mix: dict[str, int], seed: int) -> Trial:
        settings = asdict(SHORT) if method == "qlora" else {}
        quantisation: Quantisation = "nf4" if method == "qlora" else "none"
        return flat_trial(
            task, llama_source, method, settings, mix, TERMS, seed, quantisation=quantisation
        )

    return [
        trial("zero_shot", {}, 0),
        trial("probe", {"easy": 12}, 0),
        trial("qlora", {"easy": 6}, 0),
        trial("probe", {"hard": 12}, 1),
        trial("qlora", {"easy": 4, "hard": 5}, 0),
        trial("qlora", {"hard": 8}, 1),
    ]


@pytest.fixture
def run_in(
    tmp_path: Path, task: Task, llama_source: ModelSource
) -> Callable[..., dict[str, TrialResult]]:
    """`run_in(folder, trials, workers=1, watcher=...)`: a new store and engine each time."""

    def run(
        folder: str,
        trials: Sequence[Trial],
        workers: int = 1,
        watcher: Watcher | None = None,
    ) -> dict[str, TrialResult]:
        path = tmp_path / folder
        with (
            TrialStore(path / "trials.sqlite") as store,
            local_engine(task, llama_source, path / "features", store, workers) as engine,
        ):
            return engine.run(trials, watcher or SilentWatcher(), "trials")

    return run


def bits(results: dict[str, TrialResult]) -> dict[str, list[bool]]:
    return {key: result.correct.tolist() for key, result in results.items()}


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the trials that were really run in this process."""
    seen: list[str] = []
    run = TrialRunner.run
    run_probes = TrialRunner.run_probes

    def counted(self: TrialRunner, trial: Trial, tell: Tell = nobody) -> TrialResult:
        seen.append(trial.key)
        return run(self, trial, tell)

    def counted_probes(
        self: TrialRunner, trials: list[Trial]
    ) -> Iterator[tuple[Trial, TrialResult]]:
        for trial, result in run_probes(self, trials):
            seen.append(trial.key)
            yield trial, result

    monkeypatch.setattr(TrialRunner, "run", counted)
    monkeypatch.setattr(TrialRunner, "run_probes", counted_probes)
    return seen


RunIn = Callable[..., dict[str, TrialResult]]


def test_a_second_run_runs_nothing(
    run_in: RunIn, trials: list[Trial], runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Recorder()
    first = run_in("runs", trials, watcher=watcher)
    assert sorted(runs) == sorted(trial.key for trial in trials)
    assert [name for name, _ in watcher.stages] == [
        "zero-shot: reading test items",
        "reading items",
        "trials",
    ]
    assert watcher.steps == [total for _, total in watcher.stages]
    assert watcher.stages[2] == ("trials", 6)

    def no_model(*_: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(TrialRunner, "model", no_model)
    again = Recorder()
    second = run_in("runs", trials, watcher=again)
    assert len(runs) == 6
    assert again.stages == []
    assert bits(second) == bits(first)
    assert [r.seconds for r in second.values()] == [r.seconds for r in first.values()]


def test_results_are_by_key_and_a_repeated_trial_runs_once(
    run_in: RunIn, trials: list[Trial], runs: list[str], task: Task
) -> None:
    zero_shot, probe = trials[:2]
    results = run_in("runs", [zero_shot, probe, zero_shot])
    assert sorted(runs) == sorted([probe.key, zero_shot.key])
    assert results.keys() == {probe.key, zero_shot.key}
    assert {result.correct.size for result in results.values()} == {task.test_positions.size}


@pytest.mark.parametrize("workers", [1, 2])
def test_how_far_an_adapter_is_is_told(run_in: RunIn, trials: list[Trial], workers: int) -> None:
    watcher = Recorder()
    adapters = [trial for trial in trials if trial.method == "qlora"]
    run_in("runs", adapters, workers, watcher)
    names = {trial_name(trial) for trial in adapters}
    assert set(watcher.over) == names
    if workers == 1:  # what a process tells of a short trial may come when the trial is over
        assert set(watcher.under_way) == names
    for told in watcher.under_way.values():
        last = told[-1]
        assert (last.what, last.done, last.total) in {("training", 4, 4), ("testing", 32, 32)}
        assert last.tokens > 0


class Interrupting(Recorder):
    """Interrupts when so many trials are done."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        super().advance(steps, tokens)
        if self.stages[-1][0] == "trials" and self.steps[-1] == self.after:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_where_it_was(
    run_in: RunIn, trials: list[Trial], runs: list[str]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_in("cut", trials, watcher=Interrupting(4))
    assert len(runs) == 4
    resumed = run_in("cut", trials)
    assert sorted(runs) == sorted(trial.key for trial in trials)
    assert bits(resumed) == bits(run_in("whole", trials))


def with_settings(trial: Trial, settings: dict[str, object]) -> Trial:
    return replace(trial, recipe=replace(trial.recipe, settings=tuple(sorted(settings.items()))))


def diverging(trial: Trial) -> Trial:
    settings = dict(trial.recipe.settings) | {"learning_rate": 1e30}
    return with_settings(trial, settings)


def test_a_trial_that_diverges_is_named_and_the_others_are_run(
    run_in: RunIn, trials: list[Trial], runs: list[str]
) -> None:
    failing = diverging(trials[2])
    watcher = Recorder()
    with pytest.raises(TrainingDivergedError) as caught:
        run_in("runs", [trials[0], failing, trials[4]], watcher=watcher)
    assert str(caught.value).startswith(
        "1 of 3 trials failed, the others are done and kept: qlora on 6 easy labels, seed 0: "
    )
    assert "lower [qlora] learning_rate" in str(caught.value)
    assert watcher.steps[-1] == 3
    assert runs == [trials[0].key, failing.key, trials[4].key]
    run_in("runs", [trials[0], trials[4]])
    assert len(runs) == 3


def test_all_that_diverge_are_named(run_in: RunIn, trials: list[Trial]) -> None:
    with pytest.raises(TrainingDivergedError) as caught:
        run_in("runs", [diverging(trials[4]), trials[0], diverging(trials[2])])
    message = str(caught.value)
    assert message.startswith("2 of 3 trials failed")
    assert "kept: qlora on 4 easy + 5 hard labels, seed 0: " in message
    assert message.endswith("Failed likewise: qlora on 6 easy labels, seed 0.")


def test_any_other_error_starts_no_further_trial(
    run_in: RunIn, trials: list[Trial], runs: list[str], tmp_path: Path
) -> None:
    settings = dict(trials[2].recipe.settings) | {"target_modules": "no_such_layer"}
    wrong = with_settings(trials[2], settings)
    with pytest.raises(InputError, match="no_such_layer"):
        run_in("runs", [trials[0], wrong, trials[4]])
    assert runs == [trials[0].key, wrong.key]
    with TrialStore(tmp_path / "runs" / "trials.sqlite") as store:
        assert len(store) == 1


def test_probes_are_run_at_once_and_kept_as_they_come(
    run_in: RunIn, trials: list[Trial], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In whatever order they come; an interruption loses none that was told."""
    asked: list[int] = []
    result = TrialResult(np.array([True]), 1.0, 1, "cpu")

    def run_probes(_: TrialRunner, probes: list[Trial]) -> Iterator[tuple[Trial, TrialResult]]:
        asked.append(len(probes))
        yield from ((trial, result) for trial in reversed(probes))

    monkeypatch.setattr(TrialRunner, "run_probes", run_probes)
    probes = [replace(trials[1], seed=seed) for seed in range(20)]
    with pytest.raises(KeyboardInterrupt):
        run_in("runs", probes, watcher=Interrupting(7))
    with TrialStore(tmp_path / "runs" / "trials.sqlite") as store:
        assert store.missing(probes) == probes[:13]
    assert len(run_in("runs", probes)) == 20
    assert asked == [20, 13]


def test_order_and_workers_make_no_difference(
    run_in: RunIn, trials: list[Trial], runs: list[str]
) -> None:
    """With two workers those that train adapters run in processes of their own."""
    one = bits(run_in("one", trials))
    assert bits(run_in("reversed", trials[::-1])) == one
    runs.clear()
    watcher = Recorder()
    assert bits(run_in("two", trials, workers=2, watcher=watcher)) == one
    assert sorted(runs) == sorted(trial.key for trial in trials if trial.method != "qlora")
    assert watcher.steps[-1] == watcher.stages[-1][1] == 6
    # Not by chance: the trials differ among themselves.
    results: list[NDArray[np.bool_]] = [np.array(each) for each in one.values()]
    assert len({result.tobytes() for result in results}) >= 4


def test_a_single_trial_needs_no_worker(
    run_in: RunIn, trials: list[Trial], runs: list[str]
) -> None:
    run_in("runs", [trials[1], trials[2]], workers=2)
    assert sorted(runs) == sorted([trials[1].key, trials[2].key])  # in this process


def test_ctrl_c_while_a_worker_is_made_leaves_no_process(
    task: Task, bert_source: ModelSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held back until its process is there, it comes before anybody could end that worker."""
    pools = []

    class Noted(ProcessPoolExecutor):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            pools.append(self)

    @contextmanager
    def interrupted() -> Iterator[None]:
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "ProcessPoolExecutor", Noted)
    monkeypatch.setattr(local, "_interrupts_held_back", interrupted)
    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        local._WorkerProcess(task, bert_source, tmp_path, None)
    assert set(multiprocessing.active_children()) == before
    with pytest.raises(RuntimeError, match=r"after shutdown|not usable"):
        pools[0].submit(print)
