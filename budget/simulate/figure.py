"""The phase diagram: what to buy where, and how the money is split in the best mix."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.figure_style import INK, MUTED, drawing, one_two_five, shortened, svg_element
from analysis.numbers import percent
from annotation.arrays import Array
from annotation.whole_files import whole_file
from budget.simulate.result import AxisRecord, Region, SimulationResult
from budget.simulate.wording import findings, place, unresolved_share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

_WIDE, _PANEL = (10.6, 4.9), (5.1, 5.2)  # inches
_DOTS_PER_INCH = 160
_REGIONS: tuple[Region, ...] = ("easy", "hard", "mix")
# Told apart in grey too: easy darkest, hard lightest.
_TINTS = {"easy": "#8fb0d3", "hard": "#f9dfc0", "mix": "#b5d8c5"}
_HATCH = "////"
_SMALLEST_NAMED = 0.02  # share of the cells, of a region that gets its name written into it


def write_figure(result: SimulationResult, folder: Path) -> None:
    """Write `simulate.png`, whole or not at all.

    Raises InputError if the file cannot be written.
    """
    with drawing(_WIDE) as figure:
        _draw_regions(figure.add_axes((0.075, 0.21, 0.395, 0.71)), result)
        shares = figure.add_axes((0.575, 0.21, 0.335, 0.71))
        _draw_shares(figure, shares, (0.925, 0.21, 0.013, 0.71), result)
        _legend(figure, result, columns=6)
        with whole_file(folder / "simulate.png") as unfinished:
            figure.savefig(
                unfinished, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None}
            )


def regions_svg(result: SimulationResult) -> str:
    """The phase diagram as an `<svg>` element."""
    with drawing(_PANEL) as figure:
        _draw_regions(figure.add_axes((0.15, 0.3, 0.82, 0.62)), result)
        _legend(figure, result, columns=2)
        return svg_element(figure, "regions", describe_figure(result))


def shares_svg(result: SimulationResult) -> str:
    """How much of the money goes to easy labels, as an `<svg>` element."""
    with drawing(_PANEL) as figure:
        axes = figure.add_axes((0.15, 0.3, 0.68, 0.62))
        _draw_shares(figure, axes, (0.86, 0.3, 0.03, 0.62), result)
        words = f"Share of the money on {result.easy} labels in the best purchase, as a heat map."
        return svg_element(figure, "shares", words)


def describe_figure(result: SimulationResult) -> str:
    """The phase diagram in words, for readers who cannot see it."""
    return f"{result.title}. {' '.join(findings(result))}"


def _draw_regions(axes: "Axes", result: SimulationResult) -> None:
    import matplotlib
    from matplotlib.colors import ListedColormap

    matplotlib.rcParams["hatch.linewidth"] = 0.6  # until the drawing ends
    codes = np.array([[_REGIONS.index(name) for name in row] for row in result.region])
    colours = ListedColormap([_TINTS[name] for name in _REGIONS])
    _mesh(axes, result, codes.astype(float), colours, (-0.5, 2.5))
    unresolved = np.array(result.unresolved, dtype=float)
    if unresolved.any():
        hatched = axes.contourf(
            result.x.values,
            result.y.values,
            unresolved,
            levels=[0.5, 1.5],
            colors="none",
            hatches=[_HATCH],
        )
        hatched.set_edgecolor(MUTED)
        hatched.set_linewidth(0)
    difference = np.array(result.all_easy) - np.array(result.all_hard)
    if difference.min() < 0 < difference.max():
        axes.contour(
            result.x.values, result.y.values, difference, levels=[0], colors=INK, linewidths=1.8
        )
    _name_regions(axes, result, codes)
    if result.here is not None and result.here.x is not None and result.here.y is not None:
        axes.plot([result.here.x], [result.here.y], "*", color=INK, markersize=13, mec="white")
    _scales(axes, result)
    axes.set_title("Best buy")


def _draw_shares(
    figure: "Figure",
    axes: "Axes",
    bar: tuple[float, float, float, float],
    result: SimulationResult,
) -> None:
    shares = np.array(result.best_easy_share)
    mesh = _mesh(axes, result, shares, "cividis_r", (0.0, 1.0))
    _scales(axes, result)
    axes.set_title(f"Money on {shortened(result.easy)} labels in the best purchase")
    beside = figure.add_axes(bar)
    figure.colorbar(mesh, cax=beside, format=lambda value, _: percent(value, 0))
    beside.tick_params(labelsize=8)


def _mesh(
    axes: "Axes",
    result: SimulationResult,
    values: Array,
    colours: "Colormap | str",
    limits: tuple[float, float],
) -> "QuadMesh":
    return axes.pcolormesh(
        _edges(result.x),
        _edges(result.y),
        values,
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        rasterized=True,
    )


def _edges(axis: AxisRecord) -> Array:
    """Edges of cells (values + 1,): half-way to the neighbours, on the axis's scale."""
    values = np.array(axis.values)
    if axis.scale == "log":
        values = np.log(values)
    middles = (values[1:] + values[:-1]) / 2
    edges = np.concatenate([values[:1], middles, values[-1:]])  # nothing beyond the grid is shown
    return np.asarray(np.exp(edges) if axis.scale == "log" else edges)


def _name_regions(axes: "Axes", result: SimulationResult, codes: NDArray[np.int64]) -> None:
    """Write each region's name where it is widest."""
    from scipy.ndimage import distance_transform_edt

    names = {"easy": f"all {result.easy}", "hard": f"all {result.target}", "mix": "mix"}
    for code, name in enumerate(_REGIONS):
        within = codes == code
        if within.mean() < _SMALLEST_NAMED:
            continue
        away = distance_transform_edt(np.pad(within, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int(away.argmax()), away.shape)
        axes.text(
            result.x.values[column],
            result.y.values[row],
            shortened(names[name]),
            ha="center",
            va="center",
            weight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
        )


def _scales(axes: "Axes", result: SimulationResult) -> None:
    for own, record, which in ((axes.xaxis, result.x, "x"), (axes.yaxis, result.y, "y")):
        if record.scale == "log":
            axes.set(**{f"{which}scale": "log"})
            own.set_ticks(one_two_five(record.values[0], record.values[-1]))
            own.set_ticks([], minor=True)
        axes.set(**{f"{which}lim": (record.values[0], record.values[-1])})
        own.set_major_formatter(_tick_text(record, result.currency))
        own.set_label_text(record.label)


def _tick_text(axis: AxisRecord, currency: str) -> Callable[[float, object], str]:
    return lambda value, _: place(axis, value, currency)


def _legend(figure: "Figure", result: SimulationResult, columns: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(facecolor=_TINTS["easy"], label=f"all {shortened(result.easy)}"),
        Patch(facecolor=_TINTS["mix"], label=f"mix, better by over {100 * result.margin:g} points"),
        Patch(facecolor=_TINTS["hard"], label=f"all {shortened(result.target)}"),
        Line2D([], [], color=INK, linewidth=1.8, label="all of one = all of the other"),
    ]
    if unresolved_share(result) > 0:
        handles.append(
            Patch(facecolor="white", edgecolor=MUTED, hatch=_HATCH, linewidth=0, label="unresolved")
        )
    if result.here is not None and result.here.x is not None and result.here.y is not None:
        star = Line2D([], [], marker="*", color=INK, linestyle="", markersize=11)
        star.set_label("given terms")
        handles.append(star)
    figure.legend(handles=handles, loc="lower left", ncols=columns, frameon=False, fontsize=8.5)
