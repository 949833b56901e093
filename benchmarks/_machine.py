"""What every benchmark needs: fair timing, and a record of the machine that it holds for."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypedDict

RESULTS = Path(__file__).parent / "results"
PACKAGES = (
    "accelerate",
    "bitsandbytes",
    "cleanlab",
    "datasets",
    "labelmix",
    "lm-eval",
    "numpy",
    "pandas",
    "peft",
    "scikit-activeml",
    "scikit-learn",
    "scipy",
    "torch",
    "transformers",
)


class Timing(TypedDict):
    """Seconds of one contestant: of every repetition, in order, and their median."""

    median: float
    seconds: list[float]


def interleaved_medians(
    contestants: Mapping[str, Callable[[], object]], repetitions: int = 5
) -> dict[str, Timing]:
    """Time the contestants in turns.

    Every contestant runs once unmeasured (imports, caches), then once per repetition, in an order
    that moves on by one each time, so that drift of the machine and the warmth that one leaves
    for the next fall on all of them alike.

    Parameters
    ----------
    contestants
        Name -> what is timed, called with no arguments.
    repetitions
        Measured calls of each contestant, at least 1.

    Raises
    ------
    ValueError
        If there is no contestant or `repetitions` is below 1.
    """
    if not contestants:
        raise ValueError("'contestants' should name at least one function; got none.")
    if repetitions < 1:
        raise ValueError(f"'repetitions' should be at least 1; got {repetitions}.")
    names = list(contestants)
    for name in names:
        contestants[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            started = time.perf_counter()
            contestants[name]()
            seconds[name].append(time.perf_counter() - started)
    return {
        name: {"median": statistics.median(values), "seconds": values}
        for name, values in seconds.items()
    }


def describe_machine() -> dict[str, object]:
    """The machine and the versions in use; nothing that names the machine or its user."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": platform.system(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "accelerator": _accelerator(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def write_result(name: str, payload: Mapping[str, object]) -> Path:
    """Write `payload` and the machine to results/`name`.json; return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    record = {"benchmark": name, **payload, "machine": describe_machine()}
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path


def _processor() -> str:
    """The processor's model where the system tells it, else its architecture."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _accelerator() -> str | None:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
