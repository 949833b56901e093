"""The figure of `labelmix hardness`: a histogram of every measure, and their rank correlations."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.figure_style import INK, MUTED, STRATUM_COLOURS, drawing, shortened
from analysis.hardness.result import HardnessResult, MeasureResult
from annotation.errors import InputError
from annotation.whole_files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL = (2.9, 2.2)  # inches
_COLUMNS = 4
_DOTS_PER_INCH = 160


def write_hardness_figure(result: HardnessResult, path: Path) -> None:
    """Write a PNG, SVG or PDF file, whole or not at all.

    Raises InputError if the suffix is another or the file cannot be written.
    """
    kind = figure_kind(path)
    with drawing(hardness_inches(result)) as figure:
        draw_hardness(figure, result)
        about = {"Software": None} if kind == "png" else {"Title": f"Hardness of {result.source}"}
        with whole_file(path) as unfinished:
            figure.savefig(unfinished, format=kind, dpi=_DOTS_PER_INCH, metadata=about)


def hardness_inches(result: HardnessResult) -> tuple[float, float]:
    """Width and height of the figure, in inches."""
    rows, columns = _grid(result)
    return columns * _PANEL[0] + 0.4, rows * _PANEL[1] + 0.3


def draw_hardness(figure: "Figure", result: HardnessResult) -> None:
    """A histogram of every measure and, where there are several, their rank correlations."""
    grid = figure.subplots(*_grid(result), squeeze=False).ravel()
    for axes, measure in zip(grid, result.measures, strict=False):
        _histogram(axes, measure)
    if len(result.measures) > 1:
        _correlations(grid[_panels(result) - 1], result)
    for axes in grid[_panels(result) :]:
        axes.set_axis_off()
    figure.tight_layout()


def _panels(result: HardnessResult) -> int:
    return len(result.measures) + (1 if len(result.measures) > 1 else 0)


def _grid(result: HardnessResult) -> tuple[int, int]:
    """Rows and columns of panels."""
    columns = min(_COLUMNS, _panels(result))
    return math.ceil(_panels(result) / columns), columns


def figure_kind(path: Path) -> str:
    """Which kind of file a figure's name asks for.

    Raises InputError if it cannot be drawn.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg", "pdf"):
        raise InputError(f"{path}: a figure is written as .png, .svg or .pdf; name it so.")
    return kind


def _histogram(axes: "Axes", measure: MeasureResult) -> None:
    of_values = all(bar.low == bar.high for bar in measure.histogram)
    if of_values:
        places = [float(place) for place in range(len(measure.histogram))]
        axes.set_xticks(places, [f"{bar.low:g}" for bar in measure.histogram])
        widths = [0.8] * len(places)
    else:
        places = [(bar.low + bar.high) / 2 for bar in measure.histogram]
        widths = [measure.histogram[1].low - measure.histogram[0].low] * len(places)
    counts = [bar.items for bar in measure.histogram]
    axes.bar(places, counts, width=widths, color=STRATUM_COLOURS[0], edgecolor="white")
    axes.set_title(measure.name.replace("_", " "), color=INK)
    axes.set_ylabel("items", color=MUTED)


def _correlations(axes: "Axes", result: HardnessResult) -> None:
    names = [measure.name for measure in result.measures]
    matrix = [[result.spearman[row][column] for column in names] for row in names]
    values = [[math.nan if cell is None else cell for cell in row] for row in matrix]
    axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
    labels = [shortened(name.replace("_", " ")) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=90, fontsize=6)
    axes.set_yticks(range(len(names)), labels, fontsize=6)
    for row, cells in enumerate(values):
        for column, cell in enumerate(cells):
            if math.isfinite(cell):
                colour = "white" if abs(cell) > 0.6 else INK
                text = f"{cell:.2f}"
                axes.text(column, row, text, ha="center", va="center", fontsize=5, color=colour)
    axes.set_title("Spearman", color=INK)
