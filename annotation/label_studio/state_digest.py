"""A digest over all rows of a pilot's state, carried along with every change.

The exclusive or of one mark per row: a row that comes or goes changes it by its own mark, so that a
transaction costs what it changes and not what is there.
"""

import hashlib
import sqlite3

KEY = "digest"  # in the table `about`, whose row of this name is left out

_Value = str | bytes | int | float | None


class StateDigest:
    """The digest of a database that is open.

    Attributes
    ----------
    value : the digest as this connection has followed it; set it when a transaction begins
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.value = 0
        self._connection = connection
        connection.create_function("labelmix_row_changed", -1, self._row_changed)
        # Else a row that is replaced would go without a word.
        connection.execute("PRAGMA recursive_triggers = ON")
        for table, columns in self._tables().items():
            self._follow(table, columns)

    def of_all(self) -> int:
        """The digest of the rows as they stand; reads them all."""
        found = 0
        for table, columns in self._tables().items():
            for row in self._connection.execute(f"SELECT {', '.join(columns)} FROM {table}"):
                if (table, row[0]) != ("about", KEY):
                    found ^= _mark(table, row)
        return found

    def _tables(self) -> dict[str, list[str]]:
        """Columns of every table."""
        names = self._connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: [row[1] for row in self._connection.execute(f"PRAGMA table_info({name})")]
            for (name,) in names
        }

    def _follow(self, table: str, columns: list[str]) -> None:
        for event, sides in (
            ("INSERT", ["NEW"]),
            ("DELETE", ["OLD"]),
            ("UPDATE", ["OLD", "NEW"]),
        ):
            calls = " ".join(
                f"SELECT labelmix_row_changed('{table}', "
                f"{', '.join(f'{side}.{column}' for column in columns)});"
                for side in sides
            )
            self._connection.execute(
                f"CREATE TEMP TRIGGER {event.lower()}_of_{table} AFTER {event} ON main.{table} "
                f"BEGIN {calls} END"
            )

    def _row_changed(self, table: str, *row: _Value) -> None:
        if (table, row[0]) != ("about", KEY):
            self.value ^= _mark(table, row)


def _mark(table: str, row: tuple[_Value, ...]) -> int:
    content = repr((table, *row)).encode("utf-8", "backslashreplace")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")
