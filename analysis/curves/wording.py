"""The sentences of `labelmix curves`: what holds, what does not, and what is not resolved.

They speak of the largest size, or the most money, and then tell of all others in short. A
difference whose interval contains zero is never called one.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from analysis.crossover import crossover_sentence
from analysis.curves.result import (
    CostDifference,
    CountDifference,
    CurvesResult,
    Difference,
    RatedCrossover,
)
from analysis.estimates import Estimate
from analysis.numbers import (
    count,
    joined,
    money,
    points,
    span,
)
from analysis.run.wording import supervision_gap

Rated = TypeVar("Rated", bound=Difference)


def findings(result: CurvesResult) -> dict[str, list[str]]:
    """All sentences under their headings: those of the figure's panels, then the SGR."""
    noise = [d for d in result.equal_noise if d.easy_error_rate > 0]  # clean ones are told above
    found = {
        "Same number of labels": _of_count(result.equal_count, result),
        "Same money": _of_cost(result),
        "Same error rate": _of_count(noise, result),
        f"Supervision gap recovered (SGR), {result.without_noise}": _of_sgr(result),
    }
    return {heading: sentences for heading, sentences in found.items() if sentences}


def rate_text(rate: float) -> str:
    """An error rate as a percentage with the digits it has: .125 -> '12.5 %'."""
    return f"{100 * rate:.6g} %"


def condition_text(difference: Difference | RatedCrossover, result: CurvesResult) -> str:
    """'clean', 'at error rate 10 %', 'at error rates 10 % (easy) and 20 % (hard)'."""
    easy, hard = difference.easy_error_rate, difference.hard_error_rate
    if easy == hard:
        return f"at error rate {rate_text(easy)}" if easy else result.without_noise
    return (
        f"at error rates {rate_text(easy)} ({result.easy}) and {rate_text(hard)} ({result.target})"
    )


def verdict(difference: Difference, result: CurvesResult) -> str:
    """'easy is 2.0 points better (0.9 to 3.1)', or that the difference is not resolved."""
    low, high, estimate = difference.low, difference.high, difference.estimate
    if low is None or high is None or estimate is None or not difference.resolved:
        return (
            f"the difference is not resolved ({result.easy} minus {result.target} "
            f"{points(estimate)} points, {span(difference, 'points')})"
        )
    if low > 0:
        better, size, ends = result.easy, estimate, difference
    else:
        ends = difference.model_copy(update={"low": -high, "high": -low})
        better, size = result.target, -estimate
    return f"{better} is {points(size).removeprefix('+')} points better ({span(ends, 'points')})"


def _of_count(differences: Sequence[CountDifference], result: CurvesResult) -> list[str]:
    found = []
    for own in _by_condition(differences):
        largest, condition = own[-1], condition_text(own[-1], result)
        sentence = (
            f"At {count(largest.labels)} labels each, {condition}, {verdict(largest, result)}."
        )
        sizes = {count(difference.labels): difference for difference in own}
        found.append(f"{sentence}{_over_all('sizes', sizes, result)}")
    return found


def _of_cost(result: CurvesResult) -> list[str]:
    if not result.equal_cost:
        return [
            f"No amount of money was tried on {result.easy} and on {result.target} labels alike: "
            "nothing can be said of the same money; bring more sizes."
        ]
    found = []
    for own in _by_condition(result.equal_cost):
        most, condition = own[-1], condition_text(own[-1], result)
        sentence = (
            f"For {money(most.cost, result.currency)} ({_bought(most, result)}), {condition}, "
            f"{verdict(most, result)}."
        )
        amounts = {money(difference.cost, result.currency): difference for difference in own}
        crossover = "".join(
            f" {crossover_sentence(each, result.currency)}"
            for each in result.crossovers
            if _rates(each) == _rates(most)
        )
        found.append(f"{sentence}{_over_all('amounts', amounts, result)}{crossover}")
    return found


def _of_sgr(result: CurvesResult) -> list[str]:
    largest = result.sgr[-1]
    sentence = supervision_gap(largest, result.easy, result.target, result.confidence)
    unresolved = [count(gap.labels) for gap in result.sgr[:-1] if not gap.resolved]
    if not unresolved:
        return [sentence]
    return [sentence, f"At {joined(unresolved)} labels the gap, and so the SGR, is not resolved."]


def _by_condition(differences: Sequence[Rated]) -> list[list[Rated]]:
    """Differences of the same error rates together, in order."""
    found: dict[tuple[float, float], list[Rated]] = {}
    for difference in differences:
        found.setdefault(_rates(difference), []).append(difference)
    return list(found.values())


def _over_all(what: str, differences: Mapping[str, Difference], result: CurvesResult) -> str:
    """At which sizes or amounts which kind is better, and where that is open; '' for one alone."""
    groups: dict[str, list[str]] = {
        f"{result.easy} is better at": [],
        f"{result.target} is better at": [],
        "not resolved at": [],
    }
    easy, hard, neither = groups
    for place, difference in differences.items():
        group = neither
        if difference.resolved:
            group = easy if _estimate(difference) > 0 else hard
        groups[group].append(place)
    parts = [f"{group} {joined(places)}" for group, places in groups.items() if places]
    return f" Over all {what}: {'; '.join(parts)}." if len(differences) > 1 else ""


def _estimate(estimate: Estimate) -> float:
    return 0.0 if estimate.estimate is None else estimate.estimate


def _bought(difference: CostDifference, result: CurvesResult) -> str:
    easy, hard = round(difference.easy_labels), round(difference.hard_labels)
    return f"{count(easy)} {result.easy} or {count(hard)} {result.target} labels"


def _rates(of: Difference | RatedCrossover) -> tuple[float, float]:
    return of.easy_error_rate, of.hard_error_rate
