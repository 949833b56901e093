"""No input makes a traceback; every row is either there or named."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.errors import InputError
from annotation.judgments.label_studio_export import (
    judgments_of_tasks,
    read_label_studio_export,
)
from annotation.judgments.rejections import CheckedJudgments
from annotation.judgments.schema import COLUMNS
from annotation.judgments.table import check_judgments
from annotation.judgments.table_files import check_judgment_file, read_judgments, write_judgments
from annotation.truth.coding import code_judgments

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "1", "x", "2026-01-01T00:00:00Z", "9999-12-31", "-5", "true", "nan"]),
    st.datetimes(),
    st.dates(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
    st.decimals(allow_nan=False),  # pandas itself cannot show a signalling NaN
    st.just(Decimal("nan")),
    st.binary(max_size=3),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6)


def accounted_for(reading: CheckedJudgments, rows: int) -> None:
    """A valid table, and no row lost without a word."""
    assert tuple(reading.judgments.columns) == COLUMNS
    assert reading.judgments["source_id"].is_unique
    for rejection in reading.rejected:
        assert 1 <= rejection.row <= rows
        assert rejection.column
        assert rejection.problem
        assert "\n" not in str(InputError(str(rejection)))
    assert len(reading.judgments) + len(rows_left_out(reading)) <= rows


def rows_left_out(reading: CheckedJudgments) -> set[int]:
    return {rejection.row for rejection in reading.rejected if not rejection.row_stays}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 4))
    extra = draw(st.lists(st.sampled_from(COLUMNS[3:]), unique=True))
    columns = {
        name: pd.Series(draw(st.lists(ANYTHING, min_size=rows, max_size=rows)), dtype=object)
        for name in (*COLUMNS[:3], *extra)
    }
    return pd.DataFrame(columns)


@given(frames())
def test_any_table_is_read_or_its_rows_are_named(frame: pd.DataFrame) -> None:
    reading = check_judgments(frame, "table")
    accounted_for(reading, len(frame))
    if "source_id" not in frame.columns:
        there = len(reading.judgments) + len(rows_left_out(reading))
        assert there == len(frame) or (reading.notes and there < len(frame))
    again = check_judgments(reading.judgments, "again")
    assert again.rejected == ()
    pd.testing.assert_frame_equal(again.judgments, reading.judgments)


@given(frames())
def test_what_was_read_can_be_coded(frame: pd.DataFrame) -> None:
    judgments = check_judgments(frame, "table").judgments
    if not judgments["label"].notna().any():
        with pytest.raises(InputError, match="no judgments with a label"):
            code_judgments(judgments)
        return
    coded = code_judgments(judgments)
    assert (coded.label < coded.choice_counts[coded.item]).all()
    assert (coded.label >= 0).all()


@given(content=st.binary(max_size=200), suffix=st.sampled_from([".csv", ".parquet", ".json"]))
def test_any_bytes_are_read_or_refused_in_one_line(
    content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    read_or_refused(content, suffix, tmp_path_factory)


@given(
    lines=st.lists(st.lists(st.text(max_size=5), max_size=5), max_size=5),
    header=st.lists(st.sampled_from(COLUMNS), max_size=6),
)
def test_any_csv_is_read_or_refused_in_one_line(
    lines: list[list[str]], header: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "\n".join(",".join(line) for line in [header, *lines])
    content = text.encode(errors="surrogatepass")
    read_or_refused(content, ".csv", tmp_path_factory)


CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["choices", "text", "rating"]), inner, max_size=2)
    ),
    max_leaves=4,
)
ROW_KEYS = ("id", "item_id", "options", "gold", "stratum", "created_at", "mood")


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"annotation_id": CELLS, "annotator": CELLS, "lead_time": CELLS},
            optional=dict.fromkeys(ROW_KEYS, CELLS),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_json_min_is_read_or_refused_in_one_line(rows: list[dict[str, object]]) -> None:
    found = reading_or_refusal(lambda: judgments_of_tasks(rows, "e.json", control="mood"))
    assert isinstance(found, str) or len(found.judgments) <= len(rows)
    assert not isinstance(found, str) or (found.startswith("e.json") and "\n" not in found)


def read_or_refused(content: bytes, suffix: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / f"file{suffix}"
    path.write_bytes(content)
    read = read_label_studio_export if suffix == ".json" else check_judgment_file
    found = reading_or_refusal(lambda: read(path))
    if isinstance(found, str):
        assert str(path) in found
        assert "\n" not in found
    else:
        accounted_for(found, len(content))


def reading_or_refusal(read: Callable[[], CheckedJudgments]) -> CheckedJudgments | str:
    try:
        return read()
    except InputError as error:
        return str(error)


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "item": TEXT,
                "label": TEXT,
                "seconds": st.floats(0, 1e9) | st.none(),
                "stamp": st.datetimes(
                    min_value=pd.Timestamp("1700-01-01").to_pydatetime(),
                    max_value=pd.Timestamp("2200-01-01").to_pydatetime(),
                )
                | st.none(),
                "cancelled": st.booleans(),
            }
        ),
        max_size=6,
    ),
    suffix=st.sampled_from([".csv", ".parquet"]),
)
def test_valid_tables_come_back_from_a_file(
    rows: list[dict[str, Any]], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    frame = pd.DataFrame(
        {
            "item_id": pd.Series([row["item"] for row in rows], dtype=object),
            "annotator": pd.Series(["x"] * len(rows), dtype=object),
            "label": pd.Series(
                [None if row["cancelled"] else row["label"] for row in rows], dtype=object
            ),
            "seconds": pd.Series([row["seconds"] for row in rows], dtype=object),
            "created_at": pd.Series([row["stamp"] for row in rows], dtype=object),
            "cancelled": pd.Series([row["cancelled"] for row in rows], dtype=object),
        }
    )
    table = check_judgments(frame, "table").judgments
    path = tmp_path_factory.mktemp("valid") / f"judgments{suffix}"
    write_judgments(table, path)
    pd.testing.assert_frame_equal(read_judgments(path), table)


REGION = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["choices", "textarea", "rating"]),
            "value": st.one_of(
                JSON,
                st.fixed_dictionaries({"choices": st.lists(st.sampled_from(["a", "b", "z"]))}),
                st.fixed_dictionaries({"text": st.lists(st.text(max_size=3)) | st.text()}),
            ),
        }
    ),
    JSON,
)
ANNOTATION = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(0, 5) | JSON,
        "completed_by": st.integers(0, 3) | st.fixed_dictionaries({"email": st.text()}) | JSON,
        "result": st.lists(REGION, max_size=2) | JSON,
        "was_cancelled": st.booleans() | JSON,
        "ground_truth": st.booleans() | JSON,
        "lead_time": st.floats() | JSON,
        "created_at": st.datetimes().map(str) | JSON,
        "updated_at": st.datetimes().map(str) | JSON,
    },
)
TASK = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "data": st.fixed_dictionaries(
            {},
            optional={
                "item_id": st.sampled_from(["p", "q"]) | JSON,
                "stratum": st.sampled_from(["easy", "hard"]) | JSON,
                "gold": st.sampled_from(["a", "b"]) | JSON,
                "options": st.just(["a", "b"]) | JSON,
            },
        )
        | JSON,
        "annotations": st.lists(ANNOTATION | JSON, max_size=3) | JSON,
        "predictions": JSON,
    },
)


@given(st.lists(TASK | JSON, max_size=4) | JSON, st.booleans())
def test_any_export_is_read_or_refused(document: object, ground_truth_is_gold: bool) -> None:
    found = reading_or_refusal(lambda: judgments_of_tasks(document, "export", ground_truth_is_gold))
    if isinstance(found, str):
        assert not isinstance(document, list)
        assert "should be a list of tasks" in found
        return
    assert isinstance(document, list)
    assert tuple(found.judgments.columns) == COLUMNS
    for rejection in found.rejected:
        assert 1 <= rejection.row <= len(document)
