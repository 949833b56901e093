"""Labels from judgments, with posteriors, by the methods of crowd-kit and by the hardness model."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.ties import OF_POSTERIORS, pick, tie_draws, tied
from annotation.truth.coding import NO_GOLD, Coded

if TYPE_CHECKING:
    from annotation.truth.hardness_fit import HardnessFit


Aggregator = Literal["majority", "dawid_skene", "one_coin", "glad", "mace", "hardness"]
"""How labels are made of judgments; crowd-kit's class in brackets.

- "majority": the share of judgments (MajorityVote).
- "dawid_skene": every annotator has a confusion matrix (DawidSkene; Dawid and Skene 1979).
- "one_coin": every annotator has an accuracy, wrong answers are alike (OneCoinDawidSkene; Zhang et
  al. 2016).
- "glad": an ability per annotator, an ease per item (GLAD; Whitehill et al. 2009).
- "mace": an annotator knows, or answers by a habit (MACE; Hovy et al. 2013).
- "hardness": the model of `annotation.truth.hardness_model`, which is not crowd-kit's.
"""
MOST_FOR_GLAD = 20_000
_SMALLEST = 1e-10


@dataclass(frozen=True)
class Aggregate:
    """What a method makes of judgments.

    `posteriors` (items, most choices), rows sum to 1, 0 where an item has fewer choices: what
    `training.targets.make` calls probabilities. `log_likelihood` of the judgments and how many
    `parameters` it took; None where the method has none that compares.
    """

    method: Aggregator
    posteriors: Array
    log_likelihood: float | None = None
    parameters: int = 0
    without_own_gold: Array | None = None

    @property
    def unchecked(self) -> Array:
        """Posteriors of gold items, too, as if nobody knew their right answers, (items, choices).

        The people's parameters may have been fitted to gold.
        """
        return self.posteriors if self.without_own_gold is None else self.without_own_gold

    @cached_property
    def likeliest(self) -> NDArray[np.bool_]:
        """Which choices are the most probable, (items, most choices); several where they tie."""
        return tied(self.posteriors, OF_POSTERIORS)

    @cached_property
    def likeliest_unchecked(self) -> NDArray[np.bool_]:
        """As `likeliest`, of gold items, too, as if nobody knew their right answers."""
        return tied(self.unchecked, OF_POSTERIORS)

    def labels(self, coded: Coded) -> IntArray:
        """The most probable label of every item, (items,); of equals, one that is drawn.

        The draw is the item's own, by its name.
        """
        content = pd.util.hash_array(coded.item_ids.astype(object), categorize=False)
        draws = tie_draws(content, self.posteriors.shape[1])
        return pick(self.posteriors, draws, OF_POSTERIORS)

    @cached_property
    def confidence(self) -> Array:
        """Probability of the item's label, (items,)."""
        return np.asarray(self.posteriors.max(axis=1))

    def wrong(self, coded: Coded) -> Array:
        """Probability that each judgment is wrong, (judgments,)."""
        return np.asarray(1 - self.posteriors[coded.item, coded.label])

    @property
    def aic(self) -> float:
        """Akaike's criterion, smaller is better.

        Raises ValueError if the method has no likelihood.
        """
        if self.log_likelihood is None:
            raise ValueError(f"method '{self.method}' has no likelihood.")
        return 2 * (self.parameters - self.log_likelihood)


def check_aggregator(method: str) -> None:
    """Raise InputError if there is no such method."""
    if method not in get_args(Aggregator):
        raise InputError(
            f"method '{method}' is unknown; choose one of {', '.join(get_args(Aggregator))}."
        )


def aggregate(coded: Coded, method: Aggregator) -> Aggregate:
    """Labels and posteriors of every item by one method; a gold question has its right answer.

    Raises InputError if the method is unknown, or there are too many judgments for GLAD, whose
    time grows with items, annotators and steps of its optimiser.
    """
    check_aggregator(method)
    if method == "hardness":
        from annotation.truth.hardness_fit import fit_hardness_model

        return hardness_aggregate(fit_hardness_model(coded))
    if method == "glad" and coded.item.size > MOST_FOR_GLAD:
        raise InputError(
            f"GLAD takes too long for {coded.item.size:,} judgments; choose dawid_skene or "
            f"mace, or give at most {MOST_FOR_GLAD:,}."
        )
    data = pd.DataFrame({"task": coded.item, "worker": coded.annotator, "label": coded.label})
    # The others need two labels to tell apart.
    runs = "majority" if len(np.unique(coded.label)) == 1 else method
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # crowd-kit uses old calls of pandas
        found = _fitted(runs, data, _told(coded))
    most = int(coded.choice_counts.max())
    # Columns come in an order that differs from method to method.
    table = found.probas_.reindex(index=range(len(coded.item_ids)), columns=range(most))
    raw = table.fillna(0.0).to_numpy(dtype=np.float64, copy=True)
    posteriors = _normalised(raw.copy(), coded)
    has_gold = bool((coded.gold != NO_GOLD).any())
    if runs != "dawid_skene":
        unchecked = _normalised(raw, coded, use_gold=False) if has_gold else None
        return Aggregate(method, posteriors, without_own_gold=unchecked)
    likelihood, parameters, unchecked = _dawid_skene_likelihood(coded, found)
    unchecked = _normalised(unchecked, coded, use_gold=False)
    # The last step of crowd-kit is one of the parameters; posteriors are of those before.
    unchecked = np.where((coded.gold != NO_GOLD)[:, None], unchecked, posteriors)
    return Aggregate(method, posteriors, likelihood, parameters, unchecked if has_gold else None)


def hardness_aggregate(fit: "HardnessFit") -> Aggregate:
    """What a fitted hardness model says of the labels."""
    likelihood, parameters = fit.log_likelihood, fit.parameters.vector().size
    return Aggregate("hardness", fit.posteriors(), likelihood, parameters, fit.unchecked())


def _told(coded: Coded) -> "pd.Series[Any]":
    """Gold answers that somebody gave, by item; crowd-kit fails on others."""
    given = np.isin(coded.gold, np.unique(coded.label)) & (coded.gold != NO_GOLD)
    items = np.flatnonzero(given)
    return pd.Series(coded.gold[items], index=items)


def _fitted(method: Aggregator, data: pd.DataFrame, told: "pd.Series[Any]") -> Any:  # noqa: ANN401
    """A fitted aggregator of crowd-kit; loading the library takes seconds."""
    from crowdkit.aggregation import GLAD, MACE, DawidSkene, MajorityVote, OneCoinDawidSkene

    makers: dict[str, Any] = {
        "majority": MajorityVote,
        "dawid_skene": DawidSkene,
        "one_coin": OneCoinDawidSkene,
        "glad": GLAD,
        # All restarts begin at the same random numbers, so one is as good as ten.
        "mace": lambda: MACE(n_restarts=1),
    }
    fitted = makers[method]()
    return fitted.fit(data, told) if method == "dawid_skene" and len(told) else fitted.fit(data)


def _normalised(posteriors: Array, coded: Coded, use_gold: bool = True) -> Array:
    """Rows that sum to 1, over the choices that items have; certainty for gold questions."""
    posteriors[np.arange(posteriors.shape[1]) >= coded.choice_counts[:, None]] = 0.0
    total = posteriors.sum(axis=1)
    failed = ~(np.isfinite(total) & (total > 0))
    if failed.any():  # numbers too small to hold, where an item has very many judgments
        votes = np.zeros_like(posteriors)
        np.add.at(votes, (coded.item, coded.label), 1.0)
        posteriors[failed] = votes[failed]
    if use_gold:
        gold = np.flatnonzero(coded.gold != NO_GOLD)
        posteriors[gold] = 0.0
        posteriors[gold, coded.gold[gold]] = 1.0
    return np.asarray(posteriors / posteriors.sum(axis=1, keepdims=True))


def _dawid_skene_likelihood(coded: Coded, found: Any) -> tuple[float, int, Array]:  # noqa: ANN401
    """Log-likelihood of the judgments, right answers summed out, and the number of parameters.

    Also what they say of every choice of every item if its gold answer is not looked at, (items,
    most choices).
    """
    classes = found.priors_.index.to_numpy()
    most, many = int(coded.choice_counts.max()), len(coded.annotators)
    errors = found.errors_.reindex(columns=classes)
    who, said = (errors.index.get_level_values(name).to_numpy() for name in ("worker", "label"))
    log_error = np.zeros((many * most, classes.size))
    log_error[who * most + said] = np.log(np.maximum(errors.to_numpy(), _SMALLEST))
    start = np.flatnonzero(np.r_[True, np.diff(coded.item) != 0])
    joint = np.add.reduceat(log_error[coded.annotator * most + coded.label], start, axis=0)
    joint += np.log(np.maximum(found.priors_.to_numpy(), _SMALLEST))
    unchecked = np.zeros((len(coded.item_ids), most))
    unchecked[:, classes] = np.exp(joint - joint.max(axis=1, keepdims=True))
    known = coded.gold[:, None] != NO_GOLD
    joint[known & (classes != coded.gold[:, None])] = -np.inf
    largest = joint.max(axis=1)
    possible = np.isfinite(largest)  # not so where nobody gave the gold answer
    sums = np.exp(joint[possible] - largest[possible, None]).sum(axis=1)
    likelihood = float((np.log(sums) + largest[possible]).sum())
    return likelihood, (classes.size - 1) * (many * classes.size + 1), unchecked
