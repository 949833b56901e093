"""A real Ray cluster of two nodes on this machine: what is killed there loses nothing."""

import importlib.util
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.sources.workshop import load_workshop
from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from tests.trials import eventful_labels, flat_trial
from training.engines import RayResources, SilentWatcher, local_engine, ray_engine
from training.models.source import ModelSource, find_model
from training.store import TrialStore
from training.task import Task, TestSizes
from training.trial import Trial, TrialResult
from training.tuning.diverged import TrainingDivergedError
from training.tuning.qlora import QloraSettings

ROOT = Path(__file__).resolve().parents[3]
TERMS = {name: LabelTerms(Decimal(1), 0.2, "redraw") for name in ("easy", "medium", "hard")}
SHORT = QloraSettings(rank=4, alpha=8, batch=8, epochs=1, least_updates=3, learning_rate=5e-3)
FATAL, FAULTY = 9, 4  # trials on so many labels come to grief


@dataclass
class Events:
    """Writes down every look at labels, which each run of a trial takes once; some end badly.

    What happens: "nothing"; the first run on FATAL labels "is killed" with its worker or "hangs";
    or the first run on the second node dies with it, "with its node".
    """

    record: Path
    happens: str = "nothing"
    first_node: str = ""

    def __call__(self, labels: int) -> None:
        again = any(labels == before for before, _ in self.runs())
        with self.record.open("a") as file:
            file.write(f"{labels} {os.getpid()}\n")
        if labels == FAULTY:
            raise ZeroDivisionError("a fault in the program")
        if self.happens == "with its node":
            self._lose_second_node()
        elif self.happens != "nothing" and labels == FATAL and not again:
            if self.happens == "is killed":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(600)

    def _lose_second_node(self) -> None:
        """Runs on the first node wait until the second is lost, so that it has work to lose."""
        lost = self.record.with_name("lost")
        if sys.modules["ray"].get_runtime_context().get_node_id() != self.first_node:
            lost.touch()
            os.kill(os.getppid(), signal.SIGKILL)  # the node's raylet; its workers end with it
            time.sleep(600)
        while not lost.exists():
            time.sleep(0.1)

    def runs(self) -> list[tuple[int, int]]:
        """Labels and process of every run, in order."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [(int(labels), int(process)) for labels, process in map(str.split, lines)]


BOUNDED = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}


@pytest.fixture(scope="module")
def nodes(require: Callable[[bool, str], None]) -> Iterator[Any]:
    """Two nodes of one CPU each; this process is a node's guest and not yet a driver."""
    require(importlib.util.find_spec("ray") is not None, "the package ray is not installed")
    environment = pytest.MonkeyPatch()
    environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
    environment.setenv("PYTHONPATH", str(ROOT))
    environment.setenv("CUDA_VISIBLE_DEVICES", "")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=BOUNDED)
    try:
        cluster.add_node(**BOUNDED)
        yield cluster
    finally:
        cluster.shutdown()
        environment.undo()


@pytest.fixture(scope="module")
def pico() -> ModelSource:
    return find_model("pico")


@pytest.fixture
def task() -> Task:
    return Task(
        load_workshop(240), Strata.easy_medium_hard("steps", 2, 5), "hard", TestSizes(24, 8)
    )


@pytest.fixture
def events(tmp_path: Path) -> Events:
    return Events(tmp_path / "record")


def adapter(task: Task, source: ModelSource, labels: int, events: Events, **changes: Any) -> Trial:
    mix = {"easy": labels - 2, "hard": 2}
    return flat_trial(
        task,
        source,
        "qlora",
        asdict(SHORT) | changes,
        mix,
        {},
        seed=0,
        quantisation="nf4",
        given=eventful_labels(task, mix, TERMS, 0, events),
    )


def bits(results: dict[str, TrialResult]) -> dict[str, list[bool]]:
    return {key: result.correct.tolist() for key, result in results.items()}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the results that this process wrote into a store."""
    seen: list[str] = []
    put = TrialStore.put

    def noted(self: TrialStore, trial: Trial, result: TrialResult) -> None:
        seen.append(trial.key)
        put(self, trial, result)

    monkeypatch.setattr(TrialStore, "put", noted)
    return seen


def test_results_are_the_local_engines_though_a_worker_is_killed(
    nodes: Any, task: Task, events: Events, pico: ModelSource, tmp_path: Path, kept: list[str]
) -> None:
    trials = [
        flat_trial(task, pico, "zero_shot", {}, {}, TERMS, 0),
        flat_trial(task, pico, "probe", {}, {"easy": 20}, TERMS, 0),
        *(adapter(task, pico, labels, events) for labels in (5, 6, 7, 8, FATAL)),
        flat_trial(task, pico, "probe", {}, {"hard": 20}, TERMS, 1),
    ]
    with (
        TrialStore(tmp_path / "local.sqlite") as store,
        local_engine(task, pico, tmp_path / "local", store, workers=1) as engine,
    ):
        expected = engine.run(trials, SilentWatcher(), "trials")
    assert len({tuple(own) for own in bits(expected).values()}) >= 4  # they differ

    events.record.unlink()
    events.happens = "is killed"
    kept.clear()
    with (
        TrialStore(tmp_path / "ray.sqlite") as store,
        ray_engine(task, pico, tmp_path / "ray", store, nodes.address) as engine,
    ):
        results = engine.run(trials, SilentWatcher(), "trials")
        with pytest.raises(ZeroDivisionError, match=r"^a fault in the program$") as caught:
            engine.run([adapter(task, pico, FAULTY, events)], SilentWatcher(), "trials")
    assert "in labels" in str(caught.value.__cause__)  # where it happened, on the node
    assert bits(results) == bits(expected)
    assert sorted(kept) == sorted(trial.key for trial in trials)  # each once, by the driver

    workers = [(labels, process) for labels, process in events.runs() if process != os.getpid()]
    apart = Counter(labels for labels, _ in workers)
    assert apart == {FAULTY: 1, 5: 1, 6: 1, 7: 1, 8: 1, FATAL: 2}
    assert len({process for _, process in workers}) <= 3  # two, and one for the killed
    # The driver joined the cluster and left it as it was.
    assert not sys.modules["ray"].is_initialized()
    assert nodes.remaining_processes_alive()


class Interrupting(SilentWatcher):
    """Interrupts when the first trial is done."""

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        raise KeyboardInterrupt


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_an_interruption_ends_what_runs_and_loses_nothing_done(
    nodes: Any, task: Task, events: Events, pico: ModelSource, tmp_path: Path
) -> None:
    trials = [adapter(task, pico, labels, events) for labels in (5, FATAL)]
    events.happens = "hangs"
    with TrialStore(tmp_path / "trials.sqlite") as store:
        with (
            pytest.raises(KeyboardInterrupt),
            ray_engine(task, pico, tmp_path, store, nodes.address) as engine,
        ):
            engine.run(trials, Interrupting(), "trials")
        assert store.missing(trials) == [trials[1]]
        processes = {process for _, process in events.runs()}
        deadline = time.monotonic() + 30
        while not all(map(gone, processes)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert all(map(gone, processes))


def test_a_node_is_killed_and_a_trial_diverges(
    nodes: Any, task: Task, events: Events, pico: ModelSource, tmp_path: Path
) -> None:
    """The lost node's trial is run again on the other; the diverging one is named."""
    wrong = adapter(task, pico, 5, events, learning_rate=1e30)
    trials = [wrong, *(adapter(task, pico, labels, events) for labels in (6, 7, 8))]
    events.happens, events.first_node = "with its node", nodes.head_node.node_id
    (second,) = nodes.worker_nodes
    try:
        with (
            TrialStore(tmp_path / "trials.sqlite") as store,
            ray_engine(task, pico, tmp_path, store, nodes.address) as engine,
        ):
            with pytest.raises(TrainingDivergedError, match=r"^1 of 4 .* on 3 easy \+ 2 hard"):
                engine.run(trials, SilentWatcher(), "trials")
            assert store.missing(trials) == [wrong]
    finally:
        nodes.remove_node(second)
        nodes.add_node(**BOUNDED)
    runs = Counter(labels for labels, _ in events.runs())
    assert runs.keys() == {5, 6, 7, 8}
    assert sorted(runs.values()) == [1, 1, 1, 2]


def test_a_cluster_that_cannot_be_used_is_said_so(
    nodes: Any, task: Task, events: Events, pico: ModelSource, tmp_path: Path
) -> None:
    ray = sys.modules["ray"]

    def start(address: str, **arguments: Any) -> None:
        with (
            TrialStore(tmp_path / "trials.sqlite") as store,
            ray_engine(task, pico, tmp_path, store, address, **arguments),
        ):
            raise AssertionError("started")

    with pytest.raises(InputError, match=r"no node .* 64 CPUs and 0 GPUs .*: 1 CPUs and 0 GPUs"):
        start(nodes.address, resources=RayResources(cpus=64))
    with pytest.raises(InputError, match=r"'127.0.0.1:1': no cluster answered within 3 seconds"):
        start("127.0.0.1:1", answer_seconds=3)
    ray.init(address=nodes.address, log_to_driver=False)
    try:
        with pytest.raises(InputError, match=f"connected to the cluster at {nodes.address}"):
            start("127.0.0.1:1")
        with pytest.raises(InputError, match="no node"):
            start("auto", resources=RayResources(gpus=0.5))
        assert ray.is_initialized()  # a connection that was there stays
    finally:
        ray.shutdown()
