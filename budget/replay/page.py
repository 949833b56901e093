"""The page of a replay: one self-contained HTML file, without scripts, to read and to print."""

from pathlib import Path

from markupsafe import Markup

from analysis.html_page import filled_template
from analysis.numbers import count, money
from annotation.whole_files import whole_file
from budget.replay.figure import outcome_svg
from budget.replay.result import ReplayResult
from budget.replay.wording import (
    HEADS,
    claim_sentences,
    headline,
    outcome_sentences,
    reading_sentences,
    sold_sentence,
    table_rows,
)


def replay_page(result: ReplayResult) -> str:
    """The page; the same result gives the same bytes. All text is escaped."""
    return filled_template(
        "budget.replay",
        "page_template.html",
        target=result.target,
        sold=sold_sentence(result),
        planned_with=f"Planned with {result.method} on {Path(result.model).name}.",
        headline=headline(result),
        facts=[
            ("Paid for all judgments", money(result.paid, result.currency)),
            ("Budget of a replay", money(result.budget, result.currency)),
            ("Replays", count(result.seeds)),
            ("The plan spent", money(result.plan.cost, result.currency)),
        ],
        claim=claim_sentences(result.claim, result.target, result.currency),
        outcome=outcome_sentences(result),
        figure=Markup(outcome_svg(result)),
        heads=HEADS,
        rows=table_rows(result),
        reading=reading_sentences(result),
        ended=[(why, count(number)) for why, number in result.ended.items()],
        notes=result.notes,
    )


def write_page(result: ReplayResult, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises InputError if the file cannot be written.
    """
    page = replay_page(result)
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8", errors="backslashreplace")
