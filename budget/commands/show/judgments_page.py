"""What `labelmix judgments report` writes as a page: all that it prints, and more people."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from analysis.html_page import filled_template
from annotation.errors import InputError
from annotation.judgments.rejections import CheckedJudgments
from annotation.team.report import JudgmentReport
from annotation.whole_files import whole_file
from budget.commands.show.judgments import head, notes, report_tables, sentences

_MOST_ROWS = 500  # of annotators and notes
_SUFFIXES = (".html", ".htm")


def check_page_path(path: Path | None) -> None:
    """Raise InputError unless a page may have this name; None stands for no page."""
    if path is not None and path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"--html {path}: a page is written as .html; name it so.")


def judgments_page(
    report: JudgmentReport, reading: CheckedJudgments, currency: str, files: Sequence[Path]
) -> str:
    """The report on judgments as one self-contained HTML page."""
    first, intervals = head(report)
    return filled_template(
        "budget.commands.show",
        "judgments_template.html",
        files=", ".join(path.name for path in files),
        head=first,
        intervals=intervals,
        sentences=sentences(report, currency),
        tables=[_plain(table) for table in report_tables(report, currency, _MOST_ROWS)],
        notes=[line.removeprefix("note: ") for line in notes(report, reading, _MOST_ROWS)],
    )


def write_judgments_page(page: str, path: Path) -> None:
    """Write a page, whole or not at all; it names people, and is readable by its owner alone.

    Raises InputError if the file cannot be written.
    """
    with whole_file(path, private=True) as unfinished:
        unfinished.write_text(page, encoding="utf-8", errors="backslashreplace")


def _plain(table: Table) -> tuple[str, list[str], list[list[str]]]:
    """Title, headings and rows of a table for the terminal, as texts."""
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return str(table.title or ""), [str(column.header) for column in table.columns], rows
