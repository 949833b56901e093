"""The judgment table, and one check of it at the edge."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import short
from annotation.judgments.columns import Reject, flags, numbers_at_least_zero, texts, times
from annotation.judgments.item_names import items_that_look_alike, names_that_were_numbers
from annotation.judgments.rejections import NO_LABEL, CheckedJudgments, Rejection
from annotation.judgments.repetitions import (
    Note,
    Once,
    latest_version,
    one_gold_per_item,
    told_apart,
    without_repetitions,
)
from annotation.judgments.schema import (
    COLUMNS,
    TEXT_COLUMNS,
    check_columns,
    header_name,
    name_of_row,
)
from annotation.judgments.spellings import one_name_per_person, one_spelling_per_look

TOGETHER = "all files together"
"""Where rows of several files stand, for the messages."""


def validate_judgments(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Check a judgment table and bring it into its one form; one row is one judgment.

    Columns of the result, always all of them, in this order, with a fresh RangeIndex:

    - item_id: str.
    - annotator: str, who judged.
    - label: str, the text of the choice or the free answer as given, never empty; None where the
      judgment was cancelled.
    - seconds: float64, how long it took, at least 0; NaN where unknown.
    - created_at: datetime64[us, UTC]; NaT where unknown. A time without a zone is taken as UTC.
    - source_id: str, unique. Rows with the same one by the same annotator are the same judgment:
      the one with the latest `updated_at` stays, among equals the last. Rows by two annotators are
      two judgments, and their source_ids get the annotators' names. Where the input has no such
      column it is made of `where` and the row's number.
    - updated_at: datetime64[us, UTC]; NaT where unknown.
    - cancelled: bool; the annotator skipped the item, so there is time but no label.
    - stratum: str or None; the same in all rows of an item.
    - role: str or None, such as "crowd" or "expert".
    - gold: str or None; the right label where the item is a gold question, the same in all rows.

    Texts that are required are stripped of nothing; whole numbers become texts; a text in which
    nothing can be seen is None. Labels that look alike, and names of annotators that differ in case
    or blanks alone, get one spelling (`annotation.judgments.spellings`). Other columns are left
    out.

    Parameters
    ----------
    frame
        The table; it is not changed. `item_id`, `annotator` and `label` are required.
    where
        Where the table comes from (a file, a source), for the messages.

    Raises
    ------
    InputError
        If a column is missing or occurs twice, or a row is wrong; it names the first such row and
        counts the others. `check_judgments` leaves such rows out instead.
    """
    return check_judgments(frame, where).required()


def check_judgments(frame: pd.DataFrame, where: str) -> CheckedJudgments:
    """Like `validate_judgments`, but rows that are wrong are left out and named.

    Of a row with a wrong time only that time is left out. Where rows tell different gold answers
    to one item, the one that most rows tell is taken; where there is no such, the item has none.
    Where there is no column source_id, rows that are equal in all columns are one judgment.

    Raises InputError if a column is missing or occurs twice.
    """
    frame = frame.reset_index(drop=True).set_axis(map(header_name, frame.columns), axis=1)
    check_columns(list(frame.columns), where)
    rejected: dict[int, Rejection] = {}  # the first problem of every row

    def reject(row: int, column: str, value: object, problem: str) -> None:
        rejected.setdefault(row, Rejection(where, row + 1, column, short(value), problem))

    values: list[Rejection] = []

    def leave_out(row: int, column: str, value: object, problem: str) -> None:
        values.append(Rejection(where, row + 1, column, short(value), problem, row_stays=True))

    table: dict[str, pd.Series] = {}
    there = [name for name in COLUMNS if name in frame.columns]
    for name in there:
        column = frame[name]
        if name in TEXT_COLUMNS:
            table[name] = texts(column, name, reject)
        elif name == "seconds":
            table[name] = numbers_at_least_zero(column, name, leave_out)
        elif name == "cancelled":
            table[name] = flags(column, name, reject)
        else:
            table[name] = times(column, name, leave_out)
    rows = len(frame)
    for name in COLUMNS:
        if name not in table:
            table[name] = _absent(name, rows, where)
    checked = pd.DataFrame({name: table[name] for name in COLUMNS})
    _require(checked, reject)
    checked, alike = one_spelling_per_look(checked)
    checked, names = one_name_per_person(checked)
    kept = np.ones(rows, dtype=bool)
    kept[list(rejected)] = False
    numbered_alike: tuple[Note, ...] = ()
    once = Once(kept)
    # Asked once: where a column has a million different texts, that takes a while.
    if "source_id" in there and not checked["source_id"].is_unique:
        checked["source_id"], numbered_alike = told_apart(checked, kept)
        _same_item(checked, kept, reject)
        kept[list(rejected)] = False
        once = latest_version(checked, kept)
    elif "source_id" not in there:
        once = without_repetitions(checked[there], kept)
    items = items_that_look_alike(checked["item_id"])
    numbers = [
        *names_that_were_numbers(checked["item_id"]),
        *names_that_were_numbers(checked["annotator"]),
    ]
    told = (*alike, *names, *items, *numbers, *numbered_alike, *once.notes)
    notes = [Rejection(where, *note) for note in told]
    kept &= once.kept
    _one_stratum(checked, kept, reject)
    kept[list(rejected)] = False
    checked["gold"] = one_gold_per_item(checked, kept, leave_out)
    for name in ("stratum", "gold"):
        checked[name] = _told_to_all(checked, name, kept)
    judgments = checked[kept].reset_index(drop=True)
    values = [value for value in values if value.row - 1 not in rejected]
    by_row = sorted([*rejected.values(), *values], key=lambda each: each.row)
    return CheckedJudgments(judgments, tuple(by_row), tuple(notes))


def _absent(name: str, rows: int, where: str) -> pd.Series:
    """A column that the input has not."""
    if name == "source_id":
        return pd.Series([name_of_row(where, row) for row in range(1, rows + 1)], dtype=object)
    if name == "seconds":
        return pd.Series(np.full(rows, np.nan))
    if name == "cancelled":
        return pd.Series(np.zeros(rows, dtype=bool))
    if name in ("created_at", "updated_at"):
        return pd.Series(np.full(rows, np.datetime64("NaT", "us"))).dt.tz_localize("UTC")
    return pd.Series([None] * rows, dtype=object)


def _require(checked: pd.DataFrame, reject: Reject) -> None:
    cancelled = checked["cancelled"].to_numpy()
    labelled = checked["label"].notna().to_numpy()
    for row in np.flatnonzero(~labelled & ~cancelled):  # before all else: nobody worked on it
        reject(int(row), "label", None, NO_LABEL)
    for name in ("item_id", "annotator", "source_id"):
        for row in np.flatnonzero(checked[name].isna()):
            reject(int(row), name, None, "is empty.")
    for row in np.flatnonzero(labelled & cancelled):
        label = checked["label"].iloc[row]
        reject(
            int(row),
            "label",
            label,
            f"is {short(label)}, but the judgment is cancelled; leave one of the two out.",
        )


def _same_item(checked: pd.DataFrame, kept: NDArray[np.bool_], reject: Reject) -> None:
    """Two judgments of different items under one source_id are no repetition but a mix-up."""
    rows = np.flatnonzero(kept)
    told = checked.iloc[rows]
    if told["source_id"].is_unique:
        return
    first = told["item_id"].groupby(told["source_id"].to_numpy(), sort=False).transform("first")
    for place in np.flatnonzero((told["item_id"] != first).to_numpy()):
        value = told["source_id"].iloc[place]
        problem = f"{short(value)} is a judgment of another item, {short(first.iloc[place])}."
        reject(int(rows[place]), "source_id", value, problem)


def _one_stratum(checked: pd.DataFrame, kept: NDArray[np.bool_], reject: Reject) -> None:
    """An item has one stratum: the first that is told."""
    rows = np.flatnonzero(kept & checked["stratum"].notna().to_numpy())
    told = checked.iloc[rows]
    values = told["stratum"]
    first = values.groupby(told["item_id"].to_numpy(), sort=False).transform("first")
    for place in np.flatnonzero((values != first).to_numpy()):
        item, value = told["item_id"].iloc[place], values.iloc[place]
        reject(
            int(rows[place]),
            "stratum",
            value,
            f"is {short(value)}, but item {short(item)} has {short(first.iloc[place])} elsewhere.",
        )


def _told_to_all(checked: pd.DataFrame, name: str, kept: NDArray[np.bool_]) -> pd.Series:
    """The column, what one row tells of an item told in all rows of the item."""
    column = checked[name]
    told = kept & column.notna().to_numpy()
    untold = kept & ~told
    if not told.any() or not untold.any():
        return column
    items = checked["item_id"].to_numpy(dtype=object)
    of_item = dict(zip(items[told], column.to_numpy(dtype=object)[told], strict=True))
    filled = column.to_numpy(dtype=object).copy()
    filled[untold] = [of_item.get(item) for item in items[untold]]
    return pd.Series(filled, dtype=object)


def concatenated(parts: Sequence[CheckedJudgments]) -> CheckedJudgments:
    """Several tables as one, their rows in order.

    Raises InputError as `annotation.judgments.table.check_judgments` does.
    """
    frame = pd.concat([part.judgments for part in parts], ignore_index=True)
    checked = check_judgments(frame, where=TOGETHER)
    rejected = [rejection for part in parts for rejection in part.rejected]
    notes = [note for part in parts for note in part.notes]
    return CheckedJudgments(
        checked.judgments, (*rejected, *checked.rejected), (*notes, *checked.notes)
    )
