import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.errors import InputError
from annotation.file_limits import VARIABLE, check_file, largest_file, read_parquet_table
from annotation.files import read_json, read_records
from annotation.judgments.table_files import read_judgments
from budget.config.toml import read_toml


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0.001")  # a megabyte


def test_the_limit_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    assert largest_file() == 4 * 10**9
    monkeypatch.setenv(VARIABLE, "16")
    assert largest_file() == 16 * 10**9
    for wrong in ("much", "-1", "0", "nan", "1e999"):
        monkeypatch.setenv(VARIABLE, wrong)
        with pytest.raises(InputError, match=f"{VARIABLE} should be a number of GB"):
            largest_file()


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("name", ["items.jsonl", "items.csv", "items.parquet"])
def test_a_large_file_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(2_500_000)
    with pytest.raises(InputError, match=rf"{name}: has 2.5 MB, more than .* {VARIABLE}=1 \(GB\)"):
        read_records(path)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json", "toml", "parquet"])
def test_a_pipe_is_refused_and_not_waited_for(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"pipe.{suffix}"
    os.mkfifo(path)
    read = {"json": read_json, "toml": read_toml}.get(suffix, read_records)
    with pytest.raises(InputError, match="is a pipe or a device"):
        read(path)


def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(InputError, match="/dev/zero: is a pipe or a device"):
        read_toml(Path("/dev/zero"))


def test_a_configuration_of_megabytes_is_none(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text("#" * 1_000_001, encoding="utf-8")
    with pytest.raises(InputError, match=r"has 1 MB, more than 1 MB"):
        read_toml(path)
    path.write_text("#" * 1_000_000, encoding="utf-8")
    assert read_toml(path) == {}


def test_a_file_within_bounds_passes(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("a\n", encoding="utf-8")
    check_file(path)
    with pytest.raises(FileNotFoundError):
        check_file(tmp_path / "absent")


def unfolding(path: Path, length: int, rows: int, **how: object) -> int:
    """One text in many rows; returns the size of the file."""
    texts = pa.array(["x" * length]).dictionary_encode()
    column = texts.take(pa.array([0] * rows, type=pa.int32()))
    table = pa.table({"item_id": column, "question": column})
    with pq.ParquetWriter(
        path, table.schema, compression="zstd", dictionary_pagesize_limit=1 << 30, **how
    ) as writer:
        writer.write_table(table)
    return path.stat().st_size


@pytest.mark.parametrize("store_schema", [True, False])
def test_a_small_file_that_unfolds_is_refused(store_schema: bool, tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    # 6 GB out of a few kilobytes: were they unfolded, this test would take minutes.
    assert unfolding(path, 3_000_000, 1_000, store_schema=store_schema) < 10_000
    with pytest.raises(InputError, match=r"GB when it is unfolded, or more, more than the 4 GB"):
        read_records(path)


@pytest.mark.usefixtures("small_limit")
def test_short_texts_that_unfold_are_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    assert unfolding(path, 1_000, 2_000, store_schema=False) < 10_000
    for read in (read_parquet_table, read_records):
        with pytest.raises(InputError, match="when it is unfolded"):
            read(path)


@pytest.mark.usefixtures("small_limit")
def test_rows_of_nothing_take_room_as_objects(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pq.write_table(pa.table({"a": pa.nulls(10_000)}), path)
    assert read_parquet_table(path).num_rows == 10_000
    with pytest.raises(InputError, match="when it is unfolded"):
        read_records(path)


@pytest.mark.usefixtures("small_limit")
def test_judgments_that_unfold_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "judgments.parquet"
    column = pa.array(["x" * 1_000] * 5_000)
    pq.write_table(pa.table({"item_id": column, "annotator": column, "label": column}), path)
    with pytest.raises(InputError, match="when it is unfolded"):
        read_judgments(path)


def test_what_fits_is_the_table_of_pyarrow(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    table = pa.table(
        {
            "text": [f"text {number % 7}" for number in range(1_000)],
            "list": [[str(number), "b"] for number in range(1_000)],
            "number": pa.array([None, 1.5] * 500),
        }
    )
    for options in ({}, {"use_dictionary": False}, {"row_group_size": 64}):
        pq.write_table(table, path, **options)
        assert read_parquet_table(path, as_objects=True).equals(table)
        assert read_parquet_table(path, ["number", "text"]).equals(table.select(["number", "text"]))
    pq.write_table(table.slice(0, 0), path)
    assert read_parquet_table(path).equals(table.slice(0, 0))
    assert read_parquet_table(path, ["text"]).column_names == ["text"]
    pq.write_table(table, path, use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"})
    assert read_parquet_table(path).equals(table)
