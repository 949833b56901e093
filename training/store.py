"""Trials and their results, kept in SQLite under the trial's key."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import numpy as np

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
    finished_at TEXT NOT NULL DEFAULT (datetime('now'))
)
"""
_RESULT_COLUMNS = "test_items, correct, seconds, peak_memory_bytes, device, details"


class TrialStore:
    """Every finished trial, written at once and whole.

    Raises InputError if the file is no such store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{path.parent}: cannot be made a folder ({error.strerror}); give another --out."
            ) from None
        try:
            self._connection = sqlite3.connect(path, timeout=60)
            # With a write-ahead log a process killed at any point leaves whole trials only.
            self._connection.execute("PRAGMA journal_mode=WAL")
            with self._connection:
                self._connection.execute(_SCHEMA)
                # Another program's table of this name would fail only at the first result.
                self._connection.execute(f"SELECT key, trial, {_RESULT_COLUMNS} FROM trials")
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"{path}: not a store of trials ({error}); move it away or give another --out."
            ) from None

    def __enter__(self) -> "TrialStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM trials").fetchone()[0])

    def put(self, trial: Trial, result: TrialResult) -> None:
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO trials (key, trial, test_items, correct, seconds,"
                " peak_memory_bytes, device, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    trial.key,
                    json.dumps(trial.record(), sort_keys=True),
                    result.correct.size,
                    np.packbits(result.correct).tobytes(),
                    result.seconds,
                    result.peak_memory_bytes,
                    result.device,
                    json.dumps(result.details, sort_keys=True),
                ),
            )

    def get(self, trial: Trial) -> TrialResult | None:
        row = self._connection.execute(
            f"SELECT {_RESULT_COLUMNS} FROM trials WHERE key = ?", (trial.key,)
        ).fetchone()
        if row is None:
            return None
        bits = np.unpackbits(np.frombuffer(row[1], dtype=np.uint8), count=row[0])
        return TrialResult(bits.astype(bool), row[2], row[3], row[4], json.loads(row[5]))

    def missing(self, trials: Iterable[Trial]) -> list[Trial]:
        """Those not yet kept, each once, in order."""
        return [t for t in {t.key: t for t in trials}.values() if self.get(t) is None]
