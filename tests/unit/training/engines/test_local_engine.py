"""Workers have their own GPUs, and a lost one loses no trial."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import torch

from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from tests.trials import eventful_labels, flat_trial
from training.engines import LocalEngine, SilentWatcher, local_engine
from training.engines import local as module
from training.engines.local import share_devices, visible_devices
from training.models.source import ModelSource
from training.store import TrialStore
from training.task import Task, TestSizes
from training.tuning.diverged import TrainingDivergedError
from training.tuning.qlora import QloraSettings

TERMS = {name: LabelTerms(Decimal(1), 0.2, "redraw") for name in ("easy", "medium", "hard")}
SHORT = QloraSettings(rank=4, alpha=8, batch=8, epochs=1, least_updates=2, learning_rate=5e-3)


@pytest.mark.parametrize(
    ("devices", "workers", "shares"),
    [
        ([], 2, [None, None]),
        (["0"], 1, ["0"]),
        (["0", "1"], 2, ["0", "1"]),
        (["4", "6", "7"], 1, ["4,6,7"]),
        (["4", "6", "7"], 2, ["4", "6,7"]),
        (["0", "1", "2", "3"], 2, ["0,1", "2,3"]),
        (["0", "1"], 5, ["0", "1", "0", "1", "0"]),
        (["GPU-ab", "GPU-cd"], 2, ["GPU-ab", "GPU-cd"]),
    ],
)
def test_gpus_are_shared_among_workers(
    devices: Sequence[str], workers: int, shares: list[str | None]
) -> None:
    assert share_devices(devices, workers) == shares


def see(monkeypatch: pytest.MonkeyPatch, count: int, variable: str | None) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    if variable is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)


@pytest.mark.parametrize(
    ("count", "variable", "names"),
    [
        (0, None, []),
        (0, "", []),
        (2, None, ["0", "1"]),
        (2, "3, 5", ["3", "5"]),
        (1, "GPU-ab", ["GPU-ab"]),
        (1, "3,-1,5", ["3"]),  # CUDA stops at what is no GPU
    ],
)
def test_gpus_keep_the_names_that_the_process_got(
    monkeypatch: pytest.MonkeyPatch, count: int, variable: str | None, names: list[str]
) -> None:
    see(monkeypatch, count, variable)
    assert visible_devices() == names


@dataclass
class Fatal:
    """Kills the process that trains on 7 labels, the first `deaths` times; writes who trained."""

    marker: Path
    deaths: int = 1

    def __call__(self, labels: int) -> None:
        with self.marker.open("a") as file:
            file.write(f"{labels} {os.getpid()}\n")
        if labels == 7 and self._sevens() <= self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)

    def _sevens(self) -> int:
        return sum(line.startswith("7 ") for line in self.marker.read_text().splitlines())


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame]) -> Task:
    return Task(make_items(120), Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(16, 8))


def test_neither_a_killed_worker_nor_a_diverging_trial_stops_the_others(
    task: Task, llama_source: ModelSource, tmp_path: Path
) -> None:
    """The killed worker's trial is run again, and only that one."""
    short, fatal = asdict(SHORT), Fatal(tmp_path / "trained on")
    trials = [
        flat_trial(
            task,
            llama_source,
            "qlora",
            settings,
            mix,
            {},
            0,
            quantisation="nf4",
            given=eventful_labels(task, mix, TERMS, 0, fatal),
        )
        for settings, mix in (
            (short | {"learning_rate": 1e30}, {"easy": 4}),
            (short, {"hard": 6}),
            (short, {"easy": 3, "hard": 4}),
        )
    ]
    with (
        TrialStore(tmp_path / "trials.sqlite") as store,
        local_engine(task, llama_source, tmp_path, store, workers=2) as engine,
    ):
        with pytest.raises(TrainingDivergedError, match=r"1 of 3 .* kept: qlora on 4 easy labels"):
            engine.run(trials, SilentWatcher(), "trials")
        assert store.missing(trials) == trials[:1]
    runs = [line.split() for line in fatal.marker.read_text().splitlines()]
    assert sorted(labels for labels, _ in runs) == ["4", "6", "7", "7"]
    assert str(os.getpid()) not in {process for _, process in runs}


def test_a_worker_starts_with_its_gpus_and_this_process_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch,
    task: Task,
    llama_source: ModelSource,
    tmp_path: Path,
) -> None:
    """By default one worker for each GPU; the name is no GPU here, so nothing is computed."""
    see(monkeypatch, 2, "x,y")
    started: list[str] = []

    class NoPool:
        def __init__(self, **_: object) -> None: ...

        def submit(self, *_: object) -> None:
            started.append(os.environ["CUDA_VISIBLE_DEVICES"])

        def shutdown(self, cancel_futures: bool) -> None: ...

    monkeypatch.setattr(module, "ProcessPoolExecutor", NoPool)
    with TrialStore(tmp_path / "trials.sqlite") as store:
        engine = LocalEngine(task, llama_source, tmp_path, store)
        dispatcher = engine._make_dispatcher()
        for slot in range(2):
            dispatcher._hire(slot)
    assert started == ["x", "y"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "x,y"
