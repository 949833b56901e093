"""Trials and their results, kept in SQLite under the trial's key."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from annotation.databases import (
    checksum,
    connected,
    damaged,
    database_errors,
    newer,
    not_another_file,
)
from annotation.errors import InputError
from training.trial import Trial, TrialResult

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trials (
    key TEXT PRIMARY KEY,
    trial TEXT NOT NULL,
    test_items INTEGER NOT NULL,
    correct BLOB NOT NULL,
    seconds REAL NOT NULL,
    peak_memory_bytes INTEGER NOT NULL,
    device TEXT NOT NULL,
    details TEXT NOT NULL,
    finished_at TEXT NOT NULL DEFAULT (datetime('now')),
    checksum INTEGER
)
"""
_VERSION = 1  # 0 had no checksums
_RESULT_COLUMNS = "test_items, correct, seconds, peak_memory_bytes, device, details"
_CHECKED = f"key, trial, {_RESULT_COLUMNS}"


class TrialStore:
    """Every finished trial, written at once and whole; what was damaged since is refused.

    Raises InputError if the file is no such store, or a newer labelmix wrote it; MachineError if
    it is damaged or cannot be read or written, in every call.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        not_another_file(path, "a store of trials")
        with self._errors():
            self._connection = connected(path)
            try:
                # With a write-ahead log a process killed at any point leaves whole trials only.
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        """Make the table, or bring that of an earlier version up to this one."""
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise newer(self.path, version, _VERSION)
        with self._connection:
            self._connection.execute(_SCHEMA)
            # Another program's table of this name would fail only at the first result.
            try:
                self._connection.execute(f"SELECT {_CHECKED} FROM trials")
            except sqlite3.OperationalError as error:
                raise InputError(
                    f"{self.path}: not a store of trials ({error}); move it away or name another "
                    "folder."
                ) from None
            if version < _VERSION:
                self._add_checksums()
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")

    def _add_checksums(self) -> None:
        columns = self._connection.execute("PRAGMA table_info(trials)")
        if "checksum" not in [column[1] for column in columns]:
            self._connection.execute("ALTER TABLE trials ADD COLUMN checksum INTEGER")
        rows = self._connection.execute(
            f"SELECT {_CHECKED} FROM trials WHERE checksum IS NULL"
        ).fetchall()
        for key, _, *result in rows:
            wrong = _wrong_column(*result)
            if wrong is not None:
                what = f"the {wrong} of trial {str(key)[:12]} cannot be"
                raise damaged(self.path, what, self._remedy)
        self._connection.executemany(
            "UPDATE trials SET checksum = ? WHERE key = ?",
            [(checksum(row), row[0]) for row in rows],
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with database_errors(self.path, self._remedy):
            yield

    @property
    def _remedy(self) -> str:
        return f"delete {self.path} and start again: its trials are then run anew"

    def __enter__(self) -> "TrialStore":
        return self

    def __exit__(self, *_: object) -> None:
        with self._errors():
            self._connection.close()

    def __len__(self) -> int:
        with self._errors():
            return int(self._connection.execute("SELECT count(*) FROM trials").fetchone()[0])

    def put(self, trial: Trial, result: TrialResult) -> None:
        row = (
            trial.key,
            json.dumps(trial.record(), sort_keys=True),
            result.correct.size,
            np.packbits(result.correct).tobytes(),
            float(result.seconds),
            int(result.peak_memory_bytes),
            result.device,
            json.dumps(result.details, sort_keys=True),
        )
        with self._errors(), self._connection:
            self._connection.execute(
                f"INSERT OR REPLACE INTO trials ({_CHECKED}, checksum)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, checksum(row)),
            )

    def get(self, trial: Trial) -> TrialResult | None:
        with self._errors():
            row = self._connection.execute(
                f"SELECT checksum, {_CHECKED} FROM trials WHERE key = ?", (trial.key,)
            ).fetchone()
            return None if row is None else self._result(*row)

    def _result(self, kept: int, *row: Any) -> TrialResult:  # noqa: ANN401 - columns of a row
        key, _, test_items, correct, seconds, memory, device, details = row
        if kept != checksum(row):
            raise damaged(
                self.path, f"the result of trial {key[:12]} is not what was kept", self._remedy
            )
        bits = np.unpackbits(np.frombuffer(correct, dtype=np.uint8), count=test_items)
        return TrialResult(bits.astype(bool), seconds, memory, device, json.loads(details))

    def missing(self, trials: Iterable[Trial]) -> list[Trial]:
        """Those not yet kept, each once, in order."""
        return [t for t in {t.key: t for t in trials}.values() if self.get(t) is None]


def _wrong_column(
    test_items: object,
    correct: object,
    seconds: object,
    memory: object,
    device: object,
    details: object,
) -> str | None:
    """The first column whose value is no part of a result; None if all can be used."""
    if not isinstance(test_items, int) or test_items < 1:
        return "test_items"
    if not isinstance(correct, bytes) or len(correct) != (test_items + 7) // 8:
        return "correct"
    if not isinstance(seconds, float) or not 0 <= seconds < float("inf"):
        return "seconds"
    if not isinstance(memory, int) or memory < 0:
        return "peak_memory_bytes"
    if not isinstance(device, str):
        return "device"
    try:
        is_object = isinstance(details, str) and isinstance(json.loads(details), dict)
    except (ValueError, RecursionError):
        is_object = False
    return None if is_object else "details"
