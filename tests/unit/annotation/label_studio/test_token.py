from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.label_studio.token import Token, find_token


def test_file_comes_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    environment = {"LABEL_STUDIO_TOKEN": " from-variable ", "LABEL_STUDIO_API_KEY": "other"}
    assert find_token(file, environment).reveal() == "from-file"
    assert find_token(None, environment).reveal() == "from-variable"
    del environment["LABEL_STUDIO_TOKEN"]
    assert find_token(None, environment).reveal() == "other"


def test_absent_token_says_where_it_belongs() -> None:
    with pytest.raises(InputError, match=r"set LABEL_STUDIO_TOKEN, or give --token-file"):
        find_token(None, {"LABEL_STUDIO_TOKEN": " "})


@pytest.mark.parametrize("content", ["", " \n", "two words", "two\nlines", "smörgås", "x" * 9000])
def test_what_is_no_token_is_refused_without_being_shown(content: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="token") as refusal:
        find_token(file, {})
    shown = str(refusal.value).removeprefix(str(file))
    assert not content.strip() or content.strip() not in shown


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such file"):
        find_token(tmp_path / "nowhere", {})


def test_printing_and_redacting_hide_it() -> None:
    token = Token("0123456789abcdef")
    assert "0123" not in f"{token} {token!r}"
    exchanged = "eyJhbGciOiJI.eyJ0b2tlbl90.c2lnbmF0dXJl-_x"
    assert token.redact(f"a 0123456789abcdef b {exchanged} c") == "a *** b *** c"
