"""Where a collection's store is: an SQLite file, or the URL of a PostgreSQL database."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from annotation.errors import InputError, short

_POSTGRESQL = ("postgresql", "postgres", "postgresql+psycopg")
_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


@dataclass(frozen=True)
class StoreAddress:
    """Where a store is.

    Attributes
    ----------
    shown : for people; never a password
    path : the SQLite file; None for PostgreSQL
    url : the URL of PostgreSQL, with its password; None for SQLite
    """

    shown: str
    path: Path | None
    url: URL | None = field(repr=False)


def store_address(where: str | Path) -> StoreAddress:
    """Read where a store is.

    Parameters
    ----------
    where
        The path of an SQLite file, or the URL of a PostgreSQL database
        (postgresql://USER:PASSWORD@HOST:PORT/DATABASE; the password may also stand in PGPASSWORD
        or ~/.pgpass, where PostgreSQL's own programs look for it) or of an SQLite file
        (sqlite:///PATH).

    Raises
    ------
    InputError
        If it is neither. The message does not repeat what was given: it may hold a password.
    """
    if isinstance(where, Path):
        return StoreAddress(str(where), where, None)
    scheme, separator, rest = where.partition("://")
    if scheme == "sqlite" and separator and rest.startswith("/") and rest != "/":
        return store_address(Path(rest[1:]))
    if separator and scheme in _POSTGRESQL:
        return _postgresql(where)
    told = f" begins with {short(scheme + separator)}" if _is_scheme(scheme, separator) else ""
    raise InputError(
        f"the database{told or ' has no address that labelmix knows'}; write {_FORM}, or leave it "
        "out: the collection is then kept in a file of its folder."
    )


def _is_scheme(scheme: str, separator: str) -> bool:
    return bool(separator and re.fullmatch(r"[a-z][a-z0-9+.-]{0,30}", scheme, re.IGNORECASE))


def _postgresql(where: str) -> StoreAddress:
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        url = None
    if url is None or not url.database:
        raise InputError(
            f"the URL of the PostgreSQL database cannot be read; write {_FORM}, with signs such as "
            "@, :, / and % in the password as %40, %3A, %2F and %25."
        )
    host = url.host or "this machine"
    port = f":{url.port}" if url.port else ""
    user = f"{url.username}@" if url.username else ""
    shown = f"PostgreSQL database {url.database} of {user}{host}{port}"
    return StoreAddress(shown, None, url.set(drivername="postgresql+psycopg"))
