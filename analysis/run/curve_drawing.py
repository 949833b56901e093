"""Drawing the learning curve: fitted curves and pilot points; the tested purchases beside them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from analysis.crossover import CrossoverBudget
from analysis.estimates import Estimate
from analysis.figure_style import (
    GRID,
    INK,
    MIXED_STYLE,
    MUTED,
    PLAN_STYLE,
    Style,
    one_two_five,
    place_on_axis,
    shortened,
    stratum_styles,
    text_colour,
)
from analysis.numbers import money, percent
from analysis.run.result import MethodResult, RunResult
from analysis.run.verdicts import measured, plain_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Label = tuple[str, float, str]  # text, height on the axis, colour
_FOOT = 0.025  # between the intervals at the foot of the axes, in parts of their height


def draw_curves(axes: "Axes", result: RunResult, method: MethodResult) -> list[Label]:
    """Fitted curves with bands and the pilot's points; returns the curves' labels."""
    styles = stratum_styles(list(result.strata), result.target)
    smallest, largest = money_range(result, method)
    logarithmic = is_logarithmic(smallest, largest)
    if logarithmic:
        axes.set_xscale("log")
    axes.set_xlim(smallest / 1.25 if logarithmic else 0, largest * 1.03)
    ends: list[Label] = []
    for curve in method.fitted_curves:
        style = _curve_style(curve.name, styles)
        shown = [index for index, cost in enumerate(curve.costs) if cost > 0 or not logarithmic]
        if not shown:
            continue
        costs, heights, low, high = (
            [values[index] for index in shown]
            for values in (curve.costs, curve.estimate, curve.low, curve.high)
        )
        if style is not PLAN_STYLE:  # three bands over one another could not be read
            axes.fill_between(costs, low, high, color=style.colour, alpha=0.13, linewidth=0)
        width = 1.2 if style is PLAN_STYLE else 1.6
        axes.plot(costs, heights, color=style.colour, linestyle=style.line, linewidth=width)
        ends.append((plain_name(curve.name), heights[-1], style.colour))
    for row, (name, own) in enumerate(method.crossovers.items()):
        draw_crossover(axes, own, row, styles[name].colour)
    _draw_lent(axes, method, styles[result.target])
    _draw_pilot(axes, method, styles, logarithmic)
    _money_axis(axes, result.currency, logarithmic, smallest, largest)
    axes.set_xlabel("cost of labels")
    axes.set_title("Fitted before the plan")
    return ends


def draw_crossover(axes: "Axes", crossover: CrossoverBudget, row: int, colour: str) -> None:
    """The interval of a crossover budget at the foot of the axes; nothing if it has none."""
    place, low, high = crossover.estimate, crossover.low, crossover.high
    if place is None or low is None or high is None:
        return
    height, across = _FOOT * (1 + row), axes.get_xaxis_transform()  # in parts of the axes
    axes.plot([low, high], [height] * 2, color=colour, linewidth=1.4, transform=across)
    axes.plot([place], [height], color=colour, marker="|", markersize=8, transform=across)


def money_range(result: RunResult, method: MethodResult) -> tuple[float, float]:
    """Smallest and largest cost of interest: the pilot's first point, and all that was spent."""
    pilot = [point.cost for point in method.pilot_curve]
    fitted = [cost for curve in method.fitted_curves for cost in curve.costs]
    largest = max([result.budget, *pilot, *fitted])
    return min([cost for cost in pilot if cost > 0] or [largest / 2]), largest


def is_logarithmic(smallest: float, largest: float) -> bool:
    """Whether costs so far apart need a logarithmic axis, for the pilot to be seen at all."""
    return largest / smallest > 8


def _draw_lent(axes: "Axes", method: MethodResult, style: Style) -> None:
    """Cross-validation inside the test set, at what as many labels would cost."""
    low, high = axes.get_xlim()
    shown = [point for point in method.lent_curve if low <= point.cost <= high]
    axes.plot(
        [point.cost for point in shown],
        [point.accuracy for point in shown],
        marker=".",
        markersize=5,
        color=style.colour,
        linestyle="none",
        zorder=3,
    )


def _draw_pilot(
    axes: "Axes", method: MethodResult, styles: dict[str, Style], logarithmic: bool
) -> None:
    """The pilot's measured points; those of nearly the same cost stand side by side."""
    points = sorted(
        (point for point in method.pilot_curve if point.accuracy.estimate is not None),
        key=lambda point: (point.cost, sorted(point.labels.items())),
    )
    low, high = axes.get_xlim()
    taken: list[float] = []
    for point in points:
        # In parts of the axis, so that two points are never closer than their error bars.
        cost = max(point.cost, low)
        place = place_on_axis(cost, low, high, logarithmic)
        if taken and place - taken[-1] < 0.017:
            place = taken[-1] + 0.017
        taken.append(place)
        pure = [name for name, number in point.labels.items() if number]
        style = styles.get(pure[0], MIXED_STYLE) if len(pure) == 1 else MIXED_STYLE
        cost = low * (high / low) ** place if logarithmic else low + (high - low) * place
        _error_bar(axes, cost, point.accuracy, style, size=4.2, filled=False)


def draw_tests(axes: "Axes", result: RunResult, method: MethodResult) -> None:
    """Measured accuracy after training on the plan and on each simple rule."""
    styles = stratum_styles(list(result.strata), result.target)
    conditions = tested_conditions(method)
    for place, (name, found) in enumerate(conditions):
        style = PLAN_STYLE if place == 0 and name == "plan" else _curve_style(name, styles)
        _error_bar(axes, place, found, style, size=5.5, filled=True)
        top = found.high if found.high is not None else found.estimate
        axes.annotate(
            percent(found.estimate, 0),
            (place, top or 0.0),
            textcoords="offset points",
            xytext=(0, 3),
            ha="center",
            va="bottom",
            fontsize=8,
        )
    axes.set_xlim(-0.6, max(len(conditions), 1) - 0.4)
    axes.set_xticks(range(len(conditions)), [_wrapped(name) for name, _ in conditions])
    axes.tick_params(axis="x", length=0, labelsize=8)
    axes.set_title("Trained and tested")


def tested_conditions(method: MethodResult) -> list[tuple[str, Estimate]]:
    """The plan and the simple rules, in the order of the table, where they were measured."""
    found: list[tuple[str, Estimate]] = []
    plan = measured(method, "plan")
    if plan is not None:
        found.append(("plan", plan))
    found += [(plain_name(name), rule.accuracy) for name, rule in method.baselines.items()]
    return [(name, accuracy) for name, accuracy in found if accuracy.estimate is not None]


def reference_lines(result: RunResult, method: MethodResult) -> list[Label]:
    """The horizontal lines: no training, and the commonest class, or guessing without classes."""
    zero_shot = measured(method, "zero-shot") or method.sgr.unsupervised
    commonest = measured(method, "commonest_class")
    name, bar = "guessing", result.chance_accuracy
    if commonest is not None and commonest.estimate is not None:
        name, bar = "commonest class", commonest.estimate
    lines = [(f"{name}\n{percent(bar, 0)}", bar, MUTED)]
    if zero_shot.estimate is not None:
        text = f"no training\n{percent(zero_shot.estimate, 0)}"
        lines.insert(0, (text, zero_shot.estimate, INK))
    return lines


def accuracy_limits(method: MethodResult, references: Sequence[Label]) -> tuple[float, float]:
    """Limits of the accuracy axis: all that is drawn, with room for the numbers above it."""
    heights = [height for _, height, _ in references]
    estimates = [point.accuracy for point in method.pilot_curve]
    estimates += [found for _, found in tested_conditions(method)]
    for estimate in estimates:
        ends = (estimate.low, estimate.estimate, estimate.high)
        heights += [end for end in ends if end is not None]
    for curve in method.fitted_curves:
        heights += [*curve.low, *curve.high, *curve.estimate]
    margin = 0.07 * max(max(heights) - min(heights), 0.05)
    return max(min(heights) - margin, -0.02), min(max(heights) + 1.6 * margin, 1.05)


def _error_bar(
    axes: "Axes", place: float, estimate: Estimate, style: Style, *, size: float, filled: bool
) -> None:
    """One estimate as a marker with its interval."""
    if estimate.low is not None and estimate.high is not None:
        axes.vlines(place, estimate.low, estimate.high, color=style.colour, linewidth=1.1)
    axes.plot(
        [place],
        [estimate.estimate if estimate.estimate is not None else 0.0],
        marker=style.marker,
        markersize=size,
        color=style.colour,
        markerfacecolor=style.colour if filled else "white",
        linestyle="none",
        zorder=4,
    )


def direct_labels(axes: "Axes", labels: Sequence[Label], figure_height: float) -> None:
    """Labels to the right of the axes at their heights, moved apart where they would overlap.

    `figure_height` is in inches.
    """
    low, high = axes.get_ylim()
    inches = axes.get_position().height * figure_height
    line = 10.0 / 72 * (high - low) / inches
    ordered = sorted(labels, key=lambda label: label[1])
    sizes = [line * (1 + text.count("\n")) for text, _, _ in ordered]
    places = [value for _, value, _ in ordered]
    for _ in range(200):  # push neighbours apart, half each, until none overlap
        for lower, upper in pairwise(range(len(places))):
            overlap = (sizes[lower] + sizes[upper]) / 2 - (places[upper] - places[lower])
            if overlap > 0:
                places[lower] -= overlap / 2
                places[upper] += overlap / 2
    for (text, _, colour), place in zip(ordered, places, strict=True):
        axes.annotate(
            "\n".join(shortened(part) for part in text.split("\n")),
            (1.02, (place - low) / (high - low)),
            xycoords="axes fraction",
            color=text_colour(colour),
            va="center",
            ha="left",
            fontsize=8.5,
            linespacing=1.05,
        )


def _curve_style(name: str, styles: dict[str, Style]) -> Style:
    """'all easy' is drawn like the stratum, the plan like the plan, any other mix in grey."""
    words = plain_name(name)
    if words.lower().startswith("plan"):
        return PLAN_STYLE
    return styles.get(words.removeprefix("all ").strip(), MIXED_STYLE)


def _money_axis(
    axes: "Axes", currency: str, logarithmic: bool, smallest: float, largest: float
) -> None:
    """Ticks that read '$20', '$50', '$100'."""

    def written(cost: float, _: float) -> str:
        return money(cost, currency)

    if logarithmic:
        axes.set_xticks(one_two_five(smallest / 1.2, largest * 1.03))
        axes.minorticks_off()
    else:
        axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(written)


def percent_axis(axes: "Axes") -> None:
    """Ticks that read '40 %', with a faint line across at each."""

    def written(accuracy: float, _: float) -> str:
        return percent(accuracy, 0)

    axes.locator_params(axis="y", nbins=7)
    axes.yaxis.set_major_formatter(written)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def _wrapped(name: str) -> str:
    """A condition's name on two lines, for the axis: 'all easy' -> 'all', 'easy'."""
    if name == "proportional":
        return "propor-\ntional"
    return "\n".join(shortened(part)[:10] for part in name.split(maxsplit=1))
