import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from annotation.errors import InputError, MachineError
from annotation.label_studio.answers import Judgment
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.state import PilotState

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_transaction_is_all_or_nothing(state: PilotState) -> None:
    with state.transaction():
        state.remember(title="before", url="there")

    def interrupted() -> None:
        with state.transaction():
            state.remember(title="after", url=None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (state.about("title"), state.about("url")) == ("before", "there")
    with state.transaction():
        state.remember(url=None)
    assert state.about("url") is None


def test_it_survives_closing(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "pilot.sqlite"
    with PilotState(path) as state, state.transaction():
        state.remember(title="kept")
    with PilotState(path) as state:
        assert state.about("title") == "kept"


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to tell" * 50)
    with pytest.raises(InputError, match=r"notes\.txt: not a pilot's state \(file is not"):
        PilotState(text)
    with pytest.raises(InputError, match="not a pilot's state \\(it is a folder"):
        PilotState(tmp_path)
    newer = tmp_path / "newer.sqlite"
    PilotState(newer).close()
    with sqlite3.connect(newer) as database:
        database.execute("UPDATE about SET value = '3' WHERE key = 'version'")
    with pytest.raises(InputError, match="was written by a newer labelmix"):
        PilotState(newer)


@pytest.mark.skipif(os.name != "posix", reason="other systems have other rights")
def test_right_answers_are_for_the_owners_eyes(tmp_path: Path) -> None:
    path = tmp_path / "pilot.sqlite"
    with PilotState(path):
        assert path.stat().st_mode & 0o077 == 0


def pilot_task(number: int, stratum: str, gold: str | None) -> PilotTask:
    return PilotTask(f"i{number}", stratum, "which?", ("a", "b"), gold)


def filled(path: Path) -> None:
    """A state in which rows of every table were added, changed, replaced and removed."""
    with PilotState(path) as state:
        with state.transaction():
            state.remember(title="Pilot", url="http://localhost")
            state.remember_pilot(pilot_task(n, "easy", "a" if n < 3 else None) for n in range(5))
            for task in range(5):
                judgments = [
                    Judgment(10 * task + n, n, "ab"[n % 2], 2.0 + n, NOON, NOON, n == 3)
                    for n in range(4)
                ]
                state.apply_task(task, f"i{task}", "easy", NOON, 1, judgments)
            state.remember_users({0: "ann", 1: "bob"})
        with state.transaction():
            state.remember_pilot([pilot_task(1, "hard", "b")])
            state.remember_users({0: "anna"})
            changed = [Judgment(0, 0, "b", 4, NOON, NOON, False)]
            state.apply_task(0, "i0", "easy", NOON, 2, changed)
            state.apply_task(1, "i1", "hard", NOON, 2, [])
            state.forget_tasks_before(2)
            state.remember(url=None)


def test_the_digest_follows_every_change(tmp_path: Path) -> None:
    path = tmp_path / "pilot.sqlite"
    filled(path)
    with PilotState(path) as state:  # which checks it
        assert state.annotation_counts() == (2, 1, 0)
    for name in ("ann", "bob"):
        with PilotState(path) as one, PilotState(path) as other:
            with one.transaction():
                one.remember(url=name)
            with other.transaction():
                other.remember_users({7: name})
    PilotState(path).close()


def test_a_transaction_that_failed_leaves_the_digest(tmp_path: Path) -> None:
    path = tmp_path / "pilot.sqlite"
    filled(path)

    def failing(state: PilotState) -> None:
        with state.transaction():
            state.remember(url="there")
            raise KeyError

    with PilotState(path) as state:
        with pytest.raises(KeyError):
            failing(state)
        with state.transaction():
            state.remember(title="another")
    PilotState(path).close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE pilot SET gold = 'b' WHERE item_id = 'i0'",
        "UPDATE annotations SET label = 'a'",
        "DELETE FROM users WHERE user_id = 1",
        "INSERT INTO users VALUES (5, 'eve')",
        "UPDATE about SET value = 'Another' WHERE key = 'title'",
        "DELETE FROM about WHERE key = 'digest'",
        "UPDATE about SET value = '0' WHERE key = 'digest'",
        "UPDATE about SET value = '1' WHERE key = 'version'",
    ],
)
def test_a_changed_row_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "pilot.sqlite"
    filled(path)
    with sqlite3.connect(path) as database:
        assert database.execute(change).rowcount > 0
    database.close()
    with pytest.raises(MachineError) as error:
        PilotState(path)
    assert str(error.value).startswith(f"{path}: is damaged: its ")
    assert str(error.value).endswith(
        "put a copy of it back, or delete it and fetch the judgments again with 'labelmix "
        f"labelstudio pull {tmp_path} --title TITLE'."
    )


def test_a_state_of_an_earlier_version_gets_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "pilot.sqlite"
    filled(path)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM about WHERE key = 'digest'")
        database.execute("UPDATE about SET value = '1' WHERE key = 'version'")
    with PilotState(path) as state:
        assert state.annotation_counts() == (2, 1, 0)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM annotations")
    database.close()
    with pytest.raises(MachineError, match="its rows do not fit its digest"):
        PilotState(path)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "pilot.sqlite"
    filled(path)
    with PilotState(path) as state:
        (pages,) = state._db.execute("PRAGMA page_count").fetchone()
        state._db.execute(f"PRAGMA max_page_count = {pages}")
        with (
            pytest.raises(MachineError, match="database or disk is full; make room"),
            state.transaction(),
        ):
            state.remember(title="x" * 1_000_000)
        assert state.about("title") == "Pilot"
    with PilotState(path) as state:
        assert state.about("title") == "Pilot"


def test_many_that_make_it_at_once_all_open_it(tmp_path: Path) -> None:
    def opened(path: Path) -> str | None:
        with PilotState(path) as state:
            return state.about("version")

    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            path = tmp_path / f"{number}" / "pilot.sqlite"
            assert len(set(pool.map(opened, [path] * 8))) == 1
            assert [file.name for file in path.parent.iterdir()] == [path.name]
            assert path.stat().st_mode & 0o077 == 0


def test_it_is_made_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "pilot.sqlite"
    with PilotState(path) as state, state.transaction():
        state.remember(title="kept")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("INSERT INTO about VALUES ('project_id', '3.5')", "about, 'project_id': '3.5' cannot be"),
        ("INSERT INTO about VALUES ('adopted_items', '{}')", "about, 'adopted_items': '{}'"),
        ("INSERT INTO about VALUES ('watermark', 'noon')", "about, 'watermark': 'noon' cannot be"),
        ("INSERT INTO pilot VALUES ('item', x'ff', NULL)", "pilot, column stratum: b'"),
        ("INSERT INTO tasks VALUES (-1, 'a', 'b', '2024-05-01', 1)", "tasks, column task_id: -1"),
        ("INSERT INTO tasks VALUES (1, 'a', 'b', '2024-05-01', 1)", "tasks, column updated_at: '2"),
    ],
)
def test_values_of_an_earlier_version_are_looked_at(tmp_path: Path, change: str, told: str) -> None:
    path = tmp_path / "pilot.sqlite"
    PilotState(path).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM about WHERE key = 'digest'")
        database.execute("UPDATE about SET value = '1' WHERE key = 'version'")
        database.execute(change)
    with pytest.raises(MachineError) as caught:
        PilotState(path)
    assert str(caught.value).startswith(f"{path}: is damaged: {told}")
