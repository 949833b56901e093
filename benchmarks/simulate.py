"""How long `labelmix simulate` takes, how that grows, and what planning cell by cell would take.

The twin plans each cell by itself in the obvious way: every mix priced by `annotation.terms.cost`,
and predicted alone. It runs on a few cells of the grid, where its results must be the same.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from _machine import interleaved_medians, write_result
from annotation.terms.cost import affordable
from budget.simulate.axes import Axis, read_axis
from budget.simulate.phase import Phase, simulate_phase
from budget.simulate.presets import with_defaults
from budget.simulate.stated import read_statements
from budget.simulate.task import assumed_task

MARGIN = 0.005
STATED = with_defaults(read_statements(["transfer=.6:.95"]).statements)
SIDES = (25, 50, 100)
DRAWS = (100, 200, 300, 400)
USUAL = 300  # draws, the command's default
CELLS = 60  # that the twin plans
PAIRS = {  # what varies: money alone, errors, transfer
    "budget, cost ratio": ("budget=100:5000", "cost-ratio=1:10"),
    "error rates": ("error-easy=0:.6", "error-hard=0:.6"),
    "cost ratio, transfer": ("cost-ratio=1:10", "transfer=0:1"),
}


class Twin(NamedTuple):
    """What the twin finds in one cell."""

    best: float
    all_easy: float
    all_hard: float
    probability_easy: float
    low: float
    high: float


def axes(pair: str, side: int) -> tuple[Axis, Axis]:
    x, y = PAIRS[pair]
    return read_axis(f"{x}:{side}", "--x"), read_axis(f"{y}:{side}", "--y")


def grid(pair: str, side: int, draws: int) -> Phase:
    task, stated = assumed_task(STATED, draws, 0)
    return simulate_phase(task, stated, *axes(pair, side), MARGIN)


def chosen_cells(side: int) -> list[tuple[int, int]]:
    """(row, column) of cells all over a grid."""
    rng = np.random.default_rng(0)
    return [(int(row), int(column)) for row, column in rng.integers(0, side, (CELLS, 2))]


def twin(side: int, draws: int) -> list[Twin]:
    """Plan some cells of the grid of money, each by itself."""
    task, stated = assumed_task(STATED, draws, 0)
    x, y = axes("budget, cost ratio", side)
    error = float(stated["error-easy"].number)
    clean = {
        "easy": task.annotators["easy"].clean(error),
        "hard": task.annotators["hard"].clean(float(stated["error-factor"].number) * error),
    }
    found = []
    for row, column in chosen_cells(side):
        budget, cost_hard = x.values[column], y.values[row]

        def predict(
            share: int, budget: Decimal = budget, cost_hard: Decimal = cost_hard
        ) -> NDArray[np.float64]:
            mix = {
                "easy": affordable(budget, Decimal(1), Fraction(share, 20)),
                "hard": affordable(budget, cost_hard, Fraction(20 - share, 20)),
            }
            return task.surface.predict([mix], clean, offset=False)[:, 0]

        by_share = {share: predict(share) for share in range(0, 21, 2)}
        middle = max(by_share, key=lambda share: (round(by_share[share].mean(), 9), -share))
        by_share |= {s: predict(s) for s in (middle - 1, middle + 1) if 0 <= s <= 20}
        difference = by_share[20] - by_share[0]
        low, high = np.quantile(difference, [0.05, 0.95])
        found.append(
            Twin(
                max(float(own.mean()) for own in by_share.values()),
                float(by_share[20].mean()),
                float(by_share[0].mean()),
                float((difference > 0).mean()),
                float(low),
                float(high),
            )
        )
    return found


def check_equal(phase: Phase, twins: list[Twin], side: int) -> float:
    """The largest difference between both; raises AssertionError if it is no rounding."""
    names = (
        "best",
        "all_easy",
        "all_hard",
        "probability_easy",
        "difference_low",
        "difference_high",
    )
    places = chosen_cells(side)
    ours = np.array([[getattr(phase, name)[place] for name in names] for place in places])
    largest = float(np.abs(ours - np.array(twins)).max())
    assert largest < 1e-9, largest
    return largest


def command(folder: Path) -> float:
    """Seconds of the whole command on 100 x 100 cells: start, grid, all four files."""
    x, y = (f"{axis}:100" for axis in PAIRS["budget, cost ratio"])
    arguments = ["simulate", "--x", x, "--y", y, "--out", str(folder)]
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from budget.commands.app import main; main()", *arguments],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - started


def main() -> None:
    """Time grids, draws, pairs of axes, the twin and the command."""
    largest = check_equal(grid("budget, cost ratio", 100, USUAL), twin(100, USUAL), 100)
    print(f"equal to planning {CELLS} cells one by one: largest difference {largest:.1e}")
    money = "budget, cost ratio"
    contestants: dict[str, Callable[[], object]] = {
        f"{CELLS} cells one by one": partial(twin, 100, USUAL)
    }
    for side in SIDES:
        contestants[f"{side} x {side}, {USUAL} draws"] = partial(grid, money, side, USUAL)
    for draws in DRAWS:
        contestants[f"100 x 100, {draws} draws"] = partial(grid, money, 100, draws)
    for pair in PAIRS:
        if pair != money:
            contestants[f"100 x 100, {USUAL} draws, {pair}"] = partial(grid, pair, 100, USUAL)
    timings = interleaved_medians(contestants, repetitions=3)
    for name, timing in timings.items():
        print(f"{name:48s} {timing['median']:.3f} s")
    usual = timings[f"100 x 100, {USUAL} draws"]["median"]
    by_itself = timings[f"{CELLS} cells one by one"]["median"] * 100**2 / CELLS
    print(f"100 x 100 cells one by one, in proportion: {by_itself:.0f} s")
    print(f"ratio: {by_itself / usual:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        seconds = [command(Path(folder)) for _ in range(3)]
    print(f"the whole command, 100 x 100: {sorted(seconds)[1]:.2f} s")
    write_result(
        "simulate",
        {
            "timings": timings,
            "command_seconds": seconds,
            "one_by_one_in_proportion": by_itself,
            "ratio": by_itself / usual,
            "largest_difference": largest,
        },
    )


if __name__ == "__main__":
    main()
