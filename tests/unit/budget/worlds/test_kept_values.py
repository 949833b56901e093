from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from budget.worlds.kept_values import kept_values

VALUES = np.random.default_rng(0).random(50)


def never() -> NDArray[np.float64]:
    raise AssertionError("computed again")


def test_they_are_computed_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.npy"
    np.testing.assert_array_equal(kept_values(path, 50, lambda: VALUES), VALUES)
    np.testing.assert_array_equal(kept_values(path, 50, never), VALUES)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-4],  # as an earlier version wrote it
        lambda content: content[:200],
        lambda content: b"",
        lambda content: content[:300] + bytes(8) + content[308:],
        lambda content: b"x" + content[1:],
    ],
)
def test_what_is_damaged_is_made_again_with_a_note(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "a.npy"
    kept_values(path, 50, lambda: VALUES)
    path.write_bytes(change(path.read_bytes()))
    np.testing.assert_array_equal(kept_values(path, 50, lambda: VALUES), VALUES)
    assert caplog.messages == [
        f"note: {path}: is damaged or of an earlier version; it is made again."
    ]
    np.testing.assert_array_equal(kept_values(path, 50, never), VALUES)


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        kept_values(tmp_path, 50, never)
