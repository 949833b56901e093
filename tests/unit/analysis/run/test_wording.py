from collections.abc import Callable
from typing import Any

import pytest

from analysis.estimates import Estimate
from analysis.run import caveats, verdicts, wording
from analysis.run.result import (
    ExchangeRate,
    Pull,
    Rehearsals,
    RehearsedPurchase,
    RoundSummary,
    RunResult,
    StratumSummary,
)

MINUS = "\u2212"


def exchange_rate(
    estimate: float | None, low: float | None, high: float | None, price: float = 0.5
) -> ExchangeRate:
    return ExchangeRate(
        estimate=estimate,
        low=low,
        high=high,
        stratum="easy",
        target="hard",
        resolved=estimate is not None,
        cost_ratio=price,
        probability_better_buy=0.8 if estimate is not None else None,
    )


def test_the_recommendation_is_one_sentence_with_money_and_interval(
    resolved_result: RunResult,
) -> None:
    expected = Estimate(estimate=0.61, low=0.57, high=0.65)
    plan = resolved_result.plan.model_copy(update={"expected_accuracy": expected})
    result = resolved_result.model_copy(update={"plan": plan})
    assert wording.recommendation(result) == (
        "Buy 520 easy and 100 hard labels for $720: expected 61 % right on hard items "
        "(95 % interval 57 to 65)."
    )


def test_the_recommendation_says_so_when_nothing_could_be_expected(
    resolved_result: RunResult,
) -> None:
    unknown = Estimate(estimate=None, low=None, high=None)
    plan = resolved_result.plan.model_copy(update={"expected_accuracy": unknown})
    sentence = wording.recommendation(resolved_result.model_copy(update={"plan": plan}))
    assert sentence == (
        "Buy 520 easy and 100 hard labels for $720; what this gives on hard items could not be "
        "estimated."
    )


def test_after_the_pilot_the_rest_is_still_to_buy(resolved_result: RunResult) -> None:
    assert wording.after_the_pilot(resolved_result) == (
        "The pilot has already bought 100 easy and 100 hard labels for $300. "
        "Still to buy: 420 easy labels for $420."
    )


def test_what_unlabelled_items_said(resolved_result: RunResult) -> None:
    planning = resolved_result.methods[resolved_result.planning_method]
    assert wording.pulls(planning, "hard") == []
    told = planning.model_copy(
        update={"pulls": {"easy": Pull(estimate=1.34, low=0.9, high=1.66, items=2000)}}
    )
    assert wording.pulls(told, "hard") == [
        "A first hint, from 2,000 easy items that nobody has labelled: of what hard items need, a "
        "right easy label teaches about 1.3 times as much as a right hard label does (two times in "
        "three 0.9 to 1.7). What it teaches beside that, and may do harm, only bought labels show; "
        "the plan counts both, and errors."
    ]
    noisy = planning.model_copy(
        update={"pulls": {"easy": Pull(estimate=0.8, low=0.0, high=2.2, items=300)}}
    )
    assert wording.pulls(noisy, "hard") == [
        "A first hint, from 300 easy items that nobody has labelled, is too vague to tell "
        "anything; the plan rests on the pilot."
    ]


def test_what_rehearsals_said(resolved_result: RunResult) -> None:
    planning = resolved_result.methods[resolved_result.planning_method]

    def said(**changes: Any) -> list[str]:
        own: dict[str, Any] = {"missed": -0.012, "overconfidence": 0.02, "sound": True}
        own |= {"purchases": []} | changes
        told = planning.model_copy(update={"rehearsals": Rehearsals(**own)})
        return wording.rehearsals(told, ("easy", "hard"), "hard")

    assert wording.rehearsals(planning, ("easy", "hard"), "hard") == []
    tried = "Trained on guessed instead of known labels of hard items a probe scores 1.2 points "
    without = "so no purchase was rehearsed with guessed labels, and the plan does without."
    assert said()[0].startswith(f"{tried}lower: close enough to rehearse purchases, but too few")
    assert said(missed=0.012)[0].startswith(f"{tried}higher: close enough")
    assert said(sound=False, overconfidence=0.17) == [
        f"{tried}lower, and guesses are 17 points surer than right: too far off, {without}"
    ]
    assert said(sound=False, telling=False) == [
        "Lent labels of hard items teach so little that it cannot be told whether labels can be "
        f"guessed, {without}"
    ]
    purchases = [
        RehearsedPurchase(labels={"easy": 400}, accuracy=0.641, deviation=0.023, fitted=0.65),
        RehearsedPurchase(
            labels={"easy": 200, "hard": 50}, accuracy=0.66, deviation=0.03, fitted=0.65
        ),
    ]
    assert said(purchases=purchases) == [
        f"{tried}lower: close enough to rehearse purchases with guessed labels, which nobody "
        "bought. What these score, give or take a standard deviation, is a hint to the plan: 400 "
        "easy labels: 64.1 % \u00b1 2.3 points; 200 easy and 50 hard labels: 66.0 % \u00b1 3.0 "
        "points."
    ]


def test_rounds_and_labels_left_out_are_told(resolved_result: RunResult) -> None:
    batches = [{"easy": 60, "hard": 100}, {"easy": 40, "hard": 0}]
    rounds = [RoundSummary(labels=own, cost=1.0, expected_gain=None) for own in batches]
    out = {**resolved_result.plan.labels, "hard": 0}
    plan = resolved_result.plan.model_copy(update={"trained_on": out})
    result = resolved_result.model_copy(update={"plan": plan, "rounds": rounds})
    assert wording.after_the_pilot(result) == (
        "The pilot has already bought 100 easy and 100 hard labels for $300, in 2 rounds "
        "(60 easy and 100 hard labels; 40 easy labels). Still to buy: 420 easy labels for $420. "
        "Leave the pilot's hard labels out of training: they are expected to do harm."
    )


def test_what_was_tested_is_the_purchase_without_what_was_left_out(
    resolved_result: RunResult,
) -> None:
    method = resolved_result.methods[resolved_result.planning_method]
    labels = method.plan.labels
    same = {n: own.model_copy(update={"labels": labels}) for n, own in method.baselines.items()}
    plan = method.accuracy["plan"].model_copy(update={"labels": labels})
    method = method.model_copy(update={"baselines": same, "accuracy": {"plan": plan}})
    said = wording.tested(method, "hard", 0.95)
    assert said.startswith("Trained on this purchase, the model got")
    assert "makes the same purchase, so the two are equal" in said
    out = method.plan.model_copy(update={"trained_on": {**labels, "hard": 0}})
    said = wording.tested(method.model_copy(update={"plan": out}), "hard", 0.95)
    assert said.startswith("Trained on this purchase, without its hard labels, the model got")
    assert "makes the same purchase" not in said


def test_after_the_pilot_nothing_may_be_left_to_buy(resolved_result: RunResult) -> None:
    plan = resolved_result.plan.model_copy(update={"labels_after_pilot": {"easy": 0, "hard": 0}})
    sentence = wording.after_the_pilot(resolved_result.model_copy(update={"plan": plan}))
    assert sentence.endswith("; that is all the plan asks for.")


def test_the_reason_sets_the_exchange_rate_against_the_price(resolved_result: RunResult) -> None:
    assert wording.reason(resolved_result) == (
        "One easy label does as much for accuracy on hard items as 1.4 hard labels "
        "(95 % interval 0.9 to 2.2) and costs 0.5 times as much: easy labels are clearly the "
        "better buy. The 100 hard labels in the plan are the pilot's."
    )


@pytest.mark.parametrize(
    ("rate", "after", "said"),
    [
        (1.4, {"easy": 200, "hard": 40}, "easy labels alone may level off lower than a mix."),
        (0.3, {"easy": 200, "hard": 40}, "easy labels alone may level off lower than a mix."),
        (
            1.4,
            {"easy": 0, "hard": 40},
            "The plan buys hard labels all the same: after",
        ),
        (0.3, {"easy": 9, "hard": 0}, "The plan buys easy labels all the same: after"),
        # Of $90 and $390, $80 and $380 go to the one that was worth less.
        (1.4, {"easy": 10, "hard": 40}, "The plan buys mostly hard labels all the same: after"),
        (0.3, {"easy": 380, "hard": 5}, "The plan buys mostly easy labels all the same: after"),
        (1.4, {"easy": 200, "hard": 0}, None),
        (0.3, {"easy": 0, "hard": 40}, None),
        (1.4, {"easy": 0, "hard": 0}, None),
    ],
)
def test_the_reason_says_why_a_plan_does_not_follow_the_rate(
    resolved_result: RunResult, rate: float, after: dict[str, int], said: str | None
) -> None:
    plan = resolved_result.plan.model_copy(update={"labels_after_pilot": after})
    told = wording.reason(
        resolved_result.model_copy(
            update={"plan": plan, "exchange_rate": exchange_rate(rate, rate / 2, rate * 1.5)}
        )
    )
    assert ("all the same" in told) == (said is not None)
    assert said is None or said in told


def test_break_even_as_a_manager_reads_it() -> None:
    assert wording.break_even(exchange_rate(1.4, 0.9, 2.2), 0.95) == (
        "One easy label is worth 1.4 hard labels here (95 % interval 0.9 to 2.2). Easy labels are "
        "the better buy as long as one costs less than 1.4 times a hard one; you pay 0.5. At this "
        "price easy labels are clearly the better buy."
    )


@pytest.mark.parametrize(
    ("rate", "verdict"),
    [
        (exchange_rate(0.3, 0.1, 0.4), "hard labels are clearly the better buy."),
        (
            exchange_rate(0.7, 0.3, 1.2),
            "easy labels are probably the better buy (probability 80 %), but the pilot does not "
            "settle it.",
        ),
        (
            exchange_rate(0.4, 0.3, 1.2),
            "hard labels are probably the better buy (probability 20 %), but the pilot does not "
            "settle it.",
        ),
    ],
)
def test_break_even_never_claims_more_than_the_interval(rate: ExchangeRate, verdict: str) -> None:
    assert wording.break_even(rate, 0.95).endswith(verdict)


def test_break_even_with_labels_that_do_not_help() -> None:
    text = wording.break_even(exchange_rate(-0.1, -0.5, 0.2), 0.95)
    assert f"worth {MINUS}0.1 hard labels" in text
    assert text.endswith(
        "Easy labels do not help on hard items, so they are no good buy at any price."
    )


def test_break_even_shows_a_decimal_more_where_rate_and_price_round_alike() -> None:
    text = wording.break_even(exchange_rate(1.44, 0.9, 2.2, price=1.36), 0.95)
    assert "less than 1.44 times a hard one; you pay 1.36." in text


def test_an_unresolved_rate_gets_advice_and_no_number() -> None:
    text = wording.break_even(exchange_rate(None, None, None), 0.95)
    assert text.startswith("The pilot cannot tell how many hard labels one easy label is worth.")
    assert "A larger pilot would tell" in text
    assert "interval" not in text


def test_an_unresolved_gap_is_one_sentence_without_sgr(unresolved_gap_result: RunResult) -> None:
    assert wording.supervision_gap(unresolved_gap_result.sgr, "easy", "hard", 0.95) == (
        "The supervision gap is not resolved: training on hard labels was not distinguishably "
        f"better than no training (difference +1.2 points, {MINUS}1.0 to 3.4), so no SGR is given."
    )


def test_training_that_harms_is_called_so(unresolved_gap_result: RunResult) -> None:
    unresolved = unresolved_gap_result.sgr
    assert not verdicts.is_harmful(unresolved)
    worse = unresolved.gap.model_copy(update={"estimate": -0.18, "low": -0.316, "high": -0.057})
    harmful = unresolved.model_copy(update={"gap": worse})
    assert verdicts.is_harmful(harmful)
    assert wording.supervision_gap(harmful, "easy", "hard", 0.95) == (
        "The supervision gap is not resolved: training on hard labels did worse than no training "
        f"(difference {MINUS}18.0 points, {MINUS}31.6 to {MINUS}5.7), so no SGR is given."
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.1, 1.7, "Label for label, easy labels do more."),
        (0.2, 0.9, "Label for label, hard labels do more."),
        (0.9, 1.7, "Label for label, the two kinds cannot be told apart."),
    ],
)
def test_a_resolved_gap_is_read_by_its_interval(
    resolved_result: RunResult, low: float, high: float, verdict: str
) -> None:
    gap = resolved_result.sgr.model_copy(update={"estimate": 1.4, "low": low, "high": high})
    text = wording.supervision_gap(gap, "easy", "hard", 0.9)
    assert text.startswith(
        "Training on 160 easy labels gives 140 % of what 160 hard labels give over no training "
        f"(90 % interval {100 * low:.0f} to {100 * high:.0f})."
    )
    assert text.endswith(verdict)


def differing(result: RunResult, change: Callable[..., RunResult], **ends: float) -> RunResult:
    """The result with another difference between the plan and the best simple rule, all easy."""
    baselines = dict(result.baselines)
    difference = Estimate.model_validate(ends)
    baselines["all_easy"] = baselines["all_easy"].model_copy(
        update={"plan_minus_baseline": difference}
    )
    return change(result, baselines=baselines)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0.019, 0.002, 0.04), "The plan is better (+1.9 points, 0.2 to 4.0)."),
        (
            (-0.019, -0.04, -0.002),
            f"The plan is worse ({MINUS}1.9 points, {MINUS}4.0 to {MINUS}0.2).",
        ),
        ((0.019, -0.002, 0.04), "is not distinguishable from zero: this test cannot say which"),
    ],
)
def test_the_test_against_the_best_simple_rule_is_told_as_it_came_out(
    resolved_result: RunResult,
    change_planning_method: Callable[..., RunResult],
    ends: tuple[float, float, float],
    words: str,
) -> None:
    estimate, low, high = ends
    result = differing(
        resolved_result, change_planning_method, estimate=estimate, low=low, high=high
    )
    text = wording.tested(result.methods["probe"], "hard", 0.95)
    assert "The best simple rule, \u201call easy\u201d, got 63.7 %." in text
    assert words in text


def test_the_same_purchase_is_not_compared_with_itself(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    accuracy = dict(resolved_result.accuracy)
    accuracy["plan"] = accuracy["plan"].model_copy(update={"labels": {"easy": 740, "hard": 0}})
    result = change_planning_method(resolved_result, accuracy=accuracy)
    text = wording.tested(result.methods["probe"], "hard", 0.95)
    assert text.endswith("\u201call easy\u201d, makes the same purchase, so the two are equal.")


@pytest.mark.parametrize("key", ["zero_shot", "zero-shot", "Zero shot", "unsupervised"])
def test_a_condition_is_found_however_it_is_spelled(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult], key: str
) -> None:
    accuracy = {key: resolved_result.accuracy["zero_shot"]}
    result = change_planning_method(resolved_result, accuracy=accuracy)
    found = verdicts.measured(result.methods["probe"], "zero-shot")
    assert found is not None
    assert found.estimate == 0.35


def test_error_rates_are_told_with_how_often_a_label_is_then_wrong() -> None:
    stratum = StratumSummary(
        rule="steps <= 2",
        items=10,
        test_items=4,
        pool_items=6,
        cost=1.0,
        error_rate=0.2,
        error_kind="redraw",
        true_flip_rate=0.15,
    )
    assert caveats.error_rate(stratum) == (
        "20 % are replaced by a choice drawn at random, which may be the right one; "
        "so 15 % of bought labels are wrong"
    )
    flipped = stratum.model_copy(update={"error_kind": "flip", "true_flip_rate": 0.2})
    assert caveats.error_rate(flipped) == (
        "20 % are replaced by a wrong choice; so 20 % of bought labels are wrong"
    )
    thrice = stratum.model_copy(update={"judgments": 3, "true_flip_rate": 0.048})
    assert caveats.error_rate(thrice).endswith(
        "; a label is the majority of 3 such judgments; so 4.8 % of bought labels are wrong"
    )
    right = stratum.model_copy(update={"error_rate": 0.0})
    assert caveats.error_rate(right) == "none: every bought label is right"


def test_a_resolved_and_fitting_result_needs_no_notice(resolved_result: RunResult) -> None:
    assert caveats.notices(resolved_result) == []


def test_a_surface_fits_up_to_one_and_a_half_times_the_noise(resolved_result: RunResult) -> None:
    surface = resolved_result.methods["probe"].surface.model_copy(
        update={"root_mean_square_noise": 0.02, "root_mean_square_residual": 0.03}
    )
    assert caveats.surface_fit(surface).endswith("It fits.")
    worse = surface.model_copy(update={"root_mean_square_residual": 0.0301})
    assert "It fits badly" in caveats.surface_fit(worse)


def test_every_reason_for_doubt_becomes_a_notice(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    result = differing(
        resolved_result, change_planning_method, estimate=-0.03, low=-0.05, high=-0.01
    )
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
    notices = caveats.notices(result)
    assert notices[0] == "Only 2 seeds."
    assert [
        any(words in notice for notice in notices)
        for words in (
            "It fits badly",
            "exchange rate of easy labels is not resolved",
            "not distinguishably better on hard items than without any training",
            "\u201call easy\u201d did better than the plan",
            "lies outside what was expected",
        )
    ] == [True] * 5
    assert len(notices) == 6


def test_a_test_that_contradicts_the_rate_is_told(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    """The rate calls easy labels the better buy; trained and tested, all hard did far better."""
    rates = {"easy": exchange_rate(1.1, 0.7, 1.6, price=0.5)}

    def notices(easy: float, hard: float) -> list[str]:
        accuracy = dict(resolved_result.accuracy)
        for name, value in (("all_easy", easy), ("all_hard", hard)):
            new = {"estimate": value, "low": value - 0.03, "high": value + 0.03}
            accuracy[name] = accuracy["plan"].model_copy(update=new)
        result = change_planning_method(resolved_result, accuracy=accuracy, exchange_rates=rates)
        return [own for own in caveats.evidence_notices(result) if "says otherwise" in own]

    assert notices(0.57, 0.69) == [
        "The test says otherwise than the exchange rate: with the whole budget easy labels alone "
        "gave 57.0 %, hard labels alone 69.0 %. The rate is the mean over the pilot's labels; "
        "later ones can be worth more or less."
    ]
    assert notices(0.69, 0.57) == []
    assert notices(0.66, 0.69) == []  # intervals overlap


def without_benefit(result: RunResult) -> RunResult:
    """The gap is unresolved and the plan's interval reaches down to no training."""
    low = result.accuracy["plan"].model_copy(update={"estimate": 0.34, "low": 0.30, "high": 0.39})
    return result.model_copy(update={"accuracy": {**result.accuracy, "plan": low}})


def test_nothing_is_recommended_where_no_benefit_was_shown(
    unresolved_gap_result: RunResult,
) -> None:
    result = without_benefit(unresolved_gap_result)
    assert verdicts.labels_do_not_help(result)
    assert wording.recommendation(result).startswith("Do not buy yet: no benefit of training")
    assert "before more than the pilot's" in wording.after_the_pilot(result)
    assert "No purchase that was trained" in wording.reason(result)


def test_a_plan_that_beats_no_training_is_recommended_without_an_sgr(
    unresolved_gap_result: RunResult, resolved_result: RunResult
) -> None:
    assert not verdicts.labels_do_not_help(unresolved_gap_result)
    assert not verdicts.labels_do_not_help(without_benefit(resolved_result))
