"""Figures: every point stays inside, and labels do not cover each other."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from budget.web.chart import Mark, PlottedCurve, charts

share = st.floats(0, 1)


def numbers(text: str) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in text.split()]
    return [(float(x), float(y)) for x, y in pairs]


@given(
    st.lists(st.lists(share, min_size=3, max_size=3), min_size=1, max_size=4),
    st.floats(1, 1e9),
    st.one_of(st.none(), share),
)
def test_everything_stays_inside(
    curves: list[list[float]], most: float, mark: float | None
) -> None:
    x = [0.0, most / 2, most]
    drawn = [
        PlottedCurve("a name", "first", x, y, [v / 2 for v in y], [(1 + v) / 2 for v in y])
        for y in curves
    ]
    point = None if mark is None else Mark(most / 3, mark, mark, mark)
    for chart in charts(drawn, point, "money", "right", "told"):
        for own in chart.curves:
            for x_at, y_at in numbers(own.line) + numbers(own.band):
                assert chart.left - 0.1 <= x_at <= chart.right + 0.1
                assert chart.top - 0.1 <= y_at <= chart.bottom + 0.1
        places = sorted(float(own.label_y) for own in chart.curves)
        assert all(b - a > 14.5 for a, b in pairwise(places))
        for ticks, low, high in (
            (chart.x_ticks, chart.left, chart.right),
            (chart.y_ticks, chart.top, chart.bottom),
        ):
            assert ticks and all(low - 0.1 <= float(tick.at) <= high + 0.1 for tick in ticks)


def test_ticks_are_round_and_in_percent() -> None:
    curve = PlottedCurve("best", "first", [100, 500, 900], [0.31, 0.42, 0.48])
    wide, narrow = charts([curve], None, "money", "right", "told")
    assert [tick.text for tick in wide.x_ticks] == ["200", "400", "600", "800"]
    assert [tick.text for tick in wide.y_ticks] == ["30 %", "35 %", "40 %", "45 %", "50 %"]
    assert len(narrow.x_ticks) <= 4
    assert (wide.curves[0].band, wide.mark) == ("", None)


def test_one_point_is_drawn_too() -> None:
    chart = charts([PlottedCurve("only", "first", [5], [0.5])], None, "money", "right", "told")[0]
    assert len(numbers(chart.curves[0].line)) == 1
