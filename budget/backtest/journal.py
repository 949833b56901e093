"""What a backtest has finished, line by line, so that it goes on where it was interrupted."""

import json
import zlib
from pathlib import Path
from typing import Any, Protocol

from annotation.databases import damaged, newer
from annotation.errors import InputError
from annotation.faults import os_failure
from annotation.whole_files import add_whole, check_folder, whole_file, writing

Row = dict[str, Any]


class RowStore(Protocol):
    """Finished rows by key; see `Journal`."""

    def find(self, key: str) -> Row | None:
        """The row of this key; None if there is none."""

    def add(self, key: str, row: Row) -> Row:
        """Keep a row; returns it as it will be read."""


_VERSION = 1
_HEAD = json.dumps({"labelmix_journal": _VERSION}).encode()
_HEAD_BEGINS = b'{"labelmix_journal": '
_ROW_BEGINS = b'{"key"'


class Journal:
    """RowStore by key in a JSONL file; a row is there whole, or not at all.

    The first line says the version of the file; every other line has a checksum. A last line
    without an end is the trace of an interruption: it is cut off. A file of an earlier version,
    without checksums, gets them.

    Raises InputError if the file cannot be opened, is another program's or a newer labelmix wrote
    it; MachineError if it is damaged or the disk fails.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, Row] = {}
        check_folder(path.parent)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise os_failure(path, "used", error) from None
        *lines, last = content.split(b"\n")
        if lines and lines[0].startswith(_HEAD_BEGINS):
            self._read(lines, last)
            rewritten = False
        else:
            self._read_unchecked(lines, last)
            rewritten = True
        with writing(path):
            if rewritten:
                with whole_file(path) as unfinished:
                    unfinished.write_bytes(
                        b"".join([_HEAD, b"\n", *map(_line, self._rows.values())])
                    )
            self._file = path.open("r+b", buffering=0)
            if not rewritten:
                self._file.truncate(len(content) - len(last))

    def _read(self, lines: list[bytes], last: bytes) -> None:
        if lines[0] != _HEAD:
            version = lines[0].removeprefix(_HEAD_BEGINS).removesuffix(b"}")
            if version.isdigit() and int(version) > _VERSION:
                raise newer(self._path, int(version), _VERSION)
            raise self._damaged(1)
        for number, line in enumerate(lines[1:], start=2):
            row = _row(line)
            checked = row is not None and row.pop("checksum", None)
            if row is None or checked != _checksum(row):
                raise self._damaged(number)
            self._rows[row["key"]] = row
        if last[: len(_ROW_BEGINS)] != _ROW_BEGINS[: len(last)]:
            raise self._damaged(len(lines) + 1)

    def _read_unchecked(self, lines: list[bytes], last: bytes) -> None:
        """A file of an earlier version, or another program's."""
        for number, line in enumerate(lines, start=1):
            row = _row(line)
            if row is None:
                raise self._not_ours(number)
            if "checksum" in row:  # then the first line was lost
                raise self._damaged(1)
            self._rows[row["key"]] = row
        whole = _HEAD_BEGINS if not lines else b""  # an interruption at the very beginning
        if all(last[: len(own)] != own[: len(last)] for own in (_ROW_BEGINS, whole) if own):
            raise self._not_ours(len(lines) + 1)

    def _damaged(self, line: int) -> InputError:
        return damaged(
            self._path,
            f"line {line} is not what was kept",
            f"delete {self._path}: the backtest then starts anew",
        )

    def _not_ours(self, line: int) -> InputError:
        return InputError(f"{self._path}: line {line} is no finished result; move the file away.")

    def of_world(self, name: str) -> dict[str, Row]:
        """All rows of a world, by key."""
        return {key: row for key, row in self._rows.items() if row.get("world") == name}

    def find(self, key: str) -> Row | None:
        """The row of this key, the latest of several; None if there is none."""
        return self._rows.get(key)

    def add(self, key: str, row: Row) -> Row:
        """Keep a row; returns it as it will be read."""
        line = _line({"key": key, **row})
        with writing(self._path):
            add_whole(self._file, line)
        kept: Row = json.loads(line)
        del kept["checksum"]
        self._rows[key] = kept
        return kept

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _line(row: Row) -> bytes:
    return json.dumps({**row, "checksum": _checksum(row)}, allow_nan=False).encode() + b"\n"


def _row(line: bytes) -> Row | None:
    """A row as a line has it; None if it has none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("key"), str) else None


def _checksum(row: Row) -> int:
    return zlib.crc32(json.dumps(row).encode())
