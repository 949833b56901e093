"""What a simulation found, in sentences for people."""

from collections.abc import Sequence
from itertools import chain

from analysis.numbers import (
    interval_name,
    joined,
    labels_text,
    money,
    percent,
    points,
    span,
)
from analysis.numbers import ratio as ratio_text
from budget.simulate.result import AxisRecord, BreakEven, Region, SimulationResult

_SAMPLED_ROWS = (0.2, 0.5, 0.8)  # of the y axis, whose break-even is told


def place(axis: AxisRecord, value: float, currency: str) -> str:
    """A value of an axis with its unit: '$320', '2.4', '30 %'."""
    if axis.name == "budget":
        return money(round(value, 2), currency)
    if axis.name in ("error-easy", "error-hard"):
        return percent(value, 0 if round(100 * value, 6).is_integer() else 1)
    if axis.name == "transfer":
        return f"{value:.2f}"
    return ratio_text(value)


def short_name(axis: AxisRecord) -> str:
    """'cost ratio', 'transfer'."""
    return axis.name.replace("-", " ")


def region_name(region: Region, result: SimulationResult) -> str:
    """'all easy', 'all hard', 'a mix', with the names of the strata."""
    return {"easy": f"all {result.easy}", "hard": f"all {result.target}", "mix": "a mix"}[region]


def findings(result: SimulationResult) -> list[str]:
    """The decision at the stated terms, the regions, break-even, and what knowing is worth."""
    found = [] if result.here is None else [_here(result)]
    found.append(_regions(result))
    found += [
        break_even_sentence(result, result.break_even[row])
        for row in sorted({round(part * (len(result.y.values) - 1)) for part in _SAMPLED_ROWS})
    ]
    found.append(_knowing(result))
    return found


def _here(result: SimulationResult) -> str:
    cell = result.here
    assert cell is not None
    labels = {result.easy: cell.best_easy_labels, result.target: cell.best_hard_labels}
    terms = (
        f"a budget of {money(cell.terms['budget'], result.currency)}, a cost ratio of "
        f"{ratio_text(cell.terms['cost-ratio'])} and error rates of "
        f"{percent(cell.terms['error-easy'], 0)} ({result.easy}) and "
        f"{percent(cell.terms['error-hard'], 0)} ({result.target})"
    )
    return (
        f"At the given terms, {terms}: {labels_text(labels)} do best, "
        f"{percent(cell.best)} expected on {result.target} items. All {result.easy} "
        f"{percent(cell.all_easy)}, all {result.target} {percent(cell.all_hard)}: "
        f"{points(cell.difference.estimate)} points "
        f"({interval_name(result.confidence)} {span(cell.difference, 'points')}), "
        f"{'not resolved' if cell.unresolved else 'resolved'}; {result.easy} beats "
        f"{result.target} with a probability of {percent(cell.probability_easy, 0)}."
    )


def _regions(result: SimulationResult) -> str:
    cells = list(chain.from_iterable(result.region))
    parts = [
        f"{region_name(region, result)} in {percent(cells.count(region) / len(cells), 0)}"
        for region in ("easy", "hard", "mix")
    ]
    return (
        f"Best buy, of {len(cells):,} cells: {joined(parts)} (a mix where it beats both by more "
        f"than {100 * result.margin:g} points). Which of all {result.easy} and all "
        f"{result.target} is better is not resolved in {percent(unresolved_share(result), 0)}."
    )


def unresolved_share(result: SimulationResult) -> float:
    """Share of the cells in which easy against hard is not resolved."""
    cells = list(chain.from_iterable(result.unresolved))
    return sum(cells) / len(cells)


def break_even_sentence(result: SimulationResult, row: BreakEven) -> str:
    """Where along x all easy and all hard change sides, at one value of y."""
    x = result.x
    where = f"At {short_name(result.y)} {place(result.y, row.y, result.currency)}: "
    easy, hard = f"all {result.easy}", f"all {result.target}"
    ends = [place(x, value, result.currency) for value in (x.values[0], x.values[-1])]
    if not row.x:
        better, other = (easy, hard) if row.easy_at_the_end else (hard, easy)
        return (
            f"{where}{better} is expected to beat {other} at every {short_name(x)} from "
            f"{ends[0]} to {ends[1]}."
        )
    at = [place(x, float(f"{value:.3g}"), result.currency) for value in row.x]
    if len(at) == 1:
        better, other = (easy, hard) if row.easy_from_here[0] else (hard, easy)
        return f"{where}{better} is expected to beat {other} above a {short_name(x)} of {at[0]}."
    return f"{where}{easy} and {hard} break even at a {short_name(x)} of {joined(at)}."


def _knowing(result: SimulationResult) -> str:
    values = list(chain.from_iterable(result.value_of_knowing))
    return (
        "To know the task's response surface for sure would add "
        f"{100 * sum(values) / len(values):.1f} points on average over the cells, "
        f"{100 * max(values):.1f} at most."
    )


def sampled(count: int, most: int = 7) -> list[int]:
    """Places of rows or columns that stand for all: the ends, and evenly between."""
    if count <= most:
        return list(range(count))
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)})


def table_rows(
    result: SimulationResult, most: int = 7
) -> tuple[list[str], list[tuple[str, Sequence[str]]]]:
    """At most so many values of x, and per value of y, from the largest on, the cells in words.

    A cell says what is best and how probably all easy beats all hard: 'mix? 64 %'; with '?' where
    that is not resolved.
    """
    columns = sampled(len(result.x.values), most)
    heads = [place(result.x, result.x.values[k], result.currency) for k in columns]
    rows: list[tuple[str, Sequence[str]]] = []
    for row in reversed(sampled(len(result.y.values))):
        cells = [
            f"{_short_region(result.region[row][k], result)}"
            f"{'?' if result.unresolved[row][k] else ''} "
            f"{percent(result.probability_easy[row][k], 0)}"
            for k in columns
        ]
        rows.append((place(result.y, result.y.values[row], result.currency), cells))
    return heads, rows


def _short_region(region: Region, result: SimulationResult) -> str:
    return {"easy": result.easy, "hard": result.target, "mix": "mix"}[region]
