"""Mutations of files whose checksum or format would tell of other bytes.

Results, packed tables, states and stores.
"""

import gzip
import json
import random
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from tests.mutations import ESCAPE, mutated_bytes, mutated_json


def mutated_result(rng: random.Random, content: bytes) -> bytes:
    """A result of values of other kinds, and without the checksum that would tell."""
    document = json.loads(content)
    del document["checksum"]
    return mutated_json(rng, json.dumps(document).encode())


def mutated_packed(rng: random.Random, content: bytes) -> bytes:
    return gzip.compress(mutated_bytes(rng, gzip.decompress(content)), mtime=0)


def change_values(rng: random.Random, database: sqlite3.Connection, tables: list[str]) -> None:
    """Put another value into one or two rows, of one of the tables each."""
    for _ in range(rng.randint(1, 2)):
        table = rng.choice(tables)
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        rows = [row[0] for row in database.execute(f"SELECT rowid FROM {table}")]
        if not rows:
            continue
        value = rng.choice([None, -1, 3.5, 2**62, "", "text", "x" * 6_000, ESCAPE, b"\xff"])
        change = f"UPDATE OR IGNORE {table} SET {rng.choice(columns)} = ? WHERE rowid = ?"
        with suppress(sqlite3.IntegrityError):
            database.execute(change, (value, rng.choice(rows)))


def mutated_state(rng: random.Random, content: bytes) -> bytes:
    """A pilot's state of the first version, without a digest, and with other values in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.sqlite"
        path.write_bytes(content)
        with closing(sqlite3.connect(path)) as state:
            state.execute("DELETE FROM about WHERE key = 'digest'")
            state.execute("UPDATE about SET value = '1' WHERE key = 'version'")
            change_values(rng, state, ["about", "about", "pilot", "tasks", "annotations", "users"])
            state.commit()
        return path.read_bytes()


def mutated_store(rng: random.Random, content: bytes) -> bytes:
    """A collection's store that says other things of itself, or another version."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        path.write_bytes(content)
        with closing(sqlite3.connect(path)) as store:
            change_values(rng, store, ["about", "about", "about", "labelmix_version"])
            store.commit()
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()
