"""What `labelmix simulate` found: the schema of `simulate.json`, and the table `simulate.csv`.

"Easy" is the easiest stratum that is not the target, "hard" the target, whatever their names.
Accuracy is always the expected one on the target; nothing here was measured in the simulation.
"""

import csv
from pathlib import Path
from typing import Literal

from pydantic import Field

from analysis.estimates import Estimate, Record
from annotation.spreadsheet_cells import guarded_row
from annotation.whole_files import whole_file
from budget.simulate.axes import Scale

Region = Literal["easy", "hard", "mix"]
Source = Literal["prior", "assumptions", "preset", "run"]
Matrix = list[list[float]]  # [y][x]
CSV_COLUMNS = (
    "region",
    "unresolved",
    "best_easy_share",
    "best_easy_labels",
    "best_hard_labels",
    "best",
    "all_easy",
    "all_hard",
    "equal_spend",
    "difference_low",
    "difference_high",
    "probability_easy",
    "value_of_knowing",
)


class AxisRecord(Record):
    """Values of one quantity, rising."""

    name: str
    label: str
    scale: Scale
    values: list[float]


class Assumption(Record):
    """A number that the simulation rests on, in words, and who says so."""

    name: str
    value: str
    source: str


class BreakEven(Record):
    """Where along x all easy and all hard are expected to do equally well, at one value of y.

    `easy_from_here` says of each place whether easy labels are better beyond it.
    """

    y: float
    x: list[float]
    easy_from_here: list[bool]
    easy_at_the_end: bool  # which is better at the last value of x


class Cell(Record):
    """One purchase decision."""

    region: Region
    unresolved: bool
    best: float
    best_easy_share: float  # of the money
    best_easy_labels: int
    best_hard_labels: int
    all_easy: float
    all_hard: float
    equal_spend: float
    difference: Estimate  # all easy minus all hard
    probability_easy: float
    value_of_knowing: float


class Here(Cell):
    """The decision at the terms that a run or statements give; `x`, `y`: where on the axes."""

    x: float | None
    y: float | None
    terms: dict[str, float]


class SimulationResult(Record):
    """The whole result of `labelmix simulate`; matrices are [y][x]."""

    schema_version: Literal[1] = 1
    labelmix_version: str
    title: str
    source: Source
    preset: str | None
    run: str | None
    easy: str
    target: str
    currency: str
    confidence: float = Field(gt=0, lt=1)  # of the difference between all easy and all hard
    margin: float  # accuracy by which a mix has to beat both
    draws: int
    seed: int
    x: AxisRecord
    y: AxisRecord
    assumptions: list[Assumption]
    notes: list[str]
    here: Here | None
    region: list[list[Region]]
    unresolved: list[list[bool]]
    all_easy: Matrix
    all_hard: Matrix
    equal_spend: Matrix
    best: Matrix
    best_easy_share: Matrix
    best_easy_labels: list[list[int]]
    best_hard_labels: list[list[int]]
    difference_low: Matrix
    difference_high: Matrix
    probability_easy: Matrix
    value_of_knowing: Matrix  # accuracy to gain if the surface were known for sure
    break_even: list[BreakEven]


def write_simulation(result: SimulationResult, folder: Path) -> None:
    """Write `simulate.json` and `simulate.csv`, each whole or not at all.

    Raises InputError if a file cannot be written.
    """
    with whole_file(folder / "simulate.json") as unfinished:
        unfinished.write_text(result.model_dump_json() + "\n", encoding="utf-8")
    with (
        whole_file(folder / "simulate.csv") as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(guarded_row((result.x.name, result.y.name, *CSV_COLUMNS)))
        columns = [getattr(result, name) for name in CSV_COLUMNS]
        for row, y in enumerate(result.y.values):
            for column, x in enumerate(result.x.values):
                writer.writerow((x, y, *(matrix[row][column] for matrix in columns)))
