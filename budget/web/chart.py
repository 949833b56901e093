"""A figure of curves with their intervals, drawn as SVG by a template; all numbers are texts.

Colours and lines are classes of the style, so that the figure is right in light, dark and print.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.figure_style import one_two_five, shortened


@dataclass(frozen=True)
class PlottedCurve:
    """Points in order of x; `low` and `high` None where nothing is known of the interval.

    `look` is a class: first, second, ... of the style.
    """

    name: str
    look: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Mark:
    """A point that is told apart, with its interval."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Tick:
    """A line of the grid, and what it says."""

    at: str
    text: str


@dataclass(frozen=True)
class DrawnCurve:
    """A curve in the figure's own units."""

    name: str
    look: str
    line: str
    band: str
    end_x: str
    end_y: str
    label_y: str


@dataclass(frozen=True)
class DrawnMark:
    """A mark in the figure's own units."""

    x: str
    y: str
    top: str
    bottom: str


@dataclass(frozen=True)
class Chart:
    """All that a template needs."""

    shape: str
    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    x_title: str
    y_title: str
    curves: list[DrawnCurve]
    mark: DrawnMark | None
    told: str


_SHAPES = {"wide": (760, 360, 56, 150), "narrow": (380, 330, 46, 14)}  # width, height, margins
_TOP, _BOTTOM = 30, 46
_NEAR = 1e-6  # of a step, by which a number may miss its tick
_LINE = 15  # between two labels


def charts(
    curves: Sequence[PlottedCurve], mark: Mark | None, x_title: str, y_title: str, told: str
) -> list[Chart]:
    """The figure for a window and for a phone; `told` is what a screen reader says of it.

    Percentages on the y-axis, whole numbers on the x-axis.
    """
    return [_chart(shape, curves, mark, x_title, y_title, told) for shape in _SHAPES]


def _chart(
    shape: str,
    curves: Sequence[PlottedCurve],
    mark: Mark | None,
    x_title: str,
    y_title: str,
    told: str,
) -> Chart:
    width, height, left, margin = _SHAPES[shape]
    right, bottom = width - margin, height - _BOTTOM
    xs = [x for own in curves for x in own.x]
    ys = [y for own in curves for y in (*own.y, *(own.low or ()), *(own.high or ()))]
    if mark is not None:
        xs, ys = [*xs, mark.x], [*ys, mark.low, mark.high]
    x_low, x_high = min(xs), max(xs)
    y_step = _nice_step(max(ys) - min(ys), 6)
    y_low, y_high = _down(min(ys), y_step), -_down(-max(ys), y_step)

    def at_x(x: float) -> float:
        return left + (right - left) * (x - x_low) / ((x_high - x_low) or 1)

    def at_y(y: float) -> float:
        return bottom - (bottom - _TOP) * (y - y_low) / ((y_high - y_low) or 1)

    def points(x: Sequence[float], y: Sequence[float]) -> str:
        return " ".join(f"{at_x(a):.1f},{at_y(b):.1f}" for a, b in zip(x, y, strict=True))

    places = _spread([at_y(own.y[-1]) for own in curves])
    drawn = [
        DrawnCurve(
            name=shortened(own.name),
            look=own.look,
            line=points(own.x, own.y),
            band=""
            if own.low is None or own.high is None
            else f"{points(own.x, own.high)} {points([*reversed(own.x)], [*reversed(own.low)])}",
            end_x=f"{at_x(own.x[-1]):.1f}",
            end_y=f"{at_y(own.y[-1]):.1f}",
            label_y=f"{place:.1f}",
        )
        for own, place in zip(curves, places, strict=True)
    ]
    x_step = _nice_step(x_high - x_low, 6 if shape == "wide" else 4)
    return Chart(
        shape=shape,
        width=width,
        height=height,
        left=left,
        right=right,
        top=_TOP,
        bottom=bottom,
        x_ticks=[Tick(f"{at_x(x):.1f}", f"{x:,.10g}") for x in _steps(x_low, x_high, x_step)],
        y_ticks=[
            Tick(f"{at_y(y):.1f}", f"{100 * y:.10g} %") for y in _steps(y_low, y_high, y_step)
        ],
        x_title=x_title,
        y_title=y_title,
        curves=drawn,
        mark=None
        if mark is None
        else DrawnMark(
            *(f"{at_x(mark.x):.1f}", f"{at_y(mark.y):.1f}"),
            *(f"{at_y(mark.high):.1f}", f"{at_y(mark.low):.1f}"),
        ),
        told=told,
    )


def _spread(places: Sequence[float]) -> list[float]:
    """Labels moved apart where they would cover each other, in their order."""
    order = sorted(range(len(places)), key=lambda k: places[k])
    found = list(places)
    for before, after in pairwise(order):
        found[after] = max(found[after], found[before] + _LINE)
    return found


def _nice_step(width: float, most: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts the width into at most so many."""
    if width <= 0:
        return 1.0
    return next(step for step in one_two_five(width / most, 100 * width) if step >= width / most)


def _down(value: float, step: float) -> float:
    return step * math.floor(value / step + _NEAR)


def _steps(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - _NEAR), math.floor(high / step + _NEAR)
    return [round(k * step, 10) for k in range(first, last + 1)]
