"""Drawing exchange rates against prices, one row per stratum."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.figure_style import (
    INK,
    MIXED_STYLE,
    MUTED,
    Style,
    one_two_five,
    place_on_axis,
    shortened,
    text_colour,
)
from analysis.numbers import is_number, ratio, span
from analysis.run.result import ExchangeRate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def drawable(rate: ExchangeRate) -> bool:
    """Whether a rate has a place on a log axis."""
    return rate.rate_resolved and is_number(rate.estimate) and (rate.estimate or 0.0) > 0


def _has_price(rate: ExchangeRate) -> bool:
    """Whether the price ratio has a place on a log axis."""
    return is_number(rate.cost_ratio) and rate.cost_ratio > 0


def draw_rates(axes: "Axes", rates: Sequence[ExchangeRate], styles: dict[str, Style]) -> None:
    """One row per stratum: what its label is worth in words, and below on the axis."""
    left, right = _axis_limits(rates)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(len(rates) + 0.05, 0)
    for row, rate in enumerate(rates):
        _draw_rate(axes, row, rate, styles.get(rate.stratum, MIXED_STYLE))
    ticks = one_two_five(left, right)
    axes.set_xticks(ticks, [ratio(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"worth, in {shortened(rates[0].target)} labels")


def _axis_limits(rates: Sequence[ExchangeRate]) -> tuple[float, float]:
    """Limits that show every price, estimate and, unless it is very wide, interval."""
    centres = [1.0] + [rate.cost_ratio for rate in rates if _has_price(rate)]
    centres += [rate.estimate or 1.0 for rate in rates if drawable(rate)]
    ends = [
        end
        for rate in rates
        if drawable(rate)
        for end in (rate.low, rate.high)
        if end is not None and is_number(end) and end > 0
    ]
    left = max(min(centres + ends), min(centres) / 10)
    right = min(max(centres + ends), max(centres) * 10)
    return left / 2.2, right * 1.6


def _draw_rate(axes: "Axes", row: int, rate: ExchangeRate, style: Style) -> None:
    """One row, from `row` to `row + 1` on the vertical axis: title, price, interval."""
    left, right = axes.get_xlim()
    top, middle, bottom = row + 0.28, row + 0.63, row + 0.98
    title = f"1 {shortened(rate.stratum)} label: not resolved"
    if drawable(rate):
        title = (
            f"1 {shortened(rate.stratum)} = {ratio(rate.estimate)} {shortened(rate.target)} "
            f"({span(rate, 'ratio')})"
        )
    axes.text(
        left,
        top - 0.05,
        title,
        va="bottom",
        color=text_colour(style.colour),
        weight="bold",
        fontsize=8.5,
    )
    axes.fill_between([left, right], top, bottom, color="#f5f7f9", linewidth=0)
    price = rate.cost_ratio
    if _has_price(rate):
        axes.fill_between([price, right], top, bottom, color="#e4f0ec", linewidth=0)
        axes.vlines(price, top, bottom, color=INK, linewidth=1.4)
        pay_side = "right" if place_on_axis(price, left, right, logarithmic=True) > 0.3 else "left"
        for text, place, side in (
            (f"buy {shortened(rate.stratum)} \u2192", "top", "left"),
            (f"\u2190 buy {shortened(rate.target)}", "top", "right"),
            (f"costs {ratio(price)}", "bottom", pay_side),
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
    if drawable(rate) and rate.estimate is not None:
        # An interval that begins at or below zero, or is very wide, leaves the axis.
        low = max(rate.low, left) if rate.low is not None else left
        high = min(rate.high, right) if rate.high is not None else right
        axes.hlines(middle, low, high, color=style.colour, linewidth=2.2)
        axes.plot([rate.estimate], [middle], style.marker, color=style.colour, markersize=7)
