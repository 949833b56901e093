"""A digest with every entry of the ledger, over its content and the digest before it.

An entry that was changed, exchanged or left out, by a disk or by somebody, does not fit its digest.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from annotation.errors import MachineError
from budget.collection.store.schema import ledger

_CONTENT = tuple(column for column in ledger.columns if column.name != "digest")


def last_digest(connection: Connection) -> str:
    """The digest of the last entry; empty where there is none."""
    query = select(ledger.c.digest).order_by(ledger.c.entry.desc()).limit(1)
    return connection.execute(query).scalar() or ""


def digest(before: str, content: Sequence[Any]) -> str:
    """The digest of an entry: of the one before it, and its values in the order of the table."""
    text = repr((before, *content)).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def check_chain(connection: Connection) -> None:
    """Raise MachineError if an entry of the ledger is not what was written."""
    before = ""
    query = select(*_CONTENT, ledger.c.digest).order_by(ledger.c.entry)
    for *content, kept in connection.execute(query):
        before = digest(before, content)
        if before != kept:
            raise MachineError(
                f"the ledger is damaged: entry {content[0]} is not what was written; put a copy of "
                "the database back."
            )
