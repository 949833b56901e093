from decimal import Decimal

import pytest

from annotation.errors import InputError
from budget.commands.name_value import (
    minutes_to_seconds,
    read_amounts,
    read_costs,
    read_counts,
    read_hours,
    read_numbers,
    read_pairs,
    read_rates,
)
from budget.commands.options import read_choices, read_columns

TASKS = ("--tasks", "STRATUM=NUMBER, e.g. easy=100")


def test_an_option_that_was_not_given_names_nothing() -> None:
    assert read_pairs(None, "--role", "A=B") == {}
    assert read_counts(None, *TASKS) == {}
    assert read_amounts(None, "--rate") == ({}, None)


def test_pairs() -> None:
    assert read_pairs(["a=b@c=expert", " x = y "], "--role", "A=B") == {"a=b@c": "expert", "x": "y"}


@pytest.mark.parametrize("wrong", ["easy", "=3", "easy=", " = ", ""])
def test_what_is_no_pair_is_told_with_an_example(wrong: str) -> None:
    with pytest.raises(InputError) as caught:
        read_counts([wrong], *TASKS)
    shown = " ".join(f"--tasks '{wrong}': should be STRATUM=NUMBER, e.g. easy=100.".split())
    assert str(caught.value) == shown


def test_a_name_is_given_once() -> None:
    with pytest.raises(InputError, match="--tasks 'easy=2': 'easy' is given twice"):
        read_counts(["easy=1", "hard=1", "easy=2"], *TASKS)


def test_whole_numbers() -> None:
    assert read_counts(["easy=10", "x=y=3", "hard=0"], *TASKS) == {"easy": 10, "x=y": 3, "hard": 0}
    for wrong in ("-1", "1.5", "many", "9" * 5000, "\u0663", "1e3"):
        with pytest.raises(InputError, match=r"--tasks easy=.+: should be a whole number, at le"):
            read_counts([f"easy={wrong}"], *TASKS)
    with pytest.raises(InputError, match="--labels easy=0: should be a whole number, at least 1"):
        read_counts(["easy=0"], "--labels", "STRATUM=NUMBER", at_least=1)


def test_numbers() -> None:
    assert read_numbers(["a=-1.5", "b=1e3"], "--hardness", "A=B") == {"a": -1.5, "b": 1000}
    for wrong in ("x", "nan", "inf"):
        with pytest.raises(InputError, match=f"--hardness a={wrong}: should be a number."):
            read_numbers([f"a={wrong}"], "--hardness", "A=B")


def test_the_last_cost_counts() -> None:
    assert read_costs(["easy=9", "hard=3", "easy=0.5"], "--cost", "A=B") == {
        "easy": Decimal("0.5"),
        "hard": Decimal(3),
    }


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("hard", ["--cost 'hard': should be STRATUM=COST, e.g. hard=3."]),
        ("hard=", ["--cost 'hard=': should be STRATUM=COST"]),
        ("hard=dear", ["--cost hard=dear: ", "should be a number; got 'dear'"]),
        ("hard=-2", ["--cost hard=-2: ", "should not be negative"]),
        ("hard=nan", ["--cost hard=nan: ", "finite"]),
    ],
)
def test_costs_that_are_none(given: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read_costs([given], "--cost", "STRATUM=COST, e.g. hard=3")
    for part in parts:
        assert part in str(caught.value)


def test_hours() -> None:
    assert read_hours(["expert=2", "expert=2.5"], "--hours", "A=B") == {"expert": Decimal("2.5")}
    for wrong in ("-1", "many", "nan"):
        with pytest.raises(InputError, match=f"--hours expert={wrong}: should be a number of hou"):
            read_hours([f"expert={wrong}"], "--hours", "A=B")


def test_amounts_by_name_and_for_all_others() -> None:
    named, usual = read_amounts(["crowd=12.5", "18", "a=b@c=3"], "--rate")
    assert named == {"crowd": Decimal("12.5"), "a=b@c": Decimal(3)}
    assert usual == 18
    for texts in (["crowd=x"], ["-3"], ["1", "2"], ["a=1", "a=2"], ["=5"], ["a="]):
        with pytest.raises(InputError, match="--rate"):
            read_amounts(texts, "--rate")


def test_rates() -> None:
    rates = read_rates(["18", "bob=40"], ".05", ["hard=500"])
    assert (rates.usual, rates.fee) == (Decimal(18), Decimal("0.05"))
    assert rates.per_hour == {"bob": Decimal(40)}
    assert rates.recruiting == {"hard": Decimal(500)}
    assert not read_rates(None, None, None).are_known
    piece = read_rates(None, ".05", ["hard=500"])
    assert piece.are_known
    assert not piece.pay_hours


def test_minutes() -> None:
    assert minutes_to_seconds(1.5, "--idle-cap") == 90
    for wrong in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(InputError, match="--idle-cap should be a number of minutes above 0"):
            minutes_to_seconds(wrong, "--idle-cap")


def test_columns_may_hold_equals_signs() -> None:
    assert read_columns(["question=a=b", "answer=gold"]) == {"question": "a=b", "answer": "gold"}
    with pytest.raises(InputError, match="--column 'a': should be NAME=COLUMN"):
        read_columns(["a"])
    with pytest.raises(InputError, match="'question' is given twice"):
        read_columns(["question=a", "question=b"])


def test_choices_that_hold_a_comma_stand_in_quotes() -> None:
    assert read_choices(None) is None
    assert read_choices('yes, no, "well, perhaps"') == ["yes", "no", "well, perhaps"]
    for wrong in ("", "a", "a,,b", "a,a"):
        with pytest.raises(InputError, match="should be two or more different classes"):
            read_choices(wrong)
