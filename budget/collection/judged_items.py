"""Items as people judged them: which are disputed, and who said what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel

from annotation.arrays import Array, IntArray
from budget.collection.steps import Collection

Which = Literal["all", "judged", "disputed"]
WHICH: tuple[Which, ...] = ("all", "judged", "disputed")
PER_PAGE = 50
_LONGEST = 4_000  # characters of a text that are told


class JudgmentTold(BaseModel):
    """What one person said of an item."""

    supplier: str
    annotator: str
    label: str
    seconds: float | None
    at: str | None


class ItemTold(BaseModel):
    """One item.

    Attributes
    ----------
    hardness : by the measure that strata are cut by
    gold : the right answer of a test item, which is a gold question
    label, confidence : made of the judgments, and its probability; None where there are none, or it
        is a gold question
    """

    item_id: str
    stratum: str
    hardness: float | None
    question: str
    choices: list[str]
    gold: str | None
    label: str | None
    confidence: float | None
    judgments: list[JudgmentTold]


class ItemPage(BaseModel):
    """Some of the items that were asked for, in order: disputed ones by doubt, others as given.

    `number` is that of the page, from 1 to `pages`; `found` counts the items of all pages.
    """

    stratum: str | None
    which: Which
    number: int
    pages: int
    found: int
    items: list[ItemTold]


@dataclass(frozen=True)
class ItemIndex:
    """All items, and what was said of each.

    Attributes
    ----------
    items : item_id, stratum, question, choices, hardness, gold
    judgments : those with a label that is a choice of an item, by item and time
    judged, answers, confidence : (items,), judgments, different answers, and probability of the
        label (nan where there is none)
    labels : item -> label
    """

    items: pd.DataFrame
    judgments: pd.DataFrame
    judged: IntArray
    answers: IntArray
    confidence: Array
    labels: dict[str, str]


def item_index(collection: Collection) -> ItemIndex:
    """Look at all items and judgments once; `item_page` then takes no time."""
    task, config = collection.contents.task, collection.config
    so_far = collection.proposer.judgments_so_far()
    table = so_far.table
    ids = task.items["item_id"]
    confidence: Array = np.full(len(ids), np.nan)
    labels: dict[str, str] = {}
    if not so_far.is_empty:
        measured = collection.proposer.measured(so_far)
        found = so_far.labels(measured, config.buying.aggregate).table
        labels = dict(zip(found["item_id"], found["label"], strict=True))
        sure = dict(zip(found["item_id"], found["confidence"], strict=True))
        confidence = np.array([sure.get(item, np.nan) for item in ids], dtype=float)
    grouped = table.groupby("item_id")["label"]
    judged = ids.map(grouped.size()).fillna(0).to_numpy(dtype=np.int64)
    answers = ids.map(grouped.nunique()).fillna(0).to_numpy(dtype=np.int64)
    tested = np.zeros(len(ids), dtype=bool)
    tested[task.test_positions] = True
    choices = task.items["choices"]
    gold = [
        str(own[int(answer)]) if is_test else None
        for own, answer, is_test in zip(choices, task.items["answer"], tested, strict=True)
    ]
    measure = config.strata.measure
    hardness = task.items.get(measure, np.nan)
    items = pd.DataFrame(
        {
            "item_id": ids,
            "stratum": task.stratum_of,
            "question": task.items["question"],
            "choices": choices,
            "hardness": hardness,
            "gold": pd.Series(gold, dtype=object),
        }
    )
    return ItemIndex(items, table, judged, answers, confidence, labels)


def item_page(index: ItemIndex, stratum: str | None, which: Which, number: int) -> ItemPage:
    """One page of items; the nearest there is, where there is no such page."""
    chosen = np.ones(len(index.items), dtype=bool)
    if stratum is not None:
        chosen &= (index.items["stratum"] == stratum).to_numpy(dtype=bool)
    if which == "judged":
        chosen &= index.judged > 0
    elif which == "disputed":
        chosen &= index.answers > 1
    places = np.flatnonzero(chosen)
    if which == "disputed":
        # Gold questions, which no label is made of, come last.
        places = places[np.argsort(np.nan_to_num(index.confidence[places], nan=2), kind="stable")]
    pages = max(1, -(-places.size // PER_PAGE))
    number = min(max(1, number), pages)
    shown = places[(number - 1) * PER_PAGE : number * PER_PAGE]
    return ItemPage(
        stratum=stratum,
        which=which,
        number=number,
        pages=pages,
        found=int(places.size),
        items=_told(index, shown.tolist()),
    )


def _told(index: ItemIndex, places: Sequence[int]) -> list[ItemTold]:
    rows = index.items.iloc[list(places)]
    said: dict[str, list[JudgmentTold]] = {}
    there = index.judgments[index.judgments["item_id"].isin(set(rows["item_id"]))]
    for own in there.sort_values("created_at", kind="stable").to_dict("records"):
        said.setdefault(own["item_id"], []).append(
            JudgmentTold(
                supplier=own["supplier"],
                annotator=own["person"],
                label=own["label"],
                seconds=None if pd.isna(own["seconds"]) else float(own["seconds"]),
                at=None if pd.isna(own["created_at"]) else own["created_at"].isoformat(),
            )
        )
    found = []
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        item = row["item_id"]
        is_gold = row["gold"] is not None
        confidence = index.confidence[place]
        found.append(
            ItemTold(
                item_id=item,
                stratum=row["stratum"],
                hardness=None if pd.isna(row["hardness"]) else float(row["hardness"]),
                question=str(row["question"])[:_LONGEST],
                choices=[str(own)[:_LONGEST] for own in row["choices"]],
                gold=row["gold"],
                label=None if is_gold else index.labels.get(item),
                confidence=None if is_gold or np.isnan(confidence) else float(confidence),
                judgments=said.get(item, []),
            )
        )
    return found
