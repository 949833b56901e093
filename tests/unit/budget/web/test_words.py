"""Special words are explained on the page that they stand on."""

import re
from pathlib import Path

import pytest

from budget.web.pages import TABS
from budget.web.words import OF_PAGES, WORDS, words_of
from tests.unit.budget.web.conftest import Client

GLOSSARY = (Path(__file__).parents[4] / "docs" / "glossary.md").read_text(encoding="utf-8")


def test_every_page_has_its_words_and_every_word_a_page() -> None:
    pages = {tab.path for tabs in TABS.values() for tab in tabs}
    assert pages <= set(OF_PAGES)
    assert {word for words in OF_PAGES.values() for word in words} == set(WORDS)
    assert words_of("nowhere") == []


@pytest.mark.parametrize("word", ["stratum", "judgment", "label", "supplier", "error rate"])
def test_they_mean_what_the_glossary_says(word: str) -> None:
    found = re.search(rf"^\| \*\*{word}\*\* \| (.*) \|$", GLOSSARY, re.MULTILINE)
    assert found, word
    first = WORDS[word].split(". ")[0].rstrip(".").split(",")[0]
    assert first in found[1].replace("`", "")


def test_they_stand_on_the_page_alone(planned: Path, client: Client) -> None:
    own = client(planned)
    assert "Words on this page" in own.get("/folder/c/board").text
    assert "Words on this page" not in own.get("/").text
    assert "Words on this page" not in own.get("/folder/d/board").text
    part = own.get("/folder/c/board", headers={"HX-Request": "true"}).text
    assert "Words on this page" not in part
