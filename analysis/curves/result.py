"""What `labelmix curves` found out: the schema of `curves.json`, and the table `curves.csv`.

Accuracy is always that on the target stratum's test items. "Easy" is the easiest stratum for sale,
"hard" the target, whatever their names; `CurvesResult.easy` and `.target` hold these. A clean label
has error rate 0. Everything but `timing` is the same when the same curves are asked for again.
"""

import csv
from pathlib import Path
from typing import Literal

from pydantic import Field

from analysis.crossover import CrossoverBudget
from analysis.estimates import Estimate, Record, SupervisionGap
from analysis.label_words import words_for
from analysis.run.result import ModelSummary, StratumSummary
from annotation.spreadsheet_cells import guarded_row
from annotation.whole_files import whole_file

CSV_COLUMNS = ("stratum", "error_rate", "labels", "cost", "accuracy", "low", "high", "seeds")
ZERO_SHOT = "zero-shot"  # stands for the stratum in the row of the untrained model


class MeasuredPoint(Estimate):
    """Mean accuracy over seeds after training on so many labels of one stratum and error rate."""

    stratum: str
    error_rate: float
    true_flip_rate: float  # probability that a label is wrong
    labels: int
    cost: float
    seeds: int
    # "zero_shot", and "commonest_class" or "guessing" -> the accuracy less theirs, paired.
    over: dict[str, Estimate] = Field(default_factory=dict)


class Difference(Estimate):
    """Accuracy after easy labels minus accuracy after hard ones, paired over items and seeds."""

    easy_error_rate: float
    hard_error_rate: float
    resolved: bool  # the interval leaves out zero


class CountDifference(Difference):
    """At the same number of labels."""

    labels: int


class CostDifference(Difference):
    """At the same money, between measured sizes on the straight line that joins them."""

    cost: float
    easy_labels: float  # what the money buys
    hard_labels: float


class RatedCrossover(CrossoverBudget):
    """The crossover budget of easy labels at one error rate and hard ones at another."""

    easy_error_rate: float
    hard_error_rate: float


class CurvesResult(Record):
    """The whole result of `labelmix curves`."""

    schema_version: Literal[1] = 1
    name: str
    labelmix_version: str
    source: str
    items: int
    item_fingerprint: str
    choices_per_item: float
    chance_accuracy: float
    measure: str
    easy: str
    target: str
    strata: dict[str, StratumSummary]  # in order of hardness; without error rates, which vary
    model: ModelSummary
    method: str
    currency: str
    confidence: float = Field(gt=0, lt=1)
    sizes: list[int]
    error_rates: list[float]  # of easy labels, rising from 0
    hard_factor: float
    hard_error_rates: list[float]  # min(1, hard_factor x error rate), in the same order
    seeds: list[int]
    zero_shot: Estimate
    commonest_class: str | None = None  # None: items do not share their choices
    commonest_accuracy: Estimate | None = None  # of always answering it
    points: list[MeasuredPoint]
    equal_count: list[CountDifference]  # easy at p, hard at hard_factor x p
    equal_noise: list[CountDifference]  # both at p
    equal_cost: list[CostDifference]  # easy at p, hard at hard_factor x p
    crossovers: list[RatedCrossover]  # of the lines of equal_cost; none without two amounts
    sgr: list[SupervisionGap]  # clean, one per size
    trials: int
    warnings: list[str]
    timing: dict[str, float]
    as_judged: bool = False  # labels are people's own: no errors are added, rates are 0

    @property
    def without_noise(self) -> str:
        """What labels are called to which no errors were added."""
        return words_for(self.as_judged).without_noise


def write_curves(result: CurvesResult, folder: Path) -> None:
    """Write `curves.json` and `curves.csv`, each whole or not at all.

    Raises InputError if a file cannot be written.
    """
    with whole_file(folder / "curves.json") as unfinished:
        unfinished.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    with (
        whole_file(folder / "curves.csv") as unfinished,
        unfinished.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows(map(guarded_row, long_table(result)))


def long_table(result: CurvesResult) -> list[tuple[str | float | None, ...]]:
    """Rows of `CSV_COLUMNS`: one per measured point, and the untrained model as zero labels."""
    untrained = result.zero_shot
    rows: list[tuple[str | float | None, ...]] = [
        (ZERO_SHOT, None, 0, 0.0, untrained.estimate, untrained.low, untrained.high, 1)
    ]
    for p in result.points:
        accuracy = (p.estimate, p.low, p.high)
        rows.append((p.stratum, p.error_rate, p.labels, p.cost, *accuracy, p.seeds))
    return rows
