"""A task: items cut into strata, a fixed test set, and the pools that labels are bought of."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Array, Positions, generator
from annotation.errors import InputError
from annotation.groups import together, touches
from annotation.items.near_copies import group_items
from annotation.items.table import fingerprint, shared_choices
from annotation.strata.bands import Strata
from annotation.ties import tie_draws
from training.split import Split, split_given, split_strata


@dataclass(frozen=True)
class Pilot:
    """A first purchase, fixed by its seed, of which trials train on subsamples."""

    labels: tuple[tuple[str, int], ...]  # stratum -> labels bought
    seed: int


@dataclass(frozen=True)
class TestSizes:
    """Test items per stratum: of the target, and of every other stratum."""

    __test__ = False  # not a test class, whatever its name begins with

    target: int | None  # None: all whose right answer is known
    others: int | None


FEWEST_TESTED = 10  # items of the target
# Changes when items with groups should be split in another way.
_GROUPS_VERSION = "labelmix groups 1"


class Task:
    """Items, strata and the test set: drawn once, stratified, never trained on.

    Items of a group, near copies too, are never tested and sold both: what is left of a group that
    is tested is on neither side.

    One exception: a planning trial may borrow some of the target's test items, and is scored on
    the others (`scored`).

    A test set that was chosen before is given by the positions of its items, `tested`; then
    nothing is drawn. Its answers may be not known yet where `unanswered`: then nothing can be
    scored, and too few items are for later to find.

    Items have choices, or all of them are free-form: then answers are texts, labels cannot err,
    and only a chain of thought can be tried.

    Raises InputError if some items have choices and others none, or a stratum is too small for its
    test set, or has too few groups.
    """

    def __init__(
        self,
        items: pd.DataFrame,
        strata: Strata,
        target: str,
        test_sizes: TestSizes,
        seed: int = 0,
        tested: Positions | None = None,
        unanswered: bool = False,
    ) -> None:
        self.items = items
        self.strata = strata
        self.target = target
        self.test_sizes = test_sizes
        self.seed = seed
        self.stratum_of = strata.assign(items)  # (items) of stratum names, "" unknown
        if target not in strata.names:
            raise InputError(
                f"target stratum '{target}' does not exist; choose one of "
                f"{', '.join(strata.names)}."
            )
        without = np.flatnonzero(self.choice_counts == 0)
        if 0 < without.size < len(items):
            raise InputError(
                f"item '{items['item_id'].iloc[int(without[0])]}' (row {without[0] + 1}) has no "
                "choices, others have some; keep either the items with choices or those without."
            )
        self.groups = group_items(items)
        self.tested = tested
        self.unanswered = unanswered
        self.split = self._split() if tested is None else self._split_given(tested)
        self.test_positions: Positions = np.concatenate(list(self.split.test.values()))
        self.pools = dict(self.split.pools)

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.items)

    @cached_property
    def split_fingerprint(self) -> str:
        """Names the items with their groups, and a test set that was given with them.

        They tell what may be trained on and tested.
        """
        if not self.groups.any and self.tested is None:
            return self.fingerprint
        parts = [_GROUPS_VERSION, self.fingerprint, *map(str, self.groups.codes.tolist())]
        if self.tested is not None:
            parts += ["tested", *map(str, self.tested.tolist())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def tie_draws(self) -> Array:
        """Which of an item's choices is taken where a model scores them alike: the largest.

        (items, most choices), from 0 to 1; an item with the same text has the same.
        """
        texts = self.items["question"] + "\n" + self.items["choices"].map("\n".join)
        content = pd.util.hash_array(texts.to_numpy(dtype=object), categorize=False)
        return tie_draws(content, int(self.choice_counts.max()))

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """Gold choice index per item, (items); 0 where answers are free-form or not known."""
        return np.asarray(self.items["answer"].to_numpy(dtype=np.int64, na_value=0))

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """Whether the right answer of each item is known, (items,); of a free-form one it is."""
        known = self.items["answer"].notna() | self.items["answer_text"].notna()
        return np.asarray(known, dtype=bool)

    @cached_property
    def choice_counts(self) -> NDArray[np.int64]:
        return np.asarray(self.items["choices"].map(len).to_numpy(dtype=np.int64))

    @cached_property
    def free_form(self) -> bool:
        """Whether answers are texts instead of choices."""
        return not self.choice_counts.any()

    def require_choices(self, method: str) -> None:
        """Raise InputError if the items have no choices, which `method` needs."""
        if self.free_form:
            raise InputError(
                f"item '{self.items['item_id'].iloc[0]}' and all others have no choices, which the "
                f"method '{method}' needs; use 'chain_of_thought', or give choices."
            )

    def label_texts(self, positions: Positions, labels: NDArray[np.int64]) -> list[str]:
        """What labels say: the text of the choice, or the free-form answer. Both (labels,)."""
        rows = self.items.iloc[positions]
        if self.free_form:
            return [str(text) for text in rows["answer_text"]]
        own = zip(rows["choices"], labels.tolist(), strict=True)
        return [str(choices[label]) for choices, label in own]

    @cached_property
    def shared_choices(self) -> tuple[str, ...] | None:
        """The choices that all items have in common: then this is classification."""
        return shared_choices(self.items)

    @cached_property
    def test_strata(self) -> NDArray[np.object_]:
        """Stratum of every test item, (test items)."""
        return self.stratum_of[self.test_positions]

    @cached_property
    def test_groups(self) -> NDArray[np.object_]:
        """Group of every test item, (test items)."""
        return np.asarray(self.groups.names[self.test_positions])

    def _split(self) -> Split:
        strata = {
            name: np.flatnonzero(self.stratum_of == name)
            for name in self.strata.names
            if name == self.target or (self.stratum_of == name).any()
        }
        answered = {name: own[self.answered[own]] for name, own in strata.items()}
        split = split_strata(
            strata,
            answered,
            {name: self._tested(name, strata[name], answered[name]) for name in strata},
            self.target,
            self.groups.codes,
            lambda name: generator("test", self.seed, name),
        )
        if not split.pools[self.target].size and self.test_sizes.target is not None:
            own = strata[self.target]
            raise InputError(
                f"stratum '{self.target}' ({self.strata.rule(self.target)}) has {own.size} items "
                f"of {np.unique(self.groups.codes[own]).size} groups (items that ask the same are "
                "one), and no group is tested and sold both: a test set of "
                f"{self.test_sizes.target} leaves nothing to buy; lower [test] items, bring items "
                "of more groups, or map the column 'group' to smaller ones."
            )
        none = np.empty(0, dtype=np.int64)
        pools = {name: split.pools.get(name, none) for name in self.strata.names}
        return replace(split, pools=pools)

    def _split_given(self, tested: Positions) -> Split:
        """The split of a test set that was chosen before.

        Raises InputError if a test item has no known answer, or too few are of the target.
        """
        unknown = tested[~self.answered[tested]]
        if unknown.size and not self.unanswered:
            raise InputError(
                f"test item '{self.items['item_id'].iloc[int(unknown[0])]}' has no right answer, "
                f"and so have {unknown.size - 1} others; give their answers, or leave them out."
            )
        own = int((self.stratum_of[tested] == self.target).sum())
        if own < FEWEST_TESTED:
            raise InputError(
                f"{own} test items are of the target stratum '{self.target}' "
                f"({self.strata.rule(self.target)}), too few to test on; bring "
                f"{FEWEST_TESTED} at least, or move the cut."
            )
        strata = {name: np.flatnonzero(self.stratum_of == name) for name in self.strata.names}
        return split_given(strata, tested, self.groups.codes)

    def _tested(self, name: str, positions: Positions, answered: Positions) -> int:
        """How many items of a stratum are tested."""
        is_target = name == self.target
        wanted = self.test_sizes.target if is_target else self.test_sizes.others
        takes_all = wanted is None
        if wanted is None:
            wanted = int(answered.size)
            if is_target and wanted < FEWEST_TESTED:
                raise InputError(
                    f"stratum '{name}' ({self.strata.rule(name)}) has {wanted} items whose "
                    f"right answer is known, too few to test on; bring {FEWEST_TESTED} at "
                    "least, or move the cut."
                )
        key = "items" if is_target else "other_items"
        if positions.size <= wanted and (is_target or not takes_all):
            raise InputError(
                f"stratum '{name}' ({self.strata.rule(name)}) has {positions.size} items, too "
                f"few for its test set of {wanted} and at least one to buy; lower "
                f"[test] {key} or move the cut."
            )
        if answered.size < wanted:
            raise InputError(
                f"stratum '{name}' ({self.strata.rule(name)}) has {answered.size} items whose "
                f"right answer is known, too few for its test set of {wanted}; lower [test] "
                f'{key}, set it to "all", or bring more answers.'
            )
        return wanted

    def lent(self, count: int, seed: int) -> Positions:
        """Test items of the target that are lent, (count,); fewer are the beginning of more.

        Raises ValueError if the target has no more than so many test items.
        """
        target = self.test_positions[self.test_strata == self.target]
        if not 0 <= count < target.size:
            raise ValueError(f"{count} of {target.size} test items cannot be lent.")
        order = generator("lent", seed, self.target).permutation(target)
        return together(order, self.groups.codes)[:count]

    def scored(self, borrowed: int, seed: int) -> NDArray[np.bool_]:
        """Which test items count after so many were borrowed: none that was trained on.

        (test items,); nor does one of a group that a borrowed one is of.
        """
        return ~touches(self.test_positions, self.groups.codes, self.lent(borrowed, seed))

    def target_others(self, borrowed: int, seed: int) -> Positions:
        """Items of the target's test set that count after so many were borrowed, see `scored`."""
        of_target = self.test_strata == self.target
        return np.asarray(self.test_positions[self.scored(borrowed, seed) & of_target])

    def unlabelled(self, stratum: str, count: int) -> Positions:
        """Items for sale of a stratum, at most so many, drawn once: to be looked at, not labelled.

        (items,), in order.
        """
        order = generator("read", self.seed, stratum).permutation(self.pools[stratum])
        return np.asarray(np.sort(order[:count]))
