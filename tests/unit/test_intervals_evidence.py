"""The tables of `docs/method/intervals.md` are those of the benchmark, and as good as it says."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "method" / "intervals.md").read_text(encoding="utf-8")
SHARED = ", seeds' luck shared"
COLUMNS = (
    *("accuracy", "difference", f"difference{SHARED}"),
    *("SGR", f"SGR{SHARED}", "SGR per cost"),
)
NOMINAL = (0.93, 0.97)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    path = ROOT / "benchmarks" / "results" / "interval_coverage.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return list(found["rows"])


def table(heading: str) -> list[list[str]]:
    """Cells of the first table of a section, its head left out."""
    text = PAGE.split(heading)[1]
    lines = text[text.index("\n|") + 1 :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def percent(one: dict[str, float]) -> str:
    told = "" if one["told"] == 1 else f" ({100 * one['told']:.0f})"
    return f"{100 * one['holds']:.1f}{told}"


def test_the_table_of_coverage_is_the_benchmark_s(rows: list[dict[str, Any]]) -> None:
    expected = [
        [
            *(str(row[name]) for name in ("regime", "seeds", "items")),
            *(percent(row["methods"]["labelmix"][name]) for name in COLUMNS),
        ]
        for row in rows
    ]
    assert table("Per cent of the 95 % intervals") == expected


def test_the_table_of_the_bootstrap_is_the_benchmark_s(rows: list[dict[str, Any]]) -> None:
    expected = [
        [
            *(str(row[name]) for name in ("regime", "seeds", "items")),
            *(percent(own["difference"]) for own in row["methods"].values()),
        ]
        for row in rows
        if row["items"] == 400
    ]
    assert table("### What a bootstrap does instead") == expected


def test_the_table_of_exchange_rates_is_the_benchmark_s() -> None:
    path = ROOT / "benchmarks" / "results" / "exchange_rate_coverage.json"
    kinds: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["kinds"]
    names = ("holds 0.9", "holds 0.95", "told", "holds 0.95, of those told")
    expected = [
        [kind, rate, str(own["worlds"]), *(f"{100 * own[name]:.1f}" for name in names)]
        for kind, rates in kinds.items()
        for rate, own in rates.items()
    ]
    assert table("## Exchange rates") == expected
    for rate, own in kinds["prior"].items():
        assert own["worlds"] >= 200 and 0.85 <= own["holds 0.9"] <= 0.95, rate


def cells(rows: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, int, str], float]]:
    for row in rows:
        for name in COLUMNS:
            yield (row["regime"], row["seeds"], name), row["methods"]["labelmix"][name]["holds"]


def test_no_cell_is_farther_from_the_bar_than_chance_explains(rows: list[dict[str, Any]]) -> None:
    own = [holds for _, holds in cells(rows)]
    error = np.sqrt(0.95 * 0.05 / 1000)
    assert min(own) >= NOMINAL[0] - 2 * error
    assert max(own) <= NOMINAL[1] + 2 * error


def test_the_range_that_the_page_tells_is_that_of_the_table(rows: list[dict[str, Any]]) -> None:
    means = defaultdict(list)
    for key, holds in cells(rows):
        means[key].append(holds)
    own = [holds for _, holds in cells(rows)]
    over_items = [float(np.mean(parts)) for parts in means.values()]
    expected = [min(own), max(own), min(over_items), max(over_items)]
    [said] = re.findall(
        r"lie between ([\d.]+) and ([\d.]+) %, and means over the three numbers of items between\s"
        r"([\d.]+)\sand\s([\d.]+) %",
        PAGE,
    )
    assert [float(number) for number in said] == [round(100 * own, 1) for own in expected]
