"""What tells how hard items are must not be what measures how often people err on them.

Where annotators happen to agree an item looks easy, and these same judgments look right: strata
that are cut by disagreement come out with error rates that lie too far apart. So the judgments of
an item are divided: some select its stratum, the others are the evidence.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotation.arrays import Mask
from annotation.errors import InputError
from annotation.hardness.disagreement import answer_entropy, pairwise_disagreement
from annotation.items.told_by import ToldBy, told_by
from annotation.team.error_rates import FEWEST_SHARED
from annotation.truth.coding import usable

# Measures that the first judgments of every item can tell.
OF_DISAGREEMENT = {
    "answer_entropy": answer_entropy,
    "pairwise_disagreement": pairwise_disagreement,
}
USUAL_MEASURE = "pairwise_disagreement"  # unbiased, however many judgments an item has
FEWEST = 2  # judgments that can disagree


def split_judgments(judgments: pd.DataFrame, first: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first so many judgments of every item, and all others; of each person the last answer.

    First is who judged first, by `created_at`; where no time is told, in the order of the table.
    """
    there = usable(judgments)
    in_time = there.sort_values("created_at", kind="stable", na_position="last")
    early = in_time.groupby("item_id", sort=False).cumcount() < first
    chosen = early.reindex(there.index)
    return there[chosen].reset_index(drop=True), there[~chosen].reset_index(drop=True)


@dataclass(frozen=True)
class OtherJudgments:
    """Judgments that told no item's stratum, (rows), and how many did and are left out."""

    judgments: pd.DataFrame
    set_apart: int

    def check_enough(self, remedy: str) -> None:
        """See that errors can be measured by what is left.

        Raises InputError, with a remedy, if no right answer is known of it and fewer than
        `FEWEST_SHARED` items have two judgments left, which can be compared.
        """
        left = usable(self.judgments)
        shared = int((left.groupby("item_id", sort=False).size() >= FEWEST).sum())
        if left.empty or (shared < FEWEST_SHARED and left["gold"].isna().all()):
            raise InputError(
                f"{self.set_apart:,} judgments told how hard the items are, and cannot measure "
                f"errors too. {len(left):,} others are left, two of one item on {shared:,} items: "
                f"too few to show how often people err. {remedy}"
            )


def other_judgments(judgments: pd.DataFrame, told: ToldBy) -> OtherJudgments:
    """Leave out all that was said by whoever told an item's hardness, on that item."""
    selects = told.tells(judgments["item_id"].tolist(), judgments["annotator"].tolist())
    return _without(judgments, np.array(selects, dtype=bool))


def _without(judgments: pd.DataFrame, selects: Mask) -> OtherJudgments:
    return OtherJudgments(judgments[~selects].reset_index(drop=True), int(selects.sum()))


@dataclass(frozen=True)
class FirstJudgments:
    """The first judgments of every item, which tell how hard it is, and all others.

    `for_strata` are the first, and `of_items` (its items) has the two measures by them, under
    their names.
    """

    for_strata: pd.DataFrame
    of_items: pd.DataFrame
    evidence: OtherJudgments

    @property
    def told(self) -> ToldBy:
        """The first judgments, to be kept beside the measures."""
        return told_by(self.for_strata)


def first_judgments(item_ids: pd.Series, judgments: pd.DataFrame, first: int) -> FirstJudgments:
    """Measure by the first so many judgments of every item how hard it is.

    `item_ids` (items,) are those of the item table.

    Raises InputError if they are fewer than two, which cannot disagree.
    """
    if first < FEWEST:
        raise InputError(
            f"disagreement takes two judgments of an item; got {first} for the strata: keep 2 or "
            "more."
        )
    for_strata, _ = split_judgments(judgments, first)
    pair = ["item_id", "annotator"]
    selects = pd.MultiIndex.from_frame(judgments[pair]).isin(
        pd.MultiIndex.from_frame(for_strata[pair])
    )
    measured = {name: of(item_ids, for_strata) for name, of in OF_DISAGREEMENT.items()}
    of_items = pd.DataFrame({"item_id": item_ids.to_numpy(), **measured})
    return FirstJudgments(for_strata, of_items, _without(judgments, selects))
