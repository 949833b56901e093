"""What `labelmix curves` prints for a person: sentences and tables."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from analysis.curves.result import CurvesResult, Difference
from analysis.curves.wording import findings, rate_text
from analysis.estimates import SupervisionGap
from analysis.numbers import (
    count,
    interval_name,
    money,
    percent,
    points,
    span,
)
from analysis.over_untrained import MARK, not_above, told_of_marks
from analysis.run.wording import method_name, short_class
from budget.commands.screen import Screen

RatePair = tuple[float, float]  # error rates of easy and hard labels


def show_curves(result: CurvesResult) -> None:
    """What was found, the accuracies, and the differences at equal labels, money and noise."""
    console = Screen()
    for heading, sentences in findings(result).items():
        console.print(f"\n{heading}", style="bold")
        for sentence in sentences:
            console.print(f"- {sentence}")
    console.print()
    console.print(_accuracies(result))
    for said in told_of_marks(_marked(result)):
        console.print(said)
    counts: dict[float, str] = {size: count(size) for size in result.sizes}
    costs = {d.cost: money(d.cost, result.currency) for d in result.equal_cost}
    arms = f"{result.easy} minus {result.target}, points"
    by_count = [(d, d.labels) for d in result.equal_count]
    by_cost = [(d, d.cost) for d in result.equal_cost]
    by_noise = [(d, d.labels) for d in result.equal_noise]
    console.print(
        _differences(f"Same number of labels: {arms}", "labels", counts, by_count, result)
    )
    if by_cost:
        console.print(_differences(f"Same money: {arms}", "money", costs, by_cost, result))
    if len(result.error_rates) > 1:
        console.print(_differences(f"Same error rate: {arms}", "labels", counts, by_noise, result))
    console.print(
        f"Below each number its {interval_name(result.confidence)}, over test items and seeds; "
        "* marks differences whose interval leaves out zero."
    )
    for warning in result.warnings:
        console.print(f"note: {warning}", style="yellow")


def _marked(result: CurvesResult) -> list[tuple[str, list[str]]]:
    """Every purchase, and what it is not resolved to be above, of what needs no label."""
    return [
        (
            f"{count(point.labels)} {point.stratum}, "
            + (rate_text(point.error_rate) if point.error_rate else result.without_noise),
            not_above(point.over),
        )
        for point in result.points
    ]


def _accuracies(result: CurvesResult) -> Table:
    """A row per kind of label, a column per size; then no training, and the SGR."""
    title = f"Right on {result.target} test items, {method_name(result.method)}"
    table = Table("labels", *map(count, result.sizes), title=title)
    rows: dict[tuple[str, float], list[str]] = {}
    for point in result.points:
        cells = rows.setdefault((point.stratum, point.error_rate), [])
        mark = f" {MARK}" if not_above(point.over) else ""
        cells.append(_cell(percent(point.estimate) + mark, span(point, decimals=0)))
    for (stratum, rate), cells in rows.items():
        table.add_row(f"{stratum}\n{rate_text(rate) if rate else result.without_noise}", *cells)
    table.add_section()
    table.add_row(f"SGR\n{result.without_noise}", *map(_gap, result.sgr))
    untrained = result.zero_shot
    always = result.commonest_accuracy
    bar = f"guessing: {percent(result.chance_accuracy)}"
    if always is not None:
        told = short_class(result.commonest_class)
        bar = f"always \u201c{told}\u201d: {percent(always.estimate)} ({span(always)})"
    if always is not None:
        bar += f"; guessing: {percent(result.chance_accuracy)}"
    table.caption = f"no training: {percent(untrained.estimate)} ({span(untrained)}); {bar}"
    return table


def _gap(gap: SupervisionGap) -> str:
    if not gap.resolved:
        return "not\nresolved"
    return _cell(percent(gap.estimate, 0), span(gap, decimals=0))


def _differences(
    title: str,
    place_name: str,
    places: Mapping[float, str],
    differences: Sequence[tuple[Difference, float]],
    result: CurvesResult,
) -> Table:
    """A row per size or amount, a column per pair of error rates."""
    cells: dict[float, dict[RatePair, str]] = {place: {} for place in places}
    pairs: dict[RatePair, str] = {}
    for difference, place in differences:
        rates = (difference.easy_error_rate, difference.hard_error_rate)
        pairs[rates] = _rates_name(rates, result)
        cells[place][rates] = _difference(difference)
    table = Table(place_name, *pairs.values(), title=title)
    for place, name in places.items():
        table.add_row(name, *(cells[place].get(rates, "") for rates in pairs))
    return table


def _rates_name(rates: RatePair, result: CurvesResult) -> str:
    easy, hard = rates
    if easy == hard:
        return rate_text(easy) if easy else result.without_noise
    return f"{rate_text(easy)} / {rate_text(hard)}"


def _difference(difference: Difference) -> str:
    mark = "*" if difference.resolved else ""
    return _cell(points(difference.estimate) + mark, span(difference, "points"))


def _cell(estimate: str, interval: str) -> str:
    return f"{estimate}\n{interval}"
