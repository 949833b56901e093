"""What a reader is told before trusting a run."""

from analysis.run.caveats import evidence_notices, notices
from analysis.run.conclusion import conclude
from analysis.run.report import render_report
from analysis.run.result import RunResult
from tests.unit.analysis.run.report_page import Page
from tests.unit.analysis.runs_by_hand import collected_from

SHARED = (
    "The error rate of judgments of hard items may be 37.5 % to 48.1 %: several people may make "
    "the same mistake, which their agreement cannot show. This run takes it to be 42.7 %; labelmix "
    "plan tells whether the plan depends on it."
)


def with_range(result: RunResult, shared: str | None, wanted: int | None) -> RunResult:
    """The result as if the error rate of hard items were known to an interval."""
    hard = result.strata["hard"].model_copy(
        update={
            "error_rate_low": 0.375,
            "error_rate_high": 0.481,
            "shared_mistakes": shared,
            "gold_items_wanted": wanted,
        }
    )
    return result.model_copy(update={"strata": {**result.strata, "hard": hard}})


def test_error_rates_without_gold_are_told_with_the_gold_that_would_settle_them(
    resolved_result: RunResult,
) -> None:
    collected = collected_from(resolved_result)
    found = conclude(collected)
    without_gold = with_range(collected, "not excluded", 76)
    added = [each for each in notices(without_gold, found) if each not in notices(collected, found)]
    assert added == [
        f"{SHARED} About 76 more hard items with a known answer would tell it to within 5 points, "
        "for these annotators."
    ]
    assert SHARED in " ".join(Page(render_report(without_gold)).lines)
    one = notices(with_range(collected, "not excluded", 1), found)
    assert any("About 1 more hard item with a known answer" in each for each in one)
    enough = notices(with_range(collected, "not excluded", None), found)
    assert SHARED in enough
    # `labelmix plan` has its own sentence, with the plan at both ends.
    assert evidence_notices(without_gold, found) == evidence_notices(collected, found)


def test_measured_error_rates_need_no_notice(resolved_result: RunResult) -> None:
    collected = collected_from(resolved_result)
    found = conclude(collected)
    for shared in ("measured", None):
        assert notices(with_range(collected, shared, 76), found) == notices(collected, found)
