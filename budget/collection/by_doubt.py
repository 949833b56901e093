"""The items of a batch by doubt: which are asked next, which again, and which at random."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from annotation.arrays import Positions
from budget.collection.batching import Batching
from budget.collection.choosing import WantedLabels
from budget.collection.kinds import EXISTING
from budget.collection.market import expected_cost
from budget.collection.measuring import SupplierMeasured
from budget.collection.orders import OrderLine
from budget.collection.predicting import MOST_READ, ItemsRead
from budget.collection.random_share import Drawn
from budget.collection.said import Said
from budget.collection.suppliers import Supplier
from budget.selection.choose import Why, choose_items
from budget.selection.settings import SelectionSettings
from budget.selection.state import AskableItems
from training.task import Task

AT_RANDOM = 3
"""Judgments of an item that is drawn at random, at most. Two answers show how often people differ;
of three, one can be outvoted, which shows who was wrong. The fourth is asked for where doubt stays.
"""
_SMALLEST = 1e-9  # price that is divided by: work by the hour may take no time that is known
_SETTINGS = SelectionSettings(random_share=0.0)  # that share is drawn here, in a fixed order
_RANDOM_SHARE = SelectionSettings().random_share


@dataclass(frozen=True)
class _Choice:
    """An order line, and why its item was chosen.

    Attributes
    ----------
    doubt, fall : of the item's answer before, and how far one more judgment should take it away;
        None where it was drawn at random
    counted : judgments of the item that count for error rates; 0 where it was not drawn
    """

    line: OrderLine
    why: Why
    doubt: float | None = None
    fall: float = 0.0
    counted: int = 0


class ItemsByDoubt:
    """Turns numbers of labels into the lines of one batch, as `Batching` does, but by doubt.

    A label of so many judgments stands for so many judgments: they go where one more is expected to
    take away most doubt, one an item. So an item that becomes clear costs fewer than the offer
    says, and what is in doubt is asked again in a later batch, never more often of one supplier
    than its largest offer. A share of the judgments goes to items drawn at random.

    Parameters
    ----------
    task : items, strata and test set
    suppliers : by name
    batching : what was asked before, gold questions, and the settings
    asked : lines of earlier batches that were not cancelled, as the store has them
    drawn : what was drawn at random so far
    said : what was said of each item
    measured : (supplier, stratum) -> how it errs
    read : what a model says; None before there is one, when all items are drawn at random
    """

    def __init__(
        self,
        task: Task,
        suppliers: Mapping[str, Supplier],
        batching: Batching,
        asked: pd.DataFrame,
        drawn: Drawn,
        said: Said,
        measured: Mapping[tuple[str, str], SupplierMeasured],
        read: ItemsRead | None,
    ) -> None:
        self._task, self._suppliers, self._batching = task, suppliers, batching
        self._said, self._measured, self._read = said, measured, read
        self._drawn = {item for _, item in drawn}
        own = asked[asked["gold"].isna()]
        count = own[["judgments", "received"]].max(axis=1)
        self._of_supplier: Counter[tuple[str, str]] = Counter()
        for supplier, item, number in zip(own["supplier"], own["item_id"], count, strict=True):
            self._of_supplier[supplier, item] += int(number)
        self._ever = {item for _, item in self._of_supplier}
        self._existing = set(own["item_id"][own["supplier"] == EXISTING])
        self._ids: list[str] = task.items["item_id"].tolist()
        self._choices: dict[tuple[str, str], _Choice] = {}  # of this batch
        self._in_batch: set[str] = set()
        self._counted_before: list[tuple[str, str, int]] = []

    def lines(self, wanted: Sequence[WantedLabels]) -> list[OrderLine]:
        """The items of each, none twice in a batch, and the gold questions of every supplier."""
        # First all that is drawn at random: no supplier's doubt should move what another draws.
        drawn = [self._random_part(own) for own in wanted]
        self._in_batch |= {choice.line.item_id for part in drawn for choice in part}
        found = []
        for own, part in zip(wanted, drawn, strict=True):
            found += self._keep(_mixed(part, self._doubtful_part(own, part)))
        return found + self._batching.gold(wanted, _usual(found))

    def lines_again(self) -> list[OrderLine]:
        """One more judgment of every item in doubt, where no new item is left in its stratum.

        Of the supplier who should take away most doubt for its price.
        """
        best: dict[str, tuple[float, _Choice]] = {}
        for stratum, left in self._batching.left().items():
            for own in self._suppliers.values():
                if left or stratum not in own.prices:
                    continue
                seconds = self._measured[own.name, stratum].seconds
                price = max(float(expected_cost(own.prices[stratum], seconds)), _SMALLEST)
                for choice in self._by_doubt(own, stratum, len(self._ids)):
                    item, gain = choice.line.item_id, choice.fall / price
                    if item not in best or gain > best[item][0]:
                        best[item] = gain, choice
        ranked = sorted(best.values(), key=lambda own: (-own[0], own[1].line.item_id))
        return self._keep(choice for _, choice in ranked)

    def evidence(self, kept: Iterable[OrderLine]) -> dict[str, Any]:
        """Why the lines that are ordered were chosen, as JSON holds it.

        `drawn` are the items drawn at random, with the judgments that count for error rates;
        `again` those that were asked before, with the doubt before and how far one more judgment
        should take it away.
        """
        there = [own for line in kept if (own := self._choices.get(_key(line))) is not None]
        drawn = [(*_key(own.line), own.counted) for own in there if own.counted]
        numbers = Counter((own.line.supplier, own.line.stratum, own.why) for own in there)
        return {
            "selection": {
                "method": "doubt",
                "random_share": _RANDOM_SHARE,
                "clear": _SETTINGS.clear,
                "items": [[*own, count] for own, count in sorted(numbers.items())],
                "drawn": sorted([*drawn, *self._counted_before]),
                "again": [
                    [*_key(own.line), round(own.doubt, 4), round(own.fall, 4)]
                    for own in there
                    if own.why == "doubtful still" and own.doubt is not None
                ],
                "left_alone": self._left_alone(),
            }
        }

    # One supplier in one stratum

    def _random_part(self, own: WantedLabels) -> list[_Choice]:
        """What is drawn at random for it: everything, before there is a model.

        A share that is no whole number of judgments is rounded by chance, so that it is kept in the
        mean of small batches, too.
        """
        supplier, stratum = self._suppliers[own.offer.supplier], own.offer.stratum
        few = min(own.offer.judgments, AT_RANDOM)
        if self._read is None:
            return self._at_random(supplier, stratum, own.labels * few, few)
        exact = _RANDOM_SHARE * own.labels * own.offer.judgments
        rng = self._batching.generator(f"random share of {supplier.name}", stratum)
        share = math.floor(exact) + int(rng.random() < exact - math.floor(exact))
        return self._at_random(supplier, stratum, share, few)

    def _doubtful_part(self, own: WantedLabels, drawn: Sequence[_Choice]) -> list[_Choice]:
        """The rest of its judgments by doubt."""
        if self._read is None:
            return []
        asked = sum(choice.line.judgments for choice in drawn)
        left = max(0, own.labels * own.offer.judgments - asked)
        return self._by_doubt(self._suppliers[own.offer.supplier], own.offer.stratum, left)

    def _at_random(self, supplier: Supplier, stratum: str, number: int, few: int) -> list[_Choice]:
        """So many judgments of the next items in the fixed order, `few` of each.

        What the supplier was asked of an item before is counted, and not asked again.
        """
        found = []
        for item in self._batching.fixed_order(stratum):
            if number <= 0:
                break
            if item in self._drawn or item in self._existing:
                continue
            before = self._of_supplier[supplier.name, item]
            self._drawn.add(item)
            if before >= few:
                self._counted_before.append((supplier.name, item, few))
                continue
            count = min(few - before, number)
            line = self._line(supplier, item, stratum, count)
            found.append(_Choice(line, "at random", counted=before + count))
            number -= count
        return found

    def _by_doubt(self, supplier: Supplier, stratum: str, number: int) -> list[_Choice]:
        """One judgment each of those items that take away most doubt, the most first."""
        state = self._state(supplier, stratum)
        place = {item: row for row, item in enumerate(state.item_ids)}
        rng = self._batching.generator(f"doubt of {supplier.name}", stratum)
        chosen = choose_items(state, number, int(rng.integers(2**31)), _SETTINGS)
        doubts = 1 - (state.believed**2).sum(axis=1)
        found = [
            _Choice(
                self._line(supplier, own.item_id, stratum, own.judgments),
                own.why,
                float(doubts[place[own.item_id]]),
                float(state.falls[place[own.item_id]]),
            )
            for own in chosen
        ]
        return sorted(found, key=lambda own: -own.fall)

    def _state(self, supplier: Supplier, stratum: str) -> AskableItems:
        """Items that a model has read, as this supplier can be asked about them now."""
        read = self._read
        assert read is not None, "before there is a model, all items are drawn at random"
        own = np.intersect1d(self._task.pools[stratum], read.rows)
        rows = np.searchsorted(read.rows, own)
        ids = [self._ids[position] for position in own.tolist()]
        most = max(supplier.judgments[stratum])
        barred = self._in_batch | self._existing
        room = [
            0 if item in barred else max(0, most - self._of_supplier[supplier.name, item])
            for item in ids
        ]
        asked = np.array([item in self._ever for item in ids], dtype=np.int64)
        return AskableItems(
            item_ids=ids,
            features=read.features[rows],
            posteriors=self._said.posteriors[own],
            choice_counts=self._task.choice_counts[own],
            given=np.maximum(self._said.given[own], asked),
            room=np.array(room, dtype=np.int64),
            error_rate=self._measured[supplier.name, stratum].error_rate,
            predictions=read.chances[rows],
        )

    def _left_alone(self) -> dict[str, int]:
        """Stratum -> judged items that are clear: nobody is asked about them again."""
        if self._read is None:
            return {}
        found = {}
        for stratum in self._batching.left():
            supplier = next(own for own in self._suppliers.values() if stratum in own.prices)
            state = self._state(supplier, stratum)
            clear = state.believed.max(axis=1) >= _SETTINGS.clear
            found[stratum] = int((clear & (state.given > 0)).sum())
        return found

    def _line(self, supplier: Supplier, item: str, stratum: str, judgments: int) -> OrderLine:
        return OrderLine(supplier.name, item, stratum, judgments, None, supplier.prices[stratum])

    def _keep(self, choices: Iterable[_Choice]) -> list[OrderLine]:
        """The lines of choices, which belong to the batch now."""
        found = []
        for own in choices:
            self._choices[_key(own.line)] = own
            self._in_batch.add(own.line.item_id)
            found.append(own.line)
        return found


def items_to_read(task: Task, batching: Batching, for_sale: Iterable[str]) -> dict[str, Positions]:
    """Stratum -> items that nobody was asked about and that a model should read.

    The first in the fixed order: the same ones from batch to batch, as long as they are new.
    """
    place = {item: number for number, item in enumerate(task.items["item_id"])}
    return {
        name: np.array([place[item] for item in batching.free(name)[:MOST_READ]], dtype=np.int64)
        for name in for_sale
    }


def _key(line: OrderLine) -> tuple[str, str]:
    return line.supplier, line.item_id


def _usual(lines: Iterable[OrderLine]) -> dict[tuple[str, str], int]:
    """(supplier, stratum) -> the commonest number of judgments: gold questions should not show."""
    numbers: dict[tuple[str, str], Counter[int]] = {}
    for line in lines:
        numbers.setdefault((line.supplier, line.stratum), Counter())[line.judgments] += 1
    return {pair: min(own, key=lambda n: (-own[n], n)) for pair, own in numbers.items()}


def _mixed(some: Sequence[_Choice], others: Sequence[_Choice]) -> list[_Choice]:
    """Both in their order, evenly mixed: where money ends sooner, both are cut alike."""
    placed = [
        ((place + 0.5) / len(own), choice)
        for own in (some, others)
        for place, choice in enumerate(own)
    ]
    return [choice for _, choice in sorted(placed, key=lambda pair: pair[0])]
