import os
import sqlite3
from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.label_studio.state import PilotState


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
    with pytest.raises(InputError, match=r"notes\.txt: cannot be opened as a pilot's state"):
        PilotState(text)
    with pytest.raises(InputError, match="cannot be opened"):
        PilotState(tmp_path)
    newer = tmp_path / "newer.sqlite"
    PilotState(newer).close()
    with sqlite3.connect(newer) as database:
        database.execute("UPDATE about SET value = '2' WHERE key = 'version'")
    with pytest.raises(InputError, match="another version"):
        PilotState(newer)


@pytest.mark.skipif(os.name != "posix", reason="other systems have other rights")
def test_right_answers_are_for_the_owners_eyes(tmp_path: Path) -> None:
    path = tmp_path / "pilot.sqlite"
    with PilotState(path):
        assert path.stat().st_mode & 0o077 == 0
