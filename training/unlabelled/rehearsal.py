"""Rehearse a purchase: train on items that nobody has labelled, with guessed labels.

A probe of the right answers to a part of the target's test items, and the labels bought so far, say
where the classes of unlabelled items lie (`training.unlabelled.guessing`). Labels drawn from these
guesses, with the errors that bought ones would have, train a probe as a purchase would; it is
scored on the test items that were not taught.

A rehearsal is worth what its guesses are. Two things tell: a rehearsal of the target itself, whose
labels are known from the test set, and how far the labels that were bought agree with what was
guessed of their items.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Features, Mask
from annotation.terms.cost import LabelTerms
from annotation.terms.noise import draw_labels
from annotation.ties import OF_PROBES, share_right
from training.probes.probe import LinearProbe
from training.unlabelled.guessing import (
    Guess,
    NoiseSpace,
    guess,
    label_log_odds,
    probabilities,
)
from training.unlabelled.told import LEAST_LABELS

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """Items of a stratum that somebody labelled: `rows` (labels,), `labels`, `redraw_rates`."""

    rows: Rows
    labels: NDArray[np.int64]
    redraw_rates: Array

    def as_bytes(self) -> bytes:
        """Tells it from others of the same stratum."""
        parts = (self.rows, self.labels, self.redraw_rates)
        return b"".join(own.tobytes() for own in parts)


@dataclass(frozen=True)
class Guessed:
    """Guesses for items of a stratum.

    `rows` (items,), `guess` of their classes, and `surprise`: by how many standard deviations known
    labels agree less with the unaided guesses than these expect of themselves. It is a coarse
    check: the labels helped to find the guesses, and guesses that are too sure surprise sooner.
    """

    rows: Rows
    guess: Guess
    surprise: float

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Rows, NDArray[np.int64]]:
        """So many of the items, with answers drawn from the guesses; fewer items begin more."""
        chosen = rng.permutation(len(self.rows))[:count]
        shares = self.guess.probabilities[chosen].cumsum(1)
        answers = (shares <= rng.random(len(chosen))[:, None] * shares[:, -1:]).sum(1)
        return self.rows[chosen], answers.astype(np.int64)


class Guesser:
    """Guesses the answers to unlabelled items.

    Parameters
    ----------
    features, mask : (items, choices or 1, width), (items, choices)
    taught, answers : rows of labelled items of the target, and their right answers
    probe : fitted to them
    alike : rows of further items of the target, whose answers are not looked at
    """

    def __init__(
        self,
        features: Features,
        mask: Mask,
        taught: Rows,
        answers: NDArray[np.int64],
        probe: LinearProbe,
        alike: Rows,
    ) -> None:
        self._features, self._mask = features, mask
        self._probe = probe
        self._space = NoiseSpace.of(
            features[taught], mask[taught], answers, (features[alike], mask[alike])
        )

    def guess(self, unlabelled: Rows, known: Known) -> Guessed:
        """Guess answers of `unlabelled` items (rows) and of those of the same kind that are known.

        Starts from the probe and, where there are labels enough, from these.
        """
        rows = np.union1d(unlabelled, known.rows)
        mask = self._mask[rows]
        items = self._space.project(self._features[rows], mask)
        places = np.searchsorted(rows, known.rows)
        said = label_log_odds(mask, places, known.labels, known.redraw_rates)
        scores = self._probe.scores(self._features[rows], mask)
        starts = [(probabilities(scores), np.ones(len(rows)))]
        if len(places) >= LEAST_LABELS:
            labelled = np.zeros(len(rows))
            labelled[places] = 1.0
            starts.append((probabilities(said), labelled))
        found = guess(items, mask, said, starts)
        return Guessed(rows, found, _surprise(found.unaided[places], known, mask[places]))

    def overconfidence(self, guessed: Guessed, rows: Rows, answers: NDArray[np.int64]) -> float:
        """By how much guesses of further items of the same kind are surer than they are right."""
        mask = self._mask[rows]
        items = self._space.project(self._features[rows], mask)
        said = probabilities(guessed.guess.mixture.log_odds(items, mask))
        return float(said.max(1).mean() - share_right(said, answers, OF_PROBES).mean())


def _surprise(unaided: Array, known: Known, mask: Mask) -> float:
    if not len(unaided):
        return 0.0
    by_chance = (known.redraw_rates / mask.sum(1))[:, None]
    said = np.where(mask, (1 - known.redraw_rates)[:, None] * unaided + by_chance, 0.0)
    expected = (said * unaided).sum(1)
    agreed = unaided[np.arange(len(unaided)), known.labels]
    variance = (said * (unaided - expected[:, None]) ** 2).sum(1)
    return float((expected - agreed).sum() / np.sqrt(variance.sum() + 1e-9))


def imagined_purchase(
    guessed: Mapping[str, Guessed],
    mix: Mapping[str, int],
    terms: Mapping[str, LabelTerms],
    choices: NDArray[np.int64],
    generator: Callable[[str], np.random.Generator],
) -> tuple[Rows, NDArray[np.int64]]:
    """Rows and labels of a purchase whose answers are guessed and whose labels err.

    `choices` (items,) of all rows; `generator` gives a stratum's own randomness.
    """
    rows, labels = [], []
    for name, count in mix.items():
        rng = generator(name)
        own, answers = guessed[name].draw(count, rng)
        how = terms[name]
        labels.append(draw_labels(answers, choices[own], how.error_rate, how.error_kind, rng))
        rows.append(own)
    return np.concatenate(rows), np.concatenate(labels)


class Rehearser:
    """Imagines purchases, and says how doubtful they are; every guess is made once.

    Parameters
    ----------
    guesser : taught a part of the test items
    unlabelled : gives the rows of a stratum's items that are looked at
    choices : (items,) of all rows
    target : the stratum that counts
    others, answers : rows of the target's test items that were not taught, and their answers
    """

    def __init__(
        self,
        guesser: Guesser,
        unlabelled: Callable[[str], Rows],
        choices: NDArray[np.int64],
        target: str,
        others: Rows,
        answers: NDArray[np.int64],
    ) -> None:
        self._guesser, self._unlabelled, self._choices = guesser, unlabelled, choices
        self._target, self._others, self._answers = target, others, answers
        self._guesses: dict[tuple[str, bytes], tuple[Guessed, float]] = {}

    def imagine(
        self,
        mix: Mapping[str, int],
        known: Mapping[str, Known],
        terms: Mapping[str, LabelTerms],
        generator: Callable[[str], np.random.Generator],
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Rows and noisy labels of a purchase.

        `known` has every stratum of `mix`, where nobody labelled any of it with no labels; they
        help to guess the others of the stratum.
        """
        guessed = {name: self._guessed(name, known)[0] for name in mix}
        return imagined_purchase(guessed, mix, terms, self._choices, generator)

    def doubts(self, mix: Mapping[str, int], known: Mapping[str, Known]) -> tuple[float, float]:
        """Surprise and overconfidence of what an imagined mix rests on, see `Rehearsed`."""
        surprise = max(self._guessed(name, known)[0].surprise for name in mix)
        over = self._guessed(self._target, known)[1] if self._target in mix else 0.0
        return surprise, over

    def _guessed(self, name: str, known: Mapping[str, Known]) -> tuple[Guessed, float]:
        """Guesses, and their overconfidence where they are of the target."""
        key = name, known[name].as_bytes()
        if key not in self._guesses:
            found, over = self._guesser.guess(self._unlabelled(name), known[name]), 0.0
            if name == self._target:
                over = self._guesser.overconfidence(found, self._others, self._answers)
            self._guesses[key] = found, over
        return self._guesses[key]
