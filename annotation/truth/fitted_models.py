"""The models of one set of judgments, each fitted once, and which of them fits."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from annotation.arrays import Array
from annotation.truth.aggregation import (
    Aggregate,
    Aggregator,
    aggregate,
    check_aggregator,
    hardness_aggregate,
)
from annotation.truth.coding import NO_GOLD, Coded

if TYPE_CHECKING:
    from annotation.truth.hardness_fit import HardnessFit


class FittedModels:
    """Aggregates of one set of judgments, fitted when first asked for."""

    def __init__(self, coded: Coded) -> None:
        self.coded = coded
        self._found: dict[str, Aggregate] = {}

    @cached_property
    def hardness(self) -> "HardnessFit":
        # Loads scipy's optimisers.
        from annotation.truth.hardness_fit import fit_hardness_model

        return fit_hardness_model(self.coded)

    def aggregate(self, method: Aggregator | None = None) -> Aggregate:
        """Labels by a method, by default the better one, see `better`.

        Raises InputError as `annotation.truth.aggregation.aggregate` does.
        """
        if method is None:
            method = self.better
        check_aggregator(method)
        if method not in self._found:
            self._found[method] = (
                hardness_aggregate(self.hardness)
                if method == "hardness"
                else aggregate(self.coded, method)
            )
        return self._found[method]

    @cached_property
    def one_more_answer(self) -> Array:
        """What is right if the truth is like one more judgment, (items, most choices)."""
        from annotation.truth.shared_mistakes import one_more_answer  # loads scipy

        return one_more_answer(votes(self.coded), self.coded.choice_counts)

    def calibrated(self, method: Aggregator | None = None) -> Aggregate:
        """Labels by a method, as sure as mistakes that annotators share let them be.

        The share of items with one more answer in place of the model's posterior is that of
        `annotation.truth.shared_mistakes`, for every stratum as its gold items say. A majority's
        shares are taken as they are.
        """
        from annotation.truth.shared_mistakes import share_of_shared  # loads scipy

        found = self.aggregate(method)
        if found.method == "majority":
            return found
        gold, further, model = self.coded.gold, self.one_more_answer, found.unchecked
        shares = np.empty(len(self.coded.strata))
        for stratum in range(shares.size):
            own = np.flatnonzero((self.coded.stratum == stratum) & (gold != NO_GOLD))
            shares[stratum] = share_of_shared(model[own, gold[own]], further[own, gold[own]])
        share = shares[self.coded.stratum][:, None]
        unchecked = (1 - share) * model + share * further
        known = np.flatnonzero(gold != NO_GOLD)
        mixed = unchecked.copy()
        mixed[known] = found.posteriors[known]
        return Aggregate(found.method, mixed, found.log_likelihood, found.parameters, unchecked)

    @cached_property
    def better(self) -> Aggregator:
        """Which explanation of disagreement the judgments fit: "hardness", or "dawid_skene".

        Annotators disagree because items are hard, or because they take one class for another in
        habits of their own. The second makes sense only where items share their classes. The
        smaller value of Akaike's criterion decides (1974, IEEE Transactions on Automatic Control
        19); Schwarz's overlooks confusions in pilots of three judgments an item.
        """
        if self.coded.kind != "shared":
            return "hardness"
        # Dawid and Skene's model knows no class that nobody chose; the other would expect errors
        # to fall on it, and lose by that alone.
        on_given = self.coded.on_given_classes()
        if on_given is not self.coded:
            return FittedModels(on_given).better
        confused = self.aggregate("dawid_skene")
        if confused.log_likelihood is None:
            return "hardness"  # all labels are the same
        by_hardness = self.aggregate("hardness")
        # Two likelihoods of real numbers; where they were one, the model with fewer assumptions of
        # classes is first.
        return min((by_hardness, confused), key=lambda found: found.aic).method


def votes(coded: Coded) -> Array:
    """How many judgments every choice of every item got, (items, most choices)."""
    most = int(coded.choice_counts.max())
    cells = len(coded.item_ids) * most
    counts = np.bincount(coded.item * most + coded.label, minlength=cells)
    return np.asarray(counts.reshape(-1, most), dtype=np.float64)
