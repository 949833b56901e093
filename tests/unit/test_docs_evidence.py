"""Figures of the documents that come from a file beside them, worked out again."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.accuracy import DRAWS, interval

ROOT = Path(__file__).resolve().parents[2]
METHOD = ROOT / "docs" / "method"
REAL, WORDS, GENERATED = "sst5|trec|subj", "workshop", "generated"
POLICIES = (
    "planner",
    "run_defaults",
    "all_easy",
    "equal_spend",
    "equal_counts",
    "proportional",
    "all_hard",
    "learn_optimize_collect",
    "power_law",
    "mix_regression",
    "planner_not_borrowing",
    "planner_not_reading",
    "planner_not_rehearsing",
)


@pytest.fixture(scope="module")
def regrets() -> pd.DataFrame:
    """Points of regret in the held-out half: (worlds, policies)."""
    rows = pd.read_csv(METHOD / "backtest_worlds.csv")
    rows = rows[rows.half == "held_out"]
    return 100 * rows.pivot_table(index="world", columns="policy", values="regret", sort=False)


def row_of(page: Path, first: str) -> list[str]:
    """The cells of the table row that begins so, without the first."""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"| {first} |"):
            return [cell.strip() for cell in line.split("|")[2:-1]]
    raise AssertionError(f"{page}: no row '{first}'")


def told(values: pd.Series) -> str:
    """A mean over worlds with its bootstrap interval, as the backtest works it out."""
    rng = np.random.default_rng([0, values.size])
    drawn = rng.multinomial(values.size, np.full(values.size, 1 / values.size), size=DRAWS)
    found = interval(float(values.mean()), drawn @ values.to_numpy() / values.size)
    assert found.estimate is not None and found.low is not None and found.high is not None
    return f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f})"


def short(text: str) -> str:
    """As the documents write numbers: no zero before the point, none below it is negative."""
    return re.sub(r"-(?=\.00)", "", re.sub(r"\b0\.", ".", text))


def of(regrets: pd.DataFrame, families: str) -> pd.DataFrame:
    return regrets[regrets.index.str.match(families)]


def test_real_texts_stand_apart_from_generated_worlds(regrets: pd.DataFrame) -> None:
    page = METHOD / "backtest.md"
    head = row_of(page, "policy")
    sizes = [len(of(regrets, families)) for families in (REAL, WORDS, GENERATED)]
    assert [int(cell.split()[0]) for cell in head if cell[0].isdigit()] == sizes == [27, 10, 100]
    real, words, generated = (of(regrets, each) for each in (REAL, WORDS, GENERATED))
    for policy in POLICIES:
        more = [told(worlds[policy] - worlds["planner"]) for worlds in (real, generated)]
        if policy == "planner":
            more = ["", ""]
        own = [told(worlds[policy]) for worlds in (real, words, generated)]
        expected = [own[0], more[0], own[1], own[2], more[1]]
        assert row_of(page, policy) == [short(cell) for cell in expected], policy


def test_the_readme_says_the_same(regrets: pd.DataFrame) -> None:
    page = ROOT / "README.md"
    policies = ("run_defaults", "planner", "all_easy", "equal_spend", "learn_optimize_collect")
    for first, families in (
        ("**real texts** (SST-5, TREC, Subj; 27 worlds)", REAL),
        ("generated word problems (10 worlds)", WORDS),
        ("generated tasks (100 worlds)", GENERATED),
    ):
        worlds = of(regrets, families)
        assert row_of(page, first) == [short(told(worlds[policy])) for policy in policies]


def test_easy_labels_are_the_best_buy_in_nearly_all_real_worlds() -> None:
    rows = pd.read_csv(METHOD / "backtest_worlds.csv")
    real = rows[(rows.half == "held_out") & rows.world.str.match(REAL) & (rows.policy == "planner")]
    assert real.kind.value_counts().to_dict() == {"easy": 25, "equal": 1, "mix": 1}
