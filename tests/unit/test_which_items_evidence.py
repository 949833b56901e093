"""The tables of `docs/method/which-items.md` are those of the benchmark's result."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
