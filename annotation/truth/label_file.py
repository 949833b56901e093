"""Aggregated labels with their posteriors: as a table, as a file, and as training wants them."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError, short
from annotation.files import read_records
from annotation.items.identifiers import NumberedNames
from annotation.judgments.columns import is_text
from annotation.judgments.own_choices import OwnChoices
from annotation.truth.aggregation import Aggregate
from annotation.truth.coding import Coded
from annotation.whole_files import whole_file

COLUMNS = ("item_id", "label", "confidence", "judgments", "stratum", "choices", "posterior")


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(text == "" or is_text(text) for text in value)


def _are_chances(value: object) -> bool:
    if not isinstance(value, list) or not all(type(each) in (int, float) for each in value):
        return False
    return all(0 <= each <= 1 for each in value) and math.isclose(sum(value), 1, abs_tol=1e-6)


_CHECKS: dict[str, Callable[[object], bool]] = {
    "item_id": is_text,
    "choices": _are_texts,
    "posterior": _are_chances,
}


def labels_table(coded: Coded, found: Aggregate) -> pd.DataFrame:
    """Labels for training, one row per item.

    Columns: item_id; label (text; drawn where several are as probable); confidence (its posterior);
    judgments (how many); stratum; choices (the texts that `posterior` is about, list[str]; "" for
    one that nobody gave and that is not known) and posterior (list[float], sums to 1).
    """
    sizes = coded.choice_counts.tolist()
    labels = found.labels(coded)
    own = [[coded.text(i, code) for code in range(size)] for i, size in enumerate(sizes)]
    return pd.DataFrame(
        {
            "item_id": coded.item_ids,
            "label": [texts[code] for texts, code in zip(own, labels, strict=True)],
            "confidence": found.confidence,
            "judgments": np.bincount(coded.item, minlength=len(coded.item_ids)),
            "stratum": np.array(coded.strata, dtype=object)[coded.stratum],
            "choices": own,
            "posterior": [p[:n].tolist() for p, n in zip(found.posteriors, sizes, strict=True)],
        }
    )


def write_labels(labels: pd.DataFrame, path: str | Path) -> None:
    """Write a table of labels as `.jsonl` or `.parquet`, whole or not at all.

    The file is readable by its owner alone.

    Raises InputError if the suffix is another or the file cannot be written.
    """
    path = Path(path)
    check_labels_path(path)
    with whole_file(path, private=True) as unfinished:
        if path.suffix.lower() == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.Table.from_pandas(labels, preserve_index=False), unfinished)
            return
        columns = [labels[name].tolist() for name in COLUMNS]
        with unfinished.open("w", encoding="utf-8") as file:
            for row in zip(*columns, strict=True):
                record = dict(zip(COLUMNS, row, strict=True))
                file.write(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")


def check_labels_path(path: Path) -> None:
    """Raise InputError if labels cannot be kept under such a name."""
    if path.suffix.lower() not in (".jsonl", ".parquet"):
        raise InputError(f"{path}: labels are kept as .jsonl or .parquet; name it so.")


def read_labels(path: str | Path) -> pd.DataFrame:
    """Read what `write_labels` wrote.

    Raises InputError if the file is absent, unreadable or no table of labels.
    """
    path = Path(path)
    check_labels_path(path)
    records = read_records(path)
    for row, record in enumerate(records, start=1):
        for name in COLUMNS:
            if name not in record:
                raise InputError(f"{path}: row {row}: column '{name}' is missing.")
        for name, is_right in _CHECKS.items():
            if not is_right(record[name]):
                raise InputError(
                    f"{path}: row {row}, column '{name}': got {short(record[name])}, which "
                    "'labelmix judgments report' does not write."
                )
        if len(record["choices"]) != len(record["posterior"]):
            raise InputError(f"{path}: row {row}: 'choices' and 'posterior' differ in length.")
    columns = {name: [record[name] for record in records] for name in COLUMNS}
    return pd.DataFrame({name: pd.Series(own, dtype=object) for name, own in columns.items()})


def training_posteriors(
    labels: pd.DataFrame, items: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels as `training.targets.make` wants them.

    Parameters
    ----------
    labels
        A table of labels, see `labels_table`.
    items
        The item table, whose choices the labels are about.

    Returns
    -------
    Positions of the labelled items in the item table, (labels,), and the probabilities of their
    choices in the item's order, (labels, most choices of the item table); rows sum to 1, 0 where
    an item has fewer choices.

    Raises
    ------
    InputError
        If an item is none of the table's, has no choices, or has probability on an answer that is
        none of its choices.
    """
    places = {item_id: number for number, item_id in enumerate(items["item_id"])}
    choices = items["choices"].tolist()
    most = max((len(own) for own in choices), default=0)
    positions = np.empty(len(labels), dtype=np.int64)
    posteriors = np.zeros((len(labels), most))
    rows = zip(labels["item_id"], labels["choices"], labels["posterior"], strict=True)
    for row, (item_id, texts, posterior) in enumerate(rows):
        place = places.get(item_id)
        if place is None or not choices[place]:
            problem = "is none of the items" if place is None else "has no choices"
            number = NumberedNames(places).problem(item_id) if place is None else ""
            also = f" {number[0].upper()}{number[1:]}" if number else ""
            raise InputError(f"item {short(item_id)} {problem}, so it cannot be trained on.{also}")
        positions[row] = place
        codes = {text: code for code, text in enumerate(choices[place])}
        own = OwnChoices({text: text for text in choices[place]})
        for text, probability in zip(texts, posterior, strict=True):
            choice = own.find(text)
            if choice is not None:
                posteriors[row, codes[choice]] += probability
            elif probability > 0:
                raise InputError(
                    f"item {short(item_id)}: {short(text)} is none of its choices: "
                    f"{', '.join(choices[place])}."
                )
        posteriors[row] /= posteriors[row].sum()
    return positions, posteriors
