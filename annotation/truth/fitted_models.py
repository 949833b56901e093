"""The models of one set of judgments, each fitted once, and which of them fits."""

from functools import cached_property
from typing import TYPE_CHECKING

from annotation.truth.aggregation import (
    Aggregate,
    Aggregator,
    aggregate,
    check_aggregator,
    hardness_aggregate,
)
from annotation.truth.coding import Coded

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
        return min((by_hardness, confused), key=lambda found: found.aic).method
