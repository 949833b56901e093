"""Pages of words, kept whole in tests/golden: a change of wording is read as the diff of a page.

    pytest --golden-update

writes what the tests make now; look at `git diff tests/golden` before you keep it.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"

_updating = False


def begin(update: bool) -> None:
    """Say once, before any test, whether pages are to be rewritten instead of compared."""
    global _updating
    _updating = update


def page(parts: Mapping[str, str | Iterable[str]]) -> str:
    """A page that says of every situation what is told there: a heading, then its paragraphs."""
    blocks = []
    for heading, said in parts.items():
        paragraphs = [said] if isinstance(said, str) else list(said)
        blocks.append("\n".join([f"## {heading}", *(paragraphs or ["(nothing)"])]))
    return "\n\n".join(blocks)


def check(name: str, text: str) -> None:
    """Compare a page with tests/golden/NAME.txt; blanks at the ends of lines do not count."""
    path = FOLDER / f"{name}.txt"
    now = "\n".join(line.rstrip() for line in text.rstrip().splitlines()) + "\n"
    was = path.read_text(encoding="utf-8") if path.exists() else ""
    if now == was:
        return
    if _updating:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now, encoding="utf-8")
        return
    changes = difflib.unified_diff(
        was.splitlines(), now.splitlines(), "as it is kept", "as it is now", lineterm=""
    )
    what = "\n".join(changes) if was else "there is no such page yet"
    pytest.fail(
        f"{path.relative_to(FOLDER.parent.parent)}: {what}\n"
        "If it should read so, `pytest --golden-update` keeps it.",
        pytrace=False,
    )
