import pytest

from analysis.estimates import Estimate
from analysis.run import verdicts
from analysis.run.result import ExchangeRate, Pull, Rehearsals, RehearsedPurchase, RunResult
from analysis.run.verdicts import BetterBuy, plain_name
from tests.unit.analysis.runs_by_hand import collected_from


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("all_easy", "all easy"),
        ("all_grade_5", "all grade_5"),
        ("grade_5_equal_count", "grade_5 equal count"),
        ("equal_spend", "equal spend"),
        ("plan", "plan"),
    ],
)
def test_a_stratum_keeps_its_own_spelling(key: str, words: str) -> None:
    assert plain_name(key) == words


def rate(
    estimate: float | None, low: float | None, high: float | None, chance: float | None = 0.8
) -> ExchangeRate:
    """Of easy labels at half the price of hard ones."""
    return ExchangeRate(
        estimate=estimate,
        low=low,
        high=high,
        stratum="easy",
        target="hard",
        rate_resolved=estimate is not None,
        better_buy_resolved=low is not None and high is not None and not low <= 0.5 <= high,
        cost_ratio=0.5,
        probability_better_buy=chance,
    )


def test_the_better_buy_is_settled_by_the_interval() -> None:
    assert verdicts.better_buy(rate(1.4, 0.9, 2.2)) == BetterBuy("easy", "hard", True, 0.8)
    assert verdicts.better_buy(rate(0.3, 0.1, 0.4)) == BetterBuy("hard", "easy", True, 1 - 0.8)
    assert verdicts.better_buy(rate(0.7, 0.3, 1.2)) == BetterBuy("easy", "hard", False, 0.8)
    assert verdicts.better_buy(rate(0.4, 0.3, 1.2, None)) == BetterBuy("hard", "easy", False, None)
    assert verdicts.better_buy(rate(None, None, None)) is None


def test_the_better_buy_may_be_settled_without_a_rate() -> None:
    wide = rate(None, None, None, 0.99).model_copy(update={"better_buy_resolved": True})
    assert verdicts.better_buy(wide) == BetterBuy("easy", "hard", True, 0.99)
    against = wide.model_copy(update={"probability_better_buy": 0.01})
    assert verdicts.better_buy(against) == BetterBuy("hard", "easy", True, 1 - 0.01)


def test_labels_worth_nothing_are_useless_only_where_the_rate_is_resolved() -> None:
    assert verdicts.are_useless(rate(-0.1, -0.5, 0.2))
    assert not verdicts.are_useless(rate(0.1, -0.5, 0.2))
    assert not verdicts.are_useless(rate(None, None, None))


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ({"easy": 200, "hard": 0}, "nothing"),  # the better buy alone
        ({"easy": 200, "hard": 40}, "a mix"),
        ({"easy": 10, "hard": 40}, "most"),  # $80 of $90
        ({"easy": 0, "hard": 40}, "all"),
        ({"easy": 0, "hard": 0}, "nothing"),
    ],
)
def test_what_the_plan_buys_beside_the_better_buy(
    resolved_result: RunResult, after: dict[str, int], verdict: str
) -> None:
    plan = resolved_result.plan.model_copy(update={"labels_after_pilot": after})
    assert verdicts.beside_the_better_buy(resolved_result.model_copy(update={"plan": plan})) == (
        verdict
    )


def test_an_arm_does_more_where_the_interval_leaves_out_one(resolved_result: RunResult) -> None:
    def arm(low: float, high: float) -> str | None:
        gap = resolved_result.sgr.model_copy(update={"low": low, "high": high})
        return verdicts.arm_that_does_more(gap)

    assert (arm(1.1, 1.7), arm(0.2, 0.9), arm(0.9, 1.7)) == ("easy", "hard", None)


def test_intervals_that_touch_are_not_apart() -> None:
    def between(low: float | None, high: float | None) -> Estimate:
        return Estimate(estimate=None, low=low, high=high)

    assert verdicts.are_apart(between(0.1, 0.2), between(0.3, 0.4))
    assert verdicts.are_apart(between(0.3, 0.4), between(0.1, 0.2))
    assert not verdicts.are_apart(between(0.1, 0.3), between(0.3, 0.4))
    assert not verdicts.are_apart(between(None, None), between(0.3, 0.4))


def test_scores_are_vague_from_nothing_to_more_than_all() -> None:
    def vague(low: float, high: float) -> bool:
        return verdicts.is_vague(Pull(estimate=0.8, low=low, high=high, items=10))

    assert vague(0.0, 1.1)
    assert not vague(0.0, 1.0)
    assert not vague(0.1, 2.0)


def test_what_came_of_guessing() -> None:
    bought = RehearsedPurchase(labels={"easy": 9}, accuracy=0.6, deviation=0.1, fitted=0.6)

    def verdict(telling: bool, sound: bool, purchases: list[RehearsedPurchase]) -> str:
        return verdicts.guessing(
            Rehearsals(
                missed=0, overconfidence=0, telling=telling, sound=sound, purchases=purchases
            )
        )

    assert verdict(False, False, []) == "not checked"
    assert verdict(True, False, []) == "wrong"
    assert verdict(True, True, []) == "without a basis"
    assert verdict(True, True, [bought]) == "used"


def test_an_error_rate_is_measured_only_if_it_was_used(resolved_result: RunResult) -> None:
    collected = collected_from(resolved_result)
    assert verdicts.words_of(resolved_result).simulated
    assert not verdicts.words_of(collected).simulated
    found = verdicts.measured_error_rate(collected, "easy")
    assert found is not None and found.estimate == collected.strata["easy"].error_rate
    assert verdicts.measured_error_rate(collected, "medium") is None
    assert verdicts.measured_error_rate(resolved_result, "easy") is None
    given = collected.strata["easy"].model_copy(update={"error_rate": 0.2})
    strata = {**collected.strata, "easy": given}
    assert verdicts.measured_error_rate(
        collected.model_copy(update={"strata": strata}), "easy"
    ) is (None)
