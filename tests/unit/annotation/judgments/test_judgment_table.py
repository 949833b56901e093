from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.judgments.rejections import concatenated
from annotation.judgments.table import (
    COLUMNS,
    check_judgment_file,
    check_judgments,
    read_judgments,
    validate_judgments,
    write_judgments,
)


def frame(**columns: list[object]) -> pd.DataFrame:
    base: dict[str, list[object]] = {
        "item_id": ["a", "b"],
        "annotator": ["x", "x"],
        "label": ["yes", "no"],
    }
    return pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in {**base, **columns}.items()})


def test_three_columns_are_enough_and_the_rest_is_unknown() -> None:
    found = validate_judgments(frame(), "pilot")
    assert tuple(found.columns) == COLUMNS
    assert found["source_id"].tolist() == ["pilot#1", "pilot#2"]
    assert found["seconds"].isna().all()
    assert found["created_at"].isna().all()
    assert found["cancelled"].tolist() == [False, False]
    assert found["gold"].tolist() == [None, None]


def test_whole_numbers_become_texts_and_blanks_none() -> None:
    found = validate_judgments(
        frame(item_id=[1, 2.0], label=[3, "x"], stratum=["", " "], role=[None, np.nan]), "t"
    )
    assert found["item_id"].tolist() == ["1", "2"]
    assert found["label"].tolist() == ["3", "x"]
    assert found["stratum"].tolist() == [None, None]
    assert found["role"].tolist() == [None, None]


def test_times_are_utc_whatever_their_form() -> None:
    stamps = ["2026-01-01T12:00:00+02:00", pd.Timestamp("2026-01-01 10:00")]
    found = validate_judgments(frame(created_at=stamps), "t")
    assert str(found["created_at"].dtype) == "datetime64[us, UTC]"
    assert (found["created_at"] == pd.Timestamp("2026-01-01T10:00Z")).all()


@pytest.mark.parametrize(
    ("columns", "column", "words"),
    [
        ({"label": ["yes", ""]}, "label", "is empty"),
        ({"label": ["yes", None]}, "label", "should be cancelled"),
        ({"cancelled": [False, True]}, "label", "but the judgment is cancelled"),
        ({"item_id": ["a", None]}, "item_id", "is empty"),
        ({"annotator": ["x", 1.5]}, "annotator", "should be a text; got 1.5"),
        ({"label": ["yes", ["no"]]}, "label", "should be a text; got ['no']"),
        ({"label": ["yes", "\ud800"]}, "label", "broken character"),
        ({"seconds": [1, -1]}, "seconds", "at least 0; got -1"),
        ({"seconds": ["1", "inf"]}, "seconds", "at least 0; got 'inf'"),
        ({"seconds": ["1", "1_000"]}, "seconds", "got '1_000'"),
        ({"created_at": [None, "yesterday"]}, "created_at", "got 'yesterday'"),
        ({"created_at": [None, 17]}, "created_at", "got 17"),
        ({"cancelled": ["no", "maybe"]}, "cancelled", "true or false; got 'maybe'"),
        ({"source_id": ["1", "1"]}, "source_id", "is a judgment of another item, 'a'"),
    ],
)
def test_a_wrong_row_is_left_out_and_named(
    columns: dict[str, list[object]], column: str, words: str
) -> None:
    found = check_judgments(frame(**columns), "file.csv")
    assert [rejection.column for rejection in found.rejected] == [column]
    assert found.rejected[0].row == 2
    assert words in found.rejected[0].problem
    assert found.judgments["item_id"].tolist() == ["a"]
    with pytest.raises(InputError, match=r"file.csv: row 2, column"):
        validate_judgments(frame(**columns), "file.csv")


def test_the_error_counts_the_other_rows() -> None:
    with pytest.raises(InputError, match=r"row 1, .* \(1 more row is wrong\)"):
        validate_judgments(frame(label=["", ""]), "t")


def test_an_item_has_one_stratum_and_one_right_answer() -> None:
    table = frame(item_id=["a", "a"], stratum=["easy", "hard"], gold=["yes", "yes"])
    found = check_judgments(table, "t")
    assert "is 'hard', but item 'a' has 'easy'" in found.rejected[0].problem
    table = frame(item_id=["a", "a"], gold=["yes", "no"])
    assert check_judgments(table, "t").rejected[0].column == "gold"


def test_a_repeated_judgment_counts_once_in_its_latest_form() -> None:
    table = frame(
        item_id=["a", "a"],
        label=["new", "old"],
        source_id=["7", "7"],
        updated_at=["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"],
    )
    assert validate_judgments(table, "t")["label"].tolist() == ["new"]
    # Without time stamps the last one counts.
    table = frame(item_id=["a", "a"], label=["old", "new"], source_id=["7", "7"])
    assert validate_judgments(table, "t")["label"].tolist() == ["new"]


def test_a_missing_or_repeated_column_is_named() -> None:
    with pytest.raises(InputError, match="column 'label' is missing; the columns are: item_id"):
        validate_judgments(frame().drop(columns="label"), "t")
    twice = pd.concat([frame(), frame()[["label"]]], axis=1)
    with pytest.raises(InputError, match="column 'label' occurs twice"):
        validate_judgments(twice, "t")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_reading_gives_back_what_was_written(tmp_path: Path, suffix: str) -> None:
    table = validate_judgments(
        frame(
            label=['a "quoted", label\nof two lines', None],
            cancelled=[False, True],
            seconds=[1.25, None],
            created_at=["2026-01-01T10:00:00.123456Z", None],
            stratum=["easy", None],
        ),
        "t",
    )
    path = tmp_path / f"judgments{suffix}"
    write_judgments(table, path)
    pd.testing.assert_frame_equal(read_judgments(path), table)


def test_lines_of_another_length_are_named(tmp_path: Path) -> None:
    path = tmp_path / "judgments.csv"
    path.write_text("item_id,annotator,label\na,x\na,x,yes\n", encoding="utf-8")
    found = check_judgment_file(path)
    assert [rejection.row for rejection in found.rejected] == [1]
    assert "has 2 values, the header has 3" in found.rejected[0].problem
    assert found.judgments["label"].tolist() == ["yes"]


@pytest.mark.parametrize("name", ["judgments.csv", "judgments.parquet"])
def test_a_file_that_is_none_is_an_input_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(InputError, match="no such file"):
        read_judgments(path)
    path.write_bytes(b"")
    with pytest.raises(InputError, match="is not"):
        read_judgments(path)
    with pytest.raises(InputError, match=r"kept as .csv or .parquet"):
        read_judgments(tmp_path / "judgments.xlsx")


def test_files_together_hold_a_repeated_judgment_once() -> None:
    first = check_judgments(frame(source_id=["1", "2"]), "one")
    second = check_judgments(frame(source_id=["2", "3"], item_id=["b", "c"]), "two")
    both = concatenated([first, second])
    assert both.judgments["source_id"].tolist() == ["1", "2", "3"]
    assert both.rejected == ()
