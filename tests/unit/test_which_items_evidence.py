"""The tables of `docs/method/which-items.md` are those of the benchmark's result."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "method" / "which-items.md"
RESULT = ROOT / "benchmarks" / "results" / "which_items.json"
AT_FOUR = 12  # checkpoint: four judgments per item, from one on in quarters


@pytest.fixture(scope="module")
def worlds() -> dict[str, Any]:
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    return {name: world for name, world in found.items() if "model" in world}


def percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def ratio(values: Sequence[float] | None) -> str:
    return "" if values is None else "{:.2f} ({:.2f} to {:.2f})".format(*values)


def rows(section: str) -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines]


def test_model_table(worlds: dict[str, Any]) -> None:
    expected = []
    for name, world in worlds.items():
        found = world["model"]
        better = found["better_random"]
        needed = [
            ratio(found["needed"].get(way, {}).get(better))
            for way in ("doubt", "ActiveLab", "BADGE")
        ]
        ends = [percent(found["accuracy"][way][-1]) for way in (better, "doubt")]
        wrong = f"{world['error_rate']:.0%}".replace("%", " %")
        expected.append([name, wrong, better, *ends, *needed])
    assert rows("Model: hard test items answered right") == expected


def test_label_table(worlds: dict[str, Any]) -> None:
    expected = []
    for name, world in worlds.items():
        found = world["labels"]
        better, stops = found["better_random"], found["stops_at"]
        assert found["judgments"][AT_FOUR] == pytest.approx(4 * found["items"], abs=1)
        expected.append(
            [
                name,
                better,
                percent(found["accuracy"][better][AT_FOUR]),
                percent(found["accuracy"]["doubt"][AT_FOUR]),
                ratio(found["needed"]["doubt"][better]),
                f"{stops['judgments'] / found['items']:.1f} per item, {percent(stops['accuracy'])}",
            ]
        )
    assert rows("Labels: hard items with the right label") == expected


def test_table_of_whole_collections() -> None:
    result = json.loads(RESULT.with_name("collection_by_doubt.json").read_text(encoding="utf-8"))
    names = ("judgments", "items", "right", "accuracy", "batches")
    scales = {"right": 100.0, "accuracy": 100.0}
    for name, (_, *cells) in zip(names, rows("In a collection"), strict=True):
        at_random, by_doubt = (np.array(result[name][way]) for way in ("random", "doubt"))
        for cell, own in zip(cells, (at_random, by_doubt, by_doubt - at_random), strict=True):
            own = own * scales.get(name, 1.0)
            mean, error = (float(number) for number in re.findall(r"[+-]?\d*\.?\d+", cell)[:2])
            assert mean == pytest.approx(own.mean(), abs=0.5 if name == "judgments" else 0.0501)
            spread = own.std(ddof=1) / np.sqrt(own.size)
            assert error == pytest.approx(spread, abs=0.5 if name == "judgments" else 0.0501)
