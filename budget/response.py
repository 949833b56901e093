"""The response surface: target accuracy as a function of the labels bought per stratum.

    accuracy = floor + (ceiling - floor) * (1 - (1 + n / scale) ** -exponent)
    n = target labels + sum over the others of rate * saturation * (1 - exp(-labels / saturation))

`rate` is the exchange rate of a stratum's first label: target labels that it is worth, as bought,
errors and all. `saturation` lets labels of another stratum run dry: from about so many on, more
of them add little, so that easy data alone levels off below a mix (Kordi et al. 2025 find that
neither easy nor hard data alone suffices). A pilot can only show that they did not run dry yet;
the prior on how long they last is what makes plans hedge. The floor is what no labels give:
zero-shot accuracy for a fine-tuned model (measured beside the rest), chance for a probe. The
exponent lets the curve fall off faster or slower than a hyperbola; a plain power law fails for
few labels (Mahmood et al. 2023).

The posterior is drawn by adaptive importance sampling from broad priors. What the pilot cannot
tell stays as wide as the prior, and is then reported as not resolved. The noise of a measured
accuracy has three parts: test items, seeds, and the luck of which items the pilot bought. What
test items do to all mixes alike says nothing about the surface's shape: it is set apart as one
offset of the whole surface. The pilot's luck is shared by all its subsamples, so the fit cannot
see it: the surface is fitted to this pilot, and then each stratum's labels are made worth more or
less, by as much as such luck can be. Where the surface misses the points by more than the
remaining noise, that noise is widened by the ratio (Birge).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, gammaln

Array = NDArray[np.float64]

RATE_RANGE = (1 / 30, 30.0)
_SCALE_RANGE = (2.0, 20_000.0)
_EXPONENT_MEDIAN, _EXPONENT_SPREAD = 0.8, 0.5
_PROPOSALS = 6000
# Proposals adapt until so many of them carry weight, within so many rounds.
_EFFECTIVE_POINTS = 1000
_LEAST_ROUNDS, _MOST_ROUNDS = 6, 40
# Other strata may run dry anywhere within these multiples of the pilot's labels.
_SATURATION_FACTORS = (1.0, 100.0)
# Where the curve is so flat that luck could be anything, it is taken as at most this, in log units.
_MOST_LUCK = 1.5
_FIXED = 4  # floor, ceiling, scale, exponent; then rates and saturations of the other strata


@dataclass(frozen=True)
class Observation:
    """Measured target accuracy after training on one mix, seeds in rows.

    `correct` (seeds, target test items); `pilot_share` is the largest share of the pilot's labels
    of any stratum that a seed's subsample holds: seeds overlap by so much.
    """

    labels: Mapping[str, int]
    correct: NDArray[np.bool_]
    pilot_share: float

    @property
    def accuracy(self) -> float:
        return float(self.correct.mean())

    @property
    def total(self) -> int:
        return sum(self.labels.values())


@dataclass(frozen=True)
class ResponseSurface:
    """A fitted surface; `draws` (draws, parameters), columns as `parameter_names` has them."""

    strata: tuple[str, ...]  # for sale, in order of hardness
    target: str
    draws: Array
    root_mean_square_residual: float
    root_mean_square_noise: float

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(name for name in self.strata if name != self.target)

    @property
    def parameter_names(self) -> list[str]:
        rates = [f"rate_{name}" for name in self.others]
        saturations = [f"saturation_{name}" for name in self.others]
        return ["floor", "ceiling", "scale", "exponent", *rates, *saturations, "test_offset"]

    def rates(self, stratum: str, labels: int) -> Array:
        """Draws of the exchange rate of `stratum`, mean over its first `labels`: (draws,).

        Within the pilot this is measured; beyond, it rests on the prior of the saturation.
        """
        if stratum == self.target:
            return np.ones(len(self.draws))
        column = _FIXED + self.others.index(stratum)
        rate, saturation = self.draws[:, column], self.draws[:, column + len(self.others)]
        if labels == 0:
            return np.asarray(rate)
        return np.asarray(-rate * saturation * np.expm1(-labels / saturation) / labels)

    def predict(self, mixes: Sequence[Mapping[str, int]]) -> Array:
        """Posterior draws of target accuracy, (draws, mixes)."""
        names = [self.target, *self.others]
        counts = np.array([[mix.get(name, 0) for name in names] for mix in mixes], dtype=np.float64)
        offset = self.draws[:, -1, None]
        return np.asarray(np.clip(_surface(self.draws, counts) + offset, 0, 1))


def _surface(parameters: Array, counts: Array) -> Array:
    """Accuracy, (points, mixes), of (points, parameters) at (mixes, 1 + others), target first."""
    floor, ceiling, scale, exponent = (parameters[:, k, None] for k in range(_FIXED))
    others = counts.shape[1] - 1
    effective = np.broadcast_to(counts[:, 0], (len(parameters), len(counts)))
    for k in range(others):
        rate = parameters[:, _FIXED + k, None]
        saturation = parameters[:, _FIXED + others + k, None]
        effective = effective - rate * saturation * np.expm1(-counts[:, 1 + k] / saturation)
    return np.asarray(floor + (ceiling - floor) * (1 - (1 + effective / scale) ** -exponent))


def fit_surface(
    observations: Sequence[Observation],
    strata: Sequence[str],
    target: str,
    unsupervised: NDArray[np.bool_] | None,
    chance: float,
    groups: NDArray[np.object_],
    draws: int = 1000,
    seed: int = 0,
    pilot: Mapping[str, int] | None = None,
) -> ResponseSurface:
    """Fit the surface to a pilot's trials.

    Parameters
    ----------
    observations : one per mix
    strata, target : strata for sale in order of hardness, and the one that counts
    unsupervised : (target test items,) zero-shot correctness if labels start from it; None if
        they start from chance
    chance : accuracy of guessing
    groups : (target test items,) clusters
    pilot : labels of the whole pilot; None if the largest observations hold all of it

    Raises ValueError if there are fewer than three observations.
    """
    if len(observations) < 3:
        raise ValueError(f"'observations' should be at least 3; got {len(observations)}.")
    others = [name for name in strata if name != target]
    counts = np.array([[o.labels.get(name, 0) for name in [target, *others]] for o in observations])
    measured = np.array([o.accuracy for o in observations])
    variances, common = _noise(observations, unsupervised, groups)
    if unsupervised is not None:
        counts = np.vstack([np.zeros((1, counts.shape[1]), dtype=counts.dtype), counts])
        measured = np.concatenate([[unsupervised.mean()], measured])
    bought = counts.max(0)
    if pilot is not None:
        bought = np.array([pilot[name] for name in [target, *others]])
    posterior = _Posterior(
        counts.astype(float), measured, variances, chance, unsupervised is None, bought[1:]
    )
    best = posterior.mode()
    posterior.widen(best)
    rng = np.random.default_rng([seed, 0x50FA])
    sample = posterior.draw(best, draws, rng)
    fitted = posterior.predict(best[None])[0]
    natural = posterior.natural(sample)
    _add_pilot_luck(natural, bought, _purchase_variance(observations), rng)
    offset = rng.normal(0, np.sqrt(common), (draws, 1))
    return ResponseSurface(
        strata=tuple(strata),
        target=target,
        draws=np.hstack([natural, offset]),
        root_mean_square_residual=float(np.sqrt(np.mean((measured - fitted) ** 2))),
        root_mean_square_noise=float(np.sqrt(np.mean(variances))),
    )


def _noise(
    observations: Sequence[Observation],
    unsupervised: NDArray[np.bool_] | None,
    groups: NDArray[np.object_],
) -> tuple[Array, float]:
    """Variance of each measured accuracy by itself, and the one that all have in common.

    The former are (observations,), led by zero-shot where that is one of them. They hold what
    test items and subsamples do, not the luck of the pilot.
    """
    rows = [o.correct.mean(0) for o in observations]
    if unsupervised is not None:
        rows.insert(0, unsupervised.astype(np.float64))
    by_item = np.stack(rows)  # (conditions, items)
    centred = by_item - by_item.mean(1, keepdims=True)
    _, cluster = np.unique(groups.astype(str), return_inverse=True)
    sums = np.stack([np.bincount(cluster, row) for row in centred])  # (conditions, clusters)
    covariance = sums @ sums.T / by_item.shape[1] ** 2
    off_diagonal = covariance[~np.eye(len(covariance), dtype=bool)]
    common = max(0.0, float(off_diagonal.mean()))
    variances = np.maximum(np.diag(covariance) - common, 0.0) + 1e-6
    trained = len(rows) - len(observations)  # zero-shot, where it is there, bought nothing
    variances[trained:] += _subsample_variances(observations)
    return variances, common


def _subsample_variances(observations: Sequence[Observation]) -> Array:
    """Variance of the mean over seeds by which of the pilot's labels they hold, (observations,).

    The mean over n of a stratum's N labels in the pilot varies like S^2 (1 / n - 1 / N). A mix of
    strata is the mean over its labels, so a stratum counts by its share of them.
    """
    purchase_variance = _purchase_variance(observations)
    variances = []
    for o in observations:
        shares = [n / o.total for n in o.labels.values() if n]
        spread = sum(share**2 * (1 - o.pilot_share) / (share * o.total) for share in shares)
        variances.append(purchase_variance * spread / len(o.correct))
    return np.array(variances)


def _add_pilot_luck(
    natural: Array, pilot: NDArray[np.int64], purchase_variance: float, rng: np.random.Generator
) -> None:
    """Make each stratum's labels worth more or less than the pilot's seem, in place.

    `pilot` (1 + others,) are the pilot's labels, target first. Accuracy after training on a
    stratum's N labels is off by S / sqrt(N); divided by the curve's slope there, that is a factor
    on what the stratum's labels are worth. Exchange rates stay within their range.
    """
    floor, ceiling, scale, exponent = (natural[:, k].copy() for k in range(_FIXED))
    others = len(pilot) - 1
    factors = []
    for index, labels in enumerate(pilot):
        worth = np.full(len(natural), float(labels))
        if index > 0:
            rate, saturation = (
                natural[:, _FIXED + index - 1],
                natural[:, _FIXED + others + index - 1],
            )
            worth = -rate * saturation * np.expm1(-labels / saturation)
        grown = worth / scale
        slope = (ceiling - floor) * exponent * grown * (1 + grown) ** (-exponent - 1)
        deviation = np.sqrt(purchase_variance / labels) / np.maximum(slope, 1e-9)
        factors.append(np.exp(deviation.clip(max=_MOST_LUCK) * rng.standard_normal(len(natural))))
    natural[:, 2] = scale / factors[0]
    for index in range(1, len(pilot)):
        rates = natural[:, _FIXED + index - 1] * factors[index] / factors[0]
        natural[:, _FIXED + index - 1] = rates.clip(*RATE_RANGE)


def _purchase_variance(observations: Sequence[Observation]) -> float:
    """S^2, the variance of accuracy by which items are bought, times the labels bought.

    Seeds differ by (1 - share) of it, their subsamples being of one pilot, and by chance on every
    test item, which counts among the test items' noise and is taken off. What is left is known
    poorly from a few seeds: it is taken as at least a quarter of what they show.
    """
    shown, own = [], []
    for o in observations:
        if len(o.correct) > 1 and o.pilot_share < 0.9:
            scale = o.total / (1 - o.pilot_share)
            chance = o.correct.var(0, ddof=1).mean() / o.correct.shape[1]
            shown.append(scale * o.correct.mean(1).var(ddof=1))
            own.append(shown[-1] - scale * chance)
    if not shown:
        return 0.25  # nothing tells it: 5 points of accuracy for 100 labels
    return float(max(np.mean(own), np.mean(shown) / 4))


class _Posterior:
    """The density in unconstrained coordinates: each range is mapped by the logistic function."""

    def __init__(
        self,
        counts: Array,
        measured: Array,
        variances: Array,
        chance: float,
        floor_known: bool,
        pilot: NDArray[np.int64],
    ) -> None:
        self._counts = counts  # (observations, 1 + others), target first
        self._measured = measured
        self._deviation = np.sqrt(variances)
        self._floor = chance if floor_known else None
        self._others = counts.shape[1] - 1
        self.size = _FIXED + 2 * self._others
        # (2, others): least and largest saturation
        self._saturation = np.outer(_SATURATION_FACTORS, np.maximum(pilot, 1))

    def natural(self, points: Array) -> Array:
        """Floor, ceiling, scale, exponent, rates, saturations of (points, size)."""
        out = np.empty_like(points)
        out[:, 0] = expit(points[:, 0]) if self._floor is None else self._floor
        out[:, 1] = out[:, 0] + (1 - out[:, 0]) * expit(points[:, 1])
        low, high = np.log(_SCALE_RANGE)
        out[:, 2] = np.exp(low + (high - low) * expit(points[:, 2]))
        out[:, 3] = _EXPONENT_MEDIAN * np.exp(_EXPONENT_SPREAD * points[:, 3])
        low, high = np.log(RATE_RANGE)
        split = _FIXED + self._others
        out[:, _FIXED:split] = np.exp(low + (high - low) * expit(points[:, _FIXED:split]))
        low_each, high_each = np.log(self._saturation)
        out[:, split:] = np.exp(low_each + (high_each - low_each) * expit(points[:, split:]))
        return out

    def predict(self, points: Array) -> Array:
        """Accuracies at the observations, (points, observations)."""
        return _surface(self.natural(points), self._counts)

    def log_density(self, points: Array) -> Array:
        """Log posterior density up to a constant, (points,).

        Flat priors on floor, ceiling, log scale, log rates and log saturations (through the
        logistic map, whose slope is their density here), log-normal on the exponent.
        """
        whitened = (self._measured - self.predict(points)) / self._deviation
        likelihood = -0.5 * (whitened**2).sum(1)
        flat = np.delete(points, 3, axis=1)
        prior = (-np.logaddexp(0, flat) - np.logaddexp(0, -flat)).sum(1) - 0.5 * points[:, 3] ** 2
        return np.asarray(likelihood + prior)

    def mode(self) -> Array:
        starts = np.zeros((9, self.size))
        starts[:, 2] = np.repeat([-2.0, -0.5, 1.0], 3)
        starts[:, _FIXED : _FIXED + self._others] = np.tile([-0.7, 0.0, 0.7], 3)[:, None]
        fits = [minimize(lambda x: -self.log_density(x[None])[0], s, method="BFGS") for s in starts]
        return np.asarray(min(fits, key=lambda fit: fit.fun).x)

    def widen(self, best: Array) -> None:
        """Widen the noise where the surface misses the points by more than it (Birge ratio)."""
        whitened = (self._measured - self.predict(best[None])[0]) / self._deviation
        squares = float((whitened**2).sum())
        # Saturations are hardly told by a pilot and count as no parameter.
        freedom = len(whitened) - (_FIXED + self._others - (self._floor is not None))
        if freedom > 0 and squares > freedom:
            self._deviation = self._deviation * np.sqrt(squares / freedom)

    def draw(self, best: Array, draws: int, rng: np.random.Generator) -> Array:
        """Posterior draws, (draws, size), by importance sampling with adapted proposals."""
        mean, covariance = best, np.eye(self.size)
        points: Array = np.empty((0, self.size))
        weights: Array = np.empty(0)
        for finished in range(1, _MOST_ROUNDS + 1):
            points, log_proposal = self._propose(mean, covariance, rng)
            log_weights = self.log_density(points) - log_proposal
            weights = np.exp(log_weights - log_weights.max())
            weights /= weights.sum()
            if finished >= _LEAST_ROUNDS and 1 / (weights**2).sum() >= _EFFECTIVE_POINTS:
                break
            # While few points carry all the weight, adapt to a flattened target first.
            power = 1.0
            adapted = weights
            while 1 / (adapted**2).sum() < 200 and power > 0.01:
                power *= 0.7
                adapted = weights**power / (weights**power).sum()
            mean = adapted @ points
            centred = points - mean
            covariance = (adapted[:, None] * centred).T @ centred + 1e-4 * np.eye(self.size)
        # Systematic resampling: evenly spaced steps through the cumulated weights.
        steps = (np.arange(draws) + rng.random()) / draws
        chosen = np.searchsorted(np.cumsum(weights), steps).clip(max=len(points) - 1)
        return np.asarray(points[rng.permutation(chosen)])

    def _propose(
        self, mean: Array, covariance: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Points from a mixture of a wide Student t and the prior, with their log density."""
        degrees = 5.0
        narrow = int(_PROPOSALS * 0.8)
        factor = np.linalg.cholesky(covariance * 1.5)
        normal = rng.standard_normal((narrow, self.size)) @ factor.T
        stretch = np.sqrt(degrees / rng.chisquare(degrees, narrow))
        uniform = rng.uniform(1e-9, 1 - 1e-9, (_PROPOSALS - narrow, self.size))
        prior = np.log(uniform / (1 - uniform))
        prior[:, 3] = rng.standard_normal(len(prior))
        points = np.vstack([mean + normal * stretch[:, None], prior])
        whitened = np.linalg.solve(factor, (points - mean).T)
        log_t = -(degrees + self.size) / 2 * np.log1p((whitened**2).sum(0) / degrees)
        log_t -= np.log(np.diag(factor)).sum() + _log_t_constant(degrees, self.size)
        flat = np.delete(points, 3, axis=1)
        log_prior = (-np.logaddexp(0, flat) - np.logaddexp(0, -flat)).sum(1)
        log_prior += -0.5 * points[:, 3] ** 2 - 0.5 * np.log(2 * np.pi)
        return points, np.logaddexp(np.log(0.8) + log_t, np.log(0.2) + log_prior)


def _log_t_constant(degrees: float, size: int) -> float:
    return float(
        gammaln(degrees / 2) - gammaln((degrees + size) / 2) + size / 2 * np.log(degrees * np.pi)
    )
