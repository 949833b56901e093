"""`labelmix curves` on generated items and the embedded model: run, extended, run again."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from analysis.curves.result import CurvesResult
from analysis.curves.wording import findings

pytestmark = pytest.mark.timeout(1800)

CONFIG = """
name = "curves"

[items]
source = "workshop"
size = 600

[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5

[annotators.easy]
cost = 0.5

[budget]
total = 60

[pilot]
labels = 10

[test]
items = 80
other_items = 10

[qlora]
epochs = 1
least_updates = 2
"""
SMALL = ("--sizes", "5,10", "--error-rates", "0,.2", "--seeds", "2")
LARGE = ("--sizes", "5,10,20", "--error-rates", "0,.2", "--seeds", "2")

Rows = dict[str, tuple[Any, ...]]
Labelmix = Callable[..., str]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("task") / "curves.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@dataclass(frozen=True)
class Grown:
    """Curves of two sizes, then of three, then once more, told in words that time."""

    folder: Path
    small: CurvesResult
    large: dict[str, Any]
    words: str
    rows: tuple[Rows, Rows, Rows]  # the store after each


@pytest.fixture(scope="module")
def grown(
    config: Path,
    labelmix: Labelmix,
    stored_rows: Callable[[Path], Rows],
    tmp_path_factory: pytest.TempPathFactory,
) -> Grown:
    folder = tmp_path_factory.mktemp("runs") / "curves"

    def run(*options: str) -> tuple[str, Rows]:
        return labelmix("curves", config, *options, "--out", folder), stored_rows(folder)

    small, first = run(*SMALL, "--json")
    large, second = run(*LARGE, "--json")
    words, third = run(*LARGE)
    return Grown(
        folder,
        CurvesResult.model_validate_json(small),
        json.loads(large),
        " ".join(words.split()),
        (first, second, third),
    )


def test_every_trial_is_run_once_however_the_curves_grow(grown: Grown) -> None:
    first, second, third = grown.rows
    small, large = grown.small, CurvesResult.model_validate(grown.large)
    assert len(first) == 1 + 5 * 2 * 2  # five kinds of label, two sizes, two seeds, and zero-shot
    assert (small.trials, small.seeds, small.sizes) == (21, [0, 1], [5, 10])
    assert len(second) == 1 + 5 * 3 * 2
    assert {key: second[key] for key in first} == first
    assert [p for p in large.points if p.labels <= 10] == small.points
    assert [d for d in large.equal_count if d.labels <= 10] == small.equal_count
    assert third == second
    again = json.loads((grown.folder / "curves.json").read_text())
    assert again.pop("timing").keys() == grown.large["timing"].keys()
    assert again == {name: own for name, own in grown.large.items() if name != "timing"}


def test_what_is_promised_is_there_and_agrees(grown: Grown) -> None:
    folder = grown.folder
    assert {path.name for path in folder.iterdir()} >= {
        "curves.json", "curves.csv", "curves.png", "curves.svg", "trials.sqlite",
    }  # fmt: skip
    result = CurvesResult.model_validate_json((folder / "curves.json").read_text())
    for sentences in findings(result).values():
        for sentence in sentences:
            assert sentence in grown.words
    assert str(folder / "curves.png") in grown.words.replace(" ", "")  # a long path is broken
    with (folder / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1 + len(result.points) == 1 + 5 * 3
    for row, point in zip(rows[1:], result.points, strict=True):
        assert (row["stratum"], float(row["error_rate"])) == (point.stratum, point.error_rate)
        assert float(row["accuracy"]) == point.estimate
        assert float(row["cost"]) == point.labels * {"easy": 0.5, "hard": 2}[point.stratum]
    # Easy labels cost a quarter: 20 of them as much as 5 hard ones, and no other purchase.
    assert {(d.cost, d.easy_labels, d.hard_labels) for d in result.equal_cost} == {(10, 20, 5)}


def test_adapters_have_curves_too(
    config: Path, labelmix: Labelmix, stored_rows: Callable[[Path], Rows], tmp_path: Path
) -> None:
    options = ("--sizes", "4", "--error-rates", "0", "--seeds", "2", "--method", "qlora")
    result = CurvesResult.model_validate_json(
        labelmix("curves", config, *options, "--out", tmp_path, "--json")
    )
    assert (result.method, result.trials) == ("qlora", 5)
    recipes = [json.loads(row[2])["recipe"] for row in stored_rows(tmp_path).values()]
    assert {recipe["quantisation"] for recipe in recipes} == {"nf4"}
    assert {recipe["method"] for recipe in recipes} == {"qlora", "zero_shot"}
