"""Identifiers that a spreadsheet or a table of floats changed."""

import pytest

from annotation.items.identifiers import NumberedNames, first_same_number, rounded_identifier


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["q1", "1.23457E+15"], "is a number that lost its last digits"),
        (["570306133677760000"], "it ends in zeros after 15 digits"),
        (["7", "1234567890123450", "1234567890123470"], "as all numbers so long do here"),
        (["570306133677760512", "570306133677760576"], "that a table of floats can hold"),
    ],
)
def test_numbers_that_lost_digits_are_told(names: list[str], says: str) -> None:
    found = rounded_identifier(names)
    assert found is not None
    assert found[0] == next(name for name in names if len(name) > 10)
    assert says in found[1]


@pytest.mark.parametrize(
    "names",
    [
        ["7", "007", "q1"],
        ["1234567890123450"],  # one in ten ends so
        ["1234567890123450", "1234567890123451"],
        ["570306133677760512", "570306133677760519"],
        ["100000000000000", "200000000000000"],  # fifteen digits, none lost
        ["9.5", "v1.0", "a+b"],
        [],
    ],
)
def test_other_names_are_not(names: list[str]) -> None:
    assert rounded_identifier(names) is None


@pytest.mark.parametrize(
    ("name", "items", "says"),
    [
        ("7", ["007", "8"], "'007' is the same number written in another way"),
        ("007", ["7", "8"], "'7' is the same number"),
        ("7.0", ["7"], "'7' is the same number"),
        ("1.23457E+15", ["1234571234567890"], "'1234571234567890' may be the same number with"),
        ("570306133677760000", ["570306133677760123", "570306133677770123"], "760123' may be"),
        ("570306133677760123", ["570306133677760000"], "760000' may be"),
        ("570306133677760512", ["570306133677760519"], "760519' may be"),
        ("570306133677760519", ["570306133677760512"], "760512' may be"),
    ],
)
def test_a_name_that_may_be_another_is_told_and_not_joined(
    name: str, items: list[str], says: str
) -> None:
    assert says in NumberedNames(items).problem(name)


@pytest.mark.parametrize(
    ("name", "items"),
    [("7", ["8", "70"]), ("q7", ["7"]), ("123456", ["123457"]), ("1e400", ["1"]), ("-7", ["7"])],
)
def test_other_numbers_are_not_told(name: str, items: list[str]) -> None:
    assert NumberedNames(items).problem(name) == ""


def test_names_of_one_number_are_told_among_themselves() -> None:
    found = first_same_number(["7", "8", "007"])
    assert found is not None
    assert found[0] == "7"
    assert found[1].startswith("counts by itself, but '007' is the same number")
    for others in (["7", "8"], ["07", "8"], ["570306133677760512", "570306133677760519"], ["7a"]):
        assert first_same_number(others) is None
