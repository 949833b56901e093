"""Keys come from the environment or a file, and stay hidden."""

from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.machines.language_model.api_key import find_key

FAR, NEAR = "https://api.example.com/v1", "http://127.0.0.1:8000/v1"


def test_where_a_key_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("of-file\n")
    environment = {"OPENAI_API_KEY": "usual", "OTHER": " other "}
    assert find_key(file, None, FAR, environment).reveal() == "of-file"
    assert find_key(None, None, FAR, environment).reveal() == "usual"
    assert find_key(None, "OTHER", FAR, environment).reveal() == "other"


def test_a_server_of_this_machine_may_do_without() -> None:
    key = find_key(None, None, NEAR, {})
    assert key.redact("none") == "none"
    with pytest.raises(InputError, match="no key for https"):
        find_key(None, None, FAR, {})
    with pytest.raises(InputError, match="OTHER is not set"):
        find_key(None, "OTHER", NEAR, {})


@pytest.mark.parametrize("text", ["", "two words", "two\nlines", "x" * 9000, "ключ"])
def test_what_is_no_key_is_not_quoted(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as found:
        find_key(file, None, FAR, {})
    assert not text or text not in str(found.value)


def test_a_key_does_not_print() -> None:
    key = find_key(None, None, FAR, {"OPENAI_API_KEY": "sk-123456"})
    assert "sk-1" not in f"{key} {key!r}"
    assert key.redact("Bearer sk-123456!") == "Bearer ***!"
    with pytest.raises(InputError, match="leave out one"):
        find_key(Path("x"), "Y", FAR, {})
