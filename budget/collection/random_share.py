"""Which judgments error rates are estimated on, where items are chosen by their doubt.

Items that were chosen for their doubt are harder than others, and an item that was asked again is
one on which people disagreed. So some items are drawn at random, and of each the same number of
judgments is counted, whatever was said of it: the first ones. What is right is found out by all
judgments of these items: which of them were asked for rests on others alone, so that a likelihood
needs to know nothing of it (Rubin 1976, Biometrika 63). The order of the draws is fixed
before anything is asked. An item whose turn comes after it was chosen for its doubt is drawn all
the same; else the random items would be those that are left, and too easy.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from budget.collection.kinds import EXISTING, TEST_SET_AGAIN, kind_of
from budget.collection.orders import BatchRecord

Drawn = Mapping[tuple[str, str], int]
"""(supplier, item) -> how many of its first judgments count."""


def drawn_at_random(batches: Sequence[BatchRecord], lines: pd.DataFrame) -> Drawn | None:
    """What was drawn at random in batches whose items were chosen; None where all items were drawn.

    Test items that are asked about once more were chosen for their doubt as well. An item that a
    cancelled batch had no answer to was not drawn: it can be drawn again.

    Parameters
    ----------
    batches : all there are
    lines : of all batches, as the store has them
    """
    again = {own.number for own in batches if kind_of(own) == TEST_SET_AGAIN}
    chosen = [own for own in batches if "selection" in own.decision]
    if not (chosen or again):
        return None
    by_doubt = {own.number for own in chosen}
    at_random = lines[~lines["batch"].isin(again | by_doubt) & (lines["received"] > 0)]
    there = lines[lines["received"] > 0]
    answered = set(zip(there["batch"], there["supplier"], there["item_id"], strict=True))
    found = {
        (str(own.supplier), str(own.item_id)): int(str(own.judgments))
        for own in at_random.itertuples()
    }
    return found | {
        (supplier, item): int(count)
        for own in chosen
        for supplier, item, count in own.decision["selection"]["drawn"]
        if own.state != "cancelled" or (own.number, supplier, item) in answered
    }


def judgments_for_rates(judgments: pd.DataFrame, drawn: Drawn) -> pd.DataFrame:
    """The judgments of items that were drawn at random, with a column `counts`.

    Those that count are what an error rate is the share of. The others of these items only help to
    find out what is right: they were asked for where people disagreed.

    Answers to gold questions count, and labels that were there before: nobody chose those by what
    was said of them.

    Parameters
    ----------
    judgments : with columns supplier, item_id, annotator, gold and batch
    drawn : as `drawn_at_random` says
    """
    # Earlier batches first. Within one batch judgments are alike: what is said moves none ahead.
    order = judgments.reset_index(drop=True).sort_values(
        ["supplier", "item_id", "batch", "annotator"], kind="stable", na_position="first"
    )
    rank = order.groupby(["supplier", "item_id"]).cumcount().sort_index().to_numpy()
    pairs = zip(judgments["supplier"], judgments["item_id"], strict=True)
    most = np.array([drawn.get(pair, 0) for pair in pairs], dtype=np.int64)
    outside = judgments["gold"].notna() | (judgments["supplier"] == EXISTING)
    counts = (rank < most) | outside.to_numpy(dtype=bool)
    items = {item for _, item in drawn} | set(judgments["item_id"][counts])
    return judgments.assign(counts=counts)[judgments["item_id"].isin(items)]
