"""What all TOML files of labelmix share: strict sections, exact money, one line per error."""

import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
)

from annotation.errors import InputError, short
from annotation.files import readable, too_deep_or_long
from annotation.terms.cost import (
    money,
)

Money = Annotated[Decimal, BeforeValidator(money)]
_LARGEST = 10**6  # bytes of a file that people write by hand
Place = tuple[int | str, ...]  # the keys that lead to a value, and the numbers of a list
Mistake = Literal["missing", "unknown key", "section for a value"]
Remedy = Callable[[Mistake, Place], str]  # what to do about a mistake; "" for nothing more to say


class Section(BaseModel):
    """Base of all sections: a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_toml(
    path: Path, if_absent: str = "", number: Callable[[str], Any] = float
) -> dict[str, Any]:
    """The keys of a TOML file; `number` reads those with a decimal point.

    Raises InputError: no such file (`if_absent` says what to do then), not UTF-8, not TOML (with
    line and column).
    """
    with readable(path, _LARGEST, if_absent):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except IsADirectoryError:
            raise InputError(f"{path}: is a folder; give a .toml file.") from None
    try:
        return tomllib.loads(text, parse_float=number)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {str(error).rstrip('.')}.") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read: {too_deep_or_long(error)}.") from None


# What pydantic puts into the place of an error beside keys: parts of unions, keys of tables.
_NO_KEYS = ("[key]", "constrained-int", "literal['all']")


def first_error(error: ValidationError, remedy: Remedy) -> str:
    """The first thing that is wrong, in one line: where, what, what it says, what to do."""
    errors = error.errors()
    # A misspelt key is the likelier mistake where one is also missing.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    kind, value, keys = first["type"], first.get("input"), first["loc"]
    place = ".".join(str(part) for part in keys if part not in _NO_KEYS)
    if place.startswith("collected."):  # which is written as part of [annotators]
        place = place.replace("collected.", "annotators.", 1)
    if kind == "missing":
        return f"{place} is missing; {remedy('missing', keys)}."
    if kind == "extra_forbidden":
        return f"{place}: no such key; {remedy('unknown key', keys)}."
    if kind == "model_type":
        return f"{place} should be a section, [{place}]; got {short(value)}."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    message = message.replace("Input should", "should").replace("valid tuple", "list")
    is_section = isinstance(value, dict | BaseModel)
    if is_section and (instead := remedy("section for a value", keys)):
        return f"{place}: should be one value; {instead}."
    # The value of a whole section says nothing that the message does not.
    is_told = not place or is_section or "; got " in message
    got = "" if is_told else f"; got {short(value)}"
    return f"{place}: {message}{got}." if place else f"{message}."
