"""How often judgments are wrong, per stratum and annotator, and by which method that is known."""

from dataclasses import dataclass, replace
from functools import cached_property
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
    clustered_mean,
    fewest_trials,
    share_interval,
)
from annotation.team.label_errors import FEWEST_GOLD_ITEMS, label_error
from annotation.truth import shared_mistakes
from annotation.truth.coding import NO_GOLD, Coded
from annotation.truth.fitted_models import FittedModels, votes

if TYPE_CHECKING:
    from annotation.truth.aggregation import Aggregate, Aggregator
    from annotation.truth.hardness_rates import HardnessRates


ErrorMethod = Literal[
    "auto", "gold", "hardness", "majority", "dawid_skene", "one_coin", "glad", "mace"
]
"""How error rates are found.

- "gold": the share of wrong answers to gold questions.
- "hardness": the model of `annotation.truth.hardness_model`, gold answers included.
- the name of another aggregator: the mean posterior probability that a judgment is wrong.
- "auto": hardness, or dawid_skene where the judgments fit that better, see
  `annotation.truth.fitted_models`; gold items measure what it gets wrong. It is called gold where
  there are at least `FEWEST_GOLD` answers to gold questions; where at least half of the items are
  gold questions, the wrong answers to them are counted.

A model knows nothing of mistakes that people share; what they may add to a rate is in the estimate
and in its interval, see `annotation.truth.shared_mistakes`.

Without gold, a stratum has no error rate unless `FEWEST_SHARED` of its items were judged by several
annotators.
"""
FEWEST_GOLD = 20
FEWEST_SHARED = 5  # items judged by several annotators; without overlap nothing shows an error
WANTED_HALF_WIDTH = 0.05  # of an interval, for which more gold items are asked for
SharedMistakes = Literal["not excluded", "measured"]
"""Whether mistakes that several people make alike are part of an error rate.

"measured" on enough gold items; "not excluded" where their share is a guess from published crowds.
"""


@dataclass(frozen=True)
class ErrorRate:
    """An error rate, how it was found, and from how many judgments.

    Attributes
    ----------
    rate, method, judgments : the rate, how it was found, and from how many judgments
    shared_mistakes : whether mistakes that people share were measured; None without a rate
    by_agreement : the rate if people made their mistakes independently; None where not asked
    gold_items : items with a known answer that it rests on
    more_gold : about how many more would tell it to within `WANTED_HALF_WIDTH`, for these
        annotators; at most the items there are; None where they would tell nothing new
    """

    rate: Interval
    method: ErrorMethod
    judgments: int
    shared_mistakes: SharedMistakes | None = None
    by_agreement: Interval | None = None
    gold_items: int = 0
    more_gold: int | None = None


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
    counted
        Which judgments a group's rate is the share of, (judgments,); the others only help to find
        out what is right. For items that were asked about the more often, the less people agreed.
        None for all.

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
        counted: NDArray[np.bool_] | None = None,
    ) -> None:
        check_error_method(method)
        self._counted = np.ones(coded.item.size, dtype=bool) if counted is None else counted
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
        self._gold_counts = np.bincount(
            coded.annotator[self._on_gold], minlength=len(coded.annotators)
        )
        self._models = FittedModels(coded) if models is None else models
        self._rest: ErrorMethod = self._models.better if method == "auto" else method
        self._hardness: HardnessRates | None = None
        self._wrong: Array | None = None
        if self._rest == "hardness":
            from annotation.truth import hardness_rates  # loads scipy's optimisers

            self._hardness = hardness_rates.HardnessRates(self._models.hardness, coded)
        elif self._rest != "gold":
            self._wrong = self._models.aggregate(cast("Aggregator", self._rest)).wrong(coded)

    def label_error(self, stratum: int, labelled: NDArray[np.bool_]) -> Interval:
        """Share of a stratum's aggregated labels that are wrong, gold questions apart.

        See `annotation.team.label_errors`; nothing where too few items were judged twice.
        `labelled` (items, most choices): the choice that each item is labelled with by judgments
        alone; where one of several is drawn, all of them.
        """
        if not self._can_tell("stratum", self.coded.judged_stratum == stratum):
            return NOTHING
        return label_error(self._models, stratum, labelled, self.confidence)

    def stratum(self, stratum: int) -> ErrorRate:
        """The error rate of a stratum's judgments."""
        return self.of_group(np.ones(len(self.coded.annotators), dtype=bool), stratum)

    def of_group(self, annotators: NDArray[np.bool_], stratum: int) -> ErrorRate:
        """The error rate of some annotators' judgments in a stratum.

        `annotators` (annotators,): who belongs to the group.
        """
        chosen = (self.coded.judged_stratum == stratum) & annotators[self.coded.annotator]
        chosen &= self._counted
        on_gold = chosen & self._on_gold
        answers = int(on_gold.sum())
        items = np.unique(self.coded.item[chosen]).size
        gold_items = np.unique(self.coded.item[on_gold]).size
        counted = self.method == "auto" and answers >= FEWEST_GOLD and 2 * gold_items >= items
        if counted or self.method == "gold":
            found = self._gold_rate("stratum", chosen) if answers else NOTHING
            return ErrorRate(
                found, "gold", answers, "measured" if answers else None, None, gold_items
            )
        count = int(chosen.sum())
        if not self._can_tell("stratum", chosen):
            if self.method == "auto" and answers >= FEWEST_GOLD:
                found = self._gold_rate("stratum", chosen)
                return ErrorRate(found, "gold", answers, "measured", None, gold_items)
            return ErrorRate(NOTHING, self._rest, count)
        if self._hardness is None:
            model = self._posterior_rate("stratum", chosen)
        else:
            model = self._hardness.group(annotators, stratum, self.scope, self.confidence)
        if self.method == "auto" and gold_items >= FEWEST_GOLD_ITEMS:
            return self._by_both(model, chosen, answers, gold_items)
        return ErrorRate(
            shared_mistakes.rate_without_gold(model, self._gap(chosen), self.confidence),
            self._rest,
            count,
            "not excluded",
            model,
            gold_items,
            self._more_gold(self._expected_variance(chosen), gold_items, items),
        )

    def _by_both(
        self, model: Interval, chosen: NDArray[np.bool_], answers: int, gold_items: int
    ) -> ErrorRate:
        """The rate of some judgments by agreement and by their gold items."""
        item, annotator = self.coded.item, self.coded.annotator
        there = chosen & self._on_gold
        rest = (self._is_wrong - self._unchecked_wrong)[there]
        between = clustered_mean(rest, item[there], annotator[there], "these").variance
        expected = self._expected_variance(chosen)
        gold = shared_mistakes.gold_evidence(
            clustered_mean(rest, item[there], annotator[there], self.scope),
            between,
            expected,
            clustered_mean(
                self._unchecked_wrong[chosen], item[chosen], annotator[chosen], self.scope
            ),
            gold_items,
            fewest_trials(item[there], annotator[there], self.scope),
            self.confidence,
        )
        found = shared_mistakes.rate_with_gold(model, self._gap(chosen), gold, self.confidence)
        by_gold = answers >= FEWEST_GOLD
        if by_gold:  # as an estimate, it needs no prior
            low, high = found.bounds
            mean = gold.rate
            found = Interval(mean, min(low, mean), max(high, mean))
        enough = gold_items >= shared_mistakes.USUAL_GOLD_ITEMS
        items = np.unique(item[chosen]).size
        return ErrorRate(
            found,
            "gold" if by_gold else self._rest,
            answers if by_gold else int(chosen.sum()),
            "measured" if enough else "not excluded",
            model,
            gold_items,
            self._more_gold(
                min(max(expected, between * gold_items), _variance_at(gold)), gold_items, items
            ),
        )

    def _more_gold(self, variance: float, gold_items: int, items: int) -> int | None:
        wanted = shared_mistakes.gold_items_for(variance, WANTED_HALF_WIDTH, self.confidence)
        wanted = min(max(wanted, shared_mistakes.USUAL_GOLD_ITEMS), items)
        return wanted - gold_items if wanted > gold_items else None

    def annotators(self) -> list[ErrorRate]:
        """The error rate of every annotator, over the items he judged, in their order."""
        by_annotator = np.argsort(self.coded.annotator, kind="stable")
        many = np.arange(len(self.coded.annotators) + 1)
        ends = np.searchsorted(self.coded.annotator[by_annotator], many)
        return [
            self._annotator(number, by_annotator[ends[number] : ends[number + 1]])
            for number in many[:-1]
        ]

    def _annotator(self, code: int, chosen: IntArray) -> ErrorRate:
        kind = "annotator"
        answers = int(self._gold_counts[code])
        if self.method == "gold" or (self.method == "auto" and answers >= FEWEST_GOLD):
            if not answers:
                return ErrorRate(NOTHING, "gold", 0)
            return ErrorRate(self._gold_rate(kind, chosen), "gold", answers, "measured")
        item = self.coded.item[chosen]
        if not self._can_tell(kind, chosen):
            return ErrorRate(NOTHING, self._rest, int(item.size))
        model = (
            self._posterior_rate(kind, chosen)
            if self._hardness is None
            else self._hardness.annotator(code, self.confidence)
        )
        found = shared_mistakes.rate_without_gold(model, self._gap(chosen), self.confidence)
        return ErrorRate(found, self._rest, int(item.size), "not excluded", model)

    @cached_property
    def _by_model(self) -> "Aggregate":
        return self._models.aggregate(cast("Aggregator", self._rest))

    @cached_property
    def _unchecked_wrong(self) -> Array:
        """Probability of every judgment to be wrong, its item's gold answer not looked at."""
        return np.asarray(1 - self._by_model.unchecked[self.coded.item, self.coded.label])

    @cached_property
    def _gaps(self) -> Array:
        """How much likelier every judgment is wrong where the truth is like one more answer."""
        further = self._models.one_more_answer[self.coded.item, self.coded.label]
        return np.asarray(1 - further - self._unchecked_wrong)

    def _gap(self, chosen: NDArray[np.bool_] | IntArray) -> float:
        """The mean over these judgments; of items that others judged, too, where there are some."""
        shared = self._judged[self.coded.item[chosen]] > 1
        gaps = self._gaps[chosen]
        return float((gaps[shared] if shared.any() else gaps).mean())

    def _expected_variance(self, chosen: NDArray[np.bool_]) -> float:
        """See `annotation.truth.shared_mistakes.expected_variance`."""
        part = replace(
            self.coded,
            item=self.coded.item[chosen],
            annotator=self.coded.annotator[chosen],
            label=self.coded.label[chosen],
        )
        items = np.unique(part.item)
        model = self._by_model.unchecked[items]
        share = shared_mistakes.PUBLISHED.doubted_share
        mixed = (1 - share) * model + share * self._models.one_more_answer[items]
        return shared_mistakes.expected_variance(votes(part)[items], model, mixed)

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


def _variance_at(gold: shared_mistakes.GoldEvidence) -> float:
    """Between items, the largest there can be of shares with this mean."""
    rate = max(gold.rate, 1 / (2 * gold.items))
    return rate * (1 - rate)
