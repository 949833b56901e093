"""Where the page is served, to whom, and what it shows; checked before anything listens."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from annotation.errors import InputError, short
from annotation.files import readable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FEWEST_SIGNS = 16  # of a token: about 80 bits where it is drawn at random
_MOST_SIGNS = 4_096


@dataclass(frozen=True)
class WebSettings:
    """What `labelmix app` was told.

    Attributes
    ----------
    folders : what is shown: folders of runs and collections, or folders that hold some
    host, port : where to listen
    names : what browsers may call this machine, beside its loopback names
    token : what has to be known to see anything; None: nothing, on loopback alone
    who : stands in the field that asks who decides; empty where people differ
    zone : time zone in which days begin
    """

    folders: tuple[Path, ...]
    host: str = "127.0.0.1"
    port: int = 8780
    names: tuple[str, ...] = ()
    token: str | None = None
    who: str = ""
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if not self.is_loopback and self.token is None:
            raise InputError(
                f"--host {short(self.host)}: others can reach this address, so --token-file is "
                "needed, a file with a long random word; and put a server with TLS in front."
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the page."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_token(path: Path) -> str:
    """The token in a file.

    Raises InputError if it cannot be read, or holds no word of 16 signs and more.
    """
    with readable(path):
        token = path.read_text(encoding="utf-8-sig").strip()
    if not re.fullmatch(rf"[\x21-\x7e]{{{_FEWEST_SIGNS},{_MOST_SIGNS}}}", token):
        raise InputError(
            f"{path}: should hold one word of {_FEWEST_SIGNS} signs or more and nothing else, such "
            "as 'python -c \"import secrets; print(secrets.token_urlsafe())\"' prints."
        )
    return token
