import re
from pathlib import Path

import pytest

from tests import golden_pages

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pages of its own, that are compared."""
    monkeypatch.setattr(golden_pages, "FOLDER", tmp_path / "tests" / "golden")
    monkeypatch.setattr(golden_pages, "_updating", False)
    return tmp_path / "tests" / "golden"


def test_a_page_has_a_heading_for_each_situation() -> None:
    assert golden_pages.page({"one": "Said.", "two": ["First.", "Second."], "three": []}) == (
        "## one\nSaid.\n\n## two\nFirst.\nSecond.\n\n## three\n(nothing)"
    )


def test_a_page_is_kept_and_then_compared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.fail.Exception, match="there is no such page yet"):
        golden_pages.check("new", "one\ntwo")
    assert not folder.exists()
    monkeypatch.setattr(golden_pages, "_updating", True)
    golden_pages.check("new", "one  \ntwo\n\n")
    assert (folder / "new.txt").read_text() == "one\ntwo\n"
    monkeypatch.setattr(golden_pages, "_updating", False)
    golden_pages.check("new", "one\ntwo ")
    with pytest.raises(pytest.fail.Exception, match=r"golden.new\.txt: (.|\n)*-two\n\+three\n"):
        golden_pages.check("new", "one\nthree")
    assert (folder / "new.txt").read_text() == "one\ntwo\n"


def test_every_kept_page_belongs_to_a_test() -> None:
    called = re.compile(r'golden_pages\.check\(\s*f?"([^"]+)"')
    names = [
        re.sub(r"\\{.*?\\}", ".+", re.escape(name))
        for file in TESTS.rglob("test_*.py")
        for name in called.findall(file.read_text(encoding="utf-8"))
    ]
    kept = [path.stem for path in golden_pages.FOLDER.iterdir()]
    assert len(kept) >= 10
    assert [name for name in kept if not any(re.fullmatch(own, name) for own in names)] == []
