"""Item tables of any content survive writing and reading; the fingerprint follows content."""

import math
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.items.table import COLUMNS, fingerprint
from annotation.items.validate import validate_items
from annotation.items.write import read_items, write_items

TEXTS = st.text(max_size=12)
FULL_TEXTS = TEXTS.filter(lambda text: bool(text.strip()))
NUMBERS = st.none() | st.floats(allow_infinity=False)
MEASURES = st.lists(FULL_TEXTS.filter(lambda t: t not in COLUMNS), max_size=3, unique=True)


@st.composite
def item_tables(draw: Any) -> pd.DataFrame:
    measures = draw(MEASURES)
    item_ids = draw(st.lists(FULL_TEXTS, min_size=1, max_size=5, unique=True))
    rows: list[dict[str, Any]] = []
    for item_id in item_ids:
        choices = draw(st.lists(FULL_TEXTS, max_size=4, unique_by=str.strip))
        choices = choices if len(choices) > 1 else []
        answer = draw(st.integers(0, len(choices) - 1)) if choices else None
        rows.append(
            {
                "item_id": item_id,
                "question": draw(FULL_TEXTS),
                "choices": choices,
                "answer": answer,
                "answer_text": choices[answer] if answer is not None else draw(TEXTS),
                "group": draw(st.none() | TEXTS),
                "reasoning": draw(st.none() | TEXTS),
                **{name: draw(NUMBERS) for name in measures},
            }
        )
    columns = {name: pd.Series([row[name] for row in rows], dtype=object) for name in rows[0]}
    return validate_items(pd.DataFrame(columns), "drawn")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@settings(max_examples=100, deadline=None)
@given(items=item_tables())
def test_round_trip(items: pd.DataFrame, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"items{suffix}"
        write_items(items, path)
        again = read_items(path)
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
