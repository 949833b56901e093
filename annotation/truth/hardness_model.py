"""A model of judgments in which items differ in hardness and annotators in ability.

The answer to item i by annotator a is drawn anew, uniformly over the item's m choices, with
probability 1 - s, and is right otherwise, where

    logit(s) = level of the stratum + ability of a - spread of the stratum * hardness of i

and hardness is standard normal. So items on which everybody stumbles are expected, which Dawid and
Skene's model (1979, Applied Statistics 28) does not do: it takes agreement on wrong answers for
right ones and finds error rates too low. It is GLAD (Whitehill et al. 2009, NeurIPS 22) with
hardness integrated out instead of estimated item by item, and with guessing: a Rasch model whose
key is unknown.

The right answers and the hardness of every item are summed out exactly, hardness on nine points of
Gauss and Hermite.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from annotation.arrays import Array, IntArray
from annotation.truth.coding import NO_GOLD, Coded

NODES, _weights = np.polynomial.hermite_e.hermegauss(9)
LOG_WEIGHTS = np.log(_weights / _weights.sum())
_FEW_NODES, _few = np.polynomial.hermite_e.hermegauss(5)
_FEW_WEIGHTS = _few / _few.sum()
_CHUNK = 50_000  # judgments worked on at a time


@dataclass(frozen=True)
class Parameters:
    """`ability` (annotators,), `level` (strata,), `log_spread` (strata,)."""

    ability: Array
    level: Array
    log_spread: Array

    @classmethod
    def from_vector(cls, vector: Array, annotators: int) -> "Parameters":
        level, log_spread = vector[annotators:].reshape(2, -1)
        return cls(vector[:annotators], level, log_spread)

    def vector(self) -> Array:
        return np.concatenate([self.ability, self.level, self.log_spread])

    def knows(self, annotator: IntArray, stratum: IntArray) -> Array:
        """Probability that an answer is not drawn anew, at every node of hardness, (n, nodes)."""
        spread = np.exp(self.log_spread)[stratum]
        usual = self.level[stratum] + self.ability[annotator]
        return np.asarray(expit(usual[:, None] - spread[:, None] * NODES))


@dataclass(frozen=True)
class Derivatives:
    """Log-likelihood of every item, and how it changes with what each judgment depends on.

    `log_likelihood` (items,); `by_level` and `by_spread` (judgments,): the derivative of the
    judgment's item with respect to its ability (or level), and its log spread.
    """

    log_likelihood: Array
    by_level: Array
    by_spread: Array
    by_group: Array  # (groups,): posterior that the label of these judgments is right


class HardnessModel:
    """Log-likelihood, scores and posteriors of the model for one set of judgments.

    An item whose answer is known (`gold`) enters with that answer alone.
    """

    def __init__(self, coded: Coded, use_gold: bool = True) -> None:
        self.annotators, self.strata = len(coded.annotators), len(coded.strata)
        order = np.lexsort((coded.label, coded.item))  # stable: labels of an item lie together
        self.order = order
        self.item, self.annotator = coded.item[order], coded.annotator[order]
        self.stratum = coded.stratum[self.item]
        self.choice_counts = coded.choice_counts.astype(np.float64)
        label = coded.label[order]
        self.item_start = np.flatnonzero(np.r_[True, np.diff(self.item) != 0])
        new = np.r_[True, (np.diff(self.item) != 0) | (np.diff(label) != 0)]
        self.group_start = np.flatnonzero(new)
        self.group = np.cumsum(new) - 1  # of every judgment: those of one item that agree
        self.group_item = self.item[self.group_start]
        self.group_label = label[self.group_start]
        gold = coded.gold if use_gold else np.full_like(coded.gold, NO_GOLD)
        self.gold = gold
        known = gold[self.group_item]
        self.group_possible = (known == NO_GOLD) | (known == self.group_label)
        groups = np.bincount(self.group_item, minlength=len(coded.item_ids))
        # How many choices nobody gave, of which one may yet be right.
        unseen = self.choice_counts - groups
        told = np.bincount(self.group_item, self.group_possible) > 0
        self.unseen = np.where(gold == NO_GOLD, unseen, np.where(told, 0.0, 1.0))
        self._cells()

    def _cells(self) -> None:
        """Judgments by (annotator, stratum, number of choices): probabilities need one per cell."""
        counts, count_code = np.unique(self.choice_counts, return_inverse=True)
        key = (self.annotator * self.strata + self.stratum) * counts.size + count_code[self.item]
        cells, self.cell = np.unique(key, return_inverse=True)
        self.cell_annotator = cells // counts.size // self.strata
        self.cell_stratum = cells // counts.size % self.strata
        self.cell_choices = counts[cells % counts.size]

    def scores(self, parameters: Parameters, ability_variance: Array | None = None) -> Derivatives:
        """Log-likelihood of every item and derivatives at `parameters`.

        With `ability_variance` (annotators,) abilities are uncertain: logarithms of probabilities
        are averaged over normal abilities, which makes the log-likelihood its lower bound (Jordan
        et al. 1999, Machine Learning 37).
        """
        likelihood = np.empty(self.item_start.size)
        by_level, by_spread = np.empty(self.item.size), np.empty(self.item.size)
        by_group = np.empty(self.group_start.size)
        cells = self._cell_tables(parameters, ability_variance)
        for items, groups, judgments in self._chunks():
            found = self._chunk(cells, items, groups, judgments)
            likelihood[items] = found[0]
            by_level[judgments], by_spread[judgments], by_group[groups] = found[1:]
        by_spread *= np.exp(parameters.log_spread)[self.stratum]
        return Derivatives(likelihood, by_level, by_spread, by_group)

    def posteriors(self, parameters: Parameters, ability_variance: Array | None = None) -> Array:
        """Probability of every choice of every item, (items, most choices); rows sum to 1.

        What is left by the labels that were given falls evenly to the choices that nobody gave.
        """
        scores = self.scores(parameters, ability_variance)
        most = np.arange(int(self.choice_counts.max()))
        found = np.zeros((self.item_start.size, most.size))
        found[self.group_item, self.group_label] = scores.by_group
        given = np.zeros(found.shape, dtype=bool)
        given[self.group_item, self.group_label] = True
        free = ~given & (most < self.choice_counts[:, None])
        rest = np.maximum(1 - found.sum(axis=1), 0.0)
        found += free * (rest / np.maximum(free.sum(axis=1), 1))[:, None]
        known = np.flatnonzero(self.gold != NO_GOLD)
        found[known] = 0.0
        found[known, self.gold[known]] = 1.0
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def gradient(self, scores: Derivatives) -> Array:
        """Derivative of the log-likelihood with respect to the parameters' vector."""
        return np.concatenate(
            [
                np.bincount(self.annotator, scores.by_level, self.annotators),
                np.bincount(self.stratum, scores.by_level, self.strata),
                np.bincount(self.stratum, scores.by_spread, self.strata),
            ]
        )

    def _cell_tables(
        self, parameters: Parameters, ability_variance: Array | None
    ) -> tuple[Array, Array, Array, Array]:
        if ability_variance is None:
            return self._cell_table(parameters)
        spread = np.sqrt(ability_variance)
        tables = [
            self._cell_table(replace(parameters, ability=parameters.ability + node * spread))
            for node in _FEW_NODES
        ]
        log_wrong, log_gain, slope_right, slope_wrong = (
            np.tensordot(_FEW_WEIGHTS, np.array(each), axes=1) for each in zip(*tables, strict=True)
        )
        return log_wrong, log_gain, slope_right, slope_wrong

    def _cell_table(self, parameters: Parameters) -> tuple[Array, Array, Array, Array]:
        """Per cell and node: log P(a given wrong answer), log of P(right) over it, their slopes."""
        knows = parameters.knows(self.cell_annotator, self.cell_stratum)
        by_chance = ((1 - knows).T / self.cell_choices).T
        right = knows + by_chance
        log_wrong = np.log(np.maximum(by_chance, 1e-300))
        slope_right = knows * (1 - knows) * (1 - 1 / self.cell_choices)[:, None] / right
        return log_wrong, np.log(right) - log_wrong, slope_right, -knows

    def _chunks(self) -> list[tuple[slice, slice, slice]]:
        """Items, groups and judgments, in runs of whole items."""
        total = self.item.size
        ends = np.append(self.item_start, total)
        cuts = np.unique(np.searchsorted(ends, np.arange(0, total, _CHUNK)))
        cuts = np.append(cuts[cuts < self.item_start.size], self.item_start.size)
        groups = np.searchsorted(self.group_start, ends[cuts])
        return [
            (slice(a, b), slice(g, h), slice(ends[a], ends[b]))
            for a, b, g, h in zip(cuts[:-1], cuts[1:], groups[:-1], groups[1:], strict=True)
        ]

    def _chunk(
        self,
        cells: tuple[Array, Array, Array, Array],
        items: slice,
        groups: slice,
        judgments: slice,
    ) -> tuple[Array, Array, Array, Array]:
        log_wrong, log_gain, slope_right, slope_wrong = cells
        cell = self.cell[judgments]
        of_item = self.item[judgments] - items.start
        of_group = self.group[judgments] - groups.start
        group_item = self.group_item[groups] - items.start
        all_wrong = np.add.reduceat(
            log_wrong[cell], self.item_start[items] - judgments.start, axis=0
        )
        gain = np.add.reduceat(log_gain[cell], self.group_start[groups] - judgments.start, axis=0)
        group_start = np.flatnonzero(np.r_[True, np.diff(group_item) != 0])
        gain[~self.group_possible[groups]] = -np.inf
        all_wrong += LOG_WEIGHTS
        if_right = all_wrong[group_item] + gain  # (groups, nodes)
        largest = np.maximum.reduceat(if_right.max(axis=1), group_start)
        largest = np.maximum(largest, all_wrong.max(axis=1))
        if_right = np.exp(if_right - largest[group_item, None])
        if_unseen = np.exp(all_wrong - largest[:, None]) * self.unseen[items, None]
        by_node = np.add.reduceat(if_right, group_start, axis=0) + if_unseen
        total = by_node.sum(axis=1)
        if_right /= total[group_item, None]
        by_node /= total[:, None]
        right = if_right[of_group]
        slopes = right * slope_right[cell] + (by_node[of_item] - right) * slope_wrong[cell]
        likelihood = np.log(total) + largest - np.log(self.choice_counts[items])
        return likelihood, slopes.sum(axis=1), -(slopes @ NODES), if_right.sum(axis=1)
