"""A collection that is over, ready to be played again: items, test set, judgments, prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from annotation.arrays import Positions, generator
from annotation.errors import InputError, short
from annotation.strata.cut import cut_names
from budget.collection.contents import Contents
from budget.collection.money_unit import MoneyUnit
from budget.collection.suppliers import Supplier, collection_suppliers, unit_of
from budget.config.collection_config import CollectionConfig, parse_collection
from budget.market.supplier_file import SuppliersFile
from budget.replay.tables import PastTables
from training.task import Task, TestSizes

_MOST_TESTED = 300
_TESTED_SHARE = 3  # a third of the items with known answers is tested at most


@dataclass(frozen=True)
class Past:
    """What was collected.

    Attributes
    ----------
    contents : items for sale, without their answers, and test items
    config, file, suppliers : as a collection has them
    judgments : all that can be given again, with `supplier`, `cost` (units) and `stratum`; those
        of test items too, which gold questions ask for
    unit : of money
    notes : sentences for people
    """

    contents: Contents
    config: CollectionConfig
    file: SuppliersFile
    suppliers: Mapping[str, Supplier]
    judgments: pd.DataFrame
    unit: MoneyUnit
    notes: tuple[str, ...]

    @property
    def task(self) -> Task:
        return self.contents.task

    @property
    def for_sale(self) -> pd.DataFrame:
        """Judgments of items for sale."""
        sold = {name: self.task.pools[name] for name in self.config.strata.buy}
        ids = self.task.items["item_id"].iloc[np.concatenate(list(sold.values()))]
        return self.judgments[self.judgments["item_id"].isin(set(ids))]

    @property
    def is_timed(self) -> bool:
        """Whether it is known when every judgment for sale was made."""
        return bool(self.for_sale["created_at"].notna().all())

    def amount(self, units: int) -> Decimal:
        """Units as money."""
        return Decimal(units) / self.unit.per_one


def replay_config(
    raw: Mapping[str, Any], tables: PastTables, currency: str, where: str
) -> CollectionConfig:
    """The settings of the collections that are played; `raw` are the user's own.

    Every stratum is for sale unless `strata.buy` says otherwise. More judgments than ordered never
    come, so nothing is set aside for them.

    Raises InputError for a wrong key or value.
    """
    given, buying = (_section(raw, name, where) for name in ("strata", "buying"))
    names = given.get("names") or cut_names(tables.cut)
    strata = {"measure": tables.measure, "cut": tables.cut}
    settings: dict[str, Any] = {
        **raw,
        "name": "replay",
        "items": {"path": "items"},
        "test": {"path": "test"},
        "strata": {"buy": names, **given, **strata},
        "budget": {"total": 1, "currency": currency},  # what was paid is known later
        "buying": {**buying, "extra": 0},
    }
    settings.pop("deadline", None)  # it is over
    return parse_collection(settings, where)


def _section(raw: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    found = raw.get(name, {})
    if not isinstance(found, dict):
        raise InputError(f"{where}: {name} should be a section with keys; got {short(found)}.")
    return found


def assemble(
    tables: PastTables, config: CollectionConfig, file: SuppliersFile, test_items: int | None
) -> Past:
    """Draw the test set where none was given, cut strata, and price every judgment.

    Raises InputError if too few test items are of the target stratum, a stratum has no items with
    judgments, or a supplier cannot be used.
    """
    judged = set(tables.judgments["item_id"])
    tested = _tested(tables, test_items)
    ids = tables.items["item_id"]
    pool = tables.items[~ids.isin(tested) & ids.isin(judged)]
    # Nothing but test items has answers that the plan could see.
    unknown = pd.array([None] * len(pool), dtype=tables.items["answer"].dtype)
    pool = pool.assign(answer=unknown)
    if pool.empty:
        raise InputError(
            "no item is left for sale: all that were judged are tested; lower --test-items, or "
            "give --test."
        )
    items = pd.concat([pool, tables.items[ids.isin(tested)]], ignore_index=True)
    strata = config.strata.cut_items(pool, "tabular")
    positions: Positions = np.arange(len(pool), len(items), dtype=np.int64)
    task = Task(items, strata, config.strata.target, TestSizes(None, None), 0, positions)
    for name in config.strata.buy:
        if not task.pools[name].size:
            raise InputError(
                f"stratum '{name}' ({strata.rule(name)}) has no items with judgments beside the "
                "test set; move the cut (--cut), or test fewer items."
            )
    suppliers = collection_suppliers(file, config)
    unit = unit_of(suppliers, config.budget.currency, Decimal(1))
    judgments, notes = _priced(tables.judgments, task, suppliers, unit)
    return Past(
        Contents(task, ()), config, file, suppliers, judgments, unit, (*tables.notes, *notes)
    )


def _tested(tables: PastTables, wanted: int | None) -> frozenset[str]:
    """The item_ids of the test set: as given, or drawn of the items with a known answer."""
    if tables.given_test is not None:
        return tables.given_test
    known = tables.items["item_id"][tables.items["answer"].notna()].to_numpy(dtype=object)
    count = min(_MOST_TESTED, known.size // _TESTED_SHARE) if wanted is None else wanted
    if count > known.size or not count:
        raise InputError(
            f"{count} test items are wanted, and {known.size:,} items have a known answer; lower "
            "--test-items, name the answers (--column answer=COLUMN), or give --test."
        )
    return frozenset(generator("test items of a replay", 0, "").permutation(known)[:count])


def _priced(
    judgments: pd.DataFrame, task: Task, suppliers: Mapping[str, Supplier], unit: MoneyUnit
) -> tuple[pd.DataFrame, list[str]]:
    """Judgments with stratum and cost; those that nobody sells, or whose pay is unknown, go."""
    stratum_of = dict(zip(task.items["item_id"], task.stratum_of.tolist(), strict=True))
    table = judgments.assign(stratum=judgments["item_id"].map(stratum_of), gold=None, role=None)
    offered = {
        (name, stratum): price
        for name, own in suppliers.items()
        for stratum, price in own.prices.items()
    }
    places = list(zip(table["supplier"], table["stratum"], strict=True))
    costs = [
        offered[place].cost(seconds, unit) if place in offered else None
        for place, seconds in zip(places, table["seconds"].tolist(), strict=True)
    ]
    known = np.array([cost is not None for cost in costs])
    sold = np.array([place in offered for place in places])
    notes = []
    untimed = int((sold & ~known).sum())
    if untimed:
        notes.append(
            f"{untimed:,} judgments are paid by the hour and tell no seconds; they are left out."
        )
    kept = table[known].assign(cost=[cost for cost in costs if cost is not None])
    return kept.reset_index(drop=True), notes
