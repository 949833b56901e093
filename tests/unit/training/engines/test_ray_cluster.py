"""What can be said of a cluster without one: its address, its room, and what its errors mean."""

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from annotation.errors import InputError
from training.engines import RayResources, ray_cluster
from training.engines import ray_driver as ray_engine
from training.engines.dispatch import Worker, WorkerLostError
from training.engines.ray_cluster import count_places, joined


@pytest.mark.parametrize(
    "address", ["", "local", "ray://10.0.0.5:10001", "10.0.0.5", "host:port", "host:6379 ", "a b:1"]
)
def test_an_address_is_auto_or_host_and_port(address: str) -> None:
    """Not "local" above all, which would start a cluster."""
    with pytest.raises(InputError, match="give host:port"), joined(address):
        raise AssertionError("joined")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'labelmix\[ray\]'"), joined("auto"):
        raise AssertionError("joined")


class NotConnected:
    """A ray that must not be asked to connect."""

    def is_initialized(self) -> bool:
        return False

    def init(self, **_: object) -> None:
        raise AssertionError("the address was not tried first")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import time; time.sleep(60)", "no cluster answered within 0.5 seconds"),
        ("raise SystemExit('Boom.\\nVersion mismatch. ')", r"\(Version mismatch\)"),
        ("import os; os._exit(3)", r"\(exit code 3\)"),
        ("import os; os.abort()", r"\(exit code -6\)"),
    ],
)
@pytest.mark.parametrize("address", ["auto", "10.0.0.5:6379", "[::1]:6379", "head.example:6379"])
def test_a_cluster_that_does_not_answer_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, address: str, program: str, message: str
) -> None:
    monkeypatch.setattr(ray_cluster, "import_ray", NotConnected)
    monkeypatch.setattr(ray_cluster, "_TRY", program)
    with (
        pytest.raises(InputError, match=message) as caught,
        joined(address, 0.5 if "sleep" in program else 60),
    ):
        raise AssertionError("joined")
    assert str(caught.value).startswith(f"Ray address '{address}': ")


def test_the_address_is_what_the_trial_process_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        given.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    calls: list[dict[str, Any]] = []
    ray = SimpleNamespace(
        is_initialized=lambda: False,
        init=lambda **arguments: calls.append(arguments),
        shutdown=lambda: calls.append({}),
    )
    monkeypatch.setattr(ray_cluster, "import_ray", lambda: ray)
    monkeypatch.setattr(subprocess, "run", run)
    with joined("10.0.0.5:6379") as module:
        assert module is ray
        assert [call["address"] for call in calls] == ["10.0.0.5:6379"]
    assert given[0][-1] == "10.0.0.5:6379"
    assert calls[1:] == [{}]


def cluster_of(*nodes: dict[str, float], alive: bool = True) -> SimpleNamespace:
    return SimpleNamespace(nodes=lambda: [{"Alive": alive, "Resources": each} for each in nodes])


@pytest.mark.parametrize(
    ("cpus", "gpus", "places"),
    [(1, 0, 4 + 8), (3, 0, 1 + 2), (2, 1, 2), (1, 0.5, 4), (4, 0.25, 2), (0.5, 0, 8 + 16)],
)
def test_workers_that_the_cluster_holds(cpus: float, gpus: float, places: int) -> None:
    """A node without GPUs and one of 8 CPUs and 2 GPUs."""
    ray = cluster_of({"CPU": 4.0, "memory": 1e9}, {"CPU": 8.0, "GPU": 2.0})
    assert count_places(ray, cpus, gpus) == places


def test_no_node_holds_a_worker() -> None:
    ray = cluster_of({"CPU": 4.0}, {"CPU": 8.0, "GPU": 1.0})
    with pytest.raises(InputError, match=r"4 CPUs and 0 GPUs; 8 CPUs and 1 GPUs"):
        count_places(ray, 1, 2)
    with pytest.raises(InputError, match="no node"):
        count_places(cluster_of({"CPU": 4.0}, alive=False), 1, 0)


@pytest.mark.parametrize(("cpus", "gpus"), [(0, 1), (-1, 0), (1, -0.5)])
def test_a_trial_needs_resources(cpus: float, gpus: float) -> None:
    with pytest.raises(InputError, match=f"got {cpus:g} and {gpus:g}"):
        RayResources(cpus, gpus)


@pytest.mark.parametrize("devices", [[], ["0"], ["0", "1"]])
def test_workers_have_a_gpu_where_the_driver_has_one(
    monkeypatch: pytest.MonkeyPatch, devices: list[str]
) -> None:
    monkeypatch.setattr(ray_engine, "visible_devices", lambda: devices)
    assert RayResources.default() == RayResources(1, 1 if devices else 0)


@pytest.fixture
def worker(require: Callable[[bool, str], None]) -> Worker:
    """A worker of whose actor nothing is asked but its errors."""
    require(importlib.util.find_spec("ray") is not None, "the package ray is not installed")
    started = SimpleNamespace(future=Future)
    actor = SimpleNamespace(ready=SimpleNamespace(remote=lambda: started))
    return ray_engine._ActorWorker(importlib.import_module("ray"), actor)


def task_error(cause: Exception) -> Exception:
    exceptions = importlib.import_module("ray.exceptions")
    text = f"on the node\n{type(cause).__name__}: {cause}"
    error: Exception = exceptions.RayTaskError("run", text, cause, "title", 1, "10.0.0.5")
    return error


def test_errors_are_those_of_the_trial_or_tell_of_the_loss(worker: Worker) -> None:
    exceptions = importlib.import_module("ray.exceptions")
    fault = ZeroDivisionError("fault")
    own = worker.own_error(task_error(fault))
    assert own is fault
    assert "on the node" in str(own.__cause__)
    for lost in (exceptions.ActorDiedError(), exceptions.OutOfMemoryError("Memory is short.\n…")):
        assert isinstance(worker.own_error(lost), WorkerLostError)
    assert str(worker.own_error(lost)) == "Memory is short"
    interrupt = KeyboardInterrupt()
    assert worker.own_error(interrupt) is interrupt


def test_a_node_without_the_package_is_bad_input_not_a_loss(worker: Worker) -> None:
    exceptions = importlib.import_module("ray.exceptions")
    cause = task_error(ModuleNotFoundError("No module named 'training'"))
    told = worker.own_error(exceptions.ActorDiedError(cause))
    assert isinstance(told, InputError)
    assert "(ModuleNotFoundError: No module named 'training'); install labelmix" in str(told)
