"""What learning curves say, in pages of tests/golden: one heading for each situation."""

from typing import Any

import pytest

from analysis.curves.result import CurvesResult, RatedCrossover
from analysis.curves.wording import findings, rate_text
from tests import golden_pages


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, "0 %"), (0.3, "30 %"), (0.05, "5 %"), (0.125, "12.5 %"), (1.0, "100 %")],
)
def test_an_error_rate_has_the_digits_it_needs(rate: float, text: str) -> None:
    assert rate_text(rate) == text


def test_every_panel_and_the_gap_are_told(curves_result: CurvesResult) -> None:
    """The same error rate is told without clean labels: these stand with the same number."""
    golden_pages.check("curves_findings", golden_pages.page(findings(curves_result)))


def test_the_same_number_of_labels(curves_result: CurvesResult) -> None:
    noisy = curves_result.equal_count[3:]
    hard_better = {"estimate": -0.12, "low": -0.135, "high": -0.105, "resolved": True}
    cases = {
        "hard is better": [own.model_copy(update=hard_better) for own in noisy],
        "a single size": curves_result.equal_count[-1:],
    }
    golden_pages.check(
        "curves_same_number",
        golden_pages.page(
            {
                name: findings(curves_result.model_copy(update={"equal_count": own}))[
                    "Same number of labels"
                ]
                for name, own in cases.items()
            }
        ),
    )


def test_the_same_money(curves_result: CurvesResult) -> None:
    """A crossover is told with the pair of error rates that it belongs to."""

    def crossover(resolved: bool, easy_rate: float, hard_rate: float) -> RatedCrossover:
        numbers: dict[str, Any] = {"estimate": None, "low": None, "high": None}
        if resolved:
            numbers = {"estimate": 97.1234, "low": 61.0, "high": 143.6}
        return RatedCrossover(
            **numbers,
            stratum="easy",
            target="hard",
            least=20.0,
            most=160.0,
            verdict="changes" if resolved else "not resolved",
            better_below="easy",
            probability=0.99 if resolved else 0.5,
            better_throughout={"easy": 0.01 if resolved else 0.5, "hard": 0.0},
            easy_error_rate=easy_rate,
            hard_error_rate=hard_rate,
        )

    def told(**changes: object) -> list[str]:
        return findings(curves_result.model_copy(update=changes))["Same money"]

    golden_pages.check(
        "curves_same_money",
        golden_pages.page(
            {
                "noisy lines cross": told(crossovers=[crossover(True, 0.2, 0.4)]),
                "clean lines cross, nobody knows where": told(crossovers=[crossover(False, 0, 0)]),
                "no amount in common": told(equal_cost=[]),
            }
        ),
    )
