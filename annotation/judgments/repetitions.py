"""What rows of a judgment table tell twice: judgments in several versions, gold answers."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import short
from annotation.judgments.columns import Reject

_NUMBER_OF_A_USER = re.compile(r"(user-)?\d+", re.ASCII)  # where no address is told

Note = tuple[int, str, str, str]
"""Row from 1, column, value, remark: the end of a `Rejection`."""


@dataclass(frozen=True)
class Once:
    """Rows, (rows,), that are left when every judgment counts once; remarks on others."""

    kept: NDArray[np.bool_]
    notes: tuple[Note, ...] = ()


def told_apart(
    checked: pd.DataFrame, kept: NDArray[np.bool_]
) -> tuple[pd.Series, tuple[Note, ...]]:
    """The source_id of every row, (rows,), where each stands for one judgment; remarks.

    Numbers of a project and an annotation are a Label Studio's own: two of them number alike. Rows
    with one source_id by two people are two judgments, and each source_id gets its annotator's
    name. One person may be named twice, by a number here and by an address there: rows of one item
    that were created at one time are then one judgment.
    """
    unchanged: pd.Series = checked["source_id"]
    rows = np.flatnonzero(kept)
    repeated = checked["source_id"].iloc[rows].duplicated(keep=False).to_numpy()
    if not repeated.any():
        return unchanged, ()
    twice = checked.iloc[rows[repeated]]
    first = twice["annotator"].groupby(twice["source_id"].to_numpy(), sort=False).transform("first")
    several = set(twice["source_id"][(twice["annotator"] != first).to_numpy()])
    if not several:
        return unchanged, ()
    source_ids = unchanged.to_numpy(dtype=object).copy()
    notes: list[tuple[int, str, str]] = []
    for source_id, group in twice[twice["source_id"].isin(several)].groupby("source_id"):
        people = group["annotator"]
        one_time = group["created_at"].nunique(dropna=False) == 1
        named = {bool(_NUMBER_OF_A_USER.fullmatch(name)) for name in people}
        is_one = len(named) == 2 and people.nunique() == 2 and one_time
        if is_one and group["item_id"].nunique() == 1:
            continue
        for row, name in people.items():
            source_ids[row] = f"{source_id} by {name}"
        notes.append((int(people.index[-1]), str(source_id), str(people.iloc[0])))
    if not notes:
        return unchanged, ()
    row, source_id, other = notes[0]
    also = f"; so do {len(notes) - 1:,} more." if len(notes) > 1 else "."
    remark = (
        f"{short(source_id)} is a judgment by {short(checked['annotator'].iloc[row])} here and by "
        f"{short(other)} elsewhere, as two servers number alike; both count{also}"
    )
    return pd.Series(source_ids, dtype=object), ((row + 1, "source_id", short(source_id), remark),)


def latest_version(checked: pd.DataFrame, kept: NDArray[np.bool_]) -> Once:
    """Of rows with the same source_id the one with the latest updated_at, else the last.

    A note tells where one of equal time has another label.
    """
    rows = np.flatnonzero(kept)
    source_ids = checked["source_id"].iloc[rows]
    if source_ids.is_unique:
        return Once(kept)
    # NaT is the smallest of all integers, so any time stamp is later.
    updated = checked["updated_at"].dt.tz_localize(None).to_numpy().astype(np.int64)
    in_time = np.lexsort((rows, updated[rows]))
    last = ~source_ids.iloc[in_time].duplicated(keep="last").to_numpy()
    latest = np.zeros(len(checked), dtype=bool)
    latest[rows[in_time[last]]] = True
    winner = dict(zip(checked["source_id"][latest], np.flatnonzero(latest), strict=True))
    labels = checked["label"].to_numpy(dtype=object)
    lost = rows[~latest[rows]]
    contradicted = []
    for row, source_id in zip(lost.tolist(), checked["source_id"].iloc[lost], strict=True):
        other = winner[source_id]
        if updated[row] == updated[other] and labels[row] != labels[other]:
            contradicted.append((row, int(other)))
    if not contradicted:
        return Once(latest)
    row, other = contradicted[0]
    source_id, more = checked["source_id"].iloc[row], len(contradicted) - 1
    remark = (
        f"{short(source_id)} has the label {short(labels[row])} here and {short(labels[other])} in "
        f"row {other + 1}, neither updated later; the last row counts"
        + (f" ({more:,} more such)." if more else ".")
    )
    return Once(latest, ((row + 1, "source_id", short(source_id), remark),))


def without_repetitions(told: pd.DataFrame, kept: NDArray[np.bool_]) -> Once:
    """Of rows that are equal in all columns of `told` the first."""
    repeats = told.duplicated().to_numpy() & kept
    if not repeats.any():
        return Once(kept)
    first, more = int(np.flatnonzero(repeats)[0]), int(repeats.sum()) - 1
    also = f"; so do {more:,} more rows." if more else "."
    remark = f"repeats another row in every column and counts once with it{also}"
    item_id = short(told["item_id"].iloc[first])
    return Once(kept & ~repeats, ((first + 1, "item_id", item_id, remark),))


def one_gold_per_item(
    checked: pd.DataFrame, kept: NDArray[np.bool_], leave_out: Reject
) -> pd.Series:
    """The gold answers, (rows,), where each item has one: the one that most of its rows tell.

    None is taken where two are told equally often. `leave_out` hears of every value that is not.
    """
    gold = checked["gold"].to_numpy(dtype=object).copy()
    rows = np.flatnonzero(kept & checked["gold"].notna().to_numpy())
    told = checked.iloc[rows][["item_id"]].assign(gold=[text.strip() for text in gold[rows]])
    first = told["gold"].groupby(told["item_id"].to_numpy(), sort=False).transform("first")
    disputed = told["item_id"][(told["gold"] != first).to_numpy()].unique()
    disputed_rows = told[told["item_id"].isin(disputed)]
    for item_id, own in disputed_rows.groupby("item_id", sort=False)["gold"]:
        (usual, often), (_, next_often) = Counter(own).most_common(2)
        is_clear = often > next_often
        for row, text in own.items():
            if is_clear and text == usual:
                continue
            instead = (
                f"{short(usual)} in {often:,} rows, which is taken"
                if is_clear
                else "another as often, so it has none"
            )
            problem = f"is {short(gold[row])}, but item {short(item_id)} has {instead}."
            leave_out(int(row), "gold", gold[row], problem)
        gold[own.index] = usual if is_clear else None
    return pd.Series(gold, dtype=object)
