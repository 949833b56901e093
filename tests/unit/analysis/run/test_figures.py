import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from analysis.figure_style import drawing, stratum_styles
from analysis.run.curve_drawing import direct_labels
from analysis.run.figures import exchange_rate_figure, has_logarithmic_money, learning_curve
from analysis.run.report import render_report
from analysis.run.result import FittedCurve, RunResult


class SvgText(HTMLParser):
    """The text elements of an SVG, and the label that stands for it."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.label = ""
        self._inside = False
        self.feed(svg)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg":
            self.label = dict(attrs)["aria-label"] or ""
        self._inside = tag in ("text", "tspan")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.texts.append(data.strip())


@pytest.mark.parametrize("compact", [False, True])
def test_the_learning_curve_names_all_it_shows_in_text(
    resolved_result: RunResult, compact: bool
) -> None:
    texts = SvgText(learning_curve(resolved_result, compact=compact)).texts
    shown = {"all easy", "all hard", "plan's mix", "no training", "guessing", "plan", "$100"}
    assert shown <= set(texts)
    assert {"equal", "spend", "propor-", "tional"} <= set(texts)


def test_the_learning_curve_is_told_in_words_for_those_who_cannot_see_it(
    resolved_result: RunResult,
) -> None:
    label = SvgText(learning_curve(resolved_result)).label
    assert label.startswith(
        "Accuracy on hard items against the cost of labels: all easy rises from"
    )
    assert "plan was measured at 61.8 % (58.4 to 65.2)" in label
    assert label.endswith("Dotted lines: no training 35 %; guessing 25 %.")


def test_a_budget_at_which_the_better_buy_changes_is_drawn_and_told(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    own = resolved_result.methods["probe"].crossovers["easy"]
    resolved = own.model_copy(
        update={"verdict": "changes", "better_below": "easy", "estimate": 300.0}
        | {"low": 210.0, "high": 480.0}
    )
    with_one = change_planning_method(resolved_result, crossovers={"easy": resolved})
    svg = learning_curve(with_one)
    assert svg.count("<path") > learning_curve(resolved_result).count("<path")
    assert "Below $300 ($210 to $480) easy labels alone are the better buy" in SvgText(svg).label
    sentence = "Bars at the foot: the budget at which the better buy changes."
    assert sentence in render_report(with_one)
    assert sentence not in render_report(resolved_result)


def test_the_figures_are_the_same_bytes_every_time(three_strata_result: RunResult) -> None:
    assert learning_curve(three_strata_result) == learning_curve(three_strata_result)
    assert exchange_rate_figure(three_strata_result) == exchange_rate_figure(three_strata_result)


def test_identifiers_of_the_figures_do_not_meet_on_a_page(resolved_result: RunResult) -> None:
    page = "".join(
        [
            learning_curve(resolved_result),
            learning_curve(resolved_result, compact=True),
            exchange_rate_figure(resolved_result) or "",
            exchange_rate_figure(resolved_result, compact=True) or "",
        ]
    )
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers)) > 100
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page))
    for pair in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page):
        assert "".join(pair) in identifiers


def test_the_exchange_rate_stands_against_the_price(three_strata_result: RunResult) -> None:
    figure = SvgText(exchange_rate_figure(three_strata_result) or "")
    assert {
        "1 easy = 1.4 hard (0.9 to 2.2)",
        "1 medium = 1.2 hard (0.7 to 2.0)",
        "costs 0.5",
        "costs 0.75",
    } <= set(figure.texts)
    assert "one medium label is worth 1.2 hard labels" in figure.label


def test_there_is_no_figure_of_a_rate_that_is_not_resolved(
    unresolved_rate_result: RunResult,
) -> None:
    assert exchange_rate_figure(unresolved_rate_result) is None


def test_one_unresolved_rate_beside_a_resolved_one_is_said_to_be_so(
    three_strata_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    rates = dict(three_strata_result.methods["probe"].exchange_rates)
    rates["medium"] = rates["medium"].model_copy(
        update={"resolved": False, "estimate": None, "low": None, "high": None}
    )
    result = change_planning_method(three_strata_result, exchange_rates=rates)
    texts = SvgText(exchange_rate_figure(result) or "").texts
    assert "1 medium label: not resolved" in texts


@pytest.mark.parametrize("low", [-0.4, 0.0, 1e-9])
def test_an_interval_that_reaches_zero_still_has_a_place_on_the_axis(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult], low: float
) -> None:
    rate = resolved_result.exchange_rate.model_copy(update={"low": low})
    result = change_planning_method(resolved_result, exchange_rates={"easy": rate})
    figure = exchange_rate_figure(result) or ""
    assert "nan" not in figure
    assert "inf" not in figure
    assert "0.5" in SvgText(figure).texts


def test_a_hostile_name_is_text_in_the_figures(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    curve = FittedCurve(
        name='<b>$x$" &', costs=[10, 700], estimate=[0.4, 0.6], low=[0.3, 0.5], high=[0.5, 0.7]
    )
    figure = learning_curve(change_planning_method(resolved_result, fitted_curves=[curve]))
    assert "<b>" not in figure
    assert '<b>$x$" &' in SvgText(figure).texts


def test_money_is_logarithmic_only_when_the_pilot_is_far_below_the_budget(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    assert has_logarithmic_money(resolved_result)  # 20 to 740
    method = resolved_result.methods["probe"]
    result = change_planning_method(
        resolved_result,
        pilot_curve=[point for point in method.pilot_curve if point.cost >= 100],
        fitted_curves=[
            FittedCurve(
                name="all easy",
                costs=[100, 740],
                estimate=[0.5, 0.6],
                low=[0.4, 0.5],
                high=[0.6, 0.7],
            )
        ],
    )
    assert not has_logarithmic_money(result)
    assert "$400" in SvgText(learning_curve(result)).texts


def test_a_curve_that_begins_at_no_money_is_drawn(
    resolved_result: RunResult, change_planning_method: Callable[..., RunResult]
) -> None:
    curves = [
        curve.model_copy(
            update={
                "costs": [0.0, *curve.costs],
                "estimate": [0.35, *curve.estimate],
                "low": [0.3, *curve.low],
                "high": [0.4, *curve.high],
            }
        )
        for curve in resolved_result.methods["probe"].fitted_curves
    ]
    figure = learning_curve(change_planning_method(resolved_result, fitted_curves=curves))
    widest = max(abs(float(x)) for x in re.findall(r"[ML] (-?[\d.]+) ", figure))
    assert widest < 600  # nothing is drawn far outside the figure of 8.2 inches, 590 points


def test_labels_are_moved_apart_where_they_would_overlap() -> None:
    with drawing((4, 4)) as figure:
        axes = figure.add_axes((0.1, 0.1, 0.6, 0.8))
        axes.set_ylim(0.2, 0.7)
        labels = [(name, 0.6, "#000000") for name in ("a", "b", "c")] + [("far", 0.3, "#000000")]
        direct_labels(axes, labels, figure_height=4)
        places = sorted(text.xy[1] for text in axes.texts)  # type: ignore[attr-defined]
    line = 10 / (0.8 * 4 * 72)  # ten points, in parts of the axes' height
    assert places[0] == pytest.approx(0.2)  # what overlaps nothing stays at its height
    assert all(upper - lower > 0.99 * line for lower, upper in pairwise(places))
    assert places[2] == pytest.approx(0.8)  # the middle one of three


def test_strata_differ_in_lightness_marker_and_line() -> None:
    styles = stratum_styles(["easy", "medium", "hard"], "hard")

    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    greys = sorted(lightness(style.colour) for style in styles.values())
    assert all(lighter - darker > 0.08 for darker, lighter in pairwise(greys))
    assert len({style.marker for style in styles.values()}) == 3
    assert len({str(style.line) for style in styles.values()}) == 3
