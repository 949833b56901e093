"""What a backtest has finished, line by line, so that it goes on where it was interrupted."""

import json
import os
from pathlib import Path
from typing import Any, NoReturn, Protocol

from annotation.errors import InputError
from annotation.files import check_folder

Row = dict[str, Any]


class RowStore(Protocol):
    """Finished rows by key; see `Journal`."""

    def find(self, key: str) -> Row | None:
        """The row of this key; None if there is none."""

    def add(self, key: str, row: Row) -> Row:
        """Keep a row; returns it as it will be read."""


_BEGINNING = b'{"key"'


class Journal:
    """RowStore by key in a JSONL file; a row is there whole, or not at all.

    A last line without an end is the trace of an interruption: it is cut off.

    Raises InputError if the file cannot be opened or a whole line is no row.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Row] = {}
        check_folder(path.parent)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            self._file.seek(0)
            content = self._file.read()
        except OSError as error:
            raise InputError(f"{path}: cannot be used: {error.strerror or error}.") from None
        *lines, last = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                self._rows[row["key"]] = row
            except (ValueError, KeyError, TypeError):
                self._refuse(number)
        if last[: len(_BEGINNING)] != _BEGINNING[: len(last)]:
            self._refuse(len(lines) + 1)
        self._file.truncate(len(content) - len(last))

    def _refuse(self, line: int) -> NoReturn:
        self._file.close()
        raise InputError(f"{self._path}: line {line} is no finished result; move the file away.")

    def of_world(self, name: str) -> dict[str, Row]:
        """All rows of a world, by key."""
        return {key: row for key, row in self._rows.items() if row.get("world") == name}

    def find(self, key: str) -> Row | None:
        """The row of this key, the latest of several; None if there is none."""
        return self._rows.get(key)

    def add(self, key: str, row: Row) -> Row:
        """Keep a row; returns it as it will be read."""
        line = json.dumps({"key": key, **row}, allow_nan=False)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._rows[key] = json.loads(line)
        return self._rows[key]

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
