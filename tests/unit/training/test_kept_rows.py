"""Rows come back as they were written, or not at all."""

import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError, MachineError
from training.kept_rows import KeptRows

COUNT, SHAPE = 20, (3, 5)
EVERYTHING = np.arange(COUNT)


def rows_at(positions: NDArray[np.int64], seed: int = 0) -> NDArray[np.float32]:
    whole = np.random.default_rng(seed).standard_normal((COUNT, *SHAPE)).astype(np.float32)
    return whole[positions]


def written(folder: Path, positions: NDArray[np.int64]) -> KeptRows:
    kept = KeptRows(folder, COUNT)
    kept.write(positions, rows_at(positions))
    return kept


@pytest.mark.parametrize("positions", [[0], [19], [3, 4, 5, 9, 11, 12], list(range(20))])
def test_round_trip(tmp_path: Path, positions: list[int]) -> None:
    own = np.array(positions)
    for kept in (written(tmp_path / "new", own), KeptRows(tmp_path / "new", COUNT)):
        rows, sound = kept.read(EVERYTHING)
        assert np.flatnonzero(sound).tolist() == positions
        assert np.flatnonzero(kept.done).tolist() == positions
        np.testing.assert_array_equal(rows[own], rows_at(own))
        assert not kept.was_damaged


def test_rows_are_added(tmp_path: Path) -> None:
    written(tmp_path, np.array([1, 2, 7]))
    written(tmp_path, np.array([0, 3, 8]))
    rows, sound = KeptRows(tmp_path, COUNT).read(np.array([0, 1, 2, 3, 7, 8]))
    assert sound.all()
    np.testing.assert_array_equal(rows, rows_at(np.array([0, 1, 2, 3, 7, 8])))


def test_one_process_sees_what_another_wrote(tmp_path: Path) -> None:
    reader = KeptRows(tmp_path, COUNT)
    written(tmp_path, np.array([4]))
    assert not reader.done.any()
    reader.look_again()
    rows, sound = reader.read(np.array([4]))
    assert sound.all()
    np.testing.assert_array_equal(rows, rows_at(np.array([4])))


def test_rows_of_another_shape_replace_all(tmp_path: Path) -> None:
    kept = written(tmp_path, EVERYTHING)
    kept.write(np.array([2]), np.ones((1, 4), dtype=np.float32))
    rows, sound = KeptRows(tmp_path, COUNT).read(np.array([1, 2]))
    assert sound.tolist() == [False, True]
    assert rows[1].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["rows.float32", "record"])
def test_no_change_of_a_byte_goes_unnoticed(tmp_path: Path, name: str) -> None:
    """Every row that is given as sound is what was written."""
    written(tmp_path, EVERYTHING)
    content = (tmp_path / name).read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        (tmp_path / name).write_bytes(changed)
        if name == "record" and changed[12:13].isdigit() and changed[12:13] > b"1":
            with pytest.raises(InputError, match="was written by a newer labelmix"):
                KeptRows(tmp_path, COUNT)
            continue
        kept = KeptRows(tmp_path, COUNT)
        rows, sound = kept.read(EVERYTHING)
        assert kept.was_damaged and not sound.all()
        whole = rows_at(EVERYTHING)
        assert all(np.array_equal(rows[row], whole[row]) for row in np.flatnonzero(sound))
        assert not kept.done[~sound].any()


@pytest.mark.parametrize("name", ["rows.float32", "record"])
@pytest.mark.parametrize("how", ["gone", "empty", "half", "zeros", "longer"])
def test_what_is_damaged_counts_as_absent_and_can_be_written(
    tmp_path: Path, name: str, how: str
) -> None:
    written(tmp_path, EVERYTHING)
    path = tmp_path / name
    content = path.read_bytes()
    changed = {"empty": b"", "half": content[: len(content) // 2], "zeros": bytes(len(content))}
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(changed.get(how, content + b"x" * 10))
    kept = KeptRows(tmp_path, COUNT)
    rows, sound = kept.read(EVERYTHING)
    whole = rows_at(EVERYTHING)
    assert all(np.array_equal(rows[row], whole[row]) for row in np.flatnonzero(sound))
    lost = EVERYTHING[~sound]
    assert lost.size or (name, how) == ("rows.float32", "longer")
    kept.write(lost, rows_at(lost))
    rows, sound = KeptRows(tmp_path, COUNT).read(EVERYTHING)
    assert sound.all()
    np.testing.assert_array_equal(rows, rows_at(EVERYTHING))


def test_a_record_for_other_rows_is_none(tmp_path: Path) -> None:
    written(tmp_path, EVERYTHING)
    assert not KeptRows(tmp_path, COUNT + 1).done.any()


def test_a_newer_record_is_refused(tmp_path: Path) -> None:
    written(tmp_path, EVERYTHING)
    path = tmp_path / "record"
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(InputError, match=r"record: was written by a newer labelmix \(version 2"):
        KeptRows(tmp_path, COUNT)


@pytest.mark.parametrize("name", ["rows.float32", "record"])
def test_a_folder_in_its_place(tmp_path: Path, name: str) -> None:
    written(tmp_path, EVERYTHING)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"{name}: .*folder|{name}: .*directory"):
        KeptRows(tmp_path, COUNT).read(EVERYTHING)


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    written(tmp_path, np.arange(10))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write fails with EFBIG
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (12 * 60 + 30, before[1]))
        with pytest.raises(MachineError, match=r"rows\.float32: cannot be written: File too large"):
            written(tmp_path, np.arange(10, 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    rows, sound = KeptRows(tmp_path, COUNT).read(EVERYTHING)
    assert np.flatnonzero(sound).tolist() == list(range(10))
    np.testing.assert_array_equal(rows[:10], rows_at(np.arange(10)))
    written(tmp_path, np.arange(10, 20))
    assert KeptRows(tmp_path, COUNT).read(EVERYTHING)[1].all()
