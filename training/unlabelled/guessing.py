"""Guess the classes of unlabelled items from a few labels of their kind.

Items of a class scatter about the mean of their class. The scatter is taken to be the one that
labelled items of the target show within their classes: a `NoiseSpace` is scaled so that it is one
in every direction. What is left to find, where the means lie, is found by expectation maximisation
(Dempster, Laird, Rubin 1977) over labelled and unlabelled items together, as Nigam et al. 2000 do
for texts; the labels count for what their error rate leaves of them.

Where items have choices of their own there is one mean: what a right choice lies apart from the
others of its item.

Nothing says that items lie in clusters by class. Whoever guesses checks it where answers are known
(`training.unlabelled.rehearsal`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Mask

AnyFeatures = NDArray[np.float32] | Array
_DIMENSIONS = 128
_LARGEST = 0.25  # dimensions per labelled row: more could not be told from noise
_RIDGE = 0.02  # of the mean scatter, so that no direction is scaled up beyond what is known
_MOST_STEPS, _LEAST_STEPS = 30, 5
_CONVERGED = 0.05  # gain of a step in the log-likelihood of all items
_PSEUDO_ITEMS = 2.0  # of every class, so that none dies out


@dataclass(frozen=True)
class NoiseSpace:
    """Directions along which labelled items scatter by one within their classes.

    `projection` (width, dimensions).
    """

    projection: Array

    @classmethod
    def of(
        cls,
        features: AnyFeatures,
        mask: Mask,
        answers: NDArray[np.int64],
        more: tuple[AnyFeatures, Mask],
    ) -> "NoiseSpace":
        """From labelled items, and `more` of their kind that need no labels.

        Noise is what all of them scatter, less what classes lie apart in the labelled ones.
        `features` (items, choices or 1, width), `answers` (items,). Keeps the directions with the
        most noise, at most 128 and a quarter of the rows.
        """
        rows, others = _centred(features, mask), _centred(*more)
        if rows.shape[1] == 1:
            centre = rows[:, 0].mean(0)
            every = np.concatenate([rows[:, 0], others[:, 0]])
            every -= every.mean(0)
            free = len(every) - 1
            kinds, held = np.unique(answers, return_counts=True)
            apart = np.stack([rows[answers == own, 0].mean(0) - centre for own in kinds])
            held = held / held.sum()
        else:
            every = np.concatenate([rows[mask], others[more[1]]])
            free = int((mask.sum(1) - 1).sum() + (more[1].sum(1) - 1).sum())
            choices = float(mask.sum(1).mean())
            lifted = rows[np.arange(len(answers)), answers].mean(0) * choices / (choices - 1)
            apart, held = lifted[None], np.array([1 / choices])
        most = min(_DIMENSIONS, max(1, int(_LARGEST * free)))
        basis = _span(every)
        spanned, means = every @ basis, apart @ basis
        between = means.T * held @ means
        scatter, directions = np.linalg.eigh(spanned.T @ spanned / max(1, free) - between)
        kept = np.argsort(-scatter)[:most]
        scale = np.maximum(scatter[kept], 0) + _RIDGE * max(float(scatter[kept].mean()), 1e-12)
        return cls(basis @ directions[:, kept] / np.sqrt(scale))

    def project(self, features: AnyFeatures, mask: Mask) -> Array:
        """(items, choices or 1, dimensions); choices of an item about their own mean."""
        return np.asarray(_centred(features, mask) @ self.projection)


def _span(rows: Array) -> Array:
    """Orthonormal directions that hold all rows (items, width): as many as the fewer of the two."""
    items, width = rows.shape
    return np.eye(width) if width <= items else np.asarray(np.linalg.qr(rows.T)[0])


def _centred(features: AnyFeatures, mask: Mask) -> Array:
    rows = np.asarray(features, dtype=np.float64)
    if rows.shape[1] == 1:
        return rows
    there = mask[:, :, None]
    mean = np.where(there, rows, 0.0).sum(1, keepdims=True) / mask.sum(1)[:, None, None]
    return np.where(there, rows - mean, 0.0)


@dataclass(frozen=True)
class Mixture:
    """Where classes lie in a noise space.

    `means` (classes, dimensions), about `centre`, and the logs of their `log_shares` (classes,);
    one row and no shares where items have choices of their own.
    """

    means: Array
    log_shares: Array
    centre: Array

    def log_odds(self, items: Array, mask: Mask) -> Array:
        """Of every choice, (items, choices), up to a constant per item; -inf where none is."""
        if items.shape[1] > 1:
            odds = items @ self.means[0]
        else:
            odds = (items[:, 0] - self.centre) @ self.means.T
            odds += self.log_shares - 0.5 * (self.means**2).sum(1)
        return np.where(mask, odds, -np.inf)

    def evidence(self, odds: Array, mask: Mask) -> Array:
        """Log-likelihood of every item, (items,), up to what all mixtures share."""
        largest = odds.max(1)
        found = largest + np.log(np.exp(odds - largest[:, None]).sum(1))
        if len(self.means) > 1:
            return np.asarray(found)
        choices = mask.sum(1)
        square = float((self.means**2).sum())
        return np.asarray(found - np.log(choices) - 0.5 * (1 - 1 / choices) * square)


@dataclass(frozen=True)
class Guess:
    """Guessed classes of items.

    `probabilities` (items, choices) with the labels that are there; `unaided` (items, choices) by
    the mixture alone, which an item's own label helped to find, but says nothing to here.
    """

    probabilities: Array
    unaided: Array
    mixture: Mixture
    log_likelihood: float


def probabilities(log_odds: Array) -> Array:
    """(items, choices) of log odds."""
    found = np.exp(log_odds - log_odds.max(1, keepdims=True))
    return np.asarray(found / found.sum(1, keepdims=True))


def label_log_odds(
    mask: Mask,
    places: NDArray[np.int64],
    labels: NDArray[np.int64],
    redraw_rates: Array,
) -> Array:
    """What labels say of the classes of items, (items, choices); 0 where there is no label.

    `places` (labels,) of the labelled items.
    """
    found = np.zeros(mask.shape)
    by_chance = redraw_rates / mask[places].sum(1)
    found[places] = np.log(np.maximum(by_chance, 1e-4))[:, None]
    found[places, labels] = np.log(1 - redraw_rates + by_chance + 1e-12)
    return np.where(mask, found, -np.inf)


def guess(
    items: Array, mask: Mask, from_labels: Array, starts: Sequence[tuple[Array, Array]]
) -> Guess:
    """The most likely mixture that any of the `starts` leads to.

    Parameters
    ----------
    items : (items, choices or 1, dimensions) in a noise space
    mask : (items, choices)
    from_labels : (items, choices), see `label_log_odds`
    starts : probabilities (items, choices), and how much each item counts for the first step
    """
    found = [_climb(items, mask, from_labels, *start) for start in starts]
    # Starts that climb as high are as good; what they say of choices is probabilities, not a pick.
    return max(found, key=lambda own: own.log_likelihood)


def _climb(items: Array, mask: Mask, from_labels: Array, start: Array, weights: Array) -> Guess:
    found = _step(items, mask, from_labels, start, weights)
    everything = np.ones(len(items))
    for step in range(1, _MOST_STEPS):
        before = found.log_likelihood
        found = _step(items, mask, from_labels, found.probabilities, everything)
        if step >= _LEAST_STEPS and found.log_likelihood - before < _CONVERGED:
            break
    return found


def _step(items: Array, mask: Mask, from_labels: Array, current: Array, weights: Array) -> Guess:
    """The mixture of current guesses, and the guesses of that mixture."""
    mixture = _mixture(items, mask, current, weights)
    odds = mixture.log_odds(items, mask)
    aided = odds + from_labels
    likelihood = float(mixture.evidence(aided, mask).sum())
    return Guess(probabilities(aided), probabilities(odds), mixture, likelihood)


def _mixture(items: Array, mask: Mask, current: Array, weights: Array) -> Mixture:
    if items.shape[1] > 1:
        shares = np.where(mask, current, 0.0) * weights[:, None]
        # Of an item's own centred choices the right one lies 1 - 1 / choices of the way apart.
        apart = float((weights * (1 - 1 / mask.sum(1))).sum())
        pulled = shares.reshape(-1) @ items.reshape(-1, items.shape[2]) / max(apart, 1e-12)
        return Mixture(pulled[None], np.zeros(1), np.zeros(items.shape[2]))
    centre = items[:, 0].mean(0)
    rows = items[:, 0] - centre
    held = (current * weights[:, None]).sum(0)
    means = (current * weights[:, None]).T @ rows / (held[:, None] + 1e-9)
    shares = held + _PSEUDO_ITEMS
    return Mixture(means, np.log(shares / shares.sum()), centre)
