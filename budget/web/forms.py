"""What browsers send: few short fields, from forms that were made here."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request

from annotation.errors import InputError, short
from budget.web.sessions import Sessions

_MOST_FIELDS = 50
LONGEST = 2_000  # characters of a field


async def read_form(request: Request, sessions: Sessions) -> Mapping[str, str]:
    """The fields of a form.

    Raises HTTPException 403 if it was not made here for this browser; InputError if a field is too
    long or no text.
    """
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        found = {name: value for name, value in form.items() if isinstance(value, str)}
    if not sessions.is_form_token(request, found.get("form_token", "")):
        raise HTTPException(
            403,
            "This form was made before labelmix app was started, or elsewhere; load its page "
            "again.",
        )
    for name, value in found.items():
        if len(value) > LONGEST:
            raise InputError(f"{short(name)} has more than {LONGEST:,} characters; shorten it.")
    return found


def text_of(form: Mapping[str, str], name: str, what: str) -> str:
    """A field that has to say something; `what` it is begins the message.

    Raises InputError if it is empty.
    """
    value = form.get(name, "").strip()
    if not value:
        raise InputError(f"{what} is missing; fill it in.")
    return value


def number_of(form: Mapping[str, str], name: str, what: str) -> int:
    """A field that holds a whole number of at most 9 digits.

    Raises InputError if it is none.
    """
    value = form.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) <= 9):
        raise InputError(f"{what} should be a whole number; got {short(value)}.")
    return int(value)
