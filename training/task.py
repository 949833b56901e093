"""A task: items cut into strata, a fixed test set, and the pools from which labels are bought."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Positions, generator
from annotation.errors import InputError
from annotation.items.table import fingerprint, shared_choices
from annotation.strata.bands import Strata
from annotation.terms.clean_share import redraw_rates
from annotation.terms.cost import LabelTerms
from annotation.terms.majority import majority_label
from annotation.terms.noise import draw_judgments


@dataclass(frozen=True)
class Purchase:
    """Items bought with the judgments that came back.

    `positions` (labels,); `judgments` (labels, judgments per label); `redraw_rates` (labels,),
    how often a single judgment of each item is a redraw, by the annotators' known error rates.
    A judgment is the index of a choice; of a free-form item it is 0, its only known answer.
    """

    positions: Positions
    judgments: NDArray[np.int64]
    redraw_rates: NDArray[np.float64]

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The majority of each item's judgments, (labels,)."""
        return majority_label(self.judgments)


@dataclass(frozen=True)
class Pilot:
    """A first purchase, fixed by its seed, of which trials train on subsamples."""

    labels: tuple[tuple[str, int], ...]  # stratum -> labels bought
    seed: int


@dataclass(frozen=True)
class TestSizes:
    """Test items per stratum: of the target, and of every other stratum."""

    __test__ = False  # not a test class, whatever its name begins with

    target: int
    others: int


class Task:
    """Items, strata and the test set: drawn once, stratified, never trained on.

    One exception: a planning trial may borrow some of the target's test items, and is scored on
    the others (`scored`).

    Items have choices, or all of them are free-form: then answers are texts, labels cannot err,
    and only a chain of thought can be tried.

    Raises InputError if some items have choices and others none, or a stratum is too small for its
    test set.
    """

    def __init__(
        self, items: pd.DataFrame, strata: Strata, target: str, test_sizes: TestSizes, seed: int = 0
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
        self.test_positions, self.pools = self._split()

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.items)

    @cached_property
    def _content(self) -> "pd.Series[str]":
        """What each item asks, (items)."""
        return self.items["question"] + "\n" + self.items["choices"].map("\n".join)

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """Gold choice index per item, (items); 0 where answers are free-form."""
        return np.asarray(self.items["answer"].to_numpy(dtype=np.int64, na_value=0))

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
        """Cluster of every test item, (test items)."""
        return np.asarray(self.items["group"].to_numpy(dtype=object)[self.test_positions])

    def _split(self) -> tuple[Positions, dict[str, Positions]]:
        test: list[Positions] = []
        pools: dict[str, Positions] = {}
        for name in self.strata.names:
            positions = np.flatnonzero(self.stratum_of == name)
            is_target = name == self.target
            wanted = self.test_sizes.target if is_target else self.test_sizes.others
            if positions.size == 0 and not is_target:
                pools[name] = positions
                continue
            if positions.size <= wanted:
                raise InputError(
                    f"stratum '{name}' ({self.strata.rule(name)}) has {positions.size} items, too "
                    f"few for its test set of {wanted} and at least one to buy; lower "
                    f"[test] {'items' if is_target else 'other_items'} or move the cut."
                )
            order = generator("test", self.seed, name).permutation(positions)
            test.append(np.sort(order[:wanted]))
            pools[name] = np.sort(order[wanted:])
        test_positions = np.concatenate(test)
        # The same question may stand there twice: what is tested must not be for sale.
        content = self._content
        tested = content.isin(content.iloc[test_positions]).to_numpy()
        return test_positions, {name: own[~tested[own]] for name, own in pools.items()}

    def purchase(
        self,
        mix: Mapping[str, int],
        terms: Mapping[str, LabelTerms],
        seed: int,
        pilot: Pilot | None = None,
        judgments: int = 1,
        borrowed: int = 0,
    ) -> Purchase:
        """Buy `mix` from simulated annotators, from the whole pools or from within a pilot.

        Every item gets so many `judgments`. So many of the target's test items are `borrowed` and
        stand at the end, their labels erring as the target's terms have it.

        For one seed, a smaller purchase is the beginning of a larger one, and a lower error rate
        errs on a subset of the items of a higher one, so that conditions compare in pairs.

        Raises InputError if a stratum has too few items, or free-form answers an error rate.
        """
        parts: list[Purchase] = []
        for name in self.strata.names:
            count = mix.get(name, 0)
            if count == 0:
                continue
            own_seed = pilot.seed if pilot else seed
            bought = self._buy(name, terms[name], own_seed, pilot is not None, judgments)
            pool = bought.positions.size
            available = dict(pilot.labels)[name] if pilot else pool
            for wanted, there in ((available, pool), (count, available)):
                if wanted > there:
                    raise InputError(
                        f"stratum '{name}': {wanted} labels wanted, {there} items there to label; "
                        "buy fewer, or bring more items."
                    )
            chosen: Positions = np.arange(count, dtype=np.int64)
            if pilot:
                chosen = generator("subsample", seed, name).permutation(available)[:count]
            parts.append(
                Purchase(
                    bought.positions[chosen], bought.judgments[chosen], bought.redraw_rates[chosen]
                )
            )
        if borrowed:
            parts.append(self._lend(borrowed, terms[self.target], seed, judgments))
        if not parts:
            nothing = np.empty(0, dtype=np.int64)
            return Purchase(nothing, nothing.reshape(0, judgments), np.empty(0))
        return Purchase(
            np.concatenate([part.positions for part in parts]),
            np.concatenate([part.judgments for part in parts]),
            np.concatenate([part.redraw_rates for part in parts]),
        )

    def lent(self, count: int, seed: int) -> Positions:
        """Test items of the target that are lent, (count,); fewer are the beginning of more.

        Raises ValueError if the target has no more than so many test items.
        """
        target = self.test_positions[self.test_strata == self.target]
        if not 0 <= count < target.size:
            raise ValueError(f"{count} of {target.size} test items cannot be lent.")
        return generator("lent", seed, self.target).permutation(target)[:count]

    def scored(self, borrowed: int, seed: int) -> NDArray[np.bool_]:
        """Which test items count after so many were borrowed: none that was trained on.

        (test items,); nor does one that asks what a borrowed one asks.
        """
        lent = self._content.iloc[self.lent(borrowed, seed)]
        return np.asarray(~self._content.iloc[self.test_positions].isin(lent))

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

    def _lend(self, count: int, terms: LabelTerms, seed: int, judgments: int) -> Purchase:
        self.require_choices("probe")
        rng = generator("lent errors", seed, self.target)
        return self._judged(self.lent(count, seed), terms, judgments, rng)

    def _buy(
        self, name: str, terms: LabelTerms, seed: int, for_pilot: bool, judgments: int
    ) -> Purchase:
        """The whole pool of a stratum, in this seed's order, with this seed's labels.

        A pilot has streams of its own: no later purchase is the one that the plan was made on.
        """
        kind = "pilot " if for_pilot else ""
        order = generator(f"{kind}order", seed, name).permutation(self.pools[name])
        if self.free_form:
            return self._right_answers(order, name, terms, judgments)
        rng = generator(f"{kind}errors", seed, name)
        return self._judged(order, terms, judgments, rng)

    def _judged(
        self, positions: Positions, terms: LabelTerms, judgments: int, rng: np.random.Generator
    ) -> Purchase:
        """Items with judgments that err as the terms have it."""
        counts = self.choice_counts[positions]
        drawn = draw_judgments(
            self.answers[positions], counts, terms.error_rate, terms.error_kind, judgments, rng
        )
        return Purchase(positions, drawn, redraw_rates(terms.error_rate, terms.error_kind, counts))

    def _right_answers(
        self, order: Positions, name: str, terms: LabelTerms, judgments: int
    ) -> Purchase:
        """Labels of free-form items, among which there is no other answer to err with."""
        if terms.error_rate > 0:
            raise InputError(
                f"stratum '{name}': error rate {terms.error_rate:g}, but its answers are "
                "free-form, and errors are drawn from choices; set "
                f"annotators.{name}.error_rate to 0."
            )
        drawn = np.repeat(self.answers[order][:, None], judgments, axis=1)
        return Purchase(order, drawn, np.zeros(order.size))
