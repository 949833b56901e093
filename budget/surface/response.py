"""The response surface: target accuracy as a function of the labels bought per stratum.

A probe, or an adapter, learns a direction. Labels of stratum s pull it along

    target labels:  n c^g  along the target's own direction
    other labels:   n c^g signal  along one that agrees with the target's by a cosine, `alignment`

where c is the share of clean labels (a redraw rate e leaves 1 - e) and g the `noise_power`. With
V the sum of these pulls, N the number of labels and D what one label's chance pull amounts to,

    agreement = cosine(V, target) * (1 + (|V|^2 / (D N)) ** -exponent) ** -shape
    accuracy  = floor + (ceiling - floor) * within(steepness agreement) / within(steepness)

where within(z) = erf(z / sqrt 2) is the share of a normal variable within z deviations.
The first factor is what endless labels of this mix would reach: labels that point elsewhere level
off lower, and do harm where better ones are at hand. The second is what chance still hides: it
grows with labels, and noisy labels among clean ones can shrink it. `half_labels`, the clean target
labels at which the second factor is one half, stands for D. With one stratum, exponent 1 and shape
1/2 this is linear discriminant analysis with known covariance. docs/method/response-surface.md
derives it.

The floor is what no labels give: zero-shot accuracy for a model that is tuned, chance for a probe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from annotation.arrays import Array
from budget.surface.kernel import AccuracyKernel
from budget.surface.luck import LUCK, KnownLuck, fresh_luck
from budget.surface.parameters import SHARED, ParameterSpace, log_chance_pull, shared_columns

OFFSET = "test_offset"
_TINY = 1e-12


@dataclass(frozen=True)
class ResponseSurface:
    """A fitted surface.

    Attributes
    ----------
    strata, target : for sale, in order of hardness, and the one that counts
    draws : (draws, parameters) of the posterior, columns as `parameter_names` has them
    clean : stratum -> share of clean labels as they were bought; 1 where not named
    luck : spread of accuracy by which items are bought, see `luck_covariance`
    item_deviation : what this test set does to one mix and not to the others, in accuracy
    training_deviation : what one training does and another on the same labels does not, in accuracy
    known_luck : of the labels bought so far; None where nothing was measured
    root_mean_square_residual, root_mean_square_noise : of the fit's points
    """

    strata: tuple[str, ...]
    target: str
    draws: Array
    root_mean_square_residual: float
    root_mean_square_noise: float
    clean: Mapping[str, float] = field(default_factory=dict)
    luck: float = LUCK
    item_deviation: float = 0.0
    training_deviation: float = 0.0
    known_luck: KnownLuck | None = None

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(name for name in self.strata if name != self.target)

    @property
    def parameter_names(self) -> list[str]:
        return [*ParameterSpace(self.strata, self.target).names, OFFSET]

    def counts(self, mixes: Sequence[Mapping[str, int]]) -> Array:
        """Labels (mixes, strata) of mixes."""
        return np.array([[mix.get(name, 0) for name in self.strata] for mix in mixes], dtype=float)

    def clean_shares(self, clean: Mapping[str, float] | None = None) -> Array:
        """Clean shares (strata,): those given, else those bought."""
        shares = self.clean if clean is None else clean
        return np.array([shares.get(name, 1.0) for name in self.strata])

    def predict(
        self,
        mixes: Sequence[Mapping[str, int]],
        clean: Mapping[str, float] | None = None,
        offset: bool = True,
    ) -> Array:
        """Posterior draws of target accuracy, (draws, mixes).

        `offset` adds what the choice of test items does to all mixes alike: with it, the accuracy
        on new items; without, on this test set.
        """
        shares = np.broadcast_to(self.clean_shares(clean), (len(mixes), len(self.strata)))
        accuracy = self.accuracy(self.counts(mixes), shares)
        return np.asarray(np.clip(accuracy + self.draws[:, -1:], 0, 1)) if offset else accuracy

    def accuracy(self, counts: Array, clean: Array) -> Array:
        """Accuracy (draws, mixes) of counts and clean shares, both (mixes, strata)."""
        return surface_accuracy(self.draws, self._place(), counts, clean)

    def measured(
        self,
        mixes: Sequence[Mapping[str, int]],
        rng: np.random.Generator,
        bought: Mapping[str, int] | None = None,
    ) -> Array:
        """Draws of what one purchase of each mix will score on this test set, (draws, mixes).

        Beside the surface's uncertainty these hold the luck of which items are bought. Labels that
        are `bought` already have had theirs: the surface was fitted to them.
        """
        counts = self.counts(mixes)
        had = self.counts([bought or {}])
        clean = self.clean_shares()
        variances = fresh_luck(counts, had, clean, self.luck)
        variances += self.item_deviation**2 + self.training_deviation**2
        accuracy = self.continued(counts) if bought else self.predict(mixes, offset=False)
        if bought and self.known_luck is not None:
            variances += self.known_luck.variance(counts, clean, self.luck)
        noise = rng.standard_normal((len(self.draws), len(mixes))) * np.sqrt(variances)
        return np.asarray(np.clip(accuracy + noise, 0, 1))

    def continued(self, counts: Array) -> Array:
        """Accuracy (draws, mixes) of purchases that go on from what was bought: with its luck.

        `counts` (mixes, strata), labels bought already included.
        """
        clean = self.clean_shares()
        accuracy = self.accuracy(counts, np.broadcast_to(clean, counts.shape))
        if self.known_luck is None:
            return accuracy
        return accuracy + self.known_luck.expected(counts, clean, self.luck)

    def rates(self, stratum: str, labels: int) -> Array:
        """Draws of the exchange rate of `stratum`, mean over its first `labels`: (draws,).

        Target labels that teach as much as these do alone, divided by them; both as they are
        bought, errors and all. Very large where hardly any number of target labels does, 0 where
        these teach nothing or harm.
        """
        if stratum == self.target:
            return np.ones(len(self.draws))
        labels = max(labels, 1)
        place, clean = self._place(), self.clean_shares()
        alone = np.zeros((1, len(self.strata)))
        alone[0, self.strata.index(stratum)] = labels
        shares = clean[None]
        agreement = np.maximum(_agreement(self.draws, place, alone, shares)[:, 0], 0)
        v = shared_columns(self.draws)
        exponent, shape, power = v["exponent"], v["shape"], v["noise_power"]
        with np.errstate(divide="ignore", over="ignore"):
            grown = np.maximum(agreement ** (-1 / shape) - 1, _TINY) ** (-1 / exponent)
            one_label = np.exp(log_chance_pull(self.draws))
        worth = one_label * grown / clean[place] ** (2 * power)
        return np.asarray(np.where(agreement > 0, worth / labels, 0.0))

    def marginal_rates(self, stratum: str, mix: Mapping[str, int], step: int = 1) -> Array:
        """Draws of the exchange rate of the next `step` labels of `stratum` at a mix: (draws,).

        What accuracy they add by what as many target labels add. Negative where they harm; NaN
        where target labels themselves add nothing.
        """
        more = [{**mix, name: mix.get(name, 0) + step} for name in (stratum, self.target)]
        here, own, target = self.predict([mix, *more], offset=False).T
        gain = target - here
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(gain > _TINY, (own - here) / gain, np.nan))

    def _place(self) -> int:
        return self.strata.index(self.target)


def _agreement(draws: Array, place: int, counts: Array, clean: Array) -> Array:
    """Cosine (draws, mixes) of what is learnt to the target's direction; 0 without labels."""
    strata = counts.shape[1]
    v = shared_columns(draws)
    first = 1 + len(SHARED)
    along = np.zeros((len(draws), len(counts)))
    beside = np.zeros_like(along)
    column = 0
    log_clean = np.log(np.maximum(clean, 1e-3))
    for stratum in range(strata):
        if not counts[:, stratum].any():
            column += stratum != place
            continue
        pull = counts[:, stratum] * np.exp(v["noise_power"][:, None] * log_clean[:, stratum])
        if stratum == place:
            along += pull
            continue
        pull *= draws[:, first + column, None]
        cosine = draws[:, first + strata - 1 + column, None]
        along += pull * cosine
        beside += pull * np.sqrt(np.maximum(1 - cosine**2, 0))
        column += 1
    square = along**2 + beside**2 + _TINY
    total = np.maximum(counts.sum(1), _TINY)
    log_grown = np.log(square) - np.log(total) - log_chance_pull(draws)[:, None]
    learnt = np.exp(-v["shape"][:, None] * np.logaddexp(0, -v["exponent"][:, None] * log_grown))
    return np.asarray(along / np.sqrt(square) * learnt)


def surface_accuracy(draws: Array, place: int, counts: Array, clean: Array) -> Array:
    """Accuracy (draws, mixes) of natural parameters at counts and clean shares (mixes, strata).

    `place` is the target's among the strata.
    """
    return AccuracyKernel(draws, counts.shape[1], place).accuracy(counts, clean)
