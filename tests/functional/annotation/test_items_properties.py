"""Item tables of any content survive writing and reading; the fingerprint follows content."""

import math
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.csv_headers import column_name
from annotation.items.choice_order import in_own_order
from annotation.items.read import load_tabular
from annotation.items.table import COLUMNS, fingerprint
from annotation.items.validate import validate_items
from annotation.items.write import write_table

TEXTS = st.text(max_size=12)
FULL_TEXTS = TEXTS.filter(lambda text: bool(text.strip()))
BARE = FULL_TEXTS.map(str.strip)  # as readers take choices
NUMBERS = st.none() | st.floats(allow_infinity=False)
MEASURES = st.lists(FULL_TEXTS.filter(lambda t: t not in COLUMNS), max_size=3, unique=True)
# As readers of CSV files take the names of columns.
NAMES_AS_READ = st.lists(
    FULL_TEXTS.map(column_name).filter(lambda name: name not in ("", *COLUMNS)),
    max_size=3,
    unique=True,
)


def is_number(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


@st.composite
def item_tables(draw: Any, as_read: bool = False) -> pd.DataFrame:
    """Valid item tables; `as_read`: as readers of files make them, so without blank texts."""
    texts, choice_texts = (FULL_TEXTS, BARE) if as_read else (TEXTS, FULL_TEXTS)
    measures = draw(NAMES_AS_READ if as_read else MEASURES)
    item_ids = draw(st.lists(FULL_TEXTS, min_size=1, max_size=5, unique=True))
    rows: list[dict[str, Any]] = []
    for item_id in item_ids:
        choices = draw(st.lists(choice_texts, max_size=4, unique_by=str.strip))
        choices = choices if len(choices) > 1 else []
        answer = draw(st.integers(0, len(choices) - 1)) if choices else None
        rows.append(
            {
                "item_id": item_id,
                "question": draw(FULL_TEXTS),
                "choices": choices,
                "answer": answer,
                "answer_text": choices[answer] if answer is not None else draw(texts),
                "group": draw(st.none() | texts),
                "reasoning": draw(st.none() | texts),
                **{name: draw(NUMBERS) for name in measures},
            }
        )
    if as_read:  # a column without a single number is no measure
        measures = [m for m in measures if any(is_number(row[m]) for row in rows)]
        rows = [{name: row[name] for name in (*COLUMNS, *measures)} for row in rows]
    columns = {name: pd.Series([row[name] for row in rows], dtype=object) for name in rows[0]}
    table = validate_items(pd.DataFrame(columns), "drawn")
    return in_own_order(table).items if as_read else table


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".csv"])
@settings(max_examples=100, deadline=None)
@given(items=item_tables(as_read=True))
def test_round_trip(items: pd.DataFrame, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"items{suffix}"
        write_table(items, path)
        again = load_tabular(str(path))
    pd.testing.assert_frame_equal(again, items)
    assert fingerprint(again) == fingerprint(items)


@settings(max_examples=100, deadline=None)
@given(items=item_tables())
def test_validation_changes_a_valid_table_no_more(items: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(validate_items(items, "again"), items)


def content(items: pd.DataFrame) -> tuple[Any, ...]:
    """What the fingerprint stands for, in a form that compares by ==: the slow, obvious twin."""
    names = sorted(items.columns)

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(value)
        missing = (
            value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
        )
        return "missing", None if missing else value

    return tuple(names), tuple(tuple(map(plain, items[name])) for name in names)


@settings(max_examples=200, deadline=None)
@given(one=item_tables(), other=item_tables(), order=st.randoms())
def test_fingerprints_are_equal_when_content_is(
    one: pd.DataFrame, other: pd.DataFrame, order: Any
) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (content(one) == content(other))
    rows = list(range(len(one)))
    order.shuffle(rows)
    shuffled = one.iloc[rows]
    assert (fingerprint(one) == fingerprint(shuffled)) == (rows == sorted(rows))
