"""Drawing the lines of `labelmix curves`: against labels or money, and against the error rate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.curves.result import (
    CountDifference,
    CurvesResult,
    Difference,
    MeasuredPoint,
)
from analysis.curves.wording import rate_text
from analysis.figure_style import INK, Style
from analysis.run.curve_drawing import Label, draw_crossover

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHER_RATE_LINE = (0, (1, 1))


def draw_lines(
    axes: "Axes", result: CurvesResult, styles: dict[str, Style], *, of_money: bool
) -> list[Label]:
    """Easy labels at p and hard ones at its multiple, for every p; returns the lines' names."""
    told = [(d, d.cost) for d in result.equal_cost] if of_money else _counts(result.equal_count)
    resolved = {(d.easy_error_rate, d.hard_error_rate, at) for d, at in told if d.resolved}
    names: list[Label] = []
    drawn: set[tuple[str, float]] = set()
    pairs = list(zip(result.error_rates, result.hard_error_rates, strict=True))
    for index, pair in enumerate(pairs):
        for stratum, rate in zip((result.easy, result.target), pair, strict=True):
            if (stratum, rate) in drawn:  # several multiples of p are cut at 1
                continue
            drawn.add((stratum, rate))
            points = [p for p in result.points if (p.stratum, p.error_rate) == (stratum, rate)]
            places = [point.cost if of_money else float(point.labels) for point in points]
            colour = styles[stratum].colour
            style = replace(styles[stratum], colour=shade(colour, index, len(pairs)))
            _line(axes, places, points, style, straight=of_money)
            _markers(axes, places, points, style, [(*pair, own) in resolved for own in places])
            names.append(
                (line_name(points[-1], result), points[-1].estimate or 0.0, styles[stratum].colour)
            )
    return names


def draw_crossovers(axes: "Axes", result: CurvesResult) -> None:
    """The interval of every crossover budget that is resolved, at the foot of the axes."""
    pairs = list(zip(result.error_rates, result.hard_error_rates, strict=True))
    for own in result.crossovers:
        row = pairs.index((own.easy_error_rate, own.hard_error_rate))
        draw_crossover(axes, own, row, shade(INK, row, len(pairs)))


def draw_rates(axes: "Axes", result: CurvesResult, styles: dict[str, Style]) -> list[Label]:
    """Accuracy at the largest size against the error rate p; returns the lines' names."""
    largest = result.sizes[-1]
    same, other = (
        {d.easy_error_rate for d in differences if d.resolved and d.labels == largest}
        for differences in (result.equal_noise, result.equal_count)
    )
    easy, hard = (result.easy, styles[result.easy]), (result.target, styles[result.target])
    noisier = replace(hard[1], colour=shade(hard[1].colour, 0, 2), line=OTHER_RATE_LINE, marker="D")
    lines = [
        (f"{result.easy} at p", *easy, result.error_rates, same),
        (f"{result.target} at p", *hard, result.error_rates, same),
    ]
    if result.hard_error_rates != result.error_rates:
        name = f"{result.target} at {result.hard_factor:g}p"
        lines.append((name, result.target, noisier, result.hard_error_rates, other))
    apart = 0.012 * (result.error_rates[-1] or 1.0)
    names: list[Label] = []
    for index, (name, stratum, style, rates, resolved) in enumerate(lines):
        of_stratum = [p for p in result.points if (p.stratum, p.labels) == (stratum, largest)]
        by_rate = {point.error_rate: point for point in of_stratum}
        points = [by_rate[rate] for rate in rates]
        places = [rate + apart * (index - 1) for rate in result.error_rates]
        _line(axes, places, points, style)
        _bars(axes, places, points, style)
        _markers(axes, places, points, style, [rate in resolved for rate in result.error_rates])
        names.append((name, points[-1].estimate or 0.0, style.colour))
    return names


def _counts(differences: Sequence[CountDifference]) -> list[tuple[Difference, float]]:
    return [(difference, float(difference.labels)) for difference in differences]


def _line(
    axes: "Axes",
    places: Sequence[float],
    points: Sequence[MeasuredPoint],
    style: Style,
    *,
    straight: bool = False,
) -> None:
    """One line; `straight` draws it straight in its unit, which bends it on a logarithmic axis."""
    heights = [point.estimate or 0.0 for point in points]
    if straight:
        dense = np.unique(np.append(np.geomspace(places[0], places[-1], 200), places))
        dense = dense.clip(places[0], places[-1])
        heights, places = np.interp(dense, places, heights).tolist(), dense.tolist()
    axes.plot(places, heights, color=style.colour, linestyle=style.line, linewidth=1.4, zorder=3)


def _markers(
    axes: "Axes",
    places: Sequence[float],
    points: Sequence[MeasuredPoint],
    style: Style,
    filled: Sequence[bool],
) -> None:
    for place, point, full in zip(places, points, filled, strict=True):
        axes.plot(
            [place],
            [point.estimate or 0.0],
            marker=style.marker,
            markersize=4.6,
            color=style.colour,
            markerfacecolor=style.colour if full else "white",
            linestyle="none",
            zorder=4,
        )


def _bars(
    axes: "Axes", places: Sequence[float], points: Sequence[MeasuredPoint], style: Style
) -> None:
    for place, point in zip(places, points, strict=True):
        if point.low is not None and point.high is not None:
            axes.vlines(place, point.low, point.high, color=style.colour, linewidth=0.9, alpha=0.5)


def line_name(point: MeasuredPoint, result: CurvesResult) -> str:
    """The line that a point is on: 'easy, clean', 'hard, 20 %'."""
    rate = rate_text(point.error_rate) if point.error_rate else result.without_noise
    return f"{point.stratum}, {rate}"


def shade(colour: str, place: int, places: int) -> str:
    """The colour for each of so many places: darkened for the first, lightened for the last."""
    share = place / max(1, places - 1)
    towards, weight = (0, 0.3 - 0.6 * share) if share < 0.5 else (255, 0.9 * (share - 0.5))
    parts = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (towards - part) * weight):02x}" for part in parts)
