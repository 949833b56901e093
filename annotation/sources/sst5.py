"""`sst5`: sentences of film reviews as polarity; hardness is mildness.

`SetFit/sst5`, the Stanford Sentiment Treebank (Socher et al. 2013, EMNLP) in five classes from 0
(very negative) to 4 (very positive). Strongly worded sentences are easy, mild ones hard.
"""

from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.files import TableRow
from annotation.items.hub import (
    SplitRow,
    folder_splits,
    hub_splits,
    split_rows,
)
from annotation.items.table import records_to_frame
from annotation.items.validate import validate_items

HUB_ID = "SetFit/sst5"
SPLITS = ("train", "validation", "test")
CHOICES = ("negative", "positive")

_NEUTRAL = 2
_STRONG = (0, 4)


def load_sst5(data_dir: str | None = None) -> pd.DataFrame:
    """Load SST-5 as a two-choice task: negative (labels 0 and 1) or positive (3 and 4).

    All splits are pooled, train before validation before test. Left out are, in this order:
    neutral sentences (label 2) and empty ones; sentences that occur with both polarities, all
    occurrences; further occurrences of the same text (the first is kept, with its mildness).
    Texts are the same if they are equal character by character.

    Measure: mildness, 0 for labels 0 and 4, 1 for labels 1 and 3. An item_id is the split and the
    number of the row in it, from 1: "sst5-train-000001".

    Parameters
    ----------
    data_dir
        Local folder with train, validation (or dev) and test as .jsonl or Parquet files, columns
        text and label; at least one must exist. None: the hub.

    Raises
    ------
    InputError
        If there are no files, one is malformed, or a text or label is not one.
    """
    where = data_dir or HUB_ID
    splits = folder_splits(Path(data_dir)) if data_dir is not None else hub_splits(HUB_ID)
    rows = [
        (row.name, item)
        for row in split_rows(splits, SPLITS)
        if (item := _item(row, where)) is not None
    ]
    if not rows:
        raise InputError(f"{where}: no sentences; expected files such as train.jsonl.")
    polarities: dict[str, set[int]] = {}
    for _, item in rows:
        polarities.setdefault(item["question"], set()).add(item["answer"])
    kept: dict[str, tuple[str, TableRow]] = {}
    for name, item in rows:
        if len(polarities[item["question"]]) == 1:
            kept.setdefault(item["question"], (name, item))
    if not kept:
        raise InputError(f"{where}: every sentence occurs with both polarities; none is left.")
    names, items = zip(*kept.values(), strict=True)
    return validate_items(records_to_frame(list(items)), where, rows=names)


def _item(row: SplitRow, where: str) -> TableRow | None:
    """One sentence as an item; None if it is neutral or empty."""
    text, label = row.record.get("text"), row.record.get("label")
    if not isinstance(text, str):
        raise InputError(f"{where}: {row.name}, column 'text': should be a text; got {text!r:.40}.")
    if not isinstance(label, int) or isinstance(label, bool) or label not in range(5):
        raise InputError(f"{where}: {row.name}, column 'label': should be 0-4; got {label!r:.40}.")
    if label == _NEUTRAL or not text.strip():
        return None
    return {
        "item_id": f"sst5-{row.split}-{row.number:06d}",
        "question": text,
        "choices": list(CHOICES),
        "answer": int(label > _NEUTRAL),
        "mildness": 0.0 if label in _STRONG else 1.0,
    }
