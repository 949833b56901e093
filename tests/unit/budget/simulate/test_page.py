import re
from html.parser import HTMLParser
from pathlib import Path

from budget.simulate.page import render_page, write_page
from budget.simulate.result import SimulationResult
from budget.simulate.wording import findings


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    return " ".join(" ".join(parser.words).split())


def test_the_page_says_all_that_was_found(simulation: SimulationResult) -> None:
    text = text_of(render_page(simulation))
    for sentence in [*findings(simulation), *simulation.notes]:
        assert " ".join(sentence.split()) in text
    for row in simulation.assumptions:
        assert f"{row.name} {row.value} {row.source}" in text


def test_the_page_stands_alone(simulation: SimulationResult) -> None:
    page = render_page(simulation)
    assert "<script" not in page and "@import" not in page
    for link in re.findall(r"(?:href|src)=\"([^\"]*)\"", page):
        assert link.startswith(("#", "data:image/png;base64,"))


def test_names_are_escaped(simulation: SimulationResult) -> None:
    changed = simulation.model_copy(update={"title": "<b>mine</b>"})
    page = render_page(changed)
    assert "<b>mine</b>" not in page and "&lt;b&gt;mine" in page


def test_the_same_result_gives_the_same_page(simulation: SimulationResult, tmp_path: Path) -> None:
    write_page(simulation, tmp_path)
    assert (tmp_path / "simulate.html").read_text(encoding="utf-8") == render_page(simulation)
