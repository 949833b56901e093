"""Join a Ray cluster that runs already; none is ever started or stopped here."""

import importlib
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from annotation.errors import InputError

ANSWER_SECONDS = 30.0
_HOST_AND_PORT = re.compile(r"[^\s/:]+:\d{1,5}|\[[0-9A-Fa-f:]+\]:\d{1,5}")
# The address is tried in a process that can be ended: where nothing answers, ray.init waits for
# minutes and may abort the process that called it.
_TRY = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False)"

# Ray is an optional package: its modules and handles are Any here, whether it is there or not.
RayModule = Any


def import_ray() -> RayModule:
    """The package ray. Raises InputError if it is not installed."""
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        if error.name != "ray":
            raise
        raise InputError(
            "a Ray cluster needs the package 'ray', which is not installed here; run "
            "pip install 'labelmix[ray]', with the version that the cluster has."
        ) from None


@contextmanager
def joined(address: str, answer_seconds: float = ANSWER_SECONDS) -> Iterator[RayModule]:
    """Within the block this process is a driver of the cluster at `address`.

    A connection that is there already is used and left as it is.

    Raises InputError if ray is not installed, `address` is neither "auto" nor host:port, the
    process is a driver of another cluster, or the cluster does not answer within
    `answer_seconds` or refuses.
    """
    if address != "auto" and not _HOST_AND_PORT.fullmatch(address):
        raise InputError(
            f"Ray address '{address}': give host:port of a cluster, such as 10.0.0.5:6379, or "
            "'auto' for the one that this machine is a node of."
        )
    ray = import_ray()
    if ray.is_initialized():
        own = ray.get_runtime_context().gcs_address
        if address not in ("auto", own):
            raise InputError(
                f"Ray address '{address}': this process is connected to the cluster at {own} "
                "already; give that address, or disconnect first."
            )
        yield ray
        return
    _check_answers(address, answer_seconds)
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield ray
    finally:
        ray.shutdown()  # of a driver that joined a cluster: disconnects it


def _check_answers(address: str, answer_seconds: float) -> None:
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _TRY, address],
            capture_output=True,
            text=True,
            timeout=answer_seconds,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"Ray address '{address}': no cluster answered within {answer_seconds:g} seconds; "
            "check that it runs ('ray status' on its head) and that this machine is a node of it."
        ) from None
    if tried.returncode != 0:
        lines = [line.strip() for line in tried.stderr.splitlines() if line.strip()]
        reason = lines[-1].rstrip(".") if lines else f"exit code {tried.returncode}"
        raise InputError(
            f"Ray address '{address}': this machine could not join the cluster ({reason}); check "
            "that it runs, that this machine is a node of it, and that both have the same "
            "versions of Ray and Python."
        )


def count_places(ray: RayModule, cpus: float, gpus: float) -> int:
    """How many workers of this size the whole cluster holds.

    Raises InputError if no node holds one.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    wanted = {name: size for name, size in (("CPU", cpus), ("GPU", gpus)) if size > 0}
    places = sum(
        min(int(node.get(name, 0) / size) for name, size in wanted.items()) for node in nodes
    )
    if places == 0:
        there = "; ".join(
            f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes
        )
        raise InputError(
            f"no node of the Ray cluster has the {cpus:g} CPUs and {gpus:g} GPUs that a trial is "
            f"to have (nodes: {there}); ask for less or add a node."
        )
    return places
