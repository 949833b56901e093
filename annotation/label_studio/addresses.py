"""Addresses in messages: shown without passwords and queries, which may hold secrets."""

import re

_USER = re.compile(r"(?<=[/\\])[^\s/\\?#]*@")
_QUERY = re.compile(r"(?<=[^\s\"'<>?#])[?#;][^\s\"'<>?#;=&]+=[^\s\"'<>]*")
_OF_ADDRESS = re.compile(r"(https?:[/\\]+[^\s\"'<>?#]*)[?#][^\s\"'<>]*", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """A text whose addresses have neither user and password, nor a query or fragment."""
    return _QUERY.sub("", _OF_ADDRESS.sub(r"\1", _USER.sub("", text)))


def bounded(text: str, longest: int = 400) -> str:
    """A text on one line, cut where it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 3] + "..."
