"""The figure of `labelmix curves`: the same labels, the same money, the same error rate."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from analysis.crossover import crossover_sentence
from analysis.curves.lines import draw_crossovers, draw_lines, draw_rates, line_name
from analysis.curves.result import CurvesResult
from analysis.curves.wording import condition_text, rate_text
from analysis.figure_style import (
    INK,
    MUTED,
    drawing,
    one_two_five,
    shortened,
    stratum_styles,
)
from analysis.numbers import (
    count,
    interval_name,
    money,
    percent,
)
from analysis.run.curve_drawing import (
    Label,
    direct_labels,
    is_logarithmic,
    percent_axis,
)
from annotation.whole_files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 12.4, 5.0  # inches
DOTS_PER_INCH = 160
LEFT_ENDS, PANEL = (0.065, 0.375, 0.685), 0.222  # of the panels, in parts of the width
BOTTOM, TALL = 0.18, 0.745
DOTTED = (0, (1, 2))
ROOM = 1.15  # beside the points on a logarithmic axis, as a factor

Number = TypeVar("Number", int, float)


def write_figure(result: CurvesResult, folder: Path) -> None:
    """Write `curves.png` and `curves.svg`, each whole or not at all.

    Raises InputError if a file cannot be written.
    """
    title = f"Learning curves of {result.easy} and {result.target} labels"
    about = {"Title": title, "Date": None, "Creator": None}
    with drawing((WIDTH, HEIGHT)) as figure:
        draw_curves_figure(figure, result)
        with whole_file(folder / "curves.svg") as unfinished:
            words = {**about, "Description": describe_curves(result)}
            figure.savefig(unfinished, format="svg", metadata=words)
        with whole_file(folder / "curves.png") as unfinished:
            figure.savefig(unfinished, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def draw_curves_figure(figure: "Figure", result: CurvesResult) -> None:
    """Three panels that share the accuracy axis.

    Easy labels are solid lines, hard ones dashed; the darker a line, the fewer the errors. Markers
    are filled where the difference between easy and hard labels is resolved.
    """
    styles = stratum_styles([result.easy, result.target], result.target)
    references = _references(result)
    panels = [figure.add_axes((left, BOTTOM, PANEL, TALL)) for left in LEFT_ENDS]
    by_count, by_money, by_rate = panels
    ends = [
        draw_lines(by_count, result, styles, of_money=False),
        draw_lines(by_money, result, styles, of_money=True),
        draw_rates(by_rate, result, styles),
    ]
    draw_crossovers(by_money, result)
    _label_axis(by_count, result)
    _money_axis(by_money, result)
    _rate_axis(by_rate, result)
    for axes, own in zip(panels, ends, strict=True):
        axes.set_ylim(*_limits(result, references))
        percent_axis(axes)
        for _, accuracy, colour in references:
            axes.axhline(accuracy, color=colour, linewidth=0.9, linestyle=DOTTED, zorder=1)
        axes.tick_params(labelleft=axes is by_count)
        direct_labels(axes, own + (references if axes is by_rate else []), HEIGHT)
    by_count.set_ylabel(f"right on {shortened(result.target)} test items")
    figure.text(LEFT_ENDS[0], 0.02, _legend(result), fontsize=8.5, color=MUTED, va="bottom")


def describe_curves(result: CurvesResult) -> str:
    """The figure in words, for readers who cannot see it."""
    parts = []
    for _, group in groupby(result.points, key=lambda point: (point.stratum, point.error_rate)):
        points = list(group)
        parts.append(
            f"{line_name(points[0], result)} goes from {percent(points[0].estimate, 0)} at "
            f"{count(points[0].labels)} labels to {percent(points[-1].estimate, 0)} at "
            f"{count(points[-1].labels)}"
        )
    lines = [text.replace("\n", " ") for text, _, _ in _references(result)]
    crossovers = [
        f" {condition_text(own, result)}: {crossover_sentence(own, result.currency)}"
        for own in result.crossovers
    ]
    told = f" The same money.{''.join(crossovers)}" if crossovers else ""
    return (
        f"Accuracy on {result.target} items against labels, money and error rate: "
        f"{'; '.join(parts)}. Dotted lines: {'; '.join(lines)}.{told}"
    )


# ---------------------------------------------------------------- axes and words


def _label_axis(axes: "Axes", result: CurvesResult) -> None:
    smallest, largest = result.sizes[0], result.sizes[-1]
    if is_logarithmic(smallest, largest):
        axes.set_xscale("log")
        axes.set_xlim(smallest / ROOM, largest * ROOM)
    else:
        axes.set_xlim(0, largest * 1.03)
    shown = _few(result.sizes)
    axes.set_xticks(shown, [count(size) for size in shown])
    axes.minorticks_off()
    axes.set_xlabel("labels")
    axes.set_title("Same number of labels")


def _money_axis(axes: "Axes", result: CurvesResult) -> None:
    costs = [point.cost for point in result.points]
    smallest, largest = min(costs), max(costs)
    if is_logarithmic(smallest, largest):
        axes.set_xscale("log")
        axes.set_xlim(smallest / ROOM, largest * ROOM)
        ticks = one_two_five(smallest / ROOM, largest * ROOM)
        axes.set_xticks(_few(ticks, most=6 if largest < 1000 else 4))  # "$1,000" is wide
        axes.minorticks_off()
    else:
        axes.set_xlim(0, largest * 1.03)
        axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda cost, _: money(cost, result.currency))
    axes.set_xlabel("cost of labels")
    axes.set_title("Same money")


def _rate_axis(axes: "Axes", result: CurvesResult) -> None:
    most = result.error_rates[-1] or 1.0
    axes.set_xlim(-0.06 * most, 1.06 * most)
    shown = _few(result.error_rates)
    axes.set_xticks(shown, [rate_text(rate) for rate in shown])
    axes.set_xlabel("error rate p")
    axes.set_title(f"Same error rate, {count(result.sizes[-1])} labels")


def _few(values: Sequence[Number], most: int = 7) -> list[Number]:
    """The values that have room on an axis: all, or every second, third, ... from the last on."""
    step = 1 + (len(values) - 1) // most
    return list(values[::-1][::step])[::-1]


def _references(result: CurvesResult) -> list[Label]:
    """The horizontal lines: no training, and the commonest class, or guessing without classes."""
    name, bar = "guessing", result.chance_accuracy
    if result.commonest_accuracy is not None and result.commonest_accuracy.estimate is not None:
        name, bar = "commonest class", result.commonest_accuracy.estimate
    lines = [(f"{name}\n{percent(bar, 0)}", bar, MUTED)]
    if result.zero_shot.estimate is not None:
        text = f"no training\n{percent(result.zero_shot.estimate, 0)}"
        lines.insert(0, (text, result.zero_shot.estimate, INK))
    return lines


def _limits(result: CurvesResult, references: Sequence[Label]) -> tuple[float, float]:
    heights = [height for _, height, _ in references]
    for point in result.points:
        heights += [end for end in (point.low, point.high) if end is not None]
    margin = 0.05 * max(max(heights) - min(heights), 0.05)
    return min(heights) - margin, max(heights) + margin


def _legend(result: CurvesResult) -> str:
    easy, hard = shortened(result.easy), shortened(result.target)
    crossovers = ""
    if any(own.verdict == "changes" for own in result.crossovers):
        crossovers = " At the foot of the middle panel: crossover budgets."
    return (
        f"{easy}: solid, {hard}: dashed; the darker, the fewer errors. Markers are filled where "
        f"the difference between {easy} and {hard} is resolved (its paired\n"
        f"{interval_name(result.confidence)} leaves out zero), hollow where it is not or was not "
        "measured. Bars: intervals of the accuracies by themselves."
        f"{crossovers}"
    )
