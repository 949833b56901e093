"""The figure of a replay: what every purchase cost, and how far it got."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.estimates import Estimate
from analysis.figure_style import (
    GRID,
    INK,
    MIXED_STYLE,
    MUTED,
    PLAN_STYLE,
    Style,
    drawing,
    one_two_five,
    shortened,
    stratum_styles,
    svg_element,
)
from analysis.numbers import money, percent
from budget.replay.result import PurchaseRecord, ReplayResult
from budget.replay.wording import rule_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_SIZE = (8.4, 5.0)  # inches
_APART = 1.055  # factor between purchases of about the same cost, so that none hides another
_DONE = "#56616e"
_PROPORTIONAL = Style("#8a3b52", "P", "-")


def outcome_svg(result: ReplayResult) -> str:
    """Cost against accuracy, with intervals, as an `<svg>` element."""
    with drawing(_SIZE) as figure:
        axes = figure.add_axes((0.085, 0.115, 0.66, 0.85))
        axes.set_xscale("log")
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        _draw_done(axes, result)
        for arm, x in zip(result.arms, _places(result.arms), strict=True):
            if arm.name != "done":
                _draw_arm(axes, arm, x, _style(arm, result))
        axes.axhline(result.nothing_learnt, color=MUTED, linewidth=0.9, linestyle=":")
        _axes_words(axes, result)
        _legend(axes, result)
        return svg_element(figure, "outcome", _described(result))


def _draw_done(axes: "Axes", result: ReplayResult) -> None:
    """How far what was done had come, from part of the money to all of it."""
    points = [
        (own.money, middle, low, high)
        for own in result.done_curve
        for middle, low, high in [(own.accuracy.estimate, *_ends(own.accuracy))]
        if middle is not None and low is not None and high is not None
    ]
    money_, middle, low, high = np.array(points).reshape(-1, 4).T
    axes.fill_between(money_, low, high, color=_DONE, alpha=0.13, linewidth=0)
    axes.plot(money_, middle, color=_DONE, linewidth=1.5, marker="o", markersize=4.5)


def _draw_arm(axes: "Axes", arm: PurchaseRecord, x: float, style: Style) -> None:
    height = arm.accuracy.estimate
    low, high = _ends(arm.accuracy)
    if height is None or low is None or high is None:
        return
    is_plan = arm.name == "plan"
    above = 5 if is_plan else 4
    axes.vlines(x, low, high, color=style.colour, linewidth=2 if is_plan else 1.1, zorder=above)
    size = 9 if is_plan else 6
    axes.plot([x], [height], color=style.colour, marker=style.marker, markersize=size, zorder=above)
    if arm.judgments is not None:
        axes.annotate(
            str(arm.judgments), (x, high), (0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize=7.5, color=style.colour,
        )  # fmt: skip


def _places(arms: Sequence[PurchaseRecord]) -> list[float]:
    """Where the purchases stand on the money axis: at their cost, or just beside it."""
    order = sorted(range(len(arms)), key=lambda place: (arms[place].cost, place))
    groups: list[list[int]] = []
    for place in order:
        near = groups and arms[place].cost <= arms[groups[-1][0]].cost * 1.06
        if near:
            groups[-1].append(place)
        else:
            groups.append([place])
    found = [0.0] * len(arms)
    for group in groups:
        middle = arms[group[len(group) // 2]].cost
        for number, place in enumerate(sorted(group)):
            found[place] = middle * _APART ** (number - (len(group) - 1) / 2)
    return found


def _style(arm: PurchaseRecord, result: ReplayResult) -> Style:
    if arm.name == "plan":
        return PLAN_STYLE
    strata = stratum_styles(list(result.items), result.target)
    name = arm.name.removeprefix("all_")
    if arm.name.startswith("all_") and name in strata:
        return strata[name]
    return MIXED_STYLE if arm.name == "equal_spend" else _PROPORTIONAL


def _axes_words(axes: "Axes", result: ReplayResult) -> None:
    costs = [own.cost for own in result.arms if own.cost > 0]
    low, high = min(costs) / 1.25, max(*costs, result.paid) * 1.15
    axes.set_xlim(low, high)
    ticks = one_two_five(low, high)
    axes.set_xticks(ticks, [money(own, result.currency) for own in ticks])
    axes.minorticks_off()
    axes.set_xlabel("cost of labels")
    ends = [end for own in result.arms for end in _ends(own.accuracy) if end is not None]
    ends += [end for own in result.done_curve for end in _ends(own.accuracy) if end is not None]
    bottom, top = min([*ends, result.nothing_learnt]), max([*ends, result.nothing_learnt])
    axes.set_ylim(max(0.0, bottom - 0.04), min(1.0, top + 0.05))
    axes.yaxis.set_major_formatter(lambda value, _: percent(value, 0))
    axes.set_ylabel(f"right on {shortened(result.target)} test items")


def _legend(axes: "Axes", result: ReplayResult) -> None:
    from matplotlib.lines import Line2D

    entries = [_entry("the plan", PLAN_STYLE, 8)]
    entries.append(
        Line2D(
            [], [], color=_DONE, marker="o", markersize=4.5, label="what was done,\nin its order"
        )
    )
    for arm in {own.name: own for own in result.arms}.values():
        if arm.name not in ("plan", "done"):
            entries.append(_entry(shortened(rule_name(arm.name)), _style(arm, result), 6))
    entries.append(
        Line2D(
            [], [], color=MUTED, linestyle=":", label="guessing, or always\nthe commonest answer"
        )
    )
    axes.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(1.01, 1.01), frameon=False,
        fontsize=8.5, labelcolor=INK, labelspacing=0.9,
    )  # fmt: skip


def _entry(name: str, style: Style, size: float) -> "Line2D":
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], color=style.colour, marker=style.marker, linestyle="", markersize=size, label=name
    )


def _ends(own: Estimate) -> tuple[float | None, float | None]:
    return own.low, own.high


def _described(result: ReplayResult) -> str:
    """The figure in words, for readers who cannot see it."""
    said = [
        f"{rule_name(own.name)}, {money(own.cost, result.currency)}: "
        f"{percent(own.accuracy.estimate)}"
        for own in result.arms
    ]
    return f"Cost against accuracy on {result.target} items. {'; '.join(said)}."
