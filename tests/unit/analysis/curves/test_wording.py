from typing import Any

import pytest

from analysis.curves.result import Crossing, CurvesResult
from analysis.curves.wording import findings, rate_text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, "0 %"), (0.3, "30 %"), (0.05, "5 %"), (0.125, "12.5 %"), (1.0, "100 %")],
)
def test_an_error_rate_has_the_digits_it_needs(rate: float, text: str) -> None:
    assert rate_text(rate) == text


def test_there_is_a_part_for_every_panel_and_the_gap(curves_result: CurvesResult) -> None:
    assert list(findings(curves_result)) == [
        "Same number of labels",
        "Same money",
        "Same error rate",
        "Supervision gap recovered (SGR), clean",
    ]


def test_the_same_number_of_labels(curves_result: CurvesResult) -> None:
    assert findings(curves_result)["Same number of labels"] == [
        "At 160 labels each, clean, the difference is not resolved (easy minus hard \u22121.0 "
        "points, \u22122.5 to 0.5). Over all sizes: easy is better at 40; not resolved at 10 and "
        "160.",
        "At 160 labels each, at error rates 20 % (easy) and 40 % (hard), easy is 12.0 points "
        "better (10.5 to 13.5). Over all sizes: easy is better at 10, 40 and 160.",
    ]


def test_the_same_error_rate_without_what_clean_labels_gave(curves_result: CurvesResult) -> None:
    assert findings(curves_result)["Same error rate"] == [
        "At 160 labels each, at error rate 20 %, easy is 2.0 points better (0.5 to 3.5). Over all "
        "sizes: easy is better at 40 and 160; not resolved at 10.",
    ]


def test_where_hard_labels_are_better_they_are_named(curves_result: CurvesResult) -> None:
    reversed_sign = [
        d.model_copy(update={"estimate": -0.12, "low": -0.135, "high": -0.105, "resolved": True})
        for d in curves_result.equal_count[3:]
    ]
    result = curves_result.model_copy(update={"equal_count": reversed_sign})
    [sentence] = findings(result)["Same number of labels"]
    assert "hard is 12.0 points better (10.5 to 13.5)." in sentence
    assert sentence.endswith("Over all sizes: hard is better at 10, 40 and 160.")


def test_a_single_size_has_no_line_for_all_sizes(curves_result: CurvesResult) -> None:
    result = curves_result.model_copy(update={"equal_count": curves_result.equal_count[-1:]})
    [sentence] = findings(result)["Same number of labels"]
    assert sentence.endswith("easy is 12.0 points better (10.5 to 13.5).")


def test_the_same_money_says_what_it_buys(curves_result: CurvesResult) -> None:
    clean, noisy = findings(curves_result)["Same money"]
    assert clean.startswith("For $160 (160 easy or 80 hard labels), clean, easy is ")
    assert "at error rates 20 % (easy) and 40 % (hard)" in noisy
    assert "Over all amounts: easy is better at $20, $40, $80 and $160." in noisy


def test_without_common_money_nothing_is_said_of_it(curves_result: CurvesResult) -> None:
    result = curves_result.model_copy(update={"equal_cost": []})
    [sentence] = findings(result)["Same money"]
    assert sentence.startswith("No amount of money was spent on easy and on hard labels alike")


def crossing(resolved: bool, **rates: float) -> Crossing:
    numbers: dict[str, Any] = {"estimate": None, "low": None, "high": None}
    if resolved:
        numbers = {"estimate": 97.1234, "low": 61.0, "high": 1403.6}
    return Crossing(**numbers, **rates, better_below="easy", resolved=resolved)


def test_a_crossing_is_told_with_the_pair_it_belongs_to(curves_result: CurvesResult) -> None:
    rates = {"easy_error_rate": 0.2, "hard_error_rate": 0.4}
    result = curves_result.model_copy(update={"crossings": [crossing(True, **rates)]})
    clean, noisy = findings(result)["Same money"]
    assert noisy.endswith(
        "Below $97.10 ($61 to $1,400) easy is better for the same money, above it hard."
    )
    assert "Below" not in clean


def test_a_crossing_that_is_not_resolved_has_no_number(curves_result: CurvesResult) -> None:
    rates = {"easy_error_rate": 0.0, "hard_error_rate": 0.0}
    result = curves_result.model_copy(update={"crossings": [crossing(False, **rates)]})
    clean, noisy = findings(result)["Same money"]
    assert clean.endswith(
        "The two lines cross between $20 and $160, easy better below and hard above, but where, "
        "or whether at all, is not resolved."
    )
    assert "cross" not in noisy


def test_the_gap_is_told_at_the_largest_size_and_where_it_is_open(
    curves_result: CurvesResult,
) -> None:
    told, unresolved = findings(curves_result)["Supervision gap recovered (SGR), clean"]
    assert told.startswith("Training on 160 easy labels gives 90 % of what 160 hard labels give")
    assert unresolved == "At 10 and 40 labels the gap, and so the SGR, is not resolved."
