"""The response surface on simulated pilots whose truth is known, and against a dense grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from annotation.cost import DEFAULT_TERMS
from budget.planner import exchange_rate
from budget.response import (
    RATE_RANGE,
    Observation,
    ResponseSurface,
    _Posterior,
    fit_surface,
)

Array = NDArray[np.float64]
PILOT, SEEDS, ITEMS = 120, 5, 400
GROUPS = np.array([f"item-{k}" for k in range(ITEMS)], dtype=object)
Cells = list[tuple[dict[str, int], float]]


def cells(*strata: str) -> Cells:
    """The pilot's mixes with their shares of it: every stratum alone, and all together."""
    return [
        (mix, size / PILOT)
        for size in (PILOT // 4, PILOT // 2, PILOT)
        for mix in (*({name: size} for name in strata), dict.fromkeys(strata, size))
    ]


CELLS = cells("easy", "hard")


@dataclass(frozen=True)
class Truth:
    """What a simulated pilot is drawn from."""

    rate: float  # of easy labels
    medium: float = 1.0  # rate of medium labels
    floor: float = 0.3
    ceiling: float = 0.85
    scale: float = 80.0
    exponent: float = 0.8
    saturation: float = np.inf  # easy labels never run dry
    luck: float = 0.2  # S: accuracy after n labels varies by S / sqrt(n) from purchase to purchase
    name: str = ""

    def worth(self, easy: int) -> float:
        """Hard labels that so many easy ones are worth together."""
        if np.isinf(self.saturation):
            return self.rate * easy
        return float(self.rate * self.saturation * (1 - np.exp(-easy / self.saturation)))

    def accuracy(self, mix: Mapping[str, int]) -> float:
        n = mix.get("hard", 0) + self.medium * mix.get("medium", 0)
        n += self.worth(mix.get("easy", 0))
        gain = 1 - (1 + n / self.scale) ** -self.exponent
        return float(self.floor + (self.ceiling - self.floor) * gain)


def answer(accuracy: Array, difficulty: Array, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Correctness (seeds, items) at a mean accuracy per seed, on items of unequal difficulty."""
    chance = ndtr(ndtri(accuracy.clip(0.01, 0.99))[:, None] * np.sqrt(2) + difficulty)
    return np.asarray(rng.random(chance.shape) < chance)


def simulated_pilot(
    truth: Truth, rng: np.random.Generator, of: Cells = CELLS
) -> tuple[list[Observation], NDArray[np.bool_]]:
    """Observations of nested subsamples of one pilot, and zero-shot correctness.

    Every label of the pilot is a lucky or an unlucky buy: a subsample's luck is the mean.
    """
    difficulty = rng.standard_normal(ITEMS)
    luck = {name: truth.luck * rng.standard_normal(PILOT) for name in of[-1][0]}
    orders = [{name: rng.permutation(PILOT) for name in luck} for _ in range(SEEDS)]
    observations = []
    for mix, share in of:
        accuracy = np.array(
            [
                truth.accuracy(mix)
                + np.mean([luck[name][order[name][:n]] for name, n in mix.items()])
                for order in orders
            ]
        )
        observations.append(Observation(mix, answer(accuracy, difficulty, rng), share))
    unsupervised = answer(np.array([truth.floor]), difficulty, rng)[0]
    return observations, unsupervised


TRUTHS = [
    Truth(0.3, name="easy worth little"),
    Truth(1.0, name="equal"),
    Truth(2.0, saturation=240.0, name="easy runs dry"),
    Truth(3.0, name="easy worth much"),
    Truth(1.0, ceiling=0.65, luck=0.1, name="low ceiling"),
    Truth(1.5, floor=0.5, ceiling=0.95, scale=30.0, exponent=1.2, name="steep"),
    Truth(2.0, luck=0.0, name="no luck"),
    Truth(0.6, luck=0.4, name="much luck"),
]
REPETITIONS = 12


@cache
def fit(truth: Truth, seed: int, from_zero_shot: bool) -> ResponseSurface:
    observations, unsupervised = simulated_pilot(truth, np.random.default_rng([17, seed]))
    return fit_surface(
        observations,
        ("easy", "hard"),
        "hard",
        unsupervised if from_zero_shot else None,
        truth.floor,
        GROUPS,
        seed=seed,
    )


def fits(truth: Truth) -> list[ResponseSurface]:
    """Surfaces of as many pilots, half of them with zero-shot."""
    first = 100 * TRUTHS.index(truth)
    return [fit(truth, first + k, from_zero_shot=k % 2 == 0) for k in range(REPETITIONS)]


def test_the_interval_of_the_exchange_rate_covers_and_its_median_is_near() -> None:
    """Of the pilot's easy labels, over 8 truths and 12 pilots each; nominal coverage is 95 %."""
    lines: list[str] = []
    covered: dict[float, list[bool]] = {}  # by the pilot's luck
    all_errors: list[float] = []
    for truth in TRUTHS:
        true_rate = np.log(truth.worth(PILOT) / PILOT)
        inside, errors, factors = [], [], []
        for surface in fits(truth):
            low, median, high = np.quantile(
                np.log(surface.rates("easy", PILOT)), [0.025, 0.5, 0.975]
            )
            inside.append(bool(low <= true_rate <= high))
            errors.append(float(median - true_rate))
            factors.append(float(np.exp(high - low)))
        lines.append(
            f"{truth.name}: {np.mean(inside):.0%} covered, median off by "
            f"{np.mean(errors):+.2f} +- {np.std(errors):.2f} (log), width x{np.median(factors):.1f}"
        )
        covered.setdefault(truth.luck, []).extend(inside)
        all_errors.append(float(np.mean(errors)))
    lines += [f"luck {luck}: {np.mean(inside):.0%}" for luck, inside in covered.items()]
    told = "\n".join(lines)
    everywhere = [inside for by_luck in covered.values() for inside in by_luck]
    assert np.mean(everywhere) >= 0.88, told
    assert all(np.mean(by_luck) >= 0.8 for by_luck in covered.values()), told
    assert np.abs(all_errors).max() < 0.3, told  # no truth is off by more than a third


def test_the_surface_passes_near_the_measured_points() -> None:
    """Noise that all points share must not pull the curve off them (Peelle's puzzle)."""
    misses = np.array(
        [
            surface.root_mean_square_residual / surface.root_mean_square_noise
            for truth in TRUTHS
            for surface in fits(truth)
        ]
    )
    # A chi of as many degrees of freedom as there are points, less what the fit takes.
    assert misses.max() < 2.5
    assert 0.5 < np.median(misses) < 1.0


def test_the_surface_predicts_what_larger_purchases_give() -> None:
    """Truth within the interval, out to four times the pilot, and near where it was measured."""
    inside = []
    for repetition in range(12):
        truth = TRUTHS[repetition % 3]
        surface = fit(truth, 1000 + repetition, from_zero_shot=True)
        mixes = [{"easy": 60, "hard": 60}, {"easy": 480, "hard": 120}, {"hard": 480}]
        draws = surface.predict(mixes)
        expected = [truth.accuracy(mix) for mix in mixes]
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        inside += ((low <= expected) & (expected <= high)).tolist()
        assert draws[:, 0].mean() == pytest.approx(expected[0], abs=0.09)
    assert np.mean(inside) >= 0.85, f"{np.mean(inside):.0%} of {len(inside)} covered"


def test_three_strata_have_rates_of_their_own() -> None:
    truth = Truth(0.4, medium=2.5)
    strata = ("easy", "medium", "hard")
    inside = []
    for repetition in range(6):
        rng = np.random.default_rng([3, repetition])
        observations, unsupervised = simulated_pilot(truth, rng, cells(*strata))
        surface = fit_surface(observations, strata, "hard", unsupervised, 0.25, GROUPS)
        easy, medium = (surface.rates(name, PILOT) for name in ("easy", "medium"))
        assert np.median(easy) < 1 < np.median(medium)
        for rates, true_rate in ((easy, 0.4), (medium, 2.5)):
            low, high = np.quantile(rates, [0.025, 0.975])
            inside.append(low <= true_rate <= high)
    assert np.mean(inside) >= 0.75, f"{np.sum(inside)} of {len(inside)} covered"


def test_what_the_pilot_cannot_tell_is_as_wide_as_its_prior() -> None:
    """Measured with next to no precision: every parameter has its prior."""
    counts = np.array([[mix.get(name, 0) for name in ("hard", "easy")] for mix, _ in CELLS])
    size = len(CELLS)
    posterior = _Posterior(
        counts.astype(float),
        np.full(size, 0.5),
        np.full(size, 1e6),
        0.25,
        True,
        counts[:, 1:].max(0),
    )
    points = posterior.draw(posterior.mode(), 4000, np.random.default_rng(0))
    floor, ceiling, scale, exponent, rate, saturation = posterior.natural(points).T
    assert (floor == 0.25).all()
    at = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
    ranges: list[tuple[Array, float, float]] = [
        (ceiling, 0.25, 1),
        (np.log(scale), np.log(2), np.log(20_000)),
        (np.log(rate), np.log(RATE_RANGE[0]), np.log(RATE_RANGE[1])),
        (np.log(saturation), np.log(PILOT), np.log(100 * PILOT)),
        (ndtr(np.log(exponent / 0.8) / 0.5), 0, 1),
    ]
    for draws, low, high in ranges:
        flat = low + (high - low) * at
        np.testing.assert_allclose(np.quantile(draws, at), flat, atol=0.04 * (high - low))


def test_eight_test_items_resolve_no_exchange_rate() -> None:
    """Half of them right whatever was bought."""
    rng = np.random.default_rng(0)
    half = np.arange(8) % 2 == 0
    pilot = [
        Observation(mix, rng.permutation(half)[None], 1.0)
        for size in (2, 4)
        for mix in ({"easy": size}, {"hard": size}, {"easy": size, "hard": size})
    ]
    surface = fit_surface(pilot, ("easy", "hard"), "hard", None, 0.25, np.arange(8).astype(object))
    assert not exchange_rate(surface, "easy", DEFAULT_TERMS, {"easy": 4}).resolved


def test_no_learning_tells_no_exchange_rate() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        difficulty = rng.standard_normal(ITEMS)
        flat = np.full(SEEDS, 0.4)
        pilot = [Observation(mix, answer(flat, difficulty, rng), share) for mix, share in CELLS]
        unsupervised = answer(flat[:1], difficulty, rng)[0]
        surface = fit_surface(pilot, ("easy", "hard"), "hard", unsupervised, 0.25, GROUPS)
        rate = exchange_rate(surface, "easy", DEFAULT_TERMS, {"easy": PILOT})
        assert not rate.resolved
        assert rate.estimate is None and rate.probability_better_buy is None


def test_the_order_of_observations_does_not_matter() -> None:
    observations, unsupervised = simulated_pilot(TRUTHS[1], np.random.default_rng(3))
    order = np.random.default_rng(0).permutation(len(observations))
    fits = [
        fit_surface(given, ("easy", "hard"), "hard", unsupervised, 0.3, GROUPS, draws=4000)
        for given in (observations, [observations[k] for k in order])
    ]
    logs = [np.log(fitted.rates("easy", PILOT)) for fitted in fits]
    assert np.median(logs[0]) == pytest.approx(np.median(logs[1]), abs=0.1 * logs[0].std())
    assert logs[0].std() == pytest.approx(logs[1].std(), rel=0.1)


def grid_posterior(
    mixes: list[dict[str, int]], measured: Array, variances: Array, chance: float, around: float
) -> tuple[Array, Array, Array]:
    """The slow twin: the posterior on a dense grid in natural units, with no importance sampling.

    Flat over ceiling and the logs of scale, rate and saturation, log-normal (.8, .5) over the
    exponent. Returns the log of the mean rate of 80 easy labels, the accuracy of 40 easy and 40
    hard ones, and the weight, of every grid point. Rates span a factor of e on either side of
    `around`.
    """

    def centres(steps: int) -> Array:
        return (np.arange(steps) + 0.5) / steps

    saturation = PILOT * np.exp(np.log(100) * centres(10))
    ceiling = chance + (1 - chance) * centres(30)
    scale = np.exp(np.log(2) + np.log(20_000 / 2) * centres(36))
    exponent = 0.8 * np.exp(0.5 * np.linspace(-3.2, 3.2, 14))
    rate = around * np.exp(2 * centres(40) - 1)
    axes = (saturation, ceiling, scale, exponent, rate)
    a, c, s, e, r = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))

    def worth(easy: int) -> Array:
        return np.asarray(r * a * (1 - np.exp(-easy / a)))

    def accuracy(mix: Mapping[str, int]) -> Array:
        n = mix.get("hard", 0) + worth(mix.get("easy", 0))
        return np.asarray(chance + (c - chance) * (1 - (1 + n / s) ** -e))

    log_weight = -0.5 * (np.log(e / 0.8) / 0.5) ** 2
    for mix, point, variance in zip(mixes, measured, variances, strict=True):
        log_weight -= 0.5 * (accuracy(mix) - point) ** 2 / variance
    weight = np.exp(log_weight - log_weight.max())
    return np.log(worth(80) / 80), accuracy({"easy": 40, "hard": 40}), weight / weight.sum()


def weighted_quantiles(values: Array, weights: Array, at: list[float]) -> Array:
    order = np.argsort(values)
    middle = np.cumsum(weights[order]) - weights[order] / 2
    return np.asarray(np.interp(at, middle, values[order]))


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_importance_sampling_agrees_with_a_dense_grid(rate: float) -> None:
    """The fit to the pilot at hand: its luck and the test set's offset come afterwards."""
    truth, mixes = Truth(rate, ceiling=0.8), [mix for mix, _ in CELLS[3:]]
    rng = np.random.default_rng(0)
    measured = np.array([truth.accuracy(mix) for mix in mixes]) + rng.normal(0, 0.015, len(mixes))
    variances = 0.015**2 * rng.uniform(0.5, 2, len(mixes))
    counts = np.array([[mix.get(name, 0) for name in ("hard", "easy")] for mix in mixes])
    posterior = _Posterior(
        counts.astype(float), measured, variances, 0.3, True, counts[:, 1:].max(0)
    )
    natural = posterior.natural(posterior.draw(posterior.mode(), 20_000, rng))
    no_offset = np.zeros((len(natural), 1))
    fitted = ResponseSurface(("easy", "hard"), "hard", np.hstack([natural, no_offset]), 0.0, 0.0)
    predicted = fitted.predict([{"easy": 40, "hard": 40}])[:, 0]
    log_rates, accuracies, weights = grid_posterior(mixes, measured, variances, 0.3, rate)
    at = [0.025, 0.25, 0.5, 0.75, 0.975]
    for sampled, exact in ((np.log(fitted.rates("easy", 80)), log_rates), (predicted, accuracies)):
        mean = weights @ exact
        spread = float(np.sqrt(weights @ (exact - mean) ** 2))
        assert sampled.mean() == pytest.approx(mean, abs=0.1 * spread)
        assert sampled.std() == pytest.approx(spread, rel=0.1)
        np.testing.assert_allclose(
            np.quantile(sampled, at), weighted_quantiles(exact, weights, at), atol=0.2 * spread
        )
