from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from annotation.errors import InputError
from budget.config.toml import Mistake, Money, Place, Section, first_error, read_toml


class Wheels(Section):
    number: int = 4
    sizes: tuple[int, ...] = ()


class Cart(Section):
    wheels: Wheels = Wheels()
    price: Money


def remedy(mistake: Mistake, place: Place) -> str:
    texts: dict[Mistake, str] = {
        "missing": "give it",
        "unknown key": f"leave '{place[-1]}' out",
        "section for a value": "",
    }
    return texts[mistake]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "price is missing; give it."),
        ({"price": 1, "wheel": 2}, "wheel: no such key; leave 'wheel' out."),
        ({"wheel": 2}, "wheel: no such key; leave 'wheel' out."),  # likelier than what is missing
        ({"price": 1, "wheels": 3}, "wheels should be a section, [wheels]; got 3."),
        (
            {"price": 1, "wheels": {"number": "no"}},
            "wheels.number: should be a valid integer, unable to parse string as an integer; got "
            "'no'.",
        ),
        (
            {"price": 1, "wheels": {"sizes": 3}},
            "wheels.sizes: should be a list; got 3.",
        ),
        ({"price": -1}, "price: an amount of money should not be negative; got -1."),
    ],
)
def test_the_first_error_in_one_line(raw: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Cart.model_validate(raw)
    assert first_error(caught.value, remedy) == message


def test_a_section_where_one_value_should_be() -> None:
    with pytest.raises(ValidationError) as caught:
        Cart.model_validate({"price": {"easy": 1}})
    told = first_error(caught.value, lambda mistake, place: f"{mistake} at {place[0]}")
    assert told == "price: should be one value; section for a value at price."
    assert first_error(caught.value, remedy).startswith("price: an amount of money should be a num")


def test_numbers_are_read_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("share = 0.1\n", encoding="utf-8-sig")  # as some editors do
    assert read_toml(path) == {"share": 0.1}
    assert read_toml(path, number=Decimal) == {"share": Decimal("0.1")}


def test_what_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"

    def problem(if_absent: str = "") -> str:
        with pytest.raises(InputError) as caught:
            read_toml(path, if_absent)
        return str(caught.value)

    assert problem() == f"{path}: no such file."
    assert problem("write one") == f"{path}: no such file; write one."
    path.mkdir()
    assert problem() == f"{path}: is a folder; give a .toml file."
    path.rmdir()
    path.write_bytes(b"a = '\xff'")
    assert "is not UTF-8 text (byte 5)" in problem()
    path.write_text("a = 1\nb = \n")
    assert problem().startswith(f"{path}: not valid TOML: ") and "line 2" in problem()
