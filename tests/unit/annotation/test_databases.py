from pathlib import Path

import pytest

from annotation.databases import database_errors
from annotation.errors import MachineError


def test_damage_that_sqlite_tells_of_in_broken_letters(tmp_path: Path) -> None:
    """A damaged name in its message is no UTF-8, and Python then fails to read the message."""
    path = tmp_path / "a.sqlite"
    with pytest.raises(MachineError) as caught, database_errors(path, "delete it"):
        b"index \x89".decode()
    told = "what it says of itself is no text"
    assert str(caught.value) == f"{path}: is damaged: {told}; delete it."
