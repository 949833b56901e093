"""Whether a collection's database has changed since somebody looked: a text that says which state.

It is asked for about every second while a page is open. Of an SQLite file the system tells it;
of PostgreSQL the newest row of every table does.
"""

from pathlib import Path

from sqlalchemy import text

from annotation.faults import os_failure
from budget.collection.store.database import Database
from budget.collection.store.schema import metadata

# Every row of PostgreSQL knows the transaction that wrote it last.
_NEWEST = " UNION ALL ".join(
    f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name}"
    for name in sorted(metadata.tables)
)


def stamp(database: Database) -> str:
    """Differs after every change; may differ where nothing has changed.

    Raises MachineError if the database cannot be read.
    """
    path = database.address.path
    if path is not None:
        return f"{_of_file(path)} {_of_file(path.with_name(f'{path.name}-wal'))}"
    with database.reading() as connection:
        return " ".join(f"{rows}:{newest}" for _, rows, newest in connection.execute(text(_NEWEST)))


def _of_file(path: Path) -> str:
    """Which file it is, its size, and when it was written; an empty one is as none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return "none"
    except OSError as error:
        raise os_failure(path, "read", error) from None
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}" if found.st_size else "none"
