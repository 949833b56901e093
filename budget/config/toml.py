"""What all TOML files of labelmix share: strict sections, exact money, one line per error."""

from decimal import Decimal
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
)

from annotation.terms.cost import (
    money,
)

Money = Annotated[Decimal, BeforeValidator(money)]


class Section(BaseModel):
    """Base of all sections: a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def first_error(error: ValidationError) -> str:
    """The first thing that is wrong, in one line: where, what, and what it says."""
    errors = error.errors()
    # A misspelt key is the likelier mistake where one is also missing.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")
    place = (
        place.replace("collected.", "annotators.", 1) if place.startswith("collected.") else place
    )
    kind, value = first["type"], first.get("input")
    if kind == "missing":
        return f"{place} is missing; 'labelmix init' writes a configuration with every key."
    if kind == "extra_forbidden":
        return f"{place}: no such key; 'labelmix init' writes a configuration with every key."
    if kind == "model_type":
        return f"{place} should be a section, [{place}]; got {value!r}."
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    message = message.replace("Input should", "should").replace("valid tuple", "list")
    # The value of a whole section says nothing that the message does not.
    is_told = not place or isinstance(value, dict | BaseModel) or "; got " in message
    got = "" if is_told else f"; got {value!r}"
    return f"{place}: {message}{got}." if place else f"{message}."
