"""The page of a simulation: one self-contained HTML file, without scripts."""

from pathlib import Path

from markupsafe import Markup

from analysis.html_page import filled_template
from analysis.numbers import interval_name
from annotation.whole_files import whole_file
from budget.simulate.figure import regions_svg, shares_svg
from budget.simulate.result import SimulationResult
from budget.simulate.wording import findings, short_name, table_rows


def render_page(result: SimulationResult) -> str:
    """The page; the same result gives the same bytes. All text is escaped."""
    heads, rows = table_rows(result)
    return filled_template(
        "budget.simulate",
        "page_template.html",
        result=result,
        findings=findings(result),
        interval=interval_name(result.confidence),
        margin=f"{100 * result.margin:g}",
        corner=f"{short_name(result.y)} \\ {short_name(result.x)}",
        heads=heads,
        rows=rows,
        regions=Markup(regions_svg(result)),
        shares=Markup(shares_svg(result)),
    )


def write_page(result: SimulationResult, folder: Path) -> None:
    """Write `simulate.html`, whole or not at all.

    Raises InputError if the file cannot be written.
    """
    page = render_page(result)
    with whole_file(folder / "simulate.html") as unfinished:
        unfinished.write_text(page, encoding="utf-8")
