"""Hold judgments against the items that were judged: options, strata, right answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import short
from annotation.items.table import gold_texts
from annotation.judgments.item_names import ItemNames, shown
from annotation.judgments.own_choices import OwnChoices
from annotation.judgments.rejections import CheckedJudgments, Rejection
from annotation.judgments.schema import row_of_file

_JUDGMENT = "judgment "


def check_against_items(
    checked: CheckedJudgments,
    items: pd.DataFrame,
    strata: Mapping[str, str] | None = None,
    answers_are_gold: bool = False,
) -> CheckedJudgments:
    """Leave out judgments of items that are not there, and labels that are none of their choices.

    An item's name that only looks like that of one item is that item; a note tells how many.
    Of a gold answer that is no choice the judgment stays, without the gold answer.
    Labels and gold answers that say a choice, look like it or are an equal number become the
    choice's own text. Answers to free-form items are not checked.

    Parameters
    ----------
    checked
        A valid judgment table, and what was rejected so far.
    items
        The item table, see `annotation.items.table.validate.validate_items`.
    strata
        Stratum of every item by its item_id, instead of what the judgments say; "" for none.
    answers_are_gold
        Whether the items' own answers are taken as right: then every judgment of an item that has
        one is an answer to a gold question.
    """
    place = {item_id: number for number, item_id in enumerate(items["item_id"])}
    judgments, notes, rejected = _with_names_of_items(checked.judgments, place)
    position = judgments["item_id"].map(place)
    kept = position.notna().to_numpy(copy=True)
    labels = judgments["label"].to_numpy(dtype=object).copy()
    choices = items["choices"].tolist()
    places = position.fillna(-1).to_numpy(dtype=np.int64)
    golds = judgments["gold"].to_numpy(dtype=object).copy()
    if answers_are_gold:
        right = np.array([*gold_texts(items), None], dtype=object)[places]
        golds = np.where(pd.isna(right), golds, right)
    own: dict[int, OwnChoices] = {}
    for row in np.flatnonzero(kept & judgments["label"].notna().to_numpy()):
        item = int(places[row])
        if not choices[item]:
            continue
        if item not in own:
            own[item] = OwnChoices({text: text for text in choices[item]})
        listed = ", ".join(own[item].texts)
        told = golds[row]
        if isinstance(told, str):
            golds[row] = own[item].find(told)
            if golds[row] is None:
                problem = f"{short(told)} is none of the item's choices: {listed}."
                rejected.append(_rejection(judgments, row, "gold", problem, row_stays=True))
        label = str(labels[row])
        choice = own[item].find(label)
        if choice is None:
            problem = f"{short(label)} is none of the item's choices: {listed}."
            rejected.append(_rejection(judgments, row, "label", problem))
            kept[row] = False
        else:
            labels[row] = choice
    table = judgments.assign(label=_texts(labels), gold=_texts(golds))
    if strata is not None:
        named = [strata.get(item_id) or None for item_id in judgments["item_id"]]
        table["stratum"] = _texts(named)
    ordered = [_in_its_file(one) for one in sorted(rejected, key=lambda one: one.row)]
    kept_table = table[kept].reset_index(drop=True)
    return CheckedJudgments(
        kept_table, (*checked.rejected, *ordered), (*checked.notes, *map(_in_its_file, notes))
    )


def _with_names_of_items(
    judgments: pd.DataFrame, place: Mapping[str, int]
) -> tuple[pd.DataFrame, list[Rejection], list[Rejection]]:
    """The judgments, items that look like one of `place` named so; a remark; who names no item."""
    unknown = np.flatnonzero(judgments["item_id"].map(place).isna().to_numpy())
    if not unknown.size:
        return judgments, [], []
    names = ItemNames(place)
    item_ids = judgments["item_id"].to_numpy(dtype=object).copy()
    found = {name: names.find(name) for name in set(item_ids[unknown])}
    joined = [row for row in unknown if found[item_ids[row]] is not None]
    rejected = [
        _rejection(judgments, row, "item_id", names.problem(item_ids[row]))
        for row in unknown
        if found[item_ids[row]] is None
    ]
    if not joined:
        return judgments, [], rejected
    first = item_ids[joined[0]]
    several = "judgments name" if len(joined) > 1 else "judgment names"
    problem = (
        f"{len(joined):,} {several} an item by what only looks like its name, such as "
        f"{shown(first)} for {shown(str(found[first]))}; they are taken for judgments of it."
    )
    notes = [replace(_rejection(judgments, joined[0], "item_id", problem), row_stays=True)]
    for row in joined:
        item_ids[row] = found[item_ids[row]]
    return judgments.assign(item_id=_texts(item_ids)), notes, rejected


def _in_its_file(rejection: Rejection) -> Rejection:
    """The same, its row counted in the file that it stands in, where the judgment's name tells."""
    place = row_of_file(rejection.where.removeprefix(_JUDGMENT))
    return rejection if place is None else replace(rejection, where=place[0], row=place[1])


def _texts(values: Sequence[object] | NDArray[np.object_]) -> pd.Series:
    # Named so, or pandas would make texts of its own type of them.
    return pd.Series(values, dtype=object)


def _rejection(
    judgments: pd.DataFrame, row: int, column: str, problem: str, row_stays: bool = False
) -> Rejection:
    value = judgments[column].iloc[row]
    where = f"{_JUDGMENT}{judgments['source_id'].iloc[row]}"
    return Rejection(where, int(row) + 1, column, short(value), problem, row_stays)
