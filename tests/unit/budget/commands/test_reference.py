from pathlib import Path

import pytest

from budget.commands.reference import WIDTH, reference

PAGE = Path(__file__).resolve().parents[4] / "docs" / "cli.md"


def test_the_page_is_what_the_commands_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """On any terminal; where this fails, `make docs` writes the page anew."""
    for width, colours in (("40", "1"), ("300", "")):
        monkeypatch.setenv("COLUMNS", width)
        monkeypatch.setenv("FORCE_COLOR", colours)
        assert reference() == PAGE.read_text(encoding="utf-8")


def test_every_command_has_a_section() -> None:
    sections = [line for line in reference().splitlines() if line.startswith("## ")]
    assert len(sections) == len(set(sections)) >= 20
    assert {"## labelmix", "## labelmix run", "## labelmix judgments report"} <= set(sections)
    assert max(map(len, reference().splitlines())) <= WIDTH
