"""What a collection is about: its items, the test items that were given, and their strata."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from annotation.arrays import Positions
from annotation.errors import InputError
from annotation.hardness.measure import OF_TEXTS
from annotation.items.read import read_user_table
from annotation.items.table import REMARKS
from budget.config.collection_config import CollectionConfig, TableSection
from training.task import Task, TestSizes

_NAMES = ("id", "uid", "key")  # that columns of identifiers have


@dataclass(frozen=True)
class Contents:
    """Items for sale and test items as one task.

    `remarks` are what the reading of the tables had to tell.
    """

    task: Task
    remarks: tuple[str, ...]

    @property
    def place(self) -> dict[str, int]:
        """Item -> its position."""
        return {item: number for number, item in enumerate(self.task.items["item_id"])}


def read_contents(config: CollectionConfig) -> Contents:
    """Read both tables and cut them into strata, one cut for both.

    Raises InputError if a table cannot be read, an item is in both, a stratum has nothing to buy, a
    test item has no known answer, an item no choices, or too few test items are of the target
    stratum.
    """
    measure = config.strata.measure
    pool, test = _table(config.items, measure), _table(config.test, measure)
    twice = set(pool["item_id"]) & set(test["item_id"])
    if twice:
        others = f", and so are {len(twice) - 1:,} others" if len(twice) > 1 else ""
        raise InputError(
            f"{config.test.path}: item '{min(twice)}' is for sale too, in {config.items.path}"
            f"{others}; an item is tested or bought, never both: take it out of one."
        )
    for table, section in ((pool, config.items), (test, config.test)):
        if measure not in table:
            raise InputError(
                f"{section.path}: has no column '{measure}', which strata are cut by; add it, for "
                f"instance by 'labelmix hardness {Path(section.path).name} --out ...', or name "
                "another measure (question_words, the length of the question, needs no column)."
            )
    items = pd.concat([pool, test], ignore_index=True)
    empty = np.flatnonzero(items["choices"].map(len).to_numpy() == 0)
    if empty.size:
        raise InputError(
            f"item '{items['item_id'].iloc[int(empty[0])]}' has no choices; annotators choose "
            "among some, so give every item its choices (--choices)."
        )
    strata = config.strata.cut_items(pool, "tabular")
    tested: Positions = np.arange(len(pool), len(items), dtype=np.int64)
    task = Task(
        items, strata, config.strata.target, TestSizes(None, None), config.buying.seed, tested
    )
    for name in config.strata.buy:
        if not task.pools[name].size:
            there = int((task.stratum_of[: len(pool)] == name).sum())
            told = (
                f"none of its {there:,} items can be bought: they are near copies of test items, "
                "or of one group with them; take those out of the test set"
                if there
                else "has no items to buy; move the cut"
            )
            raise InputError(
                f"stratum '{name}' ({strata.rule(name)}): {told}, or bring more items."
            )
    remarks = [*pool.attrs.get(REMARKS, ()), *test.attrs.get(REMARKS, ())]
    return Contents(task, tuple(dict.fromkeys(remarks)))


def _table(section: TableSection, measure: str) -> pd.DataFrame:
    """A table as it is read, with the measure where texts alone tell it."""
    table = read_user_table(
        Path(section.path),
        section.columns or {},
        section.choices,
        mapped_by="option",
        answers=section.answers,
    )
    if not table.names_its_items:
        there = next((name for name in table.records[0] if name.strip().lower() in _NAMES), None)
        raise InputError(
            f"{section.path}: has no column 'item_id', by which judgments are booked; "
            + (
                f"--column item_id={there} takes column '{there}'."
                if there
                else "name the one that holds it: --column item_id=COLUMN."
            )
        )
    items = table.items
    told = OF_TEXTS.get(measure)
    if measure not in items and told is not None and not np.isnan(values := told(items)).all():
        reading = items.attrs  # which assigning a column would drop
        items = items.assign(**{measure: values})
        items.attrs |= reading
    return items
