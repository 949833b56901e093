"""The token for Label Studio: from the environment or a file, and never shown to anyone."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from annotation.errors import InputError
from annotation.files import readable

TOKEN_VARIABLES: Final = ("LABEL_STUDIO_TOKEN", "LABEL_STUDIO_API_KEY")
_LONGEST = 8192  # characters; a JSON web token has a few hundred
_HIDDEN = "***"
# Access tokens are exchanged behind our back; what looks like one is hidden as well.
_WEB_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


class Token:
    """A legacy token or a personal access token; printing it shows nothing of it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The token itself, for the client that sends it and for nothing else."""
        return self._value

    def redact(self, text: str) -> str:
        """`text` without the token, and without anything that looks like a web token."""
        return _WEB_TOKEN.sub(_HIDDEN, text.replace(self._value, _HIDDEN))

    def __repr__(self) -> str:
        return "Token(***)"


def find_token(token_file: Path | None, environment: Mapping[str, str] = os.environ) -> Token:
    """The token from `token_file`, or else from LABEL_STUDIO_TOKEN or LABEL_STUDIO_API_KEY.

    Raises InputError if there is none, the file cannot be read, or what it holds is no token.
    """
    if token_file is not None:
        with readable(token_file):
            text = token_file.read_text(encoding="utf-8-sig")
        return _checked(text, str(token_file))
    for name in TOKEN_VARIABLES:
        if environment.get(name, "").strip():
            return _checked(environment[name], name)
    raise InputError(
        f"no token for Label Studio; set {TOKEN_VARIABLES[0]}, or give --token-file FILE. "
        "Label Studio shows it under Account & Settings."
    )


def _checked(text: str, where: str) -> Token:
    value = text.strip()
    if not value:
        raise InputError(f"{where}: holds no token; copy it from Account & Settings.")
    if len(value) > _LONGEST or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise InputError(f"{where}: should hold a token and nothing else, on one line.")
    return Token(value)
