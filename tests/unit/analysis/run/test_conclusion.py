"""One conclusion of forecast and test: what it advises, and that nothing on a page denies it."""

import re
from itertools import product

import pytest

from analysis.run import caveats, wording
from analysis.run.conclusion import Conclusion, conclude
from analysis.run.report import render_report
from analysis.run.result import MethodResult, RunResult
from tests.unit.analysis.run.report_page import Page
from tests.unit.analysis.runs_by_hand import estimate, with_planning_method

DENIALS = re.compile(
    r"Find out whether|[Dd]o not buy|prefer it|before the rest|before you buy|nothing yet"
    r"|The plan is worse|do not suit"
)


def test_a_plan_that_beats_no_training_is_advised(
    resolved_result: RunResult, unresolved_gap_result: RunResult
) -> None:
    for result in (resolved_result, unresolved_gap_result):
        found = conclude(result)
        assert (found.advice, found.rule, found.untrained) == ("plan", None, "zero_shot")
    assert conclude(resolved_result).doubts == ()
    assert conclude(unresolved_gap_result).doubts == ("target_labels_unclear",)


def test_nothing_is_advised_where_no_benefit_was_shown(without_benefit_result: RunResult) -> None:
    found = conclude(without_benefit_result)
    assert (found.advice, found.rule, found.also_helped) == ("not_yet", None, ())
    assert "target_labels_unclear" in found.doubts


def test_a_plan_that_failed_its_test_is_not_advised_because_other_purchases_helped(
    resolved_result: RunResult,
) -> None:
    """Hard labels alone help; the plan, tested, is no better than the untrained model."""
    accuracy = dict(resolved_result.accuracy)
    accuracy["plan"] = accuracy["plan"].model_copy(update=estimate(0.34, 0.04).model_dump())
    result = with_planning_method(resolved_result, accuracy=accuracy)
    found = conclude(result)
    assert found.advice == "not_yet"
    assert found.also_helped == ("all_easy", "all_hard", "equal_spend", "proportional")
    assert wording.recommendation(result, found).startswith(
        "Do not buy yet: the plan is not shown to do better than what takes no label, though "
        "\u201call easy\u201d, "
    )


def test_always_answering_the_commonest_class_can_be_the_bar(resolved_result: RunResult) -> None:
    """61.8 % after training beat 35 % of the untrained model, but not a class of 60 %."""

    def of_class(accuracy: float) -> Conclusion:
        own = resolved_result.accuracy["zero_shot"].model_copy(
            update=estimate(accuracy, 0.04).model_dump()
        )
        return conclude(
            with_planning_method(
                resolved_result, accuracy={**resolved_result.accuracy, "commonest_class": own}
            )
        )

    found = of_class(0.60)
    assert (found.advice, found.untrained, found.untrained_accuracy) == (
        "not_yet", "commonest_class", 0.60,
    )  # fmt: skip
    assert "target_labels_unclear" in found.doubts  # 45.2 % after hard labels are below it
    assert of_class(0.40).advice == "plan"
    assert of_class(0.30).untrained == "zero_shot"


def test_paired_differences_decide_where_they_are_there(resolved_result: RunResult) -> None:
    """The accuracies' intervals are apart, their paired difference is not resolved; or not both."""

    def over(commonest: tuple[float, float]) -> Conclusion:
        differences = {
            "zero_shot": estimate(0.2, 0.05),
            "commonest_class": estimate(*commonest),
        }
        own = resolved_result.accuracy["zero_shot"].model_copy(
            update=estimate(0.5, 0.03).model_dump()
        )
        accuracy = {**resolved_result.accuracy, "commonest_class": own}
        return conclude(
            with_planning_method(
                resolved_result, accuracy=accuracy, over_untrained={"plan": differences}
            )
        )

    assert over((0.03, 0.02)).advice == "plan"
    assert over((0.03, 0.04)).advice == "not_yet"


def test_guessing_is_the_bar_where_there_are_no_classes(resolved_result: RunResult) -> None:
    low = resolved_result.accuracy["zero_shot"].model_copy(update={"estimate": 0.2})
    result = with_planning_method(
        resolved_result, accuracy={**resolved_result.accuracy, "zero_shot": low}
    )
    assert (conclude(result).untrained, conclude(result).untrained_accuracy) == ("guessing", 0.25)


def test_a_rule_that_beat_the_plan_is_advised(rule_better_result: RunResult) -> None:
    found = conclude(rule_better_result)
    assert found.advice == "rule" and found.rule is not None and found.rule[0] == "all_easy"
    page = Page(render_report(rule_better_result)).text.replace("\u00a0", " ")
    assert "Buy 740 easy labels for $740" in page
    assert "Buy 520 easy" not in page and "recommended above" not in page


def test_of_two_rules_that_beat_the_plan_the_better_one_is_advised(
    rule_better_result: RunResult,
) -> None:
    rules = dict(rule_better_result.baselines)
    rules["equal_spend"] = rules["equal_spend"].model_copy(
        update={"accuracy": estimate(0.66, 0.03), "plan_minus_baseline": estimate(-0.04, 0.03)}
    )
    found = conclude(with_planning_method(rule_better_result, baselines=rules))
    assert found.rule is not None and found.rule[0] == "equal_spend"


def test_a_test_of_both_sides_contradicts_the_rate_or_not(
    test_against_pilot_result: RunResult,
) -> None:
    result = test_against_pilot_result
    found = conclude(result)
    assert found.doubts == ("test_against_rate", "test_against_forecast")
    assert found.sides["easy"].better == "hard"
    for difference, better in ((estimate(0.055, 0.03), "hard"), (estimate(-0.055, 0.06), None)):
        again = conclude(with_planning_method(result, tested_sides={"easy": difference}))
        assert again.sides["easy"].better == better  # who is ahead is told by the accuracies


def case(
    base: RunResult, helps: bool, plan: float, rule: float, sides: float, rate: bool, klass: float
) -> RunResult:
    """A run whose parts came out in these ways; see `test_nothing_denies_the_advice`."""
    method: MethodResult = base.methods[base.planning_method]
    gap = method.sgr.model_copy(
        update={
            "resolved": helps,
            "estimate": 1.2 if helps else None,
            "hard": estimate(0.45 if helps else 0.36, 0.03),
            "gap": estimate(0.10 if helps else 0.01, 0.04),
        }
    )
    accuracy = dict(method.accuracy)
    accuracy["plan"] = accuracy["plan"].model_copy(update=estimate(plan, 0.03).model_dump())
    accuracy["commonest_class"] = accuracy["zero_shot"].model_copy(
        update=estimate(klass, 0.03).model_dump()
    )
    rules = {
        name: own.model_copy(
            update={
                "accuracy": estimate(plan + rule, 0.03),
                "plan_minus_baseline": estimate(-rule, 0.02),
            }
        )
        for name, own in method.baselines.items()
    }
    rules["all_hard"] = rules["all_hard"].model_copy(
        update={
            "accuracy": estimate(plan + rule - sides, 0.03),
            "plan_minus_baseline": estimate(sides - rule, 0.02),
        }
    )
    rates = {
        name: own.model_copy(
            update={} if rate else {"resolved": False, "estimate": None, "low": None, "high": None}
        )
        for name, own in method.exchange_rates.items()
    }
    changed = with_planning_method(
        base,
        sgr=gap,
        accuracy=accuracy,
        baselines=rules,
        exchange_rates=rates,
        tested_sides={"easy": estimate(sides, 0.02)},
    )
    return changed.model_copy(update={"commonest_class": "Buy!"})


CASES = list(
    product(
        (True, False),  # labels of the target help
        (0.34, 0.50, 0.62),  # the plan, trained and tested
        (-0.05, 0.0, 0.05),  # by how much simple rules beat it
        (-0.06, 0.0, 0.06),  # by how much all easy beats all hard
        (True, False),  # the rate is resolved
        (0.30, 0.58),  # always answering the commonest class
    )
)


@pytest.mark.parametrize("base", ["resolved", "three_strata"])
def test_nothing_denies_the_advice(base: str, request: pytest.FixtureRequest) -> None:
    """Every combination: headline, reason, next step and notes say one thing."""
    seen = set()
    for values in CASES:
        result = case(request.getfixturevalue(f"{base}_result"), *values)
        found = conclude(result)
        seen.add(found.advice)
        headline = wording.recommendation(result, found)
        others = [
            wording.reason(result, found),
            wording.after_the_pilot(result, found),
            wording.tested(result.methods["probe"], "hard", 0.95, found),
            *caveats.notices(result, found),
        ]
        text = " ".join(others)
        plan, best = values[1], max(values[5], 0.35)
        if found.advice == "plan":
            assert headline.startswith("Buy ") and "simple rule" not in headline, values
            assert not DENIALS.search(text), (values, text)
            assert plan - 0.03 > best, values
        elif found.advice == "rule":
            assert found.rule is not None and "as the simple rule" in headline, values
            assert "To buy beyond it" not in text and "Find out whether" not in text, values
            assert (found.rule[1].accuracy.estimate or 0) > plan, values
        else:
            assert headline.startswith("Do not buy yet"), values
            assert "Buy " not in text and "To buy" not in text, (values, text)
            assert "better buy" not in wording.reason(result, found), values
        contradicted = found.contradicts(result.exchange_rate) is not None
        assert contradicted == ("test_against_rate" in found.doubts)
        if contradicted and found.advice == "plan":
            assert "other than the pilot says" in headline, values
    assert seen == {"plan", "rule", "not_yet"}
