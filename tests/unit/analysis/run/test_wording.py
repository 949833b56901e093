"""What is said of a result, in pages of tests/golden: one heading for each situation."""

from collections.abc import Callable

import pytest

from analysis.estimates import Estimate
from analysis.run import caveats, verdicts, wording
from analysis.run.conclusion import conclude
from analysis.run.result import (
    ExchangeRate,
    MethodResult,
    RoundSummary,
    RunResult,
)
from tests import golden_pages
from tests.unit.analysis.runs_by_hand import estimate, with_planning_method


def exchange_rate(
    estimate: float | None, low: float | None, high: float | None, price: float = 0.5
) -> ExchangeRate:
    return ExchangeRate(
        estimate=estimate,
        low=low,
        high=high,
        stratum="easy",
        target="hard",
        rate_resolved=estimate is not None,
        better_buy_resolved=low is not None and high is not None and not low <= price <= high,
        cost_ratio=price,
        probability_better_buy=0.8 if estimate is not None else None,
    )


def without_rate(chance: float) -> ExchangeRate:
    """A rate that may be anything on one side of the price."""
    settled = {"better_buy_resolved": True, "probability_better_buy": chance}
    return exchange_rate(None, None, None).model_copy(update=settled)


def later(plan: float | None, after: float) -> ExchangeRate:
    """1.4 in the pilot, and what it is over the plan's labels and after them."""

    def around(value: float) -> Estimate:
        return Estimate(estimate=value, low=value - 0.4, high=value + 0.5)

    told = {"at_plan": None if plan is None else around(plan), "next_label": around(after)}
    return exchange_rate(1.4, 0.9, 2.2).model_copy(update=told)


def planning(result: RunResult) -> MethodResult:
    return result.methods[result.planning_method]


def with_plan(result: RunResult, **changes: object) -> RunResult:
    return result.model_copy(update={"plan": result.plan.model_copy(update=changes)})


def with_method(result: RunResult, method: MethodResult) -> RunResult:
    methods = {**result.methods, result.planning_method: method}
    return result.model_copy(update={"methods": methods})


def commonest_class(result: RunResult, accuracy: float) -> RunResult:
    """The result as if its items shared their choices, of which one is right that often."""
    own = result.accuracy["zero_shot"].model_copy(update=estimate(accuracy, 0.05).model_dump())
    changed = with_planning_method(result, accuracy={**result.accuracy, "commonest_class": own})
    return changed.model_copy(update={"commonest_class": "Buy!"})


# -- what to buy, and why -------------------------------------------------------------------------


def test_the_recommendation(
    resolved_result: RunResult,
    unresolved_gap_result: RunResult,
    unresolved_rate_result: RunResult,
    without_benefit_result: RunResult,
    rule_better_result: RunResult,
    test_against_pilot_result: RunResult,
) -> None:
    expected = Estimate(estimate=0.61, low=0.57, high=0.65)
    unknown = Estimate(estimate=None, low=None, high=None)
    batches = [{"easy": 60, "hard": 100}, {"easy": 40, "hard": 0}]
    in_rounds = [RoundSummary(labels=own, cost=1.0, expected_gain=None) for own in batches]
    no_hard = {**resolved_result.plan.labels, "hard": 0}
    results = {
        "labels to buy": with_plan(resolved_result, expected_accuracy=expected),
        "nothing could be expected of the plan": with_plan(
            resolved_result, expected_accuracy=unknown
        ),
        "the pilot holds the whole plan": with_plan(
            resolved_result, labels_after_pilot={"easy": 0, "hard": 0}
        ),
        "a pilot in two rounds, whose hard labels are left out": with_plan(
            resolved_result.model_copy(update={"rounds": in_rounds}), trained_on=no_hard
        ),
        "no benefit of training was shown": without_benefit_result,
        "the commonest class is better": commonest_class(without_benefit_result, 0.58),
        "a simple rule did better than the plan": rule_better_result,
        "the test contradicts the pilot": test_against_pilot_result,
        "how to split is open": unresolved_rate_result,
        "no gap is resolved, but the plan beats no training": unresolved_gap_result,
    }
    told = (wording.recommendation, wording.after_the_pilot, wording.reason)
    golden_pages.check(
        "run_recommendation",
        golden_pages.page(
            {name: [tell(own, conclude(own)) for tell in told] for name, own in results.items()}
        ),
    )


def test_the_reason_says_why_a_plan_does_not_follow_the_rate(resolved_result: RunResult) -> None:
    def reason(rate: ExchangeRate, after: dict[str, int]) -> str:
        untested = with_planning_method(resolved_result, baselines={})
        result = with_plan(untested, labels_after_pilot=after)
        result = result.model_copy(update={"exchange_rate": rate})
        return wording.reason(result, conclude(result))

    easy_better, hard_better = exchange_rate(1.4, 0.7, 2.1), exchange_rate(0.3, 0.15, 0.45)
    cases = {
        "easy is the better buy, both are bought": (easy_better, {"easy": 200, "hard": 40}),
        "hard is the better buy, both are bought": (hard_better, {"easy": 200, "hard": 40}),
        "easy is the better buy, hard alone is bought": (easy_better, {"easy": 0, "hard": 40}),
        "hard is the better buy, easy alone is bought": (hard_better, {"easy": 9, "hard": 0}),
        "easy is the better buy, $80 of $90 go to hard": (easy_better, {"easy": 10, "hard": 40}),
        "hard is the better buy, $380 of $390 go to easy": (hard_better, {"easy": 380, "hard": 5}),
        "easy is the better buy and bought": (easy_better, {"easy": 200, "hard": 0}),
        "hard is the better buy and bought": (hard_better, {"easy": 0, "hard": 40}),
        "easy is the better buy, nothing is bought": (easy_better, {"easy": 0, "hard": 0}),
        "easy labels do not help": (exchange_rate(-0.1, -0.5, 0.2), {"easy": 0, "hard": 40}),
        "the rate is not resolved": (exchange_rate(None, None, None), {"easy": 200, "hard": 40}),
        "only the better buy is resolved": (without_rate(0.99), {"easy": 200, "hard": 40}),
    }
    golden_pages.check(
        "run_reason", golden_pages.page({name: reason(*own) for name, own in cases.items()})
    )


def test_break_even(resolved_result: RunResult) -> None:
    found = conclude(with_planning_method(resolved_result, baselines={}))
    tested = conclude(resolved_result)  # all easy did better than all hard
    rates = {
        "easy is clearly better": exchange_rate(1.4, 0.9, 2.2),
        "hard is clearly better": exchange_rate(0.3, 0.1, 0.4),
        "easy is probably better": exchange_rate(0.7, 0.3, 1.2),
        "hard is probably better": exchange_rate(0.4, 0.3, 1.2),
        "easy labels do not help": exchange_rate(-0.1, -0.5, 0.2),
        "rate and price round alike": exchange_rate(1.44, 0.9, 2.2, price=1.36),
        "not resolved": exchange_rate(None, None, None),
        "no rate, but easy is clearly better": without_rate(0.99),
        "no rate, but hard is clearly better": without_rate(0.01),
        "later labels are worth less": later(0.9, 0.7),
        "later labels are worth less than they cost": later(0.9, 0.2),
        "later labels do harm, and the plan buys none": later(None, -0.3),
        "later labels are worth more": later(1.5, 1.6),
    }
    golden_pages.check(
        "run_break_even",
        golden_pages.page(
            {name: wording.break_even(rate, 0.95, found) for name, rate in rates.items()}
            | {
                f"{name}; the test says easy": wording.break_even(rates[name], 0.95, tested)
                for name in (
                    "easy is probably better",
                    "hard is clearly better",
                    "hard is probably better",
                    "easy labels do not help",
                    "not resolved",
                )
            }
        ),
    )


# -- what was tested ------------------------------------------------------------------------------


def test_an_sgr(resolved_result: RunResult, unresolved_gap_result: RunResult) -> None:
    unresolved = unresolved_gap_result.sgr
    worse = unresolved.gap.model_copy(update={"estimate": -0.18, "low": -0.316, "high": -0.057})
    harmful = unresolved.model_copy(update={"gap": worse})
    assert verdicts.is_harmful(harmful)
    assert not verdicts.is_harmful(unresolved)

    def resolved(low: float, high: float) -> str:
        gap = resolved_result.sgr.model_copy(update={"estimate": 1.4, "low": low, "high": high})
        return wording.supervision_gap(gap, "easy", "hard", 0.9)

    golden_pages.check(
        "run_supervision_gap",
        golden_pages.page(
            {
                "not resolved": wording.supervision_gap(unresolved, "easy", "hard", 0.95),
                "training harms": wording.supervision_gap(harmful, "easy", "hard", 0.95),
                "resolved, all above 1": resolved(1.1, 1.7),
                "resolved, all below 1": resolved(0.2, 0.9),
                "resolved, 1 within": resolved(0.9, 1.7),
            }
        ),
    )


def differing(result: RunResult, change: Callable[..., RunResult], *ends: float) -> RunResult:
    """The result with another difference between the plan and the best simple rule, all easy."""
    baselines = dict(result.baselines)
    difference = Estimate(estimate=ends[0], low=ends[1], high=ends[2])
    baselines["all_easy"] = baselines["all_easy"].model_copy(
        update={"plan_minus_baseline": difference}
    )
    return change(result, baselines=baselines)


def test_the_test_against_the_best_simple_rule(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    def against(*ends: float) -> MethodResult:
        return planning(differing(resolved_result, change_planning_method, *ends))

    method = planning(resolved_result)
    all_easy = method.accuracy["plan"].model_copy(update={"labels": {"easy": 740, "hard": 0}})
    same = method.model_copy(update={"accuracy": {**method.accuracy, "plan": all_easy}})
    labels = method.plan.labels
    rules = {n: own.model_copy(update={"labels": labels}) for n, own in method.baselines.items()}
    no_hard = method.plan.model_copy(update={"trained_on": {**labels, "hard": 0}})
    left_out = method.model_copy(update={"baselines": rules, "plan": no_hard})
    methods = {
        "the plan is better": against(0.019, 0.002, 0.04),
        "the plan is worse": against(-0.019, -0.04, -0.002),
        "they cannot be told apart": against(0.019, -0.002, 0.04),
        "the best rule makes the same purchase": same,
        "the same purchase, but hard labels are left out of training": left_out,
        "the plan was not tested": method.model_copy(update={"accuracy": {}}),
        "no rule was tested": method.model_copy(update={"baselines": {}}),
    }
    golden_pages.check(
        "run_tested",
        golden_pages.page(
            {
                n: wording.tested(own, "hard", 0.95, conclude(with_method(resolved_result, own)))
                for n, own in methods.items()
            }
        ),
    )


@pytest.mark.parametrize("key", ["zero_shot", "zero-shot", "Zero shot", "unsupervised"])
def test_a_condition_is_found_however_it_is_spelled(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult], key: str
) -> None:
    accuracy = {key: resolved_result.accuracy["zero_shot"]}
    result = change_planning_method(resolved_result, accuracy=accuracy)
    found = verdicts.measured(result.methods["probe"], "zero-shot")
    assert found is not None
    assert found.estimate == 0.35


# -- what a reader must know before trusting it ---------------------------------------------------


def test_a_surface_fits_up_to_one_and_a_half_times_the_noise(resolved_result: RunResult) -> None:
    surface = resolved_result.methods["probe"].surface.model_copy(
        update={"root_mean_square_noise": 0.02, "root_mean_square_residual": 0.03}
    )
    worse = surface.model_copy(update={"root_mean_square_residual": 0.0301})
    assert verdicts.surface_fits(surface) and not verdicts.surface_fits(worse)
    assert caveats.surface_fit(surface) != caveats.surface_fit(worse)


def test_every_reason_for_doubt_becomes_a_notice(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    assert notices(resolved_result) == []
    result = differing(resolved_result, change_planning_method, -0.03, -0.05, -0.01)
    surface = result.methods["probe"].surface.model_copy(update={"root_mean_square_residual": 0.05})
    accuracy = dict(result.accuracy)
    accuracy["plan"] = accuracy["plan"].model_copy(
        update={"estimate": 0.5, "low": 0.47, "high": 0.53}
    )
    result = change_planning_method(
        result,
        surface=surface,
        accuracy=accuracy,
        exchange_rates={"easy": exchange_rate(None, None, None)},
        sgr=result.sgr.model_copy(update={"resolved": False}),
    ).model_copy(update={"warnings": ["Only 2 seeds.", "Only 2 seeds."]})
    doubts = notices(result)
    assert len(doubts) == 5  # the warning once; that a rule did better is the advice itself
    golden_pages.check("run_notices", golden_pages.page({"all that can be doubted": doubts}))


def notices(result: RunResult) -> list[str]:
    return caveats.notices(result, conclude(result))


@pytest.mark.parametrize(
    ("easy", "hard", "leans"),
    [(0.573, 0.729, True), (0.66, 0.665, False), (0.729, 0.573, False)],
)
def test_a_test_that_leans_the_other_way_is_told_beside_the_rate(
    resolved_result: RunResult,
    change_planning_method: Callable[..., RunResult],
    easy: float,
    hard: float,
    leans: bool,
) -> None:
    """Easy labels by the rate; the test says hard ones by sixteen points, and settles nothing."""
    rates = {"easy": exchange_rate(0.9, 0.4, 2.0, price=0.5)}
    accuracy = dict(resolved_result.accuracy)
    for name, value in (("all_easy", easy), ("all_hard", hard)):
        new = {"estimate": value, "low": value - 0.2, "high": value + 0.2}
        accuracy[name] = accuracy["plan"].model_copy(update=new)
    result = change_planning_method(resolved_result, accuracy=accuracy, exchange_rates=rates)
    text = wording.break_even(result.exchange_rate, 0.95, conclude(result))
    assert "easy labels are probably the better buy" in text
    told = (
        "; the test points the other way and does not settle it either: trained on the whole "
        "budget of either, hard labels alone gave 72.9 %, easy labels alone 57.3 %"
    )
    assert (told in text) == leans


def test_a_test_that_contradicts_the_rate_is_told(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    """The rate calls easy labels the better buy; trained and tested, all hard did far better."""
    rates = {"easy": exchange_rate(1.1, 0.7, 1.6, price=0.5)}

    def told(easy: float, hard: float) -> list[str]:
        accuracy = dict(resolved_result.accuracy)
        for name, value in (("all_easy", easy), ("all_hard", hard)):
            new = {"estimate": value, "low": value - 0.03, "high": value + 0.03}
            accuracy[name] = accuracy["plan"].model_copy(update=new)
        result = change_planning_method(resolved_result, accuracy=accuracy, exchange_rates=rates)
        return notices(result)

    golden_pages.check(
        "run_test_against_rate",
        golden_pages.page(
            {
                "hard labels did better by far": told(0.57, 0.69),
                "easy labels did, as the rate has it": told(0.69, 0.57),
                "intervals overlap": told(0.66, 0.69),
            }
        ),
    )
