"""What a run's evidence comes to: one object, of which headline, reasons and notes are made.

The forecast of the pilot and what was measured afterwards, the tested purchases, are judged
together here. No sentence decides for itself, so that none denies what another says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from analysis.estimates import Estimate, Record
from analysis.run.result import Baseline, ExchangeRate, MethodResult, RunResult
from analysis.run.verdicts import (
    are_apart,
    best_baseline,
    better_buy,
    distinguishable,
    is_harmful,
    measured,
    surface_fits,
)

Advice = Literal["not_yet", "rule", "plan"]
"""What to do.

- "not_yet": buy nothing, as the plan, trained and tested, is not shown to beat what needs no label
- "rule": buy as a simple rule does, which the test shows to be better than the plan
- "plan": buy the plan
"""

Doubt = Literal[
    "bad_fit",
    "rate_not_resolved",
    "target_labels_harm",
    "target_labels_unclear",
    "test_against_rate",
    "test_against_forecast",
]
"""What speaks against trusting the forecast, whatever the advice.

- "bad_fit": the fitted curve misses the pilot
- "rate_not_resolved": the pilot cannot tell what labels of the other stratum are worth
- "target_labels_harm", "target_labels_unclear": labels of the target alone did worse than, or are
  not shown to beat, what needs no label
- "test_against_rate": all money on either of two strata, tested, comes out the other way than the
  exchange rate says
- "test_against_forecast": the plan's measured accuracy lies outside what was expected
"""

WithoutLabels = Literal["zero_shot", "commonest_class", "guessing"]
"""What can be had without a label: the untrained model, always the same class, or a guess."""
WITHOUT_LABELS: tuple[WithoutLabels, ...] = ("zero_shot", "commonest_class", "guessing")


_LEANS = 0.01  # accuracy; a test that is not settled and says less says nothing


class TestedSides(Record):
    """All money on one stratum and all on the target, each trained and tested."""

    __test__ = False  # not a test class, whatever its name begins with

    stratum: str
    target: str
    accuracy: Estimate  # of all money on the stratum
    target_accuracy: Estimate
    ahead: str  # which did better in this test
    better: str | None  # the same where it is shown; None: it cannot be told

    @property
    def distance(self) -> float:
        """Accuracy between the two."""
        return abs((self.accuracy.estimate or 0.0) - (self.target_accuracy.estimate or 0.0))


@dataclass(frozen=True)
class Conclusion:
    """What the evidence of one training method comes to.

    Attributes
    ----------
    advice : what to do, see `Advice`
    untrained, untrained_accuracy : the best that needs no label
    also_helped : conditions other than the plan that are shown to beat it; None of them is the
        advice where that is "not_yet"
    rule : name and outcome of the simple rule that is shown to beat the plan; None: none is
    doubts : see `Doubt`, in that order
    sides : stratum -> what testing it against the target said
    """

    advice: Advice
    untrained: WithoutLabels
    untrained_accuracy: float
    also_helped: tuple[str, ...]
    rule: tuple[str, Baseline] | None
    doubts: tuple[Doubt, ...]
    sides: dict[str, TestedSides]

    def contradicts(self, rate: ExchangeRate) -> TestedSides | None:
        """The test of both sides where it comes out the other way than the rate; else None."""
        tested, better = self.sides.get(rate.stratum), better_buy(rate)
        if tested is None or tested.better is None or better is None:
            return None
        return tested if tested.better != better.stratum else None

    def leans_against(self, rate: ExchangeRate) -> TestedSides | None:
        """The test of both sides where it comes out the other way, but does not settle it."""
        tested, better = self.sides.get(rate.stratum), better_buy(rate)
        if tested is None or tested.better is not None or better is None:
            return None
        if tested.ahead == better.stratum or tested.distance < _LEANS:
            return None
        return tested


def conclude(result: RunResult) -> Conclusion:
    """What the evidence of the planning method comes to."""
    method = result.methods[result.planning_method]
    bars = {name: own.estimate or 0.0 for name, own in without_labels(result).items()}
    # Where two are as high, the same height has to be beaten: the first names it.
    untrained = max(bars, key=bars.__getitem__)
    helped = tuple(name for name in _trained(method) if not _not_beaten(bars, method, name))
    rule = _better_rule(method)
    advice: Advice = "plan" if "plan" in helped else "not_yet"
    if rule is not None and ("plan" in helped or rule[0] in helped):
        advice = "rule"
    sides = {
        rate.stratum: tested
        for rate in method.exchange_rates.values()
        if (tested := _sides(method, rate)) is not None
    }
    found = Conclusion(
        advice,
        untrained,
        bars[untrained],
        tuple(name for name in helped if name != "plan"),
        rule,
        (),
        sides,
    )
    return Conclusion(**{**vars(found), "doubts": tuple(_doubts(result, method, found))})


def as_planned_with(result: RunResult, method: str) -> RunResult:
    """The result as if another of its methods had been the planning one."""
    own = result.methods[method]
    return result.model_copy(
        update={
            "planning_method": method,
            "plan": own.plan,
            "exchange_rate": own.exchange_rates[result.exchange_rate.stratum],
            "accuracy": own.accuracy,
            "sgr": own.sgr,
            "sgr_per_cost": own.sgr_per_cost,
            "baselines": own.baselines,
        }
    )


def without_labels(result: RunResult) -> dict[WithoutLabels, Estimate]:
    """Accuracy of what needs no label: the untrained model, and the commonest class or a guess.

    Guessing has no interval: it is known without a test.
    """
    method = result.methods[result.planning_method]
    found: dict[WithoutLabels, Estimate] = {}
    zero_shot = measured(method, "zero_shot") or method.sgr.unsupervised
    if zero_shot.estimate is not None:
        found["zero_shot"] = _plain(zero_shot)
    commonest = measured(method, "commonest_class")
    if commonest is not None:
        found["commonest_class"] = _plain(commonest)
    else:
        found["guessing"] = Estimate(estimate=result.chance_accuracy, low=None, high=None)
    return found


def _trained(method: MethodResult) -> list[str]:
    """Conditions that were trained and tested: plan, simple rules, arms of the gap."""
    names = [*method.accuracy, *method.baselines]
    return [name for name in dict.fromkeys(["plan", *names]) if name not in WITHOUT_LABELS]


def not_above(
    result: RunResult, key: str, condition: str, accuracy: Estimate | None = None
) -> list[WithoutLabels]:
    """What a trained condition of a method is not shown to beat, of all that needs no label.

    `accuracy` is the condition's, where the method's own table has none.
    """
    bars = without_labels(as_planned_with(result, key))
    heights = {name: own.estimate or 0.0 for name, own in bars.items()}
    return _not_beaten(heights, result.methods[key], condition, accuracy)


def _not_beaten(
    bars: Mapping[WithoutLabels, float],
    method: MethodResult,
    condition: str,
    accuracy: Estimate | None = None,
) -> list[WithoutLabels]:
    found: list[WithoutLabels] = []
    for name, bar in bars.items():
        difference = method.over_untrained.get(condition, {}).get(name)
        low = None if difference is None else difference.low
        if difference is None:  # results of earlier versions have accuracies alone
            own = _tested(method, condition) or accuracy
            low = None if own is None or own.low is None else own.low - bar
        if low is None or low <= 0:
            found.append(name)
    return found


def _tested(method: MethodResult, condition: str) -> Estimate | None:
    found = measured(method, condition)
    if found is None and condition in method.baselines:
        return method.baselines[condition].accuracy
    return found


def _better_rule(method: MethodResult) -> tuple[str, Baseline] | None:
    """Of the simple rules that are shown to beat the plan, the one with the highest accuracy."""
    better = {
        name: own
        for name, own in method.baselines.items()
        if distinguishable(own.plan_minus_baseline) and (own.plan_minus_baseline.high or 0.0) < 0
    }
    return best_baseline(method.model_copy(update={"baselines": better}))


def _sides(method: MethodResult, rate: ExchangeRate) -> TestedSides | None:
    one, other = (_tested(method, f"all_{name}") for name in (rate.stratum, rate.target))
    if one is None or other is None or one.estimate is None or other.estimate is None:
        return None
    difference = method.tested_sides.get(rate.stratum)
    # Results of earlier versions have no paired difference.
    told = are_apart(one, other) if difference is None else distinguishable(difference)
    ahead = rate.stratum if one.estimate > other.estimate else rate.target
    return TestedSides(
        stratum=rate.stratum,
        target=rate.target,
        accuracy=_plain(one),
        target_accuracy=_plain(other),
        ahead=ahead,
        better=ahead if told else None,
    )


def _plain(found: Estimate) -> Estimate:
    """The estimate of a condition, without its labels."""
    return Estimate(estimate=found.estimate, low=found.low, high=found.high)


def _doubts(result: RunResult, method: MethodResult, found: Conclusion) -> list[Doubt]:
    doubts: list[Doubt] = []
    rate = result.exchange_rate
    gap, plan = method.sgr, measured(method, "plan")
    if not surface_fits(method.surface):
        doubts.append("bad_fit")
    if not rate.rate_resolved and not rate.better_buy_resolved:
        doubts.append("rate_not_resolved")
    if is_harmful(gap):
        doubts.append("target_labels_harm")
    elif not gap.resolved or (gap.hard.low or 0.0) <= found.untrained_accuracy:
        doubts.append("target_labels_unclear")
    if found.contradicts(rate) is not None:
        doubts.append("test_against_rate")
    if plan is not None and are_apart(method.plan.expected_accuracy, plan):
        doubts.append("test_against_forecast")
    return doubts
