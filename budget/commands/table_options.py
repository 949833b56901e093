"""How commands are told to read a user's own table: --column and --choices."""

import csv
from collections.abc import Sequence
from typing import Annotated

import typer

ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=COLUMN",
        help="What ITEMS calls it, e.g. question=prompt; may be given several times.",
    ),
]
ChoicesOption = Annotated[
    str | None,
    typer.Option(
        "--choices",
        metavar="A,B,...",
        help="The classes of all items, where ITEMS has no column of choices.",
    ),
]


def read_columns(pairs: Sequence[str]) -> dict[str, str]:
    """Read "question=prompt" and the like: name in the item table -> name in the file.

    Raises InputError if one is malformed, or names the same twice.
    """
    from annotation.errors import InputError

    mapping: dict[str, str] = {}
    for pair in pairs:
        name, sign, column = (part.strip() for part in pair.partition("="))
        if not sign or not name or not column:
            raise InputError(f"--column {pair!r} should be NAME=COLUMN, e.g. question=prompt.")
        if name in mapping:
            raise InputError(f"--column names '{name}' twice; give it once.")
        mapping[name] = column
    return mapping


def read_choices(text: str | None) -> list[str] | None:
    """Read "yes,no": the choices of all items; one that holds a comma stands in quotes.

    Raises InputError if there are fewer than two, one is empty, or one occurs twice.
    """
    from annotation.errors import InputError

    if text is None:
        return None
    choices = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    if len(choices) < 2 or not all(choices) or len(set(choices)) < len(choices):
        raise InputError(
            f"--choices {text!r} should be two or more different classes with commas between "
            "them, e.g. yes,no."
        )
    return choices
