"""What a result comes to: whether labels help, what is resolved, which baseline is best."""

from analysis.estimates import Estimate, SupervisionGap
from analysis.run.result import (
    Baseline,
    ConditionAccuracy,
    MethodResult,
    PlanSummary,
    RunResult,
)

_MOST_OF_THE_MONEY = 0.8


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
    _, name, baseline = max(tested, key=lambda entry: entry[0])
    return name, baseline


def labels_do_not_help(result: RunResult) -> bool:
    """Whether nothing that was trained is shown to beat no training: neither the gap nor the plan.

    Such a result is no ground for buying anything with this model and method.
    """
    untrained, plan = result.sgr.unsupervised.estimate, result.accuracy.get("plan")
    if result.sgr.resolved or untrained is None or plan is None or plan.low is None:
        return False
    return plan.low <= untrained


def names_left_out(plan: PlanSummary) -> list[str]:
    """Strata that are bought and not trained on."""
    return [
        name for name, number in plan.labels.items() if number and not plan.trained_on.get(name)
    ]


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
