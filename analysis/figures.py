"""The figures of the report, as inline SVG with text as text.

Colours differ in lightness as well as in hue, and every kind of purchase has its own marker and
line style, so that the figures can be read in grey and by colour-blind readers. The same result
gives the same bytes: the SVG's identifiers are salted with a constant and carry no date.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from analysis.number_format import interval_name, money, percent, ratio, span
from analysis.result import Estimate, ExchangeRate, MethodResult, RunResult
from analysis.wording import measured, plain_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#1c2733", "#56616e", "#e3e8ed"
PLAN_COLOUR, MIXED_COLOUR = "#0f8a6d", "#7b8794"
# From the easiest stratum on; the target's own comes last. Dark to light, told apart in grey.
STRATUM_COLOURS = ("#174a7c", "#7d5ba6", "#5b6b2f", "#8a3b52")
TARGET_COLOUR = "#d97b1c"
STRATUM_LINES = ("-", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))
TARGET_LINE = (0, (5, 2))
STRATUM_MARKERS = ("o", "^", "v", "P")
TARGET_MARKER = "s"
LONGEST_LABEL = 18


@dataclass(frozen=True)
class Style:
    """How one kind of purchase is drawn."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[int, ...]]


PLAN_STYLE = Style(PLAN_COLOUR, "D", (0, (2, 1)))
MIXED_STYLE = Style(MIXED_COLOUR, "X", (0, (1, 1)))


def stratum_styles(strata: Sequence[str], target: str) -> dict[str, Style]:
    """One style per stratum, in order; the target's is always the same."""
    others = [name for name in strata if name != target]
    styles = {
        name: Style(
            STRATUM_COLOURS[index % len(STRATUM_COLOURS)],
            STRATUM_MARKERS[index % len(STRATUM_MARKERS)],
            STRATUM_LINES[index % len(STRATUM_LINES)],
        )
        for index, name in enumerate(others)
    }
    styles[target] = Style(TARGET_COLOUR, TARGET_MARKER, TARGET_LINE)
    return styles


def learning_curve(result: RunResult, *, compact: bool = False) -> str:
    """Accuracy on the target stratum against money spent, for the planning method.

    On the left (above, if `compact`) the fitted curves with their intervals and the pilot's
    measured points; beside it, on the same scale, what was measured after training on the plan
    and on each simple rule. Horizontal lines: no training, and guessing.

    Returns an `<svg>` element; the compact one is for a phone's width.
    """
    method = result.methods[result.planning_method]
    references = _references(result, method)
    limits = _accuracy_limits(method, references)
    with _drawing((3.9, 6.3) if compact else (8.2, 4.1)) as figure:
        if compact:
            curves = figure.add_axes((0.13, 0.53, 0.61, 0.40))
            tests = figure.add_axes((0.13, 0.08, 0.61, 0.33))
        else:
            curves = figure.add_axes((0.06, 0.13, 0.40, 0.77))
            tests = figure.add_axes((0.605, 0.13, 0.275, 0.77))
        ends = _draw_curves(curves, result, method)
        _draw_tests(tests, result, method)
        for axes in (curves, tests):
            axes.set_ylim(*limits)
            _percent_axis(axes)
            for _, height, colour in references:
                axes.axhline(height, color=colour, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
        if not compact:
            tests.tick_params(labelleft=False)  # one scale for both; its room is for the labels
        _direct_labels(curves, ends + (references if compact else []))
        _direct_labels(tests, references)
        name = "learning-curve-compact" if compact else "learning-curve"
        return _svg(figure, name, describe_learning_curve(result))


def describe_learning_curve(result: RunResult) -> str:
    """The learning-curve figure in words, for readers who cannot see it."""
    method = result.methods[result.planning_method]
    parts = [
        f"{plain_name(curve.name)} rises from {percent(curve.estimate[0], 0)} at "
        f"{money(curve.costs[0], result.currency)} to {percent(curve.estimate[-1], 0)} at "
        f"{money(curve.costs[-1], result.currency)}"
        if curve.estimate[-1] >= curve.estimate[0]
        else f"{plain_name(curve.name)} goes from {percent(curve.estimate[0], 0)} down to "
        f"{percent(curve.estimate[-1], 0)}"
        for curve in method.fitted_curves
        if curve.costs
    ]
    parts += [
        f"{name} was measured at {percent(found.estimate)} ({span(found)})"
        for name, found in _tested_conditions(method)
    ]
    return (
        f"Accuracy on {result.target} items against money spent: {'; '.join(parts)}. "
        f"Dotted lines: {'; '.join(text for text, _, _ in _references(result, method))}."
    )


def exchange_rate_figure(result: RunResult, *, compact: bool = False) -> str | None:
    """The exchange-rate interval of each stratum against its price ratio, on a log axis.

    Returns an `<svg>` element, or None where no exchange rate above zero is resolved.
    """
    method = result.methods[result.planning_method]
    rates = [rate for rate in method.exchange_rates.values() if rate.stratum != rate.target]
    if not any(_drawable(rate) for rate in rates):
        return None
    height = 0.6 + 0.95 * len(rates)
    with _drawing((3.9 if compact else 8.2, height)) as figure:
        inset = 0.05 if compact else 0.12
        bottom = 0.52 / height
        axes = figure.add_axes((inset, bottom, 1 - 2 * inset, 1 - bottom - 0.05 / height))
        _draw_rates(axes, rates, stratum_styles(list(result.strata), result.target))
        name = "exchange-rate-compact" if compact else "exchange-rate"
        return _svg(figure, name, describe_exchange_rates(result, rates))


def describe_exchange_rates(result: RunResult, rates: Sequence[ExchangeRate]) -> str:
    """The exchange-rate figure in words, for readers who cannot see it."""
    parts = [
        f"one {rate.stratum} label is worth {ratio(rate.estimate)} {rate.target} labels "
        f"({interval_name(result.confidence)} {span(rate, 'ratio')}) and costs "
        f"{ratio(rate.cost_ratio)} times as much"
        if rate.resolved
        else f"what one {rate.stratum} label is worth is not resolved"
        for rate in rates
    ]
    return f"Exchange rate against price: {'; '.join(parts)}."


# ---------------------------------------------------------------- the learning curve


Label = tuple[str, float, str]  # text, height on the axis, colour


def _draw_curves(axes: "Axes", result: RunResult, method: MethodResult) -> list[Label]:
    """Fitted curves with bands and the pilot's points; returns the curves' labels."""
    styles = stratum_styles(list(result.strata), result.target)
    ends: list[Label] = []
    for curve in method.fitted_curves:
        if not curve.costs:
            continue
        style = _curve_style(curve.name, styles)
        width = 1.6
        if style is PLAN_STYLE:
            width = 1.2  # without a band: three bands over one another cannot be read
        else:
            axes.fill_between(
                curve.costs, curve.low, curve.high, color=style.colour, alpha=0.13, linewidth=0
            )
        axes.plot(curve.costs, curve.estimate, color=style.colour, linestyle=style.line, lw=width)
        ends.append((plain_name(curve.name), curve.estimate[-1], style.colour))
    smallest, largest = _money_range(result, method)
    logarithmic = has_logarithmic_money(result)
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(smallest / 1.25, largest * 1.03)
    else:
        axes.set_xlim(0, largest * 1.03)
    _draw_pilot(axes, method, styles, logarithmic)
    _money_axis(axes, result.currency, logarithmic, smallest, largest)
    axes.set_xlabel("money spent on labels")
    axes.set_title("Fitted to the pilot")
    return ends


def _money_range(result: RunResult, method: MethodResult) -> tuple[float, float]:
    """Smallest cost above zero and largest cost that the curves panel shows."""
    costs = [point.cost for point in method.pilot_curve]
    costs += [cost for curve in method.fitted_curves for cost in curve.costs]
    largest = max([result.budget, *costs])
    return min([cost for cost in costs if cost > 0] or [largest / 2]), largest


def has_logarithmic_money(result: RunResult) -> bool:
    """Whether the learning curve's money axis is logarithmic: a pilot far below the budget."""
    smallest, largest = _money_range(result, result.methods[result.planning_method])
    return largest / smallest > 8


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
        place = _place(cost, low, high, logarithmic)
        if taken and place - taken[-1] < 0.017:
            place = taken[-1] + 0.017
        taken.append(place)
        pure = [name for name, number in point.labels.items() if number]
        style = styles.get(pure[0], MIXED_STYLE) if len(pure) == 1 else MIXED_STYLE
        cost = low * (high / low) ** place if logarithmic else low + (high - low) * place
        _error_bar(axes, cost, point.accuracy, style, size=4.2, filled=False)


def _place(cost: float, low: float, high: float, logarithmic: bool) -> float:
    """Where a cost lies on the axis, from 0 to 1."""
    if logarithmic:
        return math.log(cost / low) / math.log(high / low)
    return (cost - low) / (high - low)


def _draw_tests(axes: "Axes", result: RunResult, method: MethodResult) -> None:
    """Measured accuracy after training on the plan and on each simple rule."""
    styles = stratum_styles(list(result.strata), result.target)
    conditions = _tested_conditions(method)
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
    axes.set_title("Measured on the whole budget")


def _tested_conditions(method: MethodResult) -> list[tuple[str, Estimate]]:
    """The plan and the simple rules, in the order of the table, where they were measured."""
    found: list[tuple[str, Estimate]] = []
    plan = measured(method, "plan")
    if plan is not None:
        found.append(("plan", plan))
    found += [(plain_name(name), rule.accuracy) for name, rule in method.baselines.items()]
    return [(name, accuracy) for name, accuracy in found if accuracy.estimate is not None]


def _references(result: RunResult, method: MethodResult) -> list[Label]:
    """The horizontal lines: no training, and guessing."""
    zero_shot = measured(method, "zero-shot") or method.sgr.unsupervised
    lines = [(f"guessing\n{percent(result.chance_accuracy, 0)}", result.chance_accuracy, MUTED)]
    if zero_shot.estimate is not None:
        text = f"no training\n{percent(zero_shot.estimate, 0)}"
        lines.insert(0, (text, zero_shot.estimate, INK))
    return lines


def _accuracy_limits(method: MethodResult, references: Sequence[Label]) -> tuple[float, float]:
    """Limits of the accuracy axis: all that is drawn, with room for the numbers above it."""
    heights = [height for _, height, _ in references]
    estimates = [point.accuracy for point in method.pilot_curve]
    estimates += [found for _, found in _tested_conditions(method)]
    for estimate in estimates:
        ends = (estimate.low, estimate.estimate, estimate.high)
        heights += [end for end in ends if end is not None]
    for curve in method.fitted_curves:
        heights += [*curve.low, *curve.high, *curve.estimate]
    margin = 0.07 * max(max(heights) - min(heights), 0.05)
    return max(min(heights) - margin, -0.02), min(max(heights) + 1.6 * margin, 1.05)


def _curve_style(name: str, styles: dict[str, Style]) -> Style:
    """'all easy' is drawn like the stratum, the plan like the plan, any other mix in grey."""
    words = plain_name(name)
    if words.lower().startswith("plan"):
        return PLAN_STYLE
    return styles.get(words.removeprefix("all ").strip(), MIXED_STYLE)


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


def _direct_labels(axes: "Axes", labels: Sequence[Label]) -> None:
    """Labels to the right of the axes at their heights, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    inches = axes.get_window_extent().height / axes.get_figure(root=True).dpi
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
            "\n".join(_short(part) for part in text.split("\n")),
            (1.02, (place - low) / (high - low)),
            xycoords="axes fraction",
            color=colour,
            va="center",
            ha="left",
            fontsize=8.5,
            linespacing=1.05,
        )


# ---------------------------------------------------------------- the exchange rate


def _drawable(rate: ExchangeRate) -> bool:
    """Whether a rate has a place on a log axis."""
    return rate.resolved and rate.estimate is not None and rate.estimate > 0


def _draw_rates(axes: "Axes", rates: Sequence[ExchangeRate], styles: dict[str, Style]) -> None:
    """One row per stratum: what its label is worth in words, and below on the axis."""
    ends = [rate.cost_ratio for rate in rates if rate.cost_ratio > 0] + [1.0]
    for rate in rates:
        if _drawable(rate):
            ends += [
                end for end in (rate.low, rate.estimate, rate.high) if end is not None and end > 0
            ]
    left, right = min(ends) / 2.2, max(ends) * 1.6
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(len(rates) + 0.05, 0)
    for row, rate in enumerate(rates):
        _draw_rate(axes, row, rate, styles.get(rate.stratum, MIXED_STYLE))
    ticks = _one_two_five(left, right)
    axes.set_xticks(ticks, [ratio(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"worth, in {_short(rates[0].target)} labels")


def _draw_rate(axes: "Axes", row: int, rate: ExchangeRate, style: Style) -> None:
    """One row, from `row` to `row + 1` on the vertical axis: title, price, interval."""
    left, right = axes.get_xlim()
    top, middle, bottom = row + 0.28, row + 0.63, row + 0.98
    title = f"1 {_short(rate.stratum)} label: not resolved"
    if _drawable(rate):
        title = (
            f"1 {_short(rate.stratum)} = {ratio(rate.estimate)} {_short(rate.target)} "
            f"({span(rate, 'ratio')})"
        )
    axes.text(left, top - 0.05, title, va="bottom", color=style.colour, weight="bold", fontsize=8.5)
    axes.fill_between([left, right], top, bottom, color="#f5f7f9", linewidth=0)
    price = rate.cost_ratio
    if price > 0:
        axes.fill_between([price, right], top, bottom, color="#e4f0ec", linewidth=0)
        axes.vlines(price, top, bottom, color=INK, linewidth=1.4)
        pay_side = "right" if _place(price, left, right, logarithmic=True) > 0.3 else "left"
        for text, place, side in (
            (f"buy {_short(rate.stratum)} \u2192", "top", "left"),
            (f"\u2190 buy {_short(rate.target)}", "top", "right"),
            (f"you pay {ratio(price)}", "bottom", pay_side),
        ):
            axes.annotate(
                text,
                (price, top if place == "top" else bottom),
                textcoords="offset points",
                xytext=(5 if side == "left" else -5, -3 if place == "top" else 3),
                ha=side,
                va=place,
                fontsize=8,
                color=INK if place == "bottom" else MUTED,
            )
    if _drawable(rate) and rate.estimate is not None:
        # An interval that begins at or below zero leaves the axis on the left.
        low = rate.low if rate.low is not None and rate.low > left else left
        high = rate.high if rate.high is not None else right
        axes.hlines(middle, low, high, color=style.colour, linewidth=2.2)
        axes.plot([rate.estimate], [middle], style.marker, color=style.colour, markersize=7)


# ---------------------------------------------------------------- axes, text, SVG


def _one_two_five(low: float, high: float) -> list[float]:
    """The numbers 1, 2, 5 times a power of ten within [low, high]; every second if too many."""
    found = [
        mantissa * 10.0**power
        for power in range(-6, 13)
        for mantissa in (1, 2, 5)
        if low <= mantissa * 10.0**power <= high
    ]
    return found if len(found) <= 7 else found[:: 1 + len(found) // 7]


def _money_axis(
    axes: "Axes", currency: str, logarithmic: bool, smallest: float, largest: float
) -> None:
    """Ticks that read '$20', '$50', '$100'."""
    if logarithmic:
        axes.set_xticks(_one_two_five(smallest / 1.2, largest * 1.03))
        axes.minorticks_off()
    else:
        axes.locator_params(axis="x", nbins=5)
    write: Callable[[float, float], str] = lambda cost, _: money(cost, currency)  # noqa: E731
    axes.xaxis.set_major_formatter(write)


def _percent_axis(axes: "Axes") -> None:
    axes.locator_params(axis="y", nbins=7)
    write: Callable[[float, float], str] = lambda part, _: percent(part, 0)  # noqa: E731
    axes.yaxis.set_major_formatter(write)
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def _short(text: str) -> str:
    """A name that may be of any length, cut to what fits."""
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}\u2026"


def _wrapped(name: str) -> str:
    """A condition's name on two lines, for the axis: 'all easy' -> 'all', 'easy'."""
    if name == "proportional":
        return "propor-\ntional"
    return "\n".join(_short(part)[:10] for part in name.split(maxsplit=1))


@contextmanager
def _drawing(inches: tuple[float, float]) -> Iterator["Figure"]:
    """An empty figure in the report's style, outside pyplot's global state."""
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {  # its keys are typed as literals
        "svg.fonttype": "none",
        "svg.hashsalt": "labelmix",
        "text.parse_math": False,
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
    }
    with matplotlib.rc_context(style):
        yield Figure(figsize=inches)


def _svg(figure: "Figure", name: str, description: str) -> str:
    """The figure as an `<svg>` element to stand inside a page.

    Identifiers get the figure's name, so that several figures share a page; the fonts are the
    page's; metadata and name spaces, which only a file of its own needs, are left out.
    """
    out = StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<style type=\"text/css\">.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"\bxlink:href=", "href=", text)
    text = re.sub(r"\bid=\"", f'id="{name}-', text)
    text = re.sub(r"href=\"#", f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r"'DejaVu Sans'(, '[^']*')*, sans-serif", "var(--sans, sans-serif)", text)
    view = re.search(r"viewBox=\"[^\"]*\"", text)
    box = view.group(0) if view else ""
    opening = (
        f'<svg class="{name}" {box} role="img" aria-label="{escape(description)}" '
        'style="stroke-linejoin:round;stroke-linecap:butt">'
    )
    return opening + text[text.index(">") + 1 :]
