"""The item table: its columns, its measures, its fingerprint."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from annotation.files import TableRow

TEXT_COLUMNS = ("item_id", "question", "answer_text", "group", "reasoning")
COLUMNS = ("item_id", "question", "choices", "answer", "answer_text", "group", "reasoning")

# Key of an item table's `attrs`: what its source left out, in words.
LEFT_OUT = "left_out"
# Likewise: how the table was read, in sentences; and column -> why it is no measure.
REMARKS = "remarks"
NO_NUMBERS = "no_numbers"

# Behind a measure's name: the column that is 1 where the measure is a prediction and 0 where it is
# measured, and the measure that is a prediction for every item, all on one scale.
IS_PREDICTED = "_is_predicted"
ONE_SCALE = "_predicted"

# Changes when the same items should get another fingerprint.
_FINGERPRINT_VERSION = b"labelmix items 1\n"


def measures(items: pd.DataFrame) -> list[str]:
    """Names of the hardness measures of an item table, in the order of its columns."""
    return [name for name in items.columns if name not in COLUMNS]


def no_such_measure(items: pd.DataFrame, name: str) -> str:
    """A sentence for a measure that the items lack: why, or which ones they have."""
    why = items.attrs.get(NO_NUMBERS, {}).get(name)
    if why is not None:
        return f"hardness measure '{name}' is not in the items: {why}."
    there = ", ".join(measures(items)) or "none"
    return f"hardness measure '{name}' is not in the items; they have: {there}."


def shared_choices(items: pd.DataFrame) -> tuple[str, ...] | None:
    """The choices that all items have, in the same order: then the task is classification.

    None if items differ in their choices, or have none.
    """
    distinct = {tuple(choices) for choices in items["choices"]}
    return (distinct.pop() or None) if len(distinct) == 1 else None


def texts_fingerprint(items: pd.DataFrame) -> str:
    """Name questions and choices of an item table by their content and order: 64 digits.

    Answers, measures and ids make no difference.
    """
    texts = [items["question"].tolist(), [list(choices) for choices in items["choices"]]]
    return hashlib.sha256(_json_bytes(texts)).hexdigest()


def fingerprint(items: pd.DataFrame) -> str:
    """Name an item table by its content and the order of its items: 64 hexadecimal digits.

    The index, the order of the columns and the version of pandas make no difference; nor does
    an optional column that holds nothing.
    """
    digest = hashlib.sha256(_FINGERPRINT_VERSION)

    def add(name: str, content: bytes) -> None:
        # Names and lengths, so that no two different tables are the same bytes.
        digest.update(json.dumps([name, len(content)]).encode() + b"\n" + content)

    for name in TEXT_COLUMNS:
        values = items[name].tolist() if name in items.columns else [None] * len(items)
        add(name, _json_bytes([None if is_missing(value) else value for value in values]))
    add("choices", _json_bytes([list(choices) for choices in items["choices"]]))
    answers = items["answer"].astype("Int64").to_numpy(dtype=np.int64, na_value=-1)
    add("answer", answers.astype("<i8").tobytes())
    for name in sorted(measures(items)):
        values = items[name].to_numpy(dtype=np.float64)
        # One zero and one NaN: numbers that are equal are the same bytes.
        plain = np.where(np.isnan(values), np.nan, values + 0.0)
        add(f"measure {name}", plain.astype("<f8").tobytes())
    return digest.hexdigest()


def records_to_frame(records: Sequence[TableRow]) -> pd.DataFrame:
    """Rows to a frame of object columns, so that pandas guesses no types; absent is None."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return pd.DataFrame(
        {name: pd.Series([r.get(name) for r in records], dtype=object) for name in names}
    )


def is_missing(value: object) -> bool:
    """Whether a cell says nothing: None, NaN, NaT, <NA>."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, float | np.floating):
        return math.isnan(value)
    return isinstance(value, np.datetime64 | np.timedelta64) and bool(np.isnat(value))


def _json_bytes(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def gold_texts(items: pd.DataFrame) -> list[str | None]:
    """The gold answer of every item as a text, (items,); None where it is not known."""
    columns = (items[name].tolist() for name in ("choices", "answer", "answer_text"))
    golds: list[str | None] = []
    for choices, index, text in zip(*columns, strict=True):
        if choices:
            golds.append(None if pd.isna(index) else str(choices[int(index)]))
        else:
            golds.append(text if isinstance(text, str) else None)
    return golds
