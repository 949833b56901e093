"""What was bought with the money, by what was done and by simple rules that look at nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotation.arrays import generator
from budget.collection.channels.replayed import ReplayedAnnotators
from budget.replay.past import Past

DONE = "done"
PLAN = "plan"


@dataclass(frozen=True)
class PastPurchase:
    """Judgments that were bought.

    Attributes
    ----------
    name : "plan", "done", "all_easy" and so on, "equal_spend", "proportional"
    supplier, judgments : whom a rule asks, and how often about every item; None where several are
    table : the judgments, those of gold questions too, with `supplier`
    spent : units
    """

    name: str
    supplier: str | None
    judgments: int | None
    table: pd.DataFrame
    spent: int

    @property
    def kind(self) -> tuple[str, str | None, int | None]:
        """Names the same rule in every replay."""
        return self.name, self.supplier, self.judgments


def done(past: Past, money: int, seed: int) -> PastPurchase:
    """What was done, up to so much money: judgments in the order of time.

    Where no time is told, item by item in an order of the seed, each with all its judgments.
    """
    table = past.for_sale
    if past.is_timed:
        ordered = table.sort_values(["created_at", "source_id"], kind="stable")
    else:
        items = np.sort(table["item_id"].unique().astype(str))
        order = generator("what was done", seed, "").permutation(items.size)
        rank = dict(zip(items[order], range(items.size), strict=True))
        ordered = table.assign(_rank=table["item_id"].map(rank)).sort_values(
            ["_rank", "source_id"], kind="stable"
        )
    paid = ordered["cost"].cumsum() <= money
    bought = ordered[paid]
    return PastPurchase(DONE, None, None, bought, int(bought["cost"].sum()))


def simple_rules(past: Past, money: int, seed: int) -> Iterator[PastPurchase]:
    """Every simple rule, with every supplier and number of judgments of an item.

    Items come in an order of the seed, and so do the judgments of each, as in the collection that
    is planned. An item is bought while the money pays for all that is asked about it.
    """
    strata = past.config.strata.buy
    order = _order(past, seed)
    for name, supplier in past.suppliers.items():
        own = past.judgments[past.judgments["supplier"] == name]
        numbers = {number for offered in supplier.judgments.values() for number in offered}
        for number in sorted(numbers):
            asked = _asked(own, order, number, seed)
            sold = {
                stratum: asked[asked["stratum"] == stratum]
                for stratum in strata
                if number in supplier.judgments.get(stratum, ())
            }
            for rule, parts in _shares(sold, strata, asked, money).items():
                bought = pd.concat([_within(table, units) for table, units in parts])
                yield PastPurchase(rule, name, number, bought, int(bought["cost"].sum()))


def _order(past: Past, seed: int) -> Mapping[str, int]:
    """Item for sale -> its place."""
    items = np.sort(past.for_sale["item_id"].unique().astype(str))
    order = generator("items of simple rules", seed, "").permutation(items.size)
    return dict(zip(items[order].tolist(), range(items.size), strict=True))


def _asked(
    judgments: pd.DataFrame, order: Mapping[str, int], number: int, seed: int
) -> pd.DataFrame:
    """What people answer if every item for sale is asked so often, in the order of the items."""
    people = ReplayedAnnotators(judgments, seed)
    people.send(pd.DataFrame({"item_id": list(order), "judgments": number}))
    given = people.fetch().judgments
    return given.assign(_rank=given["item_id"].map(order)).sort_values(
        ["_rank", "source_id"], kind="stable"
    )


def _shares(
    sold: Mapping[str, pd.DataFrame], strata: Sequence[str], asked: pd.DataFrame, money: int
) -> dict[str, list[tuple[pd.DataFrame, int]]]:
    """Rule -> tables of judgments in order, each with the money for it."""
    found = {f"all_{name}": [(table, money)] for name, table in sold.items()}
    if len(sold) == len(strata):
        share = money // len(strata)
        found["equal_spend"] = [(table, share) for table in sold.values()]
        found["proportional"] = [(asked, money)]
    return found


def _within(table: pd.DataFrame, money: int) -> pd.DataFrame:
    """The first items that the money pays for, whole."""
    of_item = table.groupby("_rank", sort=True)["cost"].sum()
    paid = of_item.index[of_item.cumsum() <= money]
    return table[table["_rank"].isin(set(paid))]
