"""Trials are kept whole, found by their key, and readable while others write."""

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotation.errors import InputError, MachineError
from annotation.strata.bands import Strata
from training.store import TrialStore
from training.trial import Recipe, Trial, TrialResult


@pytest.fixture
def trial() -> Trial:
    return Trial(
        item_fingerprint="f" * 64,
        strata=Strata.easy_medium_hard("steps", 2, 5),
        target="hard",
        test_target=10,
        test_others=6,
        test_seed=0,
        model="pico",
        revision="r1",
        recipe=Recipe("probe", (("penalty", 0.1),), quantisation="none"),
        mix=(("easy", 8),),
        terms=(("easy", 0.1, "redraw"),),
        pilot=None,
        seed=0,
    )


def result_of(number: int) -> TrialResult:
    """Eleven bits that spell the number, so that no two results are alike."""
    bits = np.array([number >> place & 1 for place in range(11)], dtype=bool)
    return TrialResult(bits, number / 8, number, "cpu", {"penalty": 0.1, "number": float(number)})


def same(one: TrialResult | None, other: TrialResult) -> bool:
    return one is not None and (
        one.correct.tolist() == other.correct.tolist()
        and one.correct.dtype == bool
        and replace(one, correct=other.correct) == other
    )


def test_round_trip_into_another_process_s_store(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "a" / "folder" / "trials.sqlite"
    with TrialStore(path) as store:
        assert store.get(trial) is None
        store.put(trial, result_of(1234))
        assert same(store.get(trial), result_of(1234))
    with TrialStore(path) as store:
        assert same(store.get(trial), result_of(1234))
        assert len(store) == 1


def test_only_the_very_trial_is_found(tmp_path: Path, trial: Trial) -> None:
    with TrialStore(tmp_path / "trials.sqlite") as store:
        store.put(trial, result_of(1))
        assert store.get(replace(trial, seed=1)) is None
        assert store.get(replace(trial, revision="r2")) is None


def test_a_second_result_replaces_the_first(tmp_path: Path, trial: Trial) -> None:
    with TrialStore(tmp_path / "trials.sqlite") as store:
        store.put(trial, result_of(1))
        store.put(trial, result_of(2))
        assert same(store.get(trial), result_of(2))
        assert len(store) == 1


def test_missing_names_each_absent_trial_once_in_order(tmp_path: Path, trial: Trial) -> None:
    trials = [replace(trial, seed=seed) for seed in range(5)]
    with TrialStore(tmp_path / "trials.sqlite") as store:
        store.put(trials[1], result_of(1))
        store.put(trials[4], result_of(4))
        wanted = [trials[3], trials[1], trials[0], trials[3], trials[2], trials[0], trials[4]]
        assert store.missing(wanted) == [trials[3], trials[0], trials[2]]
        assert store.missing([]) == []


@pytest.mark.parametrize("content", [b"hello", b"no database, but of a page or more " * 200])
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "trials.sqlite"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        TrialStore(path)
    assert str(error.value).startswith(f"{path}: not a store of trials (")
    assert str(error.value).endswith("; move it away or name another folder.")
    assert path.read_bytes() == content


def test_another_program_s_database_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "trials.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trials (patient TEXT)")
    connection.close()
    with pytest.raises(InputError, match=r"not a store of trials \(no such column: key\)"):
        TrialStore(path)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a store of trials"):
        TrialStore(tmp_path)


def test_a_reader_beside_a_writer_finds_whole_results(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "trials.sqlite"
    trials = [replace(trial, seed=seed) for seed in range(150)]
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with TrialStore(path) as store:
                for seed, each in enumerate(trials):
                    store.put(each, result_of(seed))
        except BaseException as error:
            failures.append(error)

    with TrialStore(path) as reader:
        writer = threading.Thread(target=write)
        writer.start()
        counts: list[int] = []
        while writer.is_alive() or not counts:
            counts.append(len(reader))
            for seed, each in enumerate(trials):
                found = reader.get(each)
                assert found is None or same(found, result_of(seed))
        writer.join()
        assert not failures
        assert counts == sorted(counts)
        assert len(reader) == 150


def test_a_reader_does_not_wait_for_an_unfinished_write(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        store.put(trial, result_of(7))
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("DELETE FROM trials")
    with TrialStore(path) as reader:
        assert same(reader.get(trial), result_of(7))
    writer.execute("ROLLBACK")
    writer.close()


def test_a_write_that_fails_leaves_no_trace(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        store.put(trial, result_of(7))
        broken = replace(result_of(8), device=object())  # type: ignore[arg-type]
        with pytest.raises(sqlite3.Error):
            store.put(trial, broken)
    with TrialStore(path) as store:
        assert same(store.get(trial), result_of(7))


def test_the_store_can_be_read_with_plain_sql(tmp_path: Path, trial: Trial) -> None:
    """Every row says which trial it is, for whoever looks into the file."""
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        store.put(trial, result_of(7))
    connection = sqlite3.connect(path)
    row = connection.execute(
        "SELECT json_extract(trial, '$.recipe.method'), json_extract(trial, '$.mix[0][1]'),"
        " test_items, json_extract(details, '$.penalty') FROM trials"
    ).fetchone()
    connection.close()
    assert row == ("probe", 8, 11, 0.1)


def test_a_damaged_result_is_refused(tmp_path: Path, trial: Trial) -> None:
    """A result one byte short, or with other bits, would be read as another accuracy."""
    path = tmp_path / "trials.sqlite"
    for column, value in (("correct", b"\0"), ("correct", b"\0\1"), ("seconds", 1.0)):
        with TrialStore(path) as store:
            store.put(trial, result_of(7))
        connection = sqlite3.connect(path)
        with connection:
            connection.execute(f"UPDATE trials SET {column} = ?", (value,))
        connection.close()
        with TrialStore(path) as store, pytest.raises(MachineError) as error:
            store.missing([trial])
        assert str(error.value) == (
            f"{path}: is damaged: the result of trial {trial.key[:12]} is not what was kept; "
            f"delete {path} and start again: its trials are then run anew."
        )


def test_damaged_pages_are_refused(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        for seed in range(50):
            store.put(replace(trial, seed=seed), result_of(seed))
    content = bytearray(path.read_bytes())
    content[4096 : 3 * 4096] = bytes(2 * 4096)
    path.write_bytes(content)
    with pytest.raises(MachineError, match="the file is damaged; delete"):
        TrialStore(path)


def test_a_newer_store_is_refused(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        store.put(trial, result_of(7))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InputError) as error:
        TrialStore(path)
    assert error.value.exit_code == 2
    assert str(error.value) == (
        f"{path}: was written by a newer labelmix (version 2 of the file, this one reads up to 1); "
        "install that labelmix, or name another folder."
    )
    assert path.read_bytes() == before


def test_an_earlier_store_gets_its_checksums(tmp_path: Path, trial: Trial) -> None:
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        store.put(trial, result_of(7))
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE trials DROP COLUMN checksum")
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    with TrialStore(path) as store:
        assert same(store.get(trial), result_of(7))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE trials SET correct = ?", (b"\0\1",))
    connection.close()
    with TrialStore(path) as store, pytest.raises(MachineError, match="is damaged"):
        store.get(trial)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("correct", b"\0"),
        ("correct", "text"),
        ("test_items", -1),
        ("seconds", "soon"),
        ("peak_memory_bytes", 3.5),
        ("device", b"\xff"),
        ("details", "{"),
        ("details", "[1]"),
    ],
)
def test_values_of_an_earlier_store_are_looked_at(
    tmp_path: Path, trial: Trial, column: str, value: object
) -> None:
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        store.put(trial, result_of(7))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("ALTER TABLE trials DROP COLUMN checksum")
        connection.execute("PRAGMA user_version = 0")
        connection.execute(f"UPDATE trials SET {column} = ?", (value,))
    connection.close()
    with pytest.raises(MachineError) as error:
        TrialStore(path)
    assert f"is damaged: the {column} of trial {trial.key[:12]} cannot be" in str(error.value)


def test_a_full_disk_keeps_what_was_there(
    tmp_path: Path, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trials.sqlite"
    with TrialStore(path) as store:
        store.put(trial, result_of(7))
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        large = replace(result_of(8), correct=np.ones(1_000_000, dtype=bool))
        with pytest.raises(MachineError, match=r"database or disk is full; make room") as error:
            store.put(replace(trial, seed=1), large)
        assert error.value.exit_code == 3
    with TrialStore(path) as store:
        assert same(store.get(trial), result_of(7))
