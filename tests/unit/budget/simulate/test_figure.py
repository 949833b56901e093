from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from budget.simulate.figure import (
    _TINTS,
    _edges,
    describe_figure,
    regions_svg,
    shares_svg,
    write_figure,
)
from budget.simulate.result import AxisRecord, Region, SimulationResult


def test_the_picture_is_drawn_and_the_same_every_time(
    simulation: SimulationResult, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        write_figure(simulation, tmp_path / folder)
    first, second = (tmp_path / folder / "simulate.png" for folder in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    picture = np.asarray(imread(first))[:, :, :3]
    inked = np.asarray((picture < 0.98).any(axis=2))
    for half in np.array_split(inked, 2, axis=1):
        assert half.mean() > 0.3
    assert not inked[:, :5].any() and not inked[:, -5:].any()  # nothing is cut off
    assert not inked[:5].any() and not inked[-5:].any()


def test_the_drawings_are_text_and_described(simulation: SimulationResult) -> None:
    regions, shares = regions_svg(simulation), shares_svg(simulation)
    root = ElementTree.fromstring(regions)
    assert root.attrib["aria-label"] == describe_figure(simulation)
    assert "Best buy" in regions and "unresolved" in regions and "given terms" in regions
    assert "Money on easy labels" in unescape(shares)
    ElementTree.fromstring(shares)
    assert "http" not in regions.replace("http://www.w3.org", "")


def resolved(simulation: SimulationResult, difference: float) -> SimulationResult:
    none = [[False] * 5] * 4
    hard = [[0.5] * 5] * 4
    easy = [[0.5 + difference] * 5] * 4
    return simulation.model_copy(update={"unresolved": none, "all_hard": hard, "all_easy": easy})


@pytest.mark.parametrize("difference", [0.1, -0.1, 0.0])
def test_nothing_unresolved_and_no_break_even(
    simulation: SimulationResult, difference: float
) -> None:
    drawn = regions_svg(resolved(simulation, difference))
    assert "unresolved" not in drawn.split(">", 1)[1]


def test_nothing_beyond_the_grid_is_shown() -> None:
    axis = AxisRecord(name="budget", label="budget", scale="log", values=[1.0, 100.0, 10000.0])
    assert _edges(axis) == pytest.approx([1, 10, 1000, 10000])
    linear = axis.model_copy(update={"scale": "linear", "values": [0.0, 1.0, 2.0]})
    assert _edges(linear) == pytest.approx([0, 0.5, 1.5, 2])


def test_every_region_has_its_colour_in_its_place(
    simulation: SimulationResult, tmp_path: Path
) -> None:
    """Two rows of easy below, then one of a mix, one of hard on top."""
    names: list[Region] = ["easy", "easy", "mix", "hard"]
    regions = [[name] * 5 for name in names]
    shown = resolved(simulation, 0.1).model_copy(update={"region": regions, "here": None})
    write_figure(shown, tmp_path)
    picture = np.asarray(imread(tmp_path / "simulate.png"))[:, :, :3]
    panel = picture[: int(0.8 * len(picture)), : picture.shape[1] // 2]
    heights, sizes = [], []
    for name in ("easy", "mix", "hard"):
        here = np.asarray((np.abs(panel - np.array(to_rgb(_TINTS[name]))) < 0.01).all(axis=2))
        rows, _ = np.nonzero(here)
        heights.append(float(rows.mean()))
        sizes.append(len(rows))
    assert heights[0] > heights[1] > heights[2]  # rows of a picture are counted from the top
    # The values of y are 1, 2, 4, 8: cells end half-way, so the outer rows are half as high.
    whole = sum(sizes)
    assert [size / whole for size in sizes] == pytest.approx([1.5 / 3, 1 / 3, 0.5 / 3], abs=0.03)
