import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread

from analysis.curves.figure import describe_curves, draw_curves_figure, write_figure
from analysis.curves.lines import shade
from analysis.curves.result import CurvesResult, RatedCrossover
from analysis.figure_style import drawing


@pytest.fixture
def panels(curves_result: CurvesResult) -> list[Any]:
    """The three panels, drawn."""
    return drawn(curves_result).axes


def drawn(result: CurvesResult) -> Figure:
    with drawing((12.4, 5.0)) as figure:
        draw_curves_figure(figure, result)
    return figure


def names(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_both_files_are_written_and_are_the_same_bytes_every_time(
    curves_result: CurvesResult, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        write_figure(curves_result, tmp_path / folder)
    for name in ("curves.png", "curves.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert len(list((tmp_path / "one").iterdir())) == 2


def test_the_picture_is_drawn(curves_result: CurvesResult, tmp_path: Path) -> None:
    write_figure(curves_result, tmp_path)
    picture = np.asarray(imread(tmp_path / "curves.png"))[:, :, :3]
    assert picture.shape[:2] == (800, 1984)
    inked = np.asarray((picture < 0.98).any(axis=2))
    for third in np.array_split(inked, 3, axis=1):
        assert 0.01 < third.mean() < 0.3
    assert not inked[:, :10].any() and not inked[:, -10:].any()  # nothing is cut off
    assert not inked[:8].any() and not inked[-8:].any()


def test_the_drawing_is_text_and_described(curves_result: CurvesResult, tmp_path: Path) -> None:
    write_figure(curves_result, tmp_path)
    svg = (tmp_path / "curves.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(svg)
    assert re.search(r">\s*Same money\s*<", svg)
    assert describe_curves(curves_result).split(";")[0] in svg


def test_the_panels_are_named_and_share_their_axis(panels: list[Any]) -> None:
    assert [axes.get_title(loc="left") for axes in panels] == [
        "Same number of labels",
        "Same money",
        "Same error rate, 160 labels",
    ]
    assert len({axes.get_ylim() for axes in panels}) == 1


def test_every_line_is_named_where_it_ends(panels: list[Any]) -> None:
    ends = {"easy, clean", "easy, 20 %", "hard, clean", "hard, 40 %"}
    assert set(names(panels[0])) == set(names(panels[1])) == ends
    assert {"easy at p", "hard at p", "hard at 2p"} < set(names(panels[2]))
    assert {"no training\n55 %", "guessing\n25 %"} < set(names(panels[2]))


def test_easy_lines_are_solid_and_hard_ones_dashed(panels: list[Any]) -> None:
    for axes in panels[:2]:
        found = [line for line in axes.lines if len(line.get_xdata()) > 2]
        assert [line.is_dashed() for line in found] == [False, True, False, True]


def test_the_lines_of_money_are_straight_in_money(panels: list[Any]) -> None:
    line = next(line for line in panels[1].lines if len(line.get_xdata()) > 100)  # easy, clean
    money, height = (np.asarray(values, dtype=float) for values in line.get_data())
    assert panels[1].get_xscale() == "log"
    np.testing.assert_allclose(height, np.interp(money, [10, 40, 160], [0.50, 0.62, 0.68]))
    assert {10, 40, 160} <= set(money.tolist())


def test_markers_are_filled_where_the_difference_is_resolved(panels: list[Any]) -> None:
    markers = [line for line in panels[0].lines if line.get_marker() in ("o", "s")]
    filled = [line.get_markerfacecolor() != "white" for line in markers]
    # Clean: 40 alone, for easy and for hard; at .2 and .4: everywhere.
    assert filled == [False, True, False] * 2 + [True] * 6
    of_money = [line for line in panels[1].lines if line.get_marker() in ("o", "s")]
    unfilled = [line.get_xdata()[0] for line in of_money if line.get_markerfacecolor() == "white"]
    assert 10 in unfilled and 320 in unfilled  # bought of one kind only


def test_the_same_rate_twice_is_drawn_once(curves_result: CurvesResult) -> None:
    """Where several multiples of p are cut at 1."""
    cut = curves_result.model_copy(update={"hard_error_rates": [0.4, 0.4]})
    assert names(drawn(cut).axes[0]).count("hard, 40 %") == 1


def test_a_factor_of_one_is_no_third_line(curves_result: CurvesResult) -> None:
    same = curves_result.model_copy(update={"hard_error_rates": [0.0, 0.2], "hard_factor": 1.0})
    assert {name for name in names(drawn(same).axes[2]) if " at " in name} == {
        "easy at p", "hard at p",
    }  # fmt: skip


def test_clean_labels_of_one_size_are_a_figure_too(curves_result: CurvesResult) -> None:
    update = {
        "sizes": [160],
        "error_rates": [0.0],
        "hard_error_rates": [0.0],
        "points": [p for p in curves_result.points if p.labels == 160 and p.error_rate == 0],
        "equal_count": [curves_result.equal_count[2]],
        "equal_noise": [curves_result.equal_noise[2]],
        "equal_cost": [],
    }
    figure = drawn(curves_result.model_copy(update=update))
    assert set(names(figure.axes[0])) == {"easy, clean", "hard, clean"}


def test_many_sizes_leave_room_between_the_ticks(curves_result: CurvesResult) -> None:
    update = {"sizes": list(range(10, 161, 10))}
    ticks = drawn(curves_result.model_copy(update=update)).axes[0].get_xticks()
    assert len(ticks) <= 7 and ticks[-1] == 160


def test_a_crossover_stands_at_the_foot_of_the_money_panel(curves_result: CurvesResult) -> None:
    resolved = RatedCrossover(
        estimate=97.0,
        low=61.0,
        high=143.0,
        stratum="easy",
        target="hard",
        least=20.0,
        most=160.0,
        verdict="changes",
        better_below="easy",
        probability=1.0,
        better_throughout={"easy": 0.0, "hard": 0.0},
        easy_error_rate=0.2,
        hard_error_rate=0.4,
    )
    nothing = {"verdict": "not resolved", "estimate": None, "low": None, "high": None}
    unresolved = resolved.model_copy(update={**nothing, "easy_error_rate": 0, "hard_error_rate": 0})

    def feet(*crossovers: RatedCrossover) -> list[list[float]]:
        result = curves_result.model_copy(update={"crossovers": list(crossovers)})
        axes = drawn(result).axes
        found = [
            [
                places
                for line in own.lines
                # The horizontal references are in parts of the axes, too: from 0 to 1.
                if line.get_transform() != own.transData
                and max(places := np.asarray(line.get_xdata(), dtype=float).tolist()) > 1
            ]
            for own in axes
        ]
        assert not found[0] and not found[2]
        assert ("crossover budgets" in drawn(result).texts[0].get_text()) == bool(found[1])
        return found[1]

    assert feet(resolved, unresolved) == [[61, 143], [97]]
    assert feet(unresolved) == feet() == []
    told = describe_curves(curves_result.model_copy(update={"crossovers": [resolved]}))
    assert "(hard): Below $97 ($61 to $143) easy labels alone are the better buy" in told


def test_shades_go_from_dark_to_light() -> None:
    for colour in ("#174a7c", "#d97b1c"):
        greys = [
            float(np.dot(to_rgb(shade(colour, place, 4)), (0.2126, 0.7152, 0.0722)))
            for place in range(4)
        ]
        assert all(np.diff(greys) > 0.03)
        assert greys[-1] < 0.8  # still seen on white
    assert shade("#174a7c", 0, 1) == shade("#174a7c", 0, 2)
