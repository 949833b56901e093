"""No kept page of what is simulated tells it as done."""

from pathlib import Path

import pytest

from tests.golden_pages import FOLDER
from tests.told_as_done import told_as_done

REAL = {"judgments"}  # pages on judgments that people gave
PAGES = sorted(path for path in FOLDER.glob("*.txt") if path.stem not in REAL)


def test_words_that_tell_a_purchase_as_made_are_found() -> None:
    assert told_as_done("It has already\nbought 40 labels for 28.25 EUR; 3 are still to buy.")
    assert not told_as_done("To buy beyond it: 3 labels, which would cost 28.25 EUR.")


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_a_page_tells_nothing_simulated_as_done(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if not line.startswith("## ")]  # headings name the cases
    assert told and told_as_done("\n".join(told)) == []
