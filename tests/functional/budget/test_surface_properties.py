"""The response surface on simulated pilots whose truth is known, and against plain sampling."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri

from annotation.terms.cost import DEFAULT_TERMS
from budget.surface.crossover import surface_crossover
from budget.surface.exchange_rate import exchange_rate, next_label_rate
from budget.surface.fit import _ITEM_SHARE, MISFIT, fit_surface, item_noise
from budget.surface.luck import LUCK, estimate_luck, luck_covariance
from budget.surface.observation import Observation
from budget.surface.parameters import SHARED, ParameterSpace
from budget.surface.response import ResponseSurface, surface_accuracy

Array = NDArray[np.float64]
PILOT, SEEDS, ITEMS = 120, 5, 400
CHANCE = 0.25
STRATA = ("easy", "hard")
THREE = ("easy", "medium", "hard")
GROUPS = np.array([f"item-{k}" for k in range(ITEMS)], dtype=object)
Cells = list[tuple[dict[str, int], float]]


def cells(*strata: str) -> Cells:
    """The pilot's mixes with their shares of it: every stratum alone, and all together."""
    return [
        (mix, size / PILOT)
        for size in (PILOT // 4, PILOT // 2, PILOT)
        for mix in (*({name: size} for name in strata), dict.fromkeys(strata, size))
    ]


@dataclass
class Market:
    """One draw of the prior: a task, with its luck, that labels can be bought in.

    `natural` (1, parameters); `clean` (strata,).
    """

    strata: tuple[str, ...]
    natural: Array
    clean: Array
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.difficulty = self.rng.standard_normal(ITEMS)
        self.bought = self.pilot()

    def counts(self, mix: dict[str, int]) -> Array:
        return np.array([[mix.get(name, 0) for name in self.strata]], dtype=float)

    def accuracy(self, mix: dict[str, int]) -> float:
        """On endless test items, over all purchases."""
        place = self.strata.index("hard")
        return float(
            surface_accuracy(self.natural, place, self.counts(mix), self.clean[None])[0, 0]
        )

    def push(self, mix: dict[str, int]) -> float:
        """Standard deviation of what one label of the mix adds by luck."""
        counts = self.counts(mix)[0]
        return LUCK / float(np.sqrt((counts @ self.clean) ** 2 + 32 * counts.sum()))

    def answer(self, accuracy: float) -> NDArray[np.bool_]:
        """Correctness (items,); models agree about most items."""
        own = np.sqrt(0.7) * self.difficulty + np.sqrt(0.3) * self.rng.standard_normal(ITEMS)
        return np.asarray(own < ndtri(np.clip(accuracy, 0.001, 0.999)))

    def pilot(self) -> list[Observation]:
        """Observations of nested subsamples of one purchase, each label a lucky one or not."""
        self.luck = luck = {name: self.rng.standard_normal(PILOT) for name in self.strata}
        orders = [{name: self.rng.permutation(PILOT) for name in luck} for _ in range(SEEDS)]
        observations = []
        for mix, share in cells(*self.strata):
            sums = [sum(luck[s][order[s][:n]].sum() for s, n in mix.items()) for order in orders]
            right = [self.answer(self.accuracy(mix) + self.push(mix) * own) for own in sums]
            observations.append(Observation(mix, np.array(right), share))
        return observations

    def score(self, mix: dict[str, int]) -> float:
        """Measured on the same test items after another purchase."""
        luck = self.push(mix) * np.sqrt(sum(mix.values())) * self.rng.standard_normal()
        return float(self.answer(self.accuracy(mix) + luck).mean())

    def go_on(self, mix: dict[str, int]) -> float:
        """Measured on the same test items after buying on from the pilot, to a mix in all."""
        had = sum(self.luck[name][: min(n, PILOT)].sum() for name, n in mix.items())
        fresh = sum(max(0, n - PILOT) for n in mix.values())
        luck = self.push(mix) * (had + np.sqrt(fresh) * self.rng.standard_normal())
        return float(self.answer(self.accuracy(mix) + luck).mean())


@cache
def campaign(seed: int, strata: tuple[str, ...] = STRATA) -> tuple[Market, ResponseSurface]:
    """A task drawn from the prior, and the surface fitted to its pilot."""
    rng = np.random.default_rng([1, seed])
    space = ParameterSpace(strata, "hard")
    natural = space.natural(rng.standard_normal((1, space.size)), CHANCE)
    market = Market(strata, natural, rng.uniform(0.4, 1, len(strata)), rng)
    clean = dict(zip(strata, market.clean.tolist(), strict=True))
    surface = fit_surface(
        market.bought, strata, "hard", None, CHANCE, GROUPS, seed=seed, clean=clean
    )
    return market, surface


MIXES = [
    {"easy": 60, "hard": 60},
    {"easy": 30, "hard": 120},
    {"easy": 480, "hard": 120},
    {"easy": 120, "hard": 480},
    {"easy": 600},
    {"hard": 600},
]
PILOTS = 100


def covered(draws: Array, truth: Array, level: float) -> NDArray[np.bool_]:
    """Whether the central interval of draws (draws, mixes) holds the truth, (mixes,)."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.asarray((low <= truth) & (truth <= high))


def test_intervals_of_predictions_cover_the_truth_as_often_as_they_say() -> None:
    """Within the pilot and out to five times its labels, over 100 tasks of the prior."""
    inside: dict[float, list[NDArray[np.bool_]]] = {0.5: [], 0.9: []}
    errors = []
    for seed in range(PILOTS):
        market, surface = campaign(seed)
        draws, truth = surface.predict(MIXES), np.array([market.accuracy(mix) for mix in MIXES])
        errors.append(draws.mean(0) - truth)
        for level, found in inside.items():
            found.append(covered(draws, truth, level))
    by_mix = {level: np.mean(found, axis=0) for level, found in inside.items()}
    told = f"{by_mix}, errors {np.mean(errors, axis=0)} +- {np.std(errors, axis=0)}"
    assert 0.85 <= by_mix[0.9].mean() <= 0.97, told
    assert ((by_mix[0.9] >= 0.8) & (by_mix[0.9] <= 1)).all(), told
    assert 0.4 <= by_mix[0.5].mean() <= 0.65, told
    assert np.abs(np.mean(errors, axis=0)).max() < 0.015, told
    assert np.std(errors, axis=0).max() < 0.07, told


def test_intervals_of_what_a_purchase_will_score_cover_it() -> None:
    """One more purchase each, on the pilot's test items."""
    inside = []
    for seed in range(PILOTS):
        market, surface = campaign(seed)
        scores = np.array([market.score(mix) for mix in MIXES])
        draws = surface.measured(MIXES, np.random.default_rng(seed))
        inside.append(covered(draws, scores, 0.9))
    by_mix = np.mean(inside, axis=0)
    assert 0.83 <= by_mix.mean() <= 0.97, by_mix
    assert (by_mix >= 0.78).all(), by_mix


def test_what_goes_on_from_a_purchase_keeps_the_luck_of_its_labels() -> None:
    """Labels that were had are not bought anew: their luck is partly known, and stays."""
    mixes = [{"easy": 120, "hard": 160}, {"easy": 400, "hard": 120}, {"hard": 400}]
    had = {"easy": PILOT, "hard": PILOT}
    inside: list[NDArray[np.bool_]] = []
    errors: dict[str, list[Array]] = {"known": [], "not": []}
    widths: dict[str, list[Array]] = {"known": [], "not": []}
    for seed in range(PILOTS):
        market, surface = campaign(seed)
        scores = np.array([market.go_on(mix) for mix in mixes])
        for name, own in (("known", surface), ("not", replace(surface, known_luck=None))):
            draws = own.measured(mixes, np.random.default_rng(seed), had)
            errors[name].append(draws.mean(0) - scores)
            widths[name].append(draws.std(0))
            if name == "known":
                inside.append(covered(draws, scores, 0.9))
    by_mix = np.mean(inside, axis=0)
    assert 0.85 <= by_mix.mean() <= 0.95, by_mix
    mean_squares = {name: np.mean(np.square(own), axis=0) for name, own in errors.items()}
    told = f"{np.sqrt(mean_squares['known'])} against {np.sqrt(mean_squares['not'])}"
    assert mean_squares["known"].mean() < mean_squares["not"].mean(), told
    assert np.mean(widths["known"]) < 0.85 * np.mean(widths["not"])


def test_intervals_of_the_exchange_rate_cover_it() -> None:
    """Of the pilot's labels, of a plan's, and of the next ones after it; 200 tasks of the prior.

    Most tasks tell the pilot's within a factor of 30, some cannot.
    """
    plan = {"easy": 4 * PILOT, "hard": 2 * PILOT}
    inside: dict[str, list[bool]] = {"pilot": [], "plan": [], "next": []}
    resolved = []
    for seed in range(200):
        market, surface = campaign(seed)
        known = replace(surface, draws=np.hstack([market.natural, [[0.0]]]))
        for name, labels in (("pilot", PILOT), ("plan", plan["easy"])):
            draws, truth = surface.rates("easy", labels), known.rates("easy", labels)
            inside[name].append(bool(covered(draws[:, None], truth, 0.9)[0]))
        draws = surface.marginal_rates("easy", plan, 10)
        truth = known.marginal_rates("easy", plan, 10)
        if next_label_rate(surface, "easy", plan).estimate is not None and np.isfinite(truth[0]):
            held = covered(draws[np.isfinite(draws)][:, None], truth, 0.9)
            inside["next"].append(bool(held[0]))
        rate = exchange_rate(surface, "easy", DEFAULT_TERMS, {"easy": PILOT})
        resolved.append(rate.rate_resolved)
    assert len(inside["next"]) >= 170  # of the rest target labels may add nothing
    for name, own in inside.items():
        assert 0.85 <= np.mean(own) <= 0.95, f"{name}: {np.mean(own):.1%}"
    assert 0.5 <= np.mean(resolved) < 1, f"{np.mean(resolved):.0%}"


def test_the_better_buy_changes_as_often_as_the_surface_says() -> None:
    """Hard labels at twice the price of easy ones, up to five pilots; 100 tasks of the prior.

    A pilot of this size tells where nothing changes, and seldom where something does.
    """
    capacity, measured = dict.fromkeys(STRATA, 10_000), [mix for mix, _ in cells(*STRATA)]
    right: list[bool] = []
    probabilities, changed = [], []
    for seed in range(PILOTS):
        market, surface = campaign(seed)
        known = replace(surface, draws=np.hstack([market.natural, [[0.0]]]))
        own, truth = (
            surface_crossover(each, "easy", DEFAULT_TERMS, measured, 10.0 * PILOT, capacity)
            for each in (surface, known)
        )
        assert own is not None and truth is not None
        probabilities.append(own.probability)
        changed.append(truth.verdict == "changes")
        if own.verdict == "never changes":
            better = max(STRATA, key=lambda name: own.better_throughout[name])
            right.append(truth.better_throughout[better] == 1)
    assert len(right) >= 20
    assert np.mean(right) >= 0.92, f"{np.sum(right)} of {len(right)}"
    told = f"{np.mean(probabilities):.1%} expected, {np.mean(changed):.1%} found"
    assert abs(np.mean(probabilities) - np.mean(changed)) < 0.1, told
    likely = np.array(probabilities) > 0.3
    shares = np.mean(np.array(changed)[likely]), np.mean(np.array(changed)[~likely])
    assert shares[0] > 3 * shares[1], shares


def test_three_strata_are_told_apart() -> None:
    inside, errors = [], []
    mixes = [{"medium": 400}, {"easy": 200, "medium": 200, "hard": 200}, {"easy": 400}]
    for seed in range(25):
        market, surface = campaign(seed, THREE)
        draws, truth = surface.predict(mixes), np.array([market.accuracy(mix) for mix in mixes])
        inside.append(covered(draws, truth, 0.9))
        errors.append(draws.mean(0) - truth)
    assert np.mean(inside) >= 0.8, f"{np.mean(inside):.0%}"
    assert np.std(errors, axis=0).max() < 0.07


def test_the_surface_passes_near_the_measured_points() -> None:
    """Noise that all points share must not pull the surface off them (Peelle's puzzle)."""
    off, missed = [], []
    for seed in range(PILOTS):
        market, surface = campaign(seed)
        mixes = [dict(o.labels) for o in market.bought]
        predicted = surface.predict(mixes, offset=False).mean(0)
        off.append(float(np.mean([o.accuracy for o in market.bought] - predicted)))
        missed.append(surface.root_mean_square_residual / surface.root_mean_square_noise)
    assert abs(np.mean(off)) < 0.005
    # Where next to nothing is learnt, known chance rightly holds the surface up or down.
    assert np.quantile(np.abs(off), 0.95) < 0.03
    assert 0.3 < np.median(missed) < 1
    assert np.quantile(missed, 0.95) < 1.5


# -- the posterior against plain sampling -----------------------------------------------------


def test_the_posterior_is_that_of_the_prior_weighted_by_its_likelihood() -> None:
    """The slow twin: 300,000 draws of the prior, each with its weight, and no adaptation."""
    market, _ = campaign(3)
    pilot = market.bought[3:]
    clean = dict(zip(STRATA, market.clean.tolist(), strict=True))
    counts = np.array([[o.labels.get(name, 0) for name in STRATA] for o in pilot], dtype=float)
    measured = np.array([o.accuracy for o in pilot])
    bought, seeds = counts.max(0), np.full(len(pilot), float(SEEDS))
    luck = estimate_luck(pilot, counts, bought, market.clean)
    covariance = luck_covariance(counts, bought, market.clean, seeds, luck)
    own, _ = item_noise(pilot, GROUPS)
    covariance[np.diag_indices(len(pilot))] += own * _ITEM_SHARE + MISFIT**2
    space = ParameterSpace(STRATA, "hard")
    unit = np.random.default_rng(1).standard_normal((300_000, space.size))
    natural = space.natural(unit, CHANCE)
    shares = np.broadcast_to(market.clean, counts.shape)
    misses = surface_accuracy(natural, 1, counts, shares) - measured
    squares = ((misses @ np.linalg.inv(covariance)) * misses).sum(1)
    assert squares.min() < len(pilot)  # or the fit would widen the noise
    weights = np.exp(-0.5 * (squares - squares.min()))
    weights /= weights.sum()
    assert 1 / (weights @ weights) > 500
    surface = fit_surface(pilot, STRATA, "hard", None, CHANCE, GROUPS, draws=20_000, clean=clean)
    some = [{"easy": 60, "hard": 60}, {"easy": 600}, {"hard": 600}, {"easy": 400, "hard": 20}]
    exact = surface_accuracy(
        natural,
        1,
        np.array([[mix.get(name, 0) for name in STRATA] for mix in some], dtype=float),
        np.broadcast_to(market.clean, (len(some), 2)),
    )
    mean = weights @ exact
    spread = np.sqrt(weights @ (exact - mean) ** 2)
    found = surface.predict(some, offset=False)
    np.testing.assert_allclose((found.mean(0) - mean) / spread, 0, atol=0.2)
    np.testing.assert_allclose(found.std(0), spread, rtol=0.15)


def test_the_order_of_observations_does_not_matter() -> None:
    pilot = campaign(5)[0].bought
    order = np.random.default_rng(0).permutation(len(pilot))
    fits = [
        fit_surface(given, STRATA, "hard", None, CHANCE, GROUPS, draws=4000)
        for given in (pilot, [pilot[k] for k in order])
    ]
    one, other = (own.predict(MIXES, offset=False) for own in fits)
    np.testing.assert_allclose((one.mean(0) - other.mean(0)) / one.std(0), 0, atol=0.15)
    np.testing.assert_allclose(one.std(0), other.std(0), rtol=0.15)


def test_a_mirrored_pilot_gives_the_mirrored_surface() -> None:
    """Easy and hard labels lie equally far from a medium target."""
    rng = np.random.default_rng(0)
    mirror = {"easy": "hard", "medium": "medium", "hard": "easy"}
    pilot = [
        Observation(mix, rng.random((SEEDS, ITEMS)) < accuracy, 1.0)
        for mix, accuracy in [
            ({"easy": 60}, 0.45), ({"hard": 60}, 0.50), ({"medium": 60}, 0.60),
            ({"easy": 120}, 0.50), ({"hard": 120}, 0.52), ({"medium": 120}, 0.66),
            ({"easy": 60, "medium": 60, "hard": 60}, 0.65),
        ]
    ]  # fmt: skip
    mirrored = [replace(o, labels={mirror[n]: k for n, k in o.labels.items()}) for o in pilot]
    mixes = [{"easy": 600}, {"hard": 600}, {"easy": 100, "medium": 100}]
    one, other = (
        fit_surface(given, THREE, "medium", None, CHANCE, GROUPS, draws=4000)
        for given in (pilot, mirrored)
    )
    here = one.predict(mixes, offset=False)
    there = other.predict([{mirror[n]: k for n, k in mix.items()} for mix in mixes], offset=False)
    np.testing.assert_allclose((here.mean(0) - there.mean(0)) / here.std(0), 0, atol=0.3)
    np.testing.assert_allclose(here.std(0), there.std(0), rtol=0.2)


# -- what cannot be told ----------------------------------------------------------------------


def test_eight_test_items_resolve_no_exchange_rate() -> None:
    """Half of them right whatever was bought."""
    rng = np.random.default_rng(0)
    half = np.arange(8) % 2 == 0
    pilot = [
        Observation(mix, rng.permutation(half)[None], 1.0)
        for size in (2, 4)
        for mix in ({"easy": size}, {"hard": size}, {"easy": size, "hard": size})
    ]
    surface = fit_surface(pilot, STRATA, "hard", None, CHANCE, np.arange(8).astype(object))
    assert not exchange_rate(surface, "easy", DEFAULT_TERMS, {"easy": 4}).rate_resolved


def test_no_learning_tells_no_exchange_rate() -> None:
    market, _ = campaign(0)
    for _ in range(5):
        unsupervised = market.answer(0.4)
        pilot = [
            Observation(mix, np.array([market.answer(0.4) for _ in range(SEEDS)]), share)
            for mix, share in cells(*STRATA)
        ]
        surface = fit_surface(pilot, STRATA, "hard", unsupervised, CHANCE, GROUPS)
        rate = exchange_rate(surface, "easy", DEFAULT_TERMS, {"easy": PILOT})
        assert not rate.rate_resolved
        assert rate.estimate is None and rate.probability_better_buy is None


# -- the surface as a function ----------------------------------------------------------------


def drawn_surface(strata: tuple[str, ...], target: str, seed: int) -> ResponseSurface:
    """A few draws of the prior, without a test set."""
    space = ParameterSpace(strata, target)
    unit = np.random.default_rng(seed).standard_normal((8, space.size))
    draws = np.hstack([space.natural(unit, CHANCE), np.zeros((8, 1))])
    return ResponseSurface(strata, target, draws, 0.0, 0.0)


COUNT = st.integers(0, 5000)
SHARE = st.floats(0.02, 1)


@given(
    counts=st.tuples(COUNT, COUNT),
    share=st.tuples(SHARE, SHARE),
    more=st.integers(1, 1000),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_what_more_target_labels_and_cleaner_ones_do(
    counts: tuple[int, int], share: tuple[float, float], more: int, seed: int
) -> None:
    surface = drawn_surface(STRATA, "hard", seed)
    easy, hard = counts
    dirty, clean = sorted(share)
    rows = np.array([[0, hard], [0, hard + more], [0, hard], [easy, 0], [easy + more, 0]])
    shares = np.array([[1, dirty], [1, dirty], [1, clean], [dirty, 1], [dirty, 1]])
    here, longer, cleaner, other, other_longer = surface.accuracy(rows.astype(float), shares).T
    assert (longer >= here - 1e-12).all()
    assert (cleaner >= here - 1e-12).all()
    # Labels of one other stratum alone help throughout, or harm throughout.
    teaches = surface.draws[:, surface.parameter_names.index("alignment_easy")] > 0
    assert (np.where(teaches, other_longer - other, other - other_longer) >= -1e-12).all()


@given(counts=st.tuples(COUNT, COUNT, COUNT), share=st.tuples(SHARE, SHARE, SHARE))
@settings(max_examples=60)
def test_accuracy_lies_between_its_ends(
    counts: tuple[int, int, int], share: tuple[float, float, float]
) -> None:
    surface = drawn_surface(THREE, "hard", 0)
    found = surface.accuracy(np.array([counts], dtype=float), np.array([share]))[:, 0]
    floor, ceiling = surface.draws[:, 0], surface.draws[:, 1]
    assert (found <= ceiling + 1e-12).all()
    assert (found >= 2 * floor - ceiling - 1e-12).all()  # as far below where all labels harm
    if not any(counts):
        assert (found == floor).all()


@given(counts=st.tuples(COUNT, COUNT, COUNT), share=st.tuples(SHARE, SHARE, SHARE))
@settings(max_examples=60)
def test_the_names_of_the_others_do_not_matter(
    counts: tuple[int, int, int], share: tuple[float, float, float]
) -> None:
    """Two other strata that change their labels, errors and parameters are each other."""
    surface = drawn_surface(THREE, "hard", 1)
    first = 1 + len(SHARED)
    swapped = surface.draws.copy()
    swapped[:, [first, first + 1, first + 2, first + 3]] = surface.draws[
        :, [first + 1, first, first + 3, first + 2]
    ]
    there = replace(surface, draws=swapped)
    one = surface.accuracy(np.array([counts], dtype=float), np.array([share]))
    (a, b, c), (p, q, r) = counts, share
    other = there.accuracy(np.array([[b, a, c]], dtype=float), np.array([[q, p, r]]))
    np.testing.assert_allclose(one, other, rtol=1e-9)


@pytest.mark.parametrize("target", THREE)
def test_labels_of_the_target_are_worth_one_another(target: str) -> None:
    surface = drawn_surface(THREE, target, 2)
    assert (surface.rates(target, 50) == 1).all()
    for name in surface.others:
        rates = surface.rates(name, 50)
        cosine = surface.draws[:, surface.parameter_names.index(f"alignment_{name}")]
        assert ((rates > 0) == (cosine > 0)).all()
