"""From labels that are wanted to items that are asked, gold questions among them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from annotation.arrays import generator
from annotation.items.table import gold_texts
from budget.collection.choosing import WantedLabels
from budget.collection.least_labels import BelowLeast
from budget.collection.orders import BatchRecord, OrderLine
from budget.collection.suppliers import Supplier
from budget.config.collection_config import BuyingSection
from training.task import Task

_ASKED = ("supplier", "item_id", "stratum", "judgments", "gold")  # what is looked at of lines


class Batching:
    """Turns numbers of labels into lines of a batch.

    Parameters
    ----------
    task : items, strata and test set
    suppliers : by name
    buying : settings
    asked : lines of earlier batches that were not cancelled, as the store has them
    number : of the batch, which its draws are named after
    """

    def __init__(
        self,
        task: Task,
        suppliers: Mapping[str, Supplier],
        buying: BuyingSection,
        asked: pd.DataFrame,
        number: int,
    ) -> None:
        self._task, self._suppliers, self._buying = task, suppliers, buying
        self._number = number
        self._gold_texts = gold_texts(task.items)
        self._ids = task.items["item_id"].tolist()
        self._asked = set(asked["item_id"][asked["gold"].isna()])
        own = asked[asked["gold"].isna()]
        self._asked_of = Counter(zip(own["supplier"], own["stratum"], strict=True))
        self._judged_by: Counter[tuple[str, str]] = Counter()
        if buying.selection == "doubt":
            for *pair, count in zip(own["supplier"], own["stratum"], own["judgments"], strict=True):
                self._judged_by[pair[0], pair[1]] += int(count)
        # Whoever gave the answer to a test item is not measured by it.
        self._known_to = set(zip(asked["supplier"], asked["item_id"], strict=True))

    def left(self) -> dict[str, int]:
        """Stratum -> items for sale that nobody was asked about."""
        return {name: len(self._free(name)) for name in self._task.strata.names}

    def asked_of(self, supplier: str, stratum: str) -> int:
        """How many labels a supplier was asked for in a stratum, gold questions apart.

        By doubt so many judgments make one as the supplier's smallest offer has.
        """
        if self._buying.selection == "doubt":
            each = min(self._suppliers[supplier].judgments[stratum])
            return -(-self._judged_by[supplier, stratum] // each)
        return self._asked_of[supplier, stratum]

    def lines(self, wanted: Sequence[WantedLabels]) -> list[OrderLine]:
        """The items of each, none asked twice, and the gold questions of every supplier."""
        taken: dict[str, int] = {}
        found = []
        for own in wanted:
            stratum = own.offer.stratum
            start = taken.get(stratum, 0)
            items = self._order(stratum)[start : start + own.labels]
            taken[stratum] = start + len(items)
            price = self._suppliers[own.offer.supplier].prices[stratum]
            found += [
                OrderLine(own.offer.supplier, item, stratum, own.offer.judgments, None, price)
                for item in items
            ]
        return found + self.gold(wanted)

    def evidence(self, kept: Iterable[OrderLine]) -> dict[str, Any]:
        """Why these lines were chosen; nothing that the batch itself does not say."""
        return {}

    def generator(self, purpose: str, stratum: str) -> np.random.Generator:
        """A stream of draws of this batch alone."""
        return generator(f"batch {self._number}: {purpose}", self._buying.seed, stratum)

    def fixed_order(self, stratum: str) -> list[str]:
        """All items for sale in an order that is the same in every batch."""
        pool = self._task.pools[stratum]
        rng = generator("items at random", self._buying.seed, stratum)
        return [self._ids[place] for place in pool[rng.permutation(pool.size)].tolist()]

    def free(self, stratum: str) -> list[str]:
        """Items that nobody was asked about, in the order that is the same in every batch."""
        return [item for item in self.fixed_order(stratum) if item not in self._asked]

    def _free(self, stratum: str) -> list[str]:
        own = (self._ids[place] for place in self._task.pools[stratum].tolist())
        return [item for item in own if item not in self._asked]

    def _order(self, stratum: str) -> list[str]:
        """Free items in the order in which this batch asks about them."""
        free = self._free(stratum)
        rng = generator(f"batch {self._number}", self._buying.seed, stratum)
        return [free[place] for place in rng.permutation(len(free))]

    def gold(
        self,
        wanted: Sequence[WantedLabels],
        judgments: Mapping[tuple[str, str], int] | None = None,
    ) -> list[OrderLine]:
        """Gold questions of every stratum for each supplier, which it was not asked before.

        They are test items: their answers are known, and nobody trains on what is said of them.
        `judgments` of each, by (supplier, stratum); by default as many as the labels have.
        """
        found = []
        # A supplier may be wanted twice in one stratum, with other numbers of judgments.
        kinds: dict[tuple[str, str], WantedLabels] = {}
        for own in wanted:
            kinds.setdefault((own.offer.stratum, own.offer.supplier), own)
        for (stratum, supplier), own in kinds.items():
            there = self._task.test_positions[self._task.test_strata == stratum]
            rng = generator(f"gold of {supplier}", self._buying.seed, stratum)
            new = [
                place
                for place in there[rng.permutation(there.size)].tolist()
                if (supplier, self._ids[place]) not in self._known_to
                and self._gold_texts[place] is not None
            ]
            price = self._suppliers[supplier].prices[stratum]
            each = (judgments or {}).get((supplier, stratum), own.offer.judgments)
            for place in new[: min(self._buying.gold, own.labels)]:
                gold = self._gold_texts[place]
                found.append(OrderLine(supplier, self._ids[place], stratum, each, gold, price))
        return found


def asked_lines(lines: pd.DataFrame, batches: Sequence[BatchRecord]) -> pd.DataFrame:
    """The lines whose items are not asked about again.

    What a cancelled batch had no answer to is free again.
    """
    cancelled = [own.number for own in batches if own.state == "cancelled"]
    return lines[~lines["batch"].isin(cancelled) | (lines["received"] > 0)]


def no_lines() -> pd.DataFrame:
    """What nobody was asked yet, as `Batching` takes it."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in _ASKED})


def fitting(
    lines: Sequence[OrderLine], cost: Callable[[Sequence[OrderLine]], int], money: int
) -> list[OrderLine]:
    """As many of the lines as the money pays; the last of each kind are left out first.

    Kinds are those of one supplier and stratum, gold questions apart.

    Parameters
    ----------
    lines : of a batch
    cost : the most that lines cost, in units
    money : in units
    """
    kept = list(lines)
    while kept and (total := cost(kept)) > money:
        kept = _share_of(kept, min(Fraction(money, total), Fraction(len(kept) - 1, len(kept))))
    return kept


def fitting_least(
    lines: Sequence[OrderLine],
    cost: Callable[[Sequence[OrderLine]], int],
    money: int,
    least: Mapping[tuple[str, str], int],
) -> tuple[list[OrderLine], list[BelowLeast]]:
    """As many of the lines as the money pays, none of a supplier that takes no so small a batch.

    Where a supplier would get too few, it gets none, and the others have its money.

    Parameters
    ----------
    lines, cost, money : as for `fitting`
    least : (supplier, stratum) -> labels that a batch has at least
    """
    there, refused = list(lines), list[BelowLeast]()
    while True:
        kept = fitting(there, cost, money) if there else []
        counts = Counter(_pair(line) for line in kept if line.gold is None)
        pairs = dict.fromkeys(_pair(line) for line in there)
        few = [pair for pair in pairs if counts[pair] < least.get(pair, 0)]
        if not few:
            return kept, refused
        worst = min(few, key=lambda pair: Fraction(counts[pair], least[pair]))
        refused.append(BelowLeast(*worst, least[worst], counts[worst]))
        there = [line for line in there if _pair(line) != worst]


def _pair(line: OrderLine) -> tuple[str, str]:
    return line.supplier, line.stratum


def _share_of(lines: Sequence[OrderLine], share: Fraction) -> list[OrderLine]:
    """The first lines of each kind, rounded down."""
    kinds = [(line.supplier, line.stratum, line.gold is None) for line in lines]
    allowed = {kind: int(count * share) for kind, count in Counter(kinds).items()}
    seen: Counter[tuple[str, str, bool]] = Counter()
    kept = []
    for line, kind in zip(lines, kinds, strict=True):
        seen[kind] += 1
        if seen[kind] <= allowed[kind]:
            kept.append(line)
    return kept
