"""What parts of a result come to: what is resolved, which baseline is best, which label to prefer.

What the whole of it comes to is `analysis.run.conclusion`; the sentences only say it.
"""

from dataclasses import dataclass
from typing import Literal

from analysis.estimates import Estimate, SupervisionGap
from analysis.label_words import LabelWords, words_for
from analysis.numbers import is_number
from analysis.run.result import (
    Baseline,
    ConditionAccuracy,
    ExchangeRate,
    MeasuredErrorRate,
    MethodResult,
    PlanSummary,
    Pull,
    Rehearsals,
    RunResult,
    SurfaceSummary,
)

_MOST_OF_THE_MONEY = 0.8
# A surface that misses its points by more than this many times the noise does not fit.
MISFIT_RATIO = 1.5


ZERO_SHOT_KEYS = ("zero shot", "zeroshot", "unsupervised")


def plain_name(key: str) -> str:
    """A condition's key as words: 'all_easy' -> 'all easy'; a stratum keeps its own spelling."""
    if key.startswith("all_"):
        return f"all {key.removeprefix('all_')}"
    if key.endswith("_equal_count"):
        return f"{key.removesuffix('_equal_count')} equal count"
    return key.replace("_", " ").strip()


def measured(result: MethodResult, condition: str) -> ConditionAccuracy | None:
    """Measured accuracy of a condition, however its key is spelled; None if never trained."""

    def spelled(key: str) -> str:
        return plain_name(key).lower().replace("-", " ")

    wanted = ZERO_SHOT_KEYS if spelled(condition) in ZERO_SHOT_KEYS else (spelled(condition),)
    return next((found for key, found in result.accuracy.items() if spelled(key) in wanted), None)


def distinguishable(difference: Estimate) -> bool:
    """Whether the interval of a difference leaves out zero."""
    low, high = difference.low, difference.high
    return low is not None and high is not None and (low > 0 or high < 0)


def best_baseline(method: MethodResult) -> tuple[str, Baseline] | None:
    """The simple rule with the highest measured accuracy; None if none was measured."""
    tested = [
        (baseline.accuracy.estimate, name, baseline)
        for name, baseline in method.baselines.items()
        if baseline.accuracy.estimate is not None
    ]
    if not tested:
        return None
    # Rules that were right as often are as good: the first is named, and nothing hangs on which.
    _, name, baseline = max(tested, key=lambda entry: entry[0])
    return name, baseline


def names_left_out(plan: PlanSummary) -> list[str]:
    """Strata that are bought and not trained on."""
    return [
        name for name, number in plan.labels.items() if number and not plan.trained_on.get(name)
    ]


def only_in_the_pilot(plan: PlanSummary) -> dict[str, int]:
    """Labels of strata of which the plan has the pilot's and no more; {} if it is all pilot."""
    after = plan.labels_after_pilot
    if pilot_is_all(plan):
        return {}
    return {name: number for name, number in plan.labels.items() if number and not after.get(name)}


def pilot_is_all(plan: PlanSummary) -> bool:
    """Whether the plan asks for no label beyond the pilot's."""
    return not any(plan.labels_after_pilot.values())


def mostly(result: RunResult, stratum: str) -> bool:
    """Whether four fifths or more of the money after the pilot go to a stratum."""
    spent = {
        name: number * (result.strata[name].cost or 0.0)
        for name, number in result.plan.labels_after_pilot.items()
    }
    return spent.get(stratum, 0.0) >= _MOST_OF_THE_MONEY * max(sum(spent.values()), 1e-12)


def same_purchase(labels: dict[str, int], others: dict[str, int]) -> bool:
    """Whether two purchases buy the same; a stratum that is not named has no labels."""
    return all(labels.get(name, 0) == others.get(name, 0) for name in labels.keys() | others.keys())


def is_harmful(gap: SupervisionGap) -> bool:
    """Whether training on the target's labels was shown to be worse than none."""
    return gap.gap.high is not None and gap.gap.high < 0


def same_plan(result: RunResult, method: MethodResult) -> bool:
    """Whether a method's own plan is the recommended purchase."""
    return method.plan.labels == result.plan.labels


# ---------------------------------------------------------------- where labels come from


def words_of(result: RunResult) -> LabelWords:
    """How the labels of a run are told: simulated, or people's own judgments."""
    return words_for(result.collected)


def measured_error_rate(result: RunResult, stratum: str) -> MeasuredErrorRate | None:
    """The error rate that the run measured and used; None where the configuration's was used."""
    if result.collected is None:
        return None
    found = result.collected.error_rates.get(stratum)
    used = result.strata[stratum].error_rate
    return found if found is not None and found.estimate == used else None


# ---------------------------------------------------------------- the exchange rate


@dataclass(frozen=True)
class BetterBuy:
    """Which of two kinds of label to prefer at their prices, and how sure that is."""

    stratum: str
    other: str
    settled: bool  # by the interval of the exchange rate
    probability: float | None  # None: not known


def has_rate(rate: ExchangeRate) -> bool:
    """Whether an exchange rate is resolved, so that its number may be told."""
    return rate.rate_resolved and is_number(rate.estimate)


def are_useless(rate: ExchangeRate) -> bool:
    """Whether labels of the rate's stratum do not help on target items, at any price."""
    return has_rate(rate) and (rate.estimate or 0.0) <= 0


def better_buy(rate: ExchangeRate) -> BetterBuy | None:
    """The better buy of the rate's stratum and the target; None where the pilot cannot tell.

    It may be settled where the rate is not: that is somewhere far above its price, or below it.
    """
    price, chance = rate.cost_ratio, rate.probability_better_buy
    if not is_number(chance):
        chance = None
    if rate.estimate is not None:
        above = rate.estimate > price
    elif rate.better_buy_resolved and chance is not None:
        above = chance > 0.5
    else:
        return None
    if above:
        return BetterBuy(rate.stratum, rate.target, rate.better_buy_resolved, chance)
    against = None if chance is None else 1 - chance
    return BetterBuy(rate.target, rate.stratum, rate.better_buy_resolved, against)


def beside_the_better_buy(result: RunResult) -> Literal["nothing", "a mix", "most", "all"]:
    """What the plan buys after the pilot beside the better buy of the two.

    - "a mix": several strata, less than four fifths of the money on the worse buy
    - "most", "all": of the money goes to the worse buy
    """
    better = better_buy(result.exchange_rate)
    kinds = sum(1 for number in result.plan.labels_after_pilot.values() if number)
    if better is None:
        return "nothing"
    if mostly(result, better.other):
        return "most" if kinds > 1 else "all"
    return "a mix" if kinds > 1 else "nothing"


# ---------------------------------------------------------------- the supervision gap


def has_sgr(gap: SupervisionGap) -> bool:
    """Whether the gap is resolved, so that an SGR may be told."""
    return gap.resolved and is_number(gap.estimate)


def arm_that_does_more(gap: SupervisionGap) -> Literal["easy", "hard"] | None:
    """Which of as many easy and hard labels do more; None where they cannot be told apart."""
    if gap.low is not None and gap.low > 1:
        return "easy"
    return "hard" if gap.high is not None and gap.high < 1 else None


# ---------------------------------------------------------------- the plan, tested


def against_rule(
    method: MethodResult, rule: Baseline
) -> Literal["same", "open", "better", "worse"]:
    """How the plan, trained and tested, compares with a simple rule that was, too.

    - "same": both train on the same labels
    - "open": the difference cannot be told from zero
    """
    plan = measured(method, "plan")
    if plan and not names_left_out(method.plan) and same_purchase(plan.labels, rule.labels):
        return "same"
    difference = rule.plan_minus_baseline
    if not distinguishable(difference):
        return "open"
    return "better" if (difference.low or 0.0) > 0 else "worse"


# ---------------------------------------------------------------- the fit and the forecast


def surface_fits(surface: SurfaceSummary) -> bool:
    """Whether the fitted curve misses the pilot by no more than noise explains."""
    noise = surface.root_mean_square_noise
    return surface.root_mean_square_residual <= MISFIT_RATIO * noise


def are_apart(one: Estimate, other: Estimate) -> bool:
    """Whether two intervals have no point in common."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low


# ---------------------------------------------------------------- unlabelled items


def is_vague(pull: Pull) -> bool:
    """Whether scores of unlabelled items leave open if their labels teach nothing or all."""
    return pull.low == 0 and pull.high > 1


def guessing(own: Rehearsals) -> Literal["not checked", "wrong", "without a basis", "used"]:
    """What came of guessing labels.

    - "not checked": labels of the target teach too little for bad guesses to show
    - "wrong": where answers are known, guesses teach something else
    - "without a basis": guessing works, but no purchase could be guessed
    """
    if not own.telling:
        return "not checked"
    if not own.sound:
        return "wrong"
    return "used" if own.purchases else "without a basis"
