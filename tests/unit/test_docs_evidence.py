"""Figures of the documents that come from a file beside them, worked out again."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.accuracy import DRAWS, interval
from budget.backtest.policies.registry import POLICIES as POLICIES_PLAYED
from budget.campaign.planner import Planner

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
# Policies that learn from right answers of test items, which the published peers are not given.
GIVEN_TEST_ANSWERS = {"planner", "run_defaults", "planner_not_reading", "planner_not_rehearsing"}


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
        given = "yes" if policy in GIVEN_TEST_ANSWERS else "no"
        more = [told(worlds[policy] - worlds["planner"]) for worlds in (real, generated)]
        if policy == "planner":
            more = ["", ""]
        own = [told(worlds[policy]) for worlds in (real, words, generated)]
        expected = [given, own[0], more[0], own[1], own[2], more[1]]
        assert row_of(page, policy) == [short(cell) for cell in expected], policy


def test_the_readme_says_the_same(regrets: pd.DataFrame) -> None:
    page = ROOT / "README.md"
    policies = (
        *("run_defaults", "planner", "planner_not_borrowing"),
        *("all_easy", "equal_spend", "learn_optimize_collect"),
    )
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


def test_policies_that_are_given_test_answers_are_marked() -> None:
    """The planners that ask for any of it, as the backtest plays them."""
    given = {
        own.name
        for own in POLICIES_PLAYED.values()
        if isinstance(own, Planner) and (own.borrow or own.read or own.rehearse)
    }
    assert given & set(POLICIES) == GIVEN_TEST_ANSWERS


@pytest.mark.parametrize("policy", ["planner", "run_defaults"])
def test_what_was_asked_for_stands_with_intervals(regrets: pd.DataFrame, policy: str) -> None:
    """Mean and 95th percentile over all held-out worlds, in the README and in the method."""
    values = regrets[policy].to_numpy()
    rng = np.random.default_rng([0, values.size])
    drawn = rng.multinomial(values.size, np.full(values.size, 1 / values.size), size=DRAWS)
    tails = [np.quantile(np.repeat(values, own), 0.95) for own in drawn]
    low, high = np.quantile(tails, [0.025, 0.975])
    tail = f"{np.quantile(values, 0.95):.1f} ({low:.1f} to {high:.1f})"
    for page in (ROOT / "README.md", METHOD / "backtest.md"):
        text = " ".join(page.read_text(encoding="utf-8").split())
        assert tail in text and short(told(regrets[policy])) in text, page


# Ratios of runs on another machine of the same kind, which are not kept beside the scripts.
ELSEWHERE: dict[str, list[float]] = {
    "choice_scoring": [3.2, 19.2],
    "paper, scaled once": [11],
    "paper": [59],
    "one penalty": [5, 10, 17],
    "cross-validated": [1.3, 4.9],
    "qlora": [3.8],
}


def kept_ratios() -> dict[str, list[float]]:
    """What the benchmarks of the repository measured."""

    def of(name: str) -> dict[str, Any]:
        path = ROOT / "benchmarks" / "results" / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    grid = of("probe_grid")
    paper = grid["paper"]["fit"]["ratios"]
    fixed = [own for key, own in grid["scikit_learn"].items() if key != "penalties_chosen"]
    return {
        "choice_scoring": [case["ratio"] for case in of("choice_scoring")["cases"].values()],
        "paper, scaled once": [paper["paper's loop, scaled once"]],
        "paper": [paper["paper's loop"]],
        "one penalty": [own["fit"]["ratios"]["scikit-learn"] for own in fixed],
        "cross-validated": [
            own["fit"]["ratios"]["scikit-learn"] for own in grid["cross_validated"].values()
        ],
        "qlora": [of("qlora")["ratios"]["end_to_end"]],
    }


def test_the_lowest_and_the_highest_of_all_runs_are_told() -> None:
    """Every range of the README's table of speed holds all runs known, and no more."""
    kept = kept_ratios()
    rows = {
        "choice scoring, with none to ten worked examples": ["choice_scoring"],
        "a grid of probes, the paper's optimiser": ["paper, scaled once", "paper"],
        "a grid of probes, ridge, one penalty": ["one penalty"],
        "one cross-validated probe, 80 to 1,280 labels": ["cross-validated"],
        "QLoRA, 160 labels, 1,000 test items, end to end": ["qlora"],
    }
    for first, names in rows.items():
        ranges = row_of(ROOT / "README.md", first)[-1].split("; ")
        assert len(ranges) == len(names)
        for text, name in zip(ranges, names, strict=True):
            low, high = (float(end.removesuffix("x")) for end in text.split(" to "))
            known = kept[name] + ELSEWHERE[name]
            assert low == pytest.approx(min(known), rel=0.03), name
            assert high == pytest.approx(max(known), rel=0.03), name
