"""The page of a judgments report: all that the terminal shows, and nothing that runs or loads."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.unit.budget.commands.command_line import labelmix, one_line

PEOPLE = ("<b>ann</b>", "bob & co", "cem", *(f"person {n}" for n in range(25)))


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Items of two strata, each judged by three of many people, one of whom has a hostile name."""
    path = tmp_path / "judgments <1>.csv"
    rows = ["item_id,annotator,label,seconds,stratum"]
    for n in range(60):
        for k in range(3):
            who = PEOPLE[(n + k * 7) % len(PEOPLE)]
            answer = ("odd", "even")[(n + (n * k % 5 == 3)) % 2]
            rows.append(f"i{n},{who},{answer},{10 + n % 7},{('easy', 'hard')[n % 2]}")
    rows.append("i1,cem,odd,-3,hard")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


class Texts(HTMLParser):
    """Texts of the body, and every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in ("src", "href", "onload", "onclick")]

    def handle_data(self, data: str) -> None:
        self.texts.append(" ".join(data.split()))


def test_it_tells_all_that_the_terminal_tells(
    judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    out = tmp_path / "report.html"
    done = labelmix("judgments", "report", judged, "--fee", ".05", "--html", out)
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith(f"wrote {out}\n")
    page = out.read_text(encoding="utf-8")
    found = Texts(page)
    told = {text.replace("\u00a0", " ") for text in found.texts if text}
    for line in done.stdout.splitlines():
        cells = [cell.strip() for cell in re.split("[│┃]", line) if cell.strip()]
        if len(cells) > 1:
            assert set(cells) <= told, line
    for title in ("Errors", "Agreement", "Time of a judgment and its cost", "Annotators' work"):
        assert title in told
    sentences = [line for line in done.stdout.splitlines() if line.startswith(("These", "value"))]
    assert len(sentences) == 2  # the bill, and the row with a wrong time
    assert set(sentences) <= told
    # Nobody is left out for want of room, as on the terminal.
    assert "Annotators (8 more in --json)" in done.stdout and "Annotators" in told
    assert all(unescape(name) in told for name in PEOPLE)


def test_it_runs_and_loads_nothing(judged: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    labelmix("judgments", "report", judged, "--html", out)
    page = out.read_text(encoding="utf-8")
    found = Texts(page)
    assert not found.links and "script" not in found.tags and "b" not in found.tags
    assert "url(" not in page and "@import" not in page
    assert "&lt;b&gt;ann&lt;/b&gt;" in page and "judgments &lt;1&gt;.csv" in page
    assert out.stat().st_mode & 0o077 == 0


def test_the_same_judgments_give_the_same_page(judged: Path, tmp_path: Path) -> None:
    pages = []
    for name in ("one.html", "two.htm"):
        labelmix("judgments", "report", judged, "--html", tmp_path / name)
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]


def test_another_kind_of_file_is_refused(judged: Path, tmp_path: Path) -> None:
    done = labelmix("judgments", "report", judged, "--html", tmp_path / "report.pdf")
    assert one_line(done).endswith("report.pdf: a page is written as .html; name it so.")
