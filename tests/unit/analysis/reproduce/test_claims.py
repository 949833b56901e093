"""Verdicts: what a case and a claim come to, and why."""

import numpy as np
import pytest

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate
from analysis.reproduce.claims import (
    Case,
    PaperClaim,
    equivalent,
    judged,
    positive,
    untested,
    without_cases,
)
from annotation.arrays import Array

CLAIM = PaperClaim("a-claim", "A is above B.", "somebody", "where it is.")
NUMBER = Estimate(estimate=0.1, low=0.05, high=0.15)
NONE = Estimate(estimate=None, low=None, high=None)


def case(holds: float, fails: float, name: str = "one") -> Case:
    return Case(name, NUMBER, holds, fails)


@pytest.mark.parametrize(
    ("holds", "fails", "verdict"),
    [(0.01, 1.0, "holds"), (1.0, 0.01, "does not hold"), (0.4, 0.6, "not resolved")],
)
def test_a_case_follows_the_smaller_p_value(holds: float, fails: float, verdict: str) -> None:
    result = judged(CLAIM, [case(holds, fails)])
    assert result.verdict == result.cases[0].verdict == verdict
    assert result.cases[0].p == min(holds, fails)


def test_a_claim_holds_where_all_cases_do() -> None:
    assert judged(CLAIM, [case(0.001, 1), case(0.001, 1)]).verdict == "holds"
    assert judged(CLAIM, [case(0.001, 1), case(0.5, 0.5)]).verdict == "not resolved"


def test_one_case_that_fails_is_enough() -> None:
    result = judged(CLAIM, [case(0.001, 1), case(1, 0.001), case(0.5, 0.5)])
    assert result.verdict == "does not hold"
    assert result.reason == "Holds in 1, fails in 1 and not resolved in 1 of 3 cases."


def test_cases_are_corrected_together() -> None:
    alone = judged(CLAIM, [case(0.03, 1)])
    beside = judged(CLAIM, [case(0.03, 1), case(0.04, 1)])
    assert alone.cases[0].verdict == "holds"
    assert [own.verdict for own in beside.cases] == ["not resolved", "not resolved"]
    assert beside.cases[0].p == pytest.approx(0.06)


def test_what_is_untested_is_not_resolved_and_corrects_nothing() -> None:
    result = judged(CLAIM, [case(0.03, 1), untested("none", NONE, "no gap")])
    assert [own.verdict for own in result.cases] == ["holds", "not resolved"]
    assert result.cases[1].note == "no gap"
    assert result.verdict == "not resolved"


def test_what_is_known_needs_no_test() -> None:
    assert judged(CLAIM, [Case("count", NUMBER, known=True)]).verdict == "holds"
    assert judged(CLAIM, [Case("count", NUMBER, known=False)]).verdict == "does not hold"


def test_a_claim_without_cases_is_not_applicable() -> None:
    assert without_cases(CLAIM, "no grades").reason == "no grades"
    assert judged(CLAIM, []).verdict == "not applicable"


def table(mean: float, items: int = 400) -> tuple[ItemClusters, Array]:
    noise = np.random.default_rng(0).normal(0, 0.2, (5, items))
    return ItemClusters(np.arange(items).astype(object)), noise - noise.mean() + mean


@pytest.mark.parametrize(
    ("mean", "verdict"), [(0.05, "holds"), (-0.05, "does not hold"), (0.001, "not resolved")]
)
def test_above_zero(mean: float, verdict: str) -> None:
    assert judged(CLAIM, [positive("one", *table(mean))]).verdict == verdict


@pytest.mark.parametrize(
    ("mean", "items", "verdict"),
    [
        (0.0, 4000, "holds"),
        (0.005, 40000, "holds"),
        (0.05, 4000, "does not hold"),
        (-0.05, 4000, "does not hold"),
        (0.0, 40, "not resolved"),
    ],
)
def test_within_a_point(mean: float, items: int, verdict: str) -> None:
    assert judged(CLAIM, [equivalent("one", *table(mean, items), 0.01)]).verdict == verdict
