"""The few kinds of figure that experiments are told with: bars, lines, matrices."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.estimates import Estimate
from analysis.figure_style import (
    INK,
    MIXED_STYLE,
    MUTED,
    PLAN_STYLE,
    Style,
    drawing,
    shortened,
    stratum_styles,
    svg_element,
)
from analysis.numbers import percent
from annotation.whole_files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 160
Point = tuple[float, Estimate]


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn; `name` is that of its files, `description` is for the blind."""

    name: str
    title: str
    description: str
    inches: tuple[float, float]
    draw: Callable[["Figure"], None]

    def write(self, folder: Path) -> None:
        """Write NAME.png and NAME.svg, each whole or not at all.

        Raises InputError if a file cannot be written.
        """
        about: dict[str, Any] = {"Title": self.title, "Date": None, "Creator": None}
        with drawing(self.inches) as figure:
            self.draw(figure)
            with whole_file(folder / f"{self.name}.svg") as unfinished:
                words = {**about, "Description": self.description}
                figure.savefig(unfinished, format="svg", metadata=words)
            with whole_file(folder / f"{self.name}.png") as unfinished:
                figure.savefig(
                    unfinished, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None}
                )

    def svg(self) -> str:
        """The figure as an element of a page."""
        with drawing(self.inches) as figure:
            self.draw(figure)
            return svg_element(figure, self.name, self.description)


def series_styles(names: Sequence[str]) -> dict[str, Style]:
    """A style for every series; of strata those that all figures give them."""
    known = {"zero-shot": MIXED_STYLE, "all": PLAN_STYLE}
    strata = [name for name in names if name not in known]
    hardest = "hard" if "hard" in strata else (strata[-1] if strata else "")
    return known | stratum_styles(strata, hardest)


def bars(
    name: str,
    title: str,
    groups: Sequence[str],
    series: Mapping[str, Sequence[Estimate | None]],
    value: str,
    reference: float | None = None,
) -> Drawing:
    """Bars with intervals, those of a group side by side.

    `series` has per name one estimate a group; `value` names the axis, in percent where it ends
    in "%"; `reference` is a level line.
    """
    styles = series_styles(list(series))

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        width = 0.8 / max(1, len(series))
        for place, (label, estimates) in enumerate(series.items()):
            at = [group - 0.4 + (place + 0.5) * width for group in range(len(groups))]
            known = [(x, own) for x, own in zip(at, estimates, strict=True) if _known(own)]
            heights = [_number(own) for _, own in known]
            axes.bar(
                [x for x, _ in known],
                heights,
                width=0.92 * width,
                color=styles[label].colour,
                label=label,
            )
            axes.errorbar(
                [x for x, _ in known],
                heights,
                yerr=_whiskers([own for _, own in known]),
                fmt="none",
                ecolor=INK,
                elinewidth=0.8,
                capsize=1.5,
            )
        if reference is not None:
            axes.axhline(reference, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
        names = [group.replace(", ", "\n", 1) for group in groups]
        crowded = len(groups) > 8
        axes.set_xticks(
            range(len(groups)),
            names,
            rotation=30 if crowded else 0,
            ha="right" if crowded else "center",
        )
        _value_axis(axes, value)
        _legend(axes, len(series))
        figure.tight_layout()

    told = "; ".join(
        f"{label}: " + ", ".join(f"{g} {_told(e, value)}" for g, e in zip(groups, own, strict=True))
        for label, own in series.items()
    )
    wide = max(5.0, min(12.0, 1.5 + 0.28 * len(groups) * max(1, len(series))))
    return Drawing(name, title, f"{title}. {told}.", (wide, 3.4), draw)


def lines(
    name: str,
    title: str,
    series: Mapping[str, Sequence[Point]],
    across: str,
    value: str,
    logarithmic: bool = False,
    reference: float | None = None,
) -> Drawing:
    """Lines with intervals; `series` has per name its points (place, estimate)."""
    styles = series_styles(list(series))

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        for label, points in series.items():
            known = [(x, own) for x, own in points if _known(own)]
            style = styles[label]
            axes.errorbar(
                [x for x, _ in known],
                [_number(own) for _, own in known],
                yerr=_whiskers([own for _, own in known]),
                color=style.colour,
                marker=style.marker,
                markersize=4,
                linestyle=style.line,
                linewidth=1.4,
                elinewidth=0.7,
                capsize=1.5,
                label=label,
            )
        if reference is not None:
            axes.axhline(reference, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
        if logarithmic:
            axes.set_xscale("log")
            places = sorted({x for points in series.values() for x, _ in points})
            axes.set_xticks(places, [f"{place:g}" for place in places])
            axes.minorticks_off()
        axes.set_xlabel(across)
        _value_axis(axes, value)
        _legend(axes, len(series))
        figure.tight_layout()

    told = "; ".join(
        f"{label}: " + ", ".join(f"{_told(own, value)} at {x:g}" for x, own in points)
        for label, points in series.items()
    )
    return Drawing(name, title, f"{title}. {told}.", (6.4, 3.8), draw)


def matrix(
    name: str,
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    labels: tuple[str, str],
) -> Drawing:
    """A table of shares as colours; `labels` are those of the rows and of the columns."""

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        numbers = [[math.nan if cell is None else cell for cell in row] for row in values]
        shown = axes.imshow(numbers, cmap="viridis")
        middle = (shown.get_clim()[0] + shown.get_clim()[1]) / 2
        axes.set_xticks(range(len(columns)), [shortened(own) for own in columns])
        axes.set_yticks(range(len(rows)), [shortened(own) for own in rows])
        axes.set_ylabel(labels[0])
        axes.set_xlabel(labels[1])
        for y, row in enumerate(numbers):
            for x, cell in enumerate(row):
                if math.isfinite(cell):
                    axes.text(
                        x,
                        y,
                        f"{100 * cell:.0f}",
                        ha="center",
                        va="center",
                        color="white" if cell < middle else INK,
                    )
        figure.tight_layout()

    told = "; ".join(
        f"{row}: " + ", ".join(f"{c} {percent(v, 0)}" for c, v in zip(columns, own, strict=True))
        for row, own in zip(rows, values, strict=True)
    )
    size = (2.4 + 0.7 * len(columns), 1.6 + 0.5 * len(rows))
    return Drawing(name, title, f"{title}. {told}.", size, draw)


def _known(own: Estimate | None) -> bool:
    return own is not None and own.estimate is not None


def _number(own: Estimate | None) -> float:
    assert own is not None and own.estimate is not None
    return own.estimate


def _whiskers(estimates: Sequence[Estimate | None]) -> list[list[float]]:
    """Lengths below and above every point; none where there is no interval."""
    below, over = [], []
    for own in estimates:
        middle = _number(own)
        assert own is not None
        below.append(max(0.0, middle - (middle if own.low is None else own.low)))
        over.append(max(0.0, (middle if own.high is None else own.high) - middle))
    return [below, over]


def _told(own: Estimate | None, value: str) -> str:
    if own is None or own.estimate is None:
        return "not resolved"
    return percent(own.estimate) if value.endswith("%") else f"{own.estimate:.2f}"


def _value_axis(axes: "Axes", value: str) -> None:
    if value.endswith("%"):
        from matplotlib.ticker import PercentFormatter

        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel(value.removesuffix(", %"))


def _legend(axes: "Axes", series: int) -> None:
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=min(5, series),
        frameon=False,
        fontsize=8,
    )
