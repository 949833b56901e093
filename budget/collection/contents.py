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
from annotation.strata.bands import Strata
from budget.collection.test_set.facts import BoughtTestSet, SettledAnswers
from budget.config.collection_config import CollectionConfig, ReadingSection
from training.task import Task, TestSizes

_NAMES = ("id", "uid", "key")  # that columns of identifiers have


@dataclass(frozen=True)
class Contents:
    """Items for sale and test items as one task.

    Attributes
    ----------
    task : items, strata and test set
    remarks : what the reading of the tables had to tell
    bought : the test set where its answers are bought; None where they were known
    """

    task: Task
    remarks: tuple[str, ...]
    bought: BoughtTestSet | None = None

    @property
    def place(self) -> dict[str, int]:
        """Item -> its position."""
        return {item: number for number, item in enumerate(self.task.items["item_id"])}

    @property
    def awaits_answers(self) -> bool:
        """Whether the test items' answers have still to be bought."""
        return self.bought is not None and self.bought.settled is None

    @property
    def wrong_answers(self) -> float | None:
        """Share of the target's test items whose answer is wrong, as far as who gave them tells.

        None where answers were known.
        """
        if self.bought is None or self.bought.settled is None:
            return None
        answers, task = self.bought.settled.answers, self.task
        own = task.test_positions[task.test_strata == task.target]
        names = task.items["item_id"].iloc[own]
        return float(np.mean([1 - answers[name].posterior for name in names]))


def read_contents(config: CollectionConfig, bought: BoughtTestSet | None = None) -> Contents:
    """Read both tables and cut them into strata, one cut for both.

    `bought` is the test set where its answers are bought, as far as it has come.

    Raises InputError if a table cannot be read, an item is in both, a stratum has nothing to buy, a
    test item has no known answer, an item no choices, or too few test items are of the target
    stratum.
    """
    pool, strata = read_pool(config)
    remarks = [*pool.attrs.get(REMARKS, ())]
    path = config.test.path
    if path is None:
        drawn = set(() if bought is None else bought.drawn)
        is_drawn = pool["item_id"].isin(drawn).to_numpy()
        if is_drawn.sum() != len(drawn):
            raise InputError(
                f"{config.items.path}: lacks items that were drawn for the test set; put a copy of "
                "the collection's folder back."
            )
        pool, test = pool[~is_drawn], pool[is_drawn]
    else:
        test = _test_table(config, path)
        remarks += test.attrs.get(REMARKS, ())
        _check_apart(pool, test, config, path)
    items = pd.concat([pool, test], ignore_index=True)
    _check_choices(items)
    tested: Positions = np.arange(len(pool), len(items), dtype=np.int64)
    if bought is not None and bought.settled is not None:
        items, tested = _answered(items, tested, bought.settled, config)
    task = Task(
        items,
        strata,
        config.strata.target,
        TestSizes(None, None),
        config.buying.seed,
        tested,
        unanswered=bought is not None and bought.settled is None,
    )
    if bought is not None:
        # Test items whose answers stayed in doubt are on neither side.
        for name, own in task.pools.items():
            task.pools[name] = own[own < len(pool)]
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
    return Contents(task, tuple(dict.fromkeys(remarks)), bought)


def read_pool(config: CollectionConfig) -> tuple[pd.DataFrame, Strata]:
    """The items that are to be labelled, and the strata they are cut into.

    Raises InputError if they cannot be read, or cut so.
    """
    pool = _table(config.items, config.items.path, config.strata.measure)
    return pool, config.strata.cut_items(pool, "tabular")


def _test_table(config: CollectionConfig, path: str) -> pd.DataFrame:
    test = _table(config.test, path, config.strata.measure)
    if config.test.is_bought:
        known = int(test["answer"].notna().sum())
        if known:
            raise InputError(
                f"{path}: {known:,} of its items have a right answer, and test.right_answers is "
                "'buy'; leave the answers out, or say that they are known."
            )
    return test


def _check_apart(
    pool: pd.DataFrame, test: pd.DataFrame, config: CollectionConfig, path: str
) -> None:
    twice = set(pool["item_id"]) & set(test["item_id"])
    if twice:
        others = f", and so are {len(twice) - 1:,} others" if len(twice) > 1 else ""
        raise InputError(
            f"{path}: item '{min(twice)}' is for sale too, in {config.items.path}"
            f"{others}; an item is tested or bought, never both: take it out of one."
        )


def _check_choices(items: pd.DataFrame) -> None:
    empty = np.flatnonzero(items["choices"].map(len).to_numpy() == 0)
    if empty.size:
        raise InputError(
            f"item '{items['item_id'].iloc[int(empty[0])]}' has no choices; annotators choose "
            "among some, so give every item its choices (--choices)."
        )


def _answered(
    items: pd.DataFrame, tested: Positions, settled: SettledAnswers, config: CollectionConfig
) -> tuple[pd.DataFrame, Positions]:
    """The items with the answers that were bought, and the test items that have one."""
    answers = items["answer"].astype("Int64").tolist()
    kept = []
    for place in tested.tolist():
        name, choices = items["item_id"].iloc[place], items["choices"].iloc[place]
        if name in settled.left_out:
            continue
        own = settled.answers.get(name)
        if own is None or own.answer not in choices:
            raise InputError(
                f"{config.name}: the answer that was bought for test item '{name}' is none of its "
                "choices; put a copy of the collection's database back."
            )
        answers[place] = list(choices).index(own.answer)
        kept.append(place)
    column = pd.Series(answers, index=items.index, dtype="Int64")
    return items.assign(answer=column), np.array(kept, dtype=np.int64)


def _table(section: ReadingSection, path: str, measure: str) -> pd.DataFrame:
    """A table as it is read, with the measure where texts alone tell it.

    Raises InputError if it cannot be read, or does not tell the measure.
    """
    table = read_user_table(
        Path(path),
        section.columns or {},
        section.choices,
        mapped_by="option",
        answers=section.answers,
    )
    if not table.names_its_items:
        there = next((name for name in table.records[0] if name.strip().lower() in _NAMES), None)
        raise InputError(
            f"{path}: has no column 'item_id', by which judgments are booked; "
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
    if measure not in items:
        raise InputError(
            f"{path}: has no column '{measure}', which strata are cut by; add it, for "
            f"instance by 'labelmix hardness {Path(path).name} --out ...', or name "
            "another measure (question_words, the length of the question, needs no column)."
        )
    return items
