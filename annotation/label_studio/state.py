"""What we know of a pilot, in one SQLite file: what was sent, and what came back.

Every change is one transaction, so that an interruption at any moment leaves a state that the
next push or pull goes on from. A digest of all rows tells whether the file was damaged. Nothing in
it tells the token.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import Any, Self

from annotation.databases import connected, damaged, database_errors, newer, not_another_file
from annotation.label_studio.answers import Judgment
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.state_digest import KEY, StateDigest
from annotation.label_studio.state_values import wrong_value
from annotation.leftovers import remove_leftovers, unfinished_ending
from annotation.whole_files import writing

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS pilot (
    item_id TEXT PRIMARY KEY, stratum TEXT NOT NULL, gold TEXT
);
CREATE TABLE IF NOT EXISTS tasks (
    task_id INTEGER PRIMARY KEY, item_id TEXT, stratum TEXT, updated_at TEXT NOT NULL,
    pass INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS annotations (
    annotation_id INTEGER PRIMARY KEY,
    task_id INTEGER NOT NULL REFERENCES tasks (task_id) ON DELETE CASCADE,
    annotator INTEGER, label TEXT, seconds REAL, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL, cancelled INTEGER NOT NULL, problem TEXT
);
CREATE INDEX IF NOT EXISTS annotations_of_task ON annotations (task_id);
CREATE TABLE IF NOT EXISTS users (user_id INTEGER PRIMARY KEY, name TEXT NOT NULL);
"""
_VERSION = 2  # 1 had no digest
IN_MEMORY = Path(":memory:")  # a state that is not kept
_FIXED = "%Y-%m-%dT%H:%M:%S.%f+00:00"  # texts in this form are in the order of time


class PilotState:
    """The file, open; also a context manager.

    Raises InputError if the file cannot be opened, is something else or of a newer labelmix;
    MachineError if it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path != IN_MEMORY:
            self._check_file()
        self._open(path)

    def _open(self, path: Path) -> None:
        with database_errors(path, self._remedy):
            self._db = connected(path, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _check_file(self) -> None:
        not_another_file(self.path, "a pilot's state")
        if not self.path.exists():
            self._make_file()
        elif not self.path.stat().st_size:
            # Taken for a new one, it would have everything sent and paid once more.
            raise damaged(self.path, "it is empty", self._remedy)

    def _make_file(self) -> None:
        """Make the file whole under another name first: another process never meets it empty."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self.path)
            # Right answers and people's addresses: mkstemp keeps them for who runs this alone.
            number, name = mkstemp(unfinished_ending(), f".{self.path.name}.", dir=self.path.parent)
            os.close(number)
            try:
                self._open(Path(name))
                self.close()
                with suppress(FileExistsError):  # another process was first
                    try:
                        os.link(name, self.path)
                    except PermissionError:  # a disk that has no hard links
                        Path(name).replace(self.path)
            finally:
                Path(name).unlink(missing_ok=True)

    @property
    def _remedy(self) -> str:
        return (
            f"put a copy of it back, or delete it and fetch the judgments again with 'labelmix "
            f"labelstudio pull {self.path.parent} --title TITLE'"
        )

    def _prepare(self) -> None:
        """Check what is there, or make what is not."""
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        self._digest = StateDigest(self._db)
        version, kept = self.about("version"), self.about(KEY)
        if version is not None and version.isdigit() and int(version) > _VERSION:
            raise newer(self.path, int(version), _VERSION)
        if kept is not None:
            if kept != str(self._digest.of_all()):
                raise damaged(self.path, "its rows do not fit its digest", self._remedy)
        elif version in (None, "1"):
            wrong = wrong_value(self._db)
            if wrong is not None:
                raise damaged(self.path, wrong, self._remedy)
            self.remember(version=str(_VERSION))
            self.remember(**{KEY: str(self._digest.of_all())})
        else:
            raise damaged(self.path, "its digest is gone", self._remedy)
        self._db.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing; transactions of other processes wait.

        Raises MachineError if the file cannot be written.
        """
        with database_errors(self.path, self._remedy):
            self._db.execute("BEGIN IMMEDIATE")
            self._digest.value = int(self.about(KEY) or 0)  # another process may have written
            try:
                yield
                self.remember(**{KEY: str(self._digest.value)})
            except BaseException:
                if self._db.in_transaction:  # SQLite itself ends it where the disk is full
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # What the pilot is

    def about(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM about WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, **values: str | None) -> None:
        """Keep facts under their keys; None forgets. Call it within a transaction."""
        for key, value in values.items():
            if value is None:
                self._db.execute("DELETE FROM about WHERE key = ?", (key,))
            else:
                self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))

    def remember_pilot(self, tasks: Iterable[PilotTask]) -> None:
        """Keep which items were asked about, and which are gold questions.

        What was a gold question once remains one, with its newest answer.
        """
        self._db.executemany(
            "INSERT INTO pilot VALUES (?, ?, ?) ON CONFLICT (item_id) DO UPDATE SET "
            "stratum = excluded.stratum, gold = coalesce(excluded.gold, gold)",
            [(task.item_id, task.stratum, task.gold) for task in tasks],
        )

    def has_pilot(self) -> bool:
        """Whether anything was ever sent from here."""
        return self._db.execute("SELECT 1 FROM pilot LIMIT 1").fetchone() is not None

    def sent_items(self) -> set[str]:
        """All items that were ever asked about from here."""
        return {row[0] for row in self._db.execute("SELECT item_id FROM pilot")}

    def items_without_task(self) -> set[str]:
        """Items that were asked about from here, and had no task when the server was last read."""
        query = "SELECT item_id FROM pilot EXCEPT SELECT item_id FROM tasks"
        return {row[0] for row in self._db.execute(query)}

    def gold(self) -> dict[str, str]:
        """Item -> right answer, of all gold questions ever sent."""
        rows = self._db.execute("SELECT item_id, gold FROM pilot WHERE gold IS NOT NULL")
        return dict(rows.fetchall())

    # What came back

    def apply_task(
        self,
        task_id: int,
        item_id: str | None,
        stratum: str | None,
        updated_at: datetime,
        number_of_pass: int,
        judgments: Sequence[Judgment],
    ) -> int:
        """Make our picture of a task that of the server; call it within a transaction.

        Annotations that are not there any more are deleted. A picture older than ours, from a
        request that was overtaken, changes nothing. Returns how many annotations are new, changed
        or gone.
        """
        row = self._db.execute(
            "SELECT updated_at FROM tasks WHERE task_id = ?", (task_id,)
        ).fetchone()
        at = as_text(updated_at)
        if row is not None and row[0] > at:
            self._db.execute(
                "UPDATE tasks SET pass = ? WHERE task_id = ?", (number_of_pass, task_id)
            )
            return 0
        self._db.execute(
            "INSERT INTO tasks VALUES (?, ?, ?, ?, ?) ON CONFLICT (task_id) DO UPDATE SET "
            "item_id = excluded.item_id, stratum = excluded.stratum, "
            "updated_at = excluded.updated_at, pass = excluded.pass",
            (task_id, item_id, stratum, at, number_of_pass),
        )
        ours = {
            known[0]: known
            for known in self._db.execute("SELECT * FROM annotations WHERE task_id = ?", (task_id,))
        }
        theirs = {judgment.annotation_id: _row(task_id, judgment) for judgment in judgments}
        gone = [(number,) for number in ours.keys() - theirs.keys()]
        changed = [row for number, row in theirs.items() if ours.get(number) != row]
        self._db.executemany("DELETE FROM annotations WHERE annotation_id = ?", gone)
        self._db.executemany(
            "INSERT OR REPLACE INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", changed
        )
        return len(gone) + len(changed)

    def forget_tasks_before(self, number_of_pass: int) -> int:
        """Forget tasks that a whole pass did not meet; returns how many annotations went."""
        (gone,) = self._db.execute(
            "SELECT count(*) FROM annotations JOIN tasks USING (task_id) WHERE pass < ?",
            (number_of_pass,),
        ).fetchone()
        self._db.execute("DELETE FROM tasks WHERE pass < ?", (number_of_pass,))
        return int(gone)

    def annotation_counts(self) -> tuple[int, int, int]:
        """Tasks, annotations and cancelled annotations that we know of."""
        (tasks,) = self._db.execute("SELECT count(*) FROM tasks").fetchone()
        counts: tuple[int, int] = self._db.execute(
            "SELECT coalesce(sum(NOT cancelled), 0), coalesce(sum(cancelled), 0) FROM annotations"
        ).fetchone()
        return int(tasks), *counts

    def annotation_rows(self) -> list[tuple[Any, ...]]:
        """Everything for the judgment table, in the order of annotation ids.

        Columns: annotation_id, item_id, stratum, annotator, name or None, label, seconds,
        created_at, updated_at, cancelled, problem.
        """
        return self._db.execute(
            "SELECT annotation_id, tasks.item_id, coalesce(pilot.stratum, tasks.stratum), "
            "annotator, name, label, seconds, created_at, annotations.updated_at, cancelled, "
            "problem FROM annotations JOIN tasks USING (task_id) "
            "LEFT JOIN pilot ON pilot.item_id = tasks.item_id "
            "LEFT JOIN users ON users.user_id = annotator ORDER BY annotation_id"
        ).fetchall()

    # Who annotates

    def unknown_users(self) -> set[int]:
        """Numbers of annotators whose names we do not know."""
        rows = self._db.execute(
            "SELECT DISTINCT annotator FROM annotations WHERE annotator IS NOT NULL "
            "AND annotator NOT IN (SELECT user_id FROM users)"
        )
        return {row[0] for row in rows}

    def met_users(self) -> dict[int, str | None]:
        """Number -> name, of everybody who annotated here; None where the name is not told."""
        rows = self._db.execute(
            "SELECT DISTINCT annotator, NULL FROM annotations WHERE annotator IS NOT NULL "
            "AND annotator NOT IN (SELECT user_id FROM users) UNION ALL SELECT * FROM users"
        )
        return dict(rows.fetchall())

    def remember_users(self, names: Mapping[int, str]) -> None:
        self._db.executemany("INSERT OR REPLACE INTO users VALUES (?, ?)", list(names.items()))


def as_text(moment: datetime) -> str:
    """A moment in UTC as a text; texts are in the order of the moments."""
    return moment.astimezone(UTC).strftime(_FIXED)


def _row(task_id: int, judgment: Judgment) -> tuple[Any, ...]:
    return (
        judgment.annotation_id,
        task_id,
        judgment.annotator,
        judgment.label,
        judgment.seconds,
        as_text(judgment.created_at),
        as_text(judgment.updated_at),
        int(judgment.cancelled),
        judgment.problem,
    )
