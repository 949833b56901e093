"""The figure of what was trained towards: a row for each way, a panel for each measure."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from analysis.estimates import Estimate
from analysis.figure_style import GRID
from analysis.numbers import percent
from analysis.reproduce.drawings import Drawing, series_styles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW, _ABOVE, _WIDE = 0.34, 1.3, 9.6  # inches


def rows_by_measure(
    name: str,
    title: str,
    rows: Sequence[str],
    panels: Mapping[str, Mapping[str, Sequence[Estimate]]],
    in_percent: Sequence[str],
) -> Drawing:
    """Points with intervals.

    Parameters
    ----------
    rows : what each line of a panel is called, from above
    panels : measure -> series -> an estimate for each row
    in_percent : the measures that are shares
    """

    def draw(figure: "Figure") -> None:
        first = None
        for place, (measure, series) in enumerate(panels.items(), 1):
            axes = figure.add_subplot(1, len(panels), place, sharey=first)
            first = first or axes
            styles = series_styles(list(series))
            for number, (label, estimates) in enumerate(series.items()):
                beside = 0.6 * ((number + 0.5) / len(series) - 0.5)
                axes.errorbar(
                    [own.estimate or 0.0 for own in estimates],
                    [row + beside for row in range(len(rows))],
                    xerr=[
                        [(own.estimate or 0.0) - (own.low or 0.0) for own in estimates],
                        [(own.high or 0.0) - (own.estimate or 0.0) for own in estimates],
                    ],
                    fmt=styles[label].marker,
                    color=styles[label].colour,
                    markersize=4,
                    elinewidth=0.9,
                    label=label,
                )
            axes.set_xlabel(measure)
            axes.grid(axis="x", color=GRID, linewidth=0.7)
            if measure in in_percent:
                axes.xaxis.set_major_formatter(lambda value, _: percent(value, 0))
            axes.tick_params(labelleft=place == 1, left=False)
        assert first is not None
        first.set_yticks(range(len(rows)), rows)
        first.invert_yaxis()
        handles, names = first.get_legend_handles_labels()
        figure.legend(handles, names, loc="upper center", ncols=3, frameon=False)
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.35 / _height(rows)))

    told = "; ".join(
        f"{measure}, {label}: "
        + ", ".join(
            f"{row} {percent(own.estimate) if measure in in_percent else f'{own.estimate:.3f}'}"
            for row, own in zip(rows, estimates, strict=True)
        )
        for measure, series in panels.items()
        for label, estimates in series.items()
    )
    return Drawing(name, title, f"{title}. {told}.", (_WIDE, _height(rows)), draw)


def _height(rows: Sequence[str]) -> float:
    return _ABOVE + _ROW * len(rows)
