"""How often judgments are wrong, per stratum and annotator, and by which method that is known."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.intervals import (
    CONFIDENCE,
    NOTHING,
    Interval,
    Scope,
    share_interval,
)
from annotation.truth.coding import NO_GOLD, Coded
from annotation.truth.fitted_models import FittedModels

if TYPE_CHECKING:
    from annotation.truth.aggregation import Aggregator
    from annotation.truth.hardness_rates import HardnessRates


ErrorMethod = Literal[
    "auto", "gold", "hardness", "majority", "dawid_skene", "one_coin", "glad", "mace"
]
"""How error rates are found.

- "gold": the share of wrong answers to gold questions.
- "hardness": the model of `annotation.truth.hardness_model`, gold answers included.
- the name of another aggregator: the mean posterior probability that a judgment is wrong. Its
  interval takes the posterior for the truth; where items of a stratum differ in hardness, the rate
  is too low and the interval too narrow.
- "auto": gold where there are at least `FEWEST_GOLD` answers to gold questions; else hardness, or
  dawid_skene where the judgments fit that better, see `annotation.truth.fitted_models`.

Without gold, a stratum has no error rate unless `FEWEST_SHARED` of its items were judged by several
annotators.
"""
FEWEST_GOLD = 20
FEWEST_SHARED = 5  # items judged by several annotators; without overlap nothing shows an error


@dataclass(frozen=True)
class ErrorRate:
    """An error rate, how it was found, and from how many judgments."""

    rate: Interval
    method: ErrorMethod
    judgments: int


def check_error_method(method: str) -> None:
    """Raise InputError if there is no such method."""
    if method not in get_args(ErrorMethod):
        raise InputError(
            f"error method '{method}' is unknown; choose one of {', '.join(get_args(ErrorMethod))}."
        )


class ErrorRates:
    """Error rates of strata and annotators by one method, or by "auto".

    Parameters
    ----------
    coded
        The judgments.
    method
        See `ErrorMethod`.
    scope
        What the intervals of strata are about, see `annotation.intervals.Scope`.
    models
        The models of these judgments, if some were fitted already.
    confidence
        Of the intervals.

    Raises
    ------
    InputError
        If the method is unknown, or "gold" and there are no gold questions.
    """

    def __init__(
        self,
        coded: Coded,
        method: ErrorMethod = "auto",
        scope: Scope = "like_these",
        models: FittedModels | None = None,
        confidence: float = CONFIDENCE,
    ) -> None:
        check_error_method(method)
        self.coded, self.method, self.scope, self.confidence = coded, method, scope, confidence
        gold = coded.gold[coded.item]
        self._on_gold = gold != NO_GOLD
        self._is_wrong = coded.label != gold
        self._judged = np.bincount(coded.item, minlength=len(coded.item_ids))
        if method == "gold" and not self._on_gold.any():
            raise InputError(
                "there are no answers to gold questions; choose another error method, such as "
                "hardness."
            )
        self._gold_counts = {
            kind: np.bincount(codes[self._on_gold], minlength=size)
            for kind, codes, size in (
                ("stratum", coded.judged_stratum, len(coded.strata)),
                ("annotator", coded.annotator, len(coded.annotators)),
            )
        }
        self._models = FittedModels(coded) if models is None else models
        self._rest: ErrorMethod = method
        if method == "auto":
            enough = all((counts >= FEWEST_GOLD).all() for counts in self._gold_counts.values())
            self._rest = "gold" if enough else self._models.better
        self._hardness: HardnessRates | None = None
        self._wrong: Array | None = None
        if self._rest == "hardness":
            from annotation.truth import hardness_rates  # loads scipy's optimisers

            self._hardness = hardness_rates.HardnessRates(self._models.hardness, coded)
        elif self._rest != "gold":
            self._wrong = self._models.aggregate(cast("Aggregator", self._rest)).wrong(coded)

    def label_error(self, stratum: int, labels: IntArray) -> float | None:
        """Share of a stratum's aggregated labels that are wrong, gold questions apart.

        By the posterior of the model that fits better; None where all are gold questions, or too
        few items were judged twice.
        `labels` (items,).
        """
        own = np.flatnonzero((self.coded.stratum == stratum) & (self.coded.gold == NO_GOLD))
        if not own.size or not self._can_tell("stratum", self.coded.judged_stratum == stratum):
            return None
        posteriors = self._models.aggregate().posteriors
        return float(1 - posteriors[own, labels[own]].mean())

    def stratum(self, stratum: int) -> ErrorRate:
        """The error rate of a stratum's judgments."""
        chosen = self.coded.judged_stratum == stratum
        return self._rate("stratum", stratum, chosen)

    def of_group(self, annotators: NDArray[np.bool_], stratum: int) -> ErrorRate:
        """The error rate of some annotators' judgments in a stratum.

        `annotators` (annotators,): who belongs to the group.
        """
        chosen = (self.coded.judged_stratum == stratum) & annotators[self.coded.annotator]
        answers = int(self._on_gold[chosen].sum())
        by_gold = self.method == "auto" and answers >= FEWEST_GOLD
        if by_gold or self._rest == "gold":
            found = self._gold_rate("stratum", chosen) if answers else NOTHING
            return ErrorRate(found, "gold", answers)
        count = int(chosen.sum())
        if not self._can_tell("stratum", chosen):
            return ErrorRate(NOTHING, self._rest, count)
        if self._hardness is None:
            return ErrorRate(self._posterior_rate("stratum", chosen), self._rest, count)
        found = self._hardness.group(annotators, stratum, self.scope, self.confidence)
        return ErrorRate(found, "hardness", count)

    def annotators(self) -> list[ErrorRate]:
        """The error rate of every annotator, over the items he judged, in their order."""
        by_annotator = np.argsort(self.coded.annotator, kind="stable")
        many = np.arange(len(self.coded.annotators) + 1)
        ends = np.searchsorted(self.coded.annotator[by_annotator], many)
        return [
            self._rate("annotator", number, by_annotator[ends[number] : ends[number + 1]])
            for number in many[:-1]
        ]

    def _rate(self, kind: str, code: int, chosen: NDArray[np.bool_] | IntArray) -> ErrorRate:
        answers = int(self._gold_counts[kind][code])
        if self.method == "gold" or (self.method == "auto" and answers >= FEWEST_GOLD):
            if not answers:
                return ErrorRate(NOTHING, "gold", 0)
            return ErrorRate(self._gold_rate(kind, chosen), "gold", answers)
        item = self.coded.item[chosen]
        if not self._can_tell(kind, chosen):
            return ErrorRate(NOTHING, self._rest, int(item.size))
        if self._hardness is None:
            return ErrorRate(self._posterior_rate(kind, chosen), self._rest, int(item.size))
        found = (
            self._hardness.stratum(code, self.scope, self.confidence)
            if kind == "stratum"
            else self._hardness.annotator(code, self.confidence)
        )
        return ErrorRate(found, "hardness", int(item.size))

    def _can_tell(self, kind: str, chosen: NDArray[np.bool_] | IntArray) -> bool:
        """Whether enough of these judgments' items were judged by others too."""
        items = np.unique(self.coded.item[chosen])
        fewest = FEWEST_SHARED if kind == "stratum" else 1
        return int((self._judged[items] > 1).sum()) >= fewest

    def _gold_rate(self, kind: str, chosen: NDArray[np.bool_] | IntArray) -> Interval:
        on_gold = self._on_gold[chosen]
        return share_interval(
            self._is_wrong[chosen][on_gold],
            self.coded.item[chosen][on_gold],
            self.coded.annotator[chosen][on_gold],
            self.scope if kind == "stratum" else "these",
            self.confidence,
        )

    def _posterior_rate(self, kind: str, chosen: NDArray[np.bool_] | IntArray) -> Interval:
        assert self._wrong is not None
        return share_interval(
            self._wrong[chosen],
            self.coded.item[chosen],
            self.coded.annotator[chosen],
            self.scope if kind == "stratum" else "these",
            self.confidence,
        )
