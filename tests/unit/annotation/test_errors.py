import json

import pytest

from annotation.errors import (
    LONGEST_LINE,
    LONGEST_VALUE,
    InputError,
    cut_in_the_middle,
    short,
    visible,
)


def test_a_message_is_one_line_of_bounded_length() -> None:
    said = str(InputError("file.csv: row 3:\n" + 50_000 * "x" + "; save it again."))
    assert len(said) == LONGEST_LINE
    assert said.startswith("file.csv: row 3: xxx")
    assert said.endswith("xxx; save it again.")


def test_a_short_message_is_as_it_was() -> None:
    assert str(InputError("file.csv: row 3: is wrong.")) == "file.csv: row 3: is wrong."


@pytest.mark.parametrize(
    "value",
    [10**6 * "x", 10**6 * b"x", [10**5 * "x"], [10**5_000]],
    ids=["text", "bytes", "list", "number"],
)
def test_a_value_is_cut(value: object) -> None:
    assert len(short(value)) <= LONGEST_VALUE


def test_a_value_that_fits_is_as_python_prints_it() -> None:
    assert short(["a", 1.5, None]) == "['a', 1.5, None]"
    assert short("x" * (LONGEST_VALUE - 2)) == "'" + "x" * (LONGEST_VALUE - 2) + "'"


def test_both_ends_of_a_text_stay() -> None:
    assert cut_in_the_middle("abcdefghijklmnopqrstuvwxyz", 16) == "abcdef [...] xyz"
    assert cut_in_the_middle("abcdef", 6) == "abcdef"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\x9b31m", "\\u009b31m"),
        ("a\rb\x07", "a\\u000db\\u0007"),
        ("\u202egnol", "\\u202egnol"),
        ("\ud800", "\\ud800"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("h\u00e4rte \u2265 5", "h\u00e4rte \u2265 5"),
    ],
)
def test_a_terminal_is_given_nothing_that_it_obeys(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_json_stays_the_same_document() -> None:
    document = {"label": "\x1b[31m \x7f \u202e \u2028"}
    assert json.loads(visible(json.dumps(document, ensure_ascii=False))) == document
