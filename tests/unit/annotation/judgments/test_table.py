from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.judgments.schema import COLUMNS
from annotation.judgments.table import check_judgments, concatenated, validate_judgments
from annotation.judgments.table_files import check_judgment_file, read_judgments, write_judgments


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


@pytest.mark.parametrize(
    ("columns", "column", "words"),
    [
        ({"seconds": [1, -1]}, "seconds", "at least 0; got -1"),
        ({"seconds": ["1", "inf"]}, "seconds", "at least 0; got 'inf'"),
        ({"seconds": ["1", "1_000"]}, "seconds", "got '1_000'"),
        ({"seconds": ["1", "12 s"]}, "seconds", "got '12 s'"),
        ({"created_at": [None, "yesterday"]}, "created_at", "got 'yesterday'"),
        ({"created_at": [None, "31.05.2026 14:05"]}, "created_at", "got '31.05.2026 14:05'"),
        ({"created_at": [None, 17]}, "created_at", "got 17"),
    ],
)
def test_of_a_row_with_a_wrong_time_the_time_alone_is_left_out(
    columns: dict[str, list[object]], column: str, words: str
) -> None:
    found = check_judgments(frame(**columns), "file.csv")
    (rejection,) = found.rejected
    assert (rejection.row, rejection.column, rejection.row_stays) == (2, column, True)
    assert words in rejection.problem
    assert len(found.judgments) == 2
    assert pd.isna(found.judgments[column].iloc[1])
    with pytest.raises(InputError, match=r"file.csv: row 2, column"):
        validate_judgments(frame(**columns), "file.csv")


def test_a_row_that_is_left_out_is_named_once() -> None:
    found = check_judgments(frame(seconds=["x", "1"], label=["", "yes"]), "t")
    assert [(each.column, each.row_stays) for each in found.rejected] == [("label", False)]


def test_the_error_counts_the_other_rows() -> None:
    with pytest.raises(InputError, match=r"row 1, .* \(1 more row is wrong\)"):
        validate_judgments(frame(label=["", ""]), "t")


def test_an_item_has_one_stratum_and_one_right_answer() -> None:
    table = frame(item_id=["a", "a"], stratum=["easy", "hard"], gold=["yes", "yes"])
    found = check_judgments(table, "t")
    assert "is 'hard', but item 'a' has 'easy'" in found.rejected[0].problem


def test_the_gold_answer_that_most_rows_tell_is_taken() -> None:
    table = pd.DataFrame(
        {
            "item_id": ["a", "a", "a", "b", "b", "c"],
            "annotator": ["x", "y", "z", "x", "y", "x"],
            "label": "yes",
            "gold": ["no", "yes", " yes", "yes", "no", "no"],
        }
    )
    found = check_judgments(table, "t")
    assert len(found.judgments) == 6
    assert found.judgments["gold"].tolist() == ["yes", "yes", "yes", None, None, "no"]
    assert [(each.row, each.row_stays) for each in found.rejected] == [
        (1, True), (4, True), (5, True),
    ]  # fmt: skip
    problems = [each.problem for each in found.rejected]
    assert problems[0] == "is 'no', but item 'a' has 'yes' in 2 rows, which is taken."
    assert problems[1] == "is 'yes', but item 'b' has another as often, so it has none."


def test_equal_rows_without_source_id_are_one_judgment() -> None:
    rows = frame(seconds=[10, 20])
    again = pd.concat([rows, rows, rows[:1]], ignore_index=True)
    found = check_judgments(again, "t")
    assert found.judgments["seconds"].tolist() == [10, 20]
    assert [str(note) for note in found.notes] == [
        "t: row 3, column 'item_id': repeats another row in every column and counts once with it; "
        "so do 2 more rows."
    ]
    # Judgments with names of their own are different ones.
    named = again.assign(source_id=[str(n) for n in range(5)])
    assert len(check_judgments(named, "t").judgments) == 5


def test_two_labels_under_one_source_id_are_told() -> None:
    twice: dict[str, list[object]] = {
        "item_id": ["a", "a"],
        "label": ["old", "new"],
        "source_id": ["7", "7"],
    }
    found = check_judgments(frame(**twice), "t")
    assert found.judgments["label"].tolist() == ["new"]
    assert [str(note) for note in found.notes] == [
        "t: row 1, column 'source_id': '7' has the label 'old' here and 'new' in row 2, neither "
        "updated later; the last row counts."
    ]
    edited: list[object] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
    assert check_judgments(frame(**twice, updated_at=edited), "t").notes == ()
    twice["label"] = ["old", "old"]
    assert check_judgments(frame(**twice), "t").notes == ()


def test_what_one_row_tells_of_an_item_holds_for_all_its_rows() -> None:
    rows = {"item_id": ["a", "a", "b"], "annotator": ["x", "y", "x"], "label": ["yes", "no", "no"]}
    told = {"stratum": [None, "easy", None], "gold": [None, "yes", None]}
    table = validate_judgments(pd.DataFrame({**rows, **told}), "t")
    assert table["stratum"].tolist() == ["easy", "easy", None]
    assert table["gold"].tolist() == ["yes", "yes", None]


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


def test_the_index_of_the_input_makes_no_difference() -> None:
    table = frame(created_at=["2026-01-01T00:00:00Z"] * 2, seconds=["1", "2"])
    expected = validate_judgments(table, "t")
    pd.testing.assert_frame_equal(validate_judgments(table.set_axis([7, 3]), "t"), expected)


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


def test_rows_keep_their_numbers_below_a_line_of_another_length(tmp_path: Path) -> None:
    path = tmp_path / "judgments.csv"
    lines = ["item_id,annotator,label,seconds", "a,x,yes,-1", "a,y", "a,z,yes,-3", "b", "b,x,no,-5"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = check_judgment_file(path)
    assert [rejection.row for rejection in found.rejected] == [1, 2, 3, 4, 5]
    assert [rejection.value for rejection in found.rejected][::2] == ["'-1'", "'-3'", "'-5'"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "item_id;annotator;label\na;x;yes\n",
            "line 1: values are separated by ';'; save it with com",
        ),
        ("item_id\tannotator\tlabel\na\tx\tyes\n", "line 1: values are separated by tabs; save it"),
        (
            "\ufeffitem_id;annotator;label\na;x;yes,5\n",
            "line 1: values are separated by ';'; save it",
        ),
        ("item_id,annotator,label\na,x,grün\n".encode("latin-1"), "is not UTF-8 text; save it as"),
        ("item_id,annotator,größe\na,x,1\n".encode("latin-1"), "is not UTF-8 text; save it as"),
        ("item_id,annotator,label\na,x,yes\n".encode("utf-16"), "is not UTF-8 text; save it as"),
        ("item\na\n", "column 'item_id' is missing; the columns are: item."),
    ],
)
def test_what_spreadsheets_save_is_told(tmp_path: Path, content: str | bytes, words: str) -> None:
    path = tmp_path / "judgments.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as told:
        check_judgment_file(path)
    assert str(told.value).startswith(f"{path}: {words}")


def test_truth_values_of_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "judgments.csv"
    path.write_text("item_id,annotator,label,cancelled\na,x,,WAHR\nb,x,yes,FALSCH\n", "utf-8")
    assert read_judgments(path)["cancelled"].tolist() == [True, False]


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
