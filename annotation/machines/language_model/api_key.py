"""The key of an endpoint: from the environment or a file, and never shown to anyone."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from annotation.errors import InputError
from annotation.files import readable

KEY_VARIABLE: Final = "OPENAI_API_KEY"
_LONGEST = 8192  # characters; usual keys have at most some hundred
_HIDDEN = "***"
_NONE = "none"  # what is sent where a server of this machine asks for no key
_OF_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class ApiKey:
    """A key, or none; printing it shows nothing of it."""

    __slots__ = ("_value",)

    def __init__(self, value: str | None) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the client that sends it and for nothing else."""
        return self._value or _NONE

    def redact(self, text: str) -> str:
        """`text` without the key; to be called before a text is cut, or half of it may stay."""
        return text.replace(self._value, _HIDDEN) if self._value else text

    def __repr__(self) -> str:
        return "ApiKey(***)"


def find_key(
    key_file: Path | None,
    variable: str | None,
    url: str,
    environment: Mapping[str, str] = os.environ,
) -> ApiKey:
    """The key from `key_file`, or else from the variable of that name, OPENAI_API_KEY if None.

    A server of this machine at `url` may do without.

    Raises InputError if both are given, there is no key, the file cannot be read, or what it
    holds is no key.
    """
    if key_file is not None and variable is not None:
        raise InputError("--key-file and --key-variable both say where the key is; leave out one.")
    if key_file is not None:
        with readable(key_file):
            return _checked(key_file.read_text(encoding="utf-8-sig"), str(key_file))
    name = variable or KEY_VARIABLE
    text = environment.get(name, "")
    if text.strip():
        return _checked(text, name)
    if variable is None and urlsplit(url).hostname in _OF_THIS_MACHINE:
        return ApiKey(None)
    raise InputError(
        f"no key for {url}: {name} is not set; set it, or give --key-file FILE or "
        "--key-variable NAME."
    )


def _checked(text: str, where: str) -> ApiKey:
    value = text.strip()
    if not value:
        raise InputError(f"{where}: holds no key; copy it from the endpoint's own pages.")
    if len(value) > _LONGEST or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise InputError(f"{where}: should hold a key and nothing else, on one line.")
    return ApiKey(value)
