from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.response import (
    RATE_RANGE,
    Observation,
    ResponseSurface,
    _add_pilot_luck,
    _noise,
    _Posterior,
    _purchase_variance,
    _subsample_variances,
    fit_surface,
)

Array = NDArray[np.float64]
Groups = NDArray[np.object_]
Surface = Callable[..., ResponseSurface]
ITEMS = 100
GROUPS = np.array([f"item-{k}" for k in range(ITEMS)], dtype=object)


def observed(
    labels: dict[str, int], accuracy: float, share: float = 1.0, seeds: int = 3, seed: int = 0
) -> Observation:
    rng = np.random.default_rng([seed, sum(labels.values()), len(labels)])
    return Observation(labels, rng.random((seeds, ITEMS)) < accuracy, share)


def small_pilot(seed: int = 0) -> list[Observation]:
    return [
        observed({"easy": 20}, 0.45, 0.5, seed=seed),
        observed({"hard": 20}, 0.50, 0.5, seed=seed),
        observed({"easy": 20, "hard": 20}, 0.55, 0.5, seed=seed),
        observed({"easy": 40}, 0.55, seed=seed),
        observed({"hard": 40}, 0.60, seed=seed),
        observed({"easy": 40, "hard": 40}, 0.65, seed=seed),
    ]


def test_an_observation_knows_its_size_and_accuracy() -> None:
    correct = np.array([[True, False], [True, True]])
    observation = Observation({"easy": 3, "hard": 5}, correct, 0.5)
    assert observation.total == 8
    assert observation.accuracy == 0.75


def test_predict_by_hand(make_surface: Surface) -> None:
    # n = 10 + 3 * 30 = 100, so n / scale = 1: .3 + .6 * (1 - 1 / 2) = .6
    predicted = make_surface({"easy": 3.0}).predict([{"easy": 30, "hard": 10}, {}])
    assert predicted == pytest.approx(np.array([[0.6, 0.3]]))


def test_predict_is_a_plain_loop_over_the_formula(make_surface: Surface) -> None:
    rng = np.random.default_rng(0)
    values = {
        "floor": rng.uniform(0.1, 0.4, 7),
        "ceiling": rng.uniform(0.5, 0.9, 7),
        "scale": rng.uniform(5, 500, 7),
        "exponent": rng.uniform(0.2, 2, 7),
        "test_offset": rng.normal(0, 0.02, 7),
        "saturation_easy": rng.uniform(20, 200, 7),
        "saturation_medium": rng.uniform(20, 200, 7),
    }
    rates = {"easy": rng.uniform(0.1, 9, 7), "medium": rng.uniform(0.1, 9, 7)}
    mixes = [{}, {"hard": 40}, {"easy": 7, "medium": 0, "hard": 3}, {"medium": 100, "easy": 1}]
    expected = np.empty((7, len(mixes)))
    for row in range(7):
        v = {name: float(draws[row]) for name, draws in values.items()}
        for column, mix in enumerate(mixes):
            n = float(mix.get("hard", 0))
            for name in ("easy", "medium"):
                dry = v[f"saturation_{name}"]
                n += float(rates[name][row]) * dry * (1 - np.exp(-mix.get(name, 0) / dry))
            gain = 1 - (1 + n / v["scale"]) ** -v["exponent"]
            expected[row, column] = v["floor"] + (v["ceiling"] - v["floor"]) * gain
            expected[row, column] += v["test_offset"]
    found = make_surface(rates, **values).predict(mixes)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_no_accuracy_is_predicted_beyond_one_or_below_zero(make_surface: Surface) -> None:
    draws = make_surface({"easy": [1.0, 1.0]}, floor=0.5, test_offset=np.array([0.6, -0.6]))
    assert draws.predict([{}]).tolist() == [[1.0], [0.0]]


def test_rates_are_the_mean_over_the_labels(make_surface: Surface) -> None:
    surface = make_surface({"easy": [2.0, 4.0]}, saturation_easy=50.0)
    assert surface.rates("easy", 0).tolist() == [2.0, 4.0]
    # 50 labels at a saturation of 50: (1 - 1 / e) of the first label's rate.
    np.testing.assert_allclose(surface.rates("easy", 50), np.array([2.0, 4.0]) * (1 - 1 / np.e))
    assert surface.rates("hard", 50).tolist() == [1.0, 1.0]


def test_a_rate_says_what_hard_labels_a_purchase_is_worth(make_surface: Surface) -> None:
    surface = make_surface({"easy": 3.0}, saturation_easy=40.0)
    worth = 60 * float(surface.rates("easy", 60)[0])
    both = surface.predict([{"easy": 60}])[0, 0]
    # .3 + .6 * n / (n + 100) for an exponent of 1
    assert both == pytest.approx(0.3 + 0.6 * worth / (worth + 100))


def test_the_target_need_not_be_the_hardest_stratum(make_surface: Surface) -> None:
    middle = make_surface({"easy": 2.0, "hard": 0.5}, target="medium", scale=50.0)
    assert middle.others == ("easy", "hard")
    assert [n for n in middle.parameter_names if n.startswith("rate_")] == [
        "rate_easy",
        "rate_hard",
    ]
    assert middle.rates("medium", 9).tolist() == [1.0]
    assert middle.rates("hard", 9) == pytest.approx(0.5)
    # n = 10 + 2 * 15 + 20 / 2 = 50
    mix = {"easy": 15, "medium": 10, "hard": 20}
    assert middle.predict([mix])[0, 0] == pytest.approx(0.6)


def test_a_stratum_that_is_not_for_sale_has_no_rate(make_surface: Surface) -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        make_surface({"easy": 1.0}).rates("medium", 0)


def test_draws_are_within_their_ranges() -> None:
    fitted = fit_surface(small_pilot(), ("easy", "hard"), "hard", None, 0.25, GROUPS, draws=500)
    drawn = dict(zip(fitted.parameter_names, fitted.draws.T, strict=True))
    assert all(draws.shape == (500,) for draws in drawn.values())
    assert (drawn["floor"] == 0.25).all()  # known: a probe starts from chance
    assert (drawn["ceiling"] > 0.25).all() and (drawn["ceiling"] < 1).all()
    for name in ("scale", "exponent", "rate_easy"):
        assert (drawn[name] > 0).all() and drawn[name].std() > 0
    assert (drawn["saturation_easy"] >= 40).all()  # the pilot's labels, at least
    assert fitted.root_mean_square_noise > 0


def test_labels_that_start_from_zero_shot_have_its_accuracy_as_floor() -> None:
    unsupervised = np.arange(ITEMS) < 40
    fitted = fit_surface(small_pilot(), ("easy", "hard"), "hard", unsupervised, 0.25, GROUPS)
    floor = fitted.draws[:, fitted.parameter_names.index("floor")]
    assert floor.std() > 0
    assert np.median(floor) == pytest.approx(0.40, abs=0.06)
    assert fitted.predict([{}]).mean() == pytest.approx(floor.mean(), abs=0.01)


def test_the_same_seed_gives_the_same_surface() -> None:
    def fit(seed: int) -> Array:
        return fit_surface(
            small_pilot(), ("easy", "hard"), "hard", None, 0.25, GROUPS, draws=200, seed=seed
        ).draws

    assert (fit(3) == fit(3)).all()
    assert (fit(3) != fit(4)).any()


def test_fewer_than_three_mixes_are_refused() -> None:
    with pytest.raises(ValueError, match="should be at least 3; got 2"):
        fit_surface(small_pilot()[:2], ("easy", "hard"), "hard", None, 0.25, GROUPS)


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_models_that_are_all_wrong_or_all_right_are_fitted(right: float) -> None:
    pilot = [
        Observation(o.labels, np.full(o.correct.shape, bool(right)), o.pilot_share)
        for o in small_pilot()
    ]
    fitted = fit_surface(pilot, ("easy", "hard"), "hard", None, 0.25, GROUPS, draws=100)
    assert np.isfinite(fitted.draws).all()
    assert np.isfinite(fitted.root_mean_square_noise)


# -- the noise of what was measured -----------------------------------------------------------


def plain_noise(
    observations: list[Observation], unsupervised: NDArray[np.bool_] | None, groups: Groups
) -> tuple[Array, float]:
    """The slow twin: sums over clusters of items, entry by entry; then what subsamples add.

    The pilot's labels of every stratum are those of its largest subsample here.
    """
    conditions = [o.correct for o in observations]
    if unsupervised is not None:
        conditions.insert(0, unsupervised[None])
    size = len(conditions)
    items = np.zeros((size, size))
    for a, b in product(range(size), repeat=2):
        for cluster in set(groups):
            sums = [0.0, 0.0]
            for item in range(len(groups)):
                if groups[item] == cluster:
                    for side, correct in enumerate((conditions[a], conditions[b])):
                        sums[side] += correct[:, item].mean() - correct.mean()
            items[a, b] += sums[0] * sums[1] / len(groups) ** 2
    common = float(np.mean([items[a, b] for a in range(size) for b in range(size) if a != b]))
    assert common > 0
    own = np.array([max(items[a, a] - common, 0) + 1e-6 for a in range(size)])
    for row, o in enumerate(observations, start=size - len(observations)):
        for name, labels in o.labels.items():
            bought = max(other.labels.get(name, 0) for other in observations)
            subsample = _purchase_variance(observations) * (1 / labels - 1 / bought)
            own[row] += (labels / o.total) ** 2 * subsample / len(o.correct)
    return own, common


def hard_and_easy_items(seed: int = 0) -> list[Observation]:
    """A pilot on whose items all models tend to agree, so that they share the items' noise."""
    tendency = np.random.default_rng(seed).random(ITEMS) < 0.5
    return [replace(o, correct=o.correct ^ (tendency & ~o.correct)) for o in small_pilot()]


@pytest.mark.parametrize("from_zero_shot", [False, True])
def test_noise_is_the_sum_over_clusters_and_subsamples(from_zero_shot: bool) -> None:
    groups = np.array([f"g{k % 17}" for k in range(ITEMS)], dtype=object)
    pilot = hard_and_easy_items()
    unsupervised = np.random.default_rng(1).random(ITEMS) < 0.4 if from_zero_shot else None
    own, common = plain_noise(pilot, unsupervised, groups)
    found, found_common = _noise(pilot, unsupervised, groups)
    np.testing.assert_allclose(found, own, rtol=1e-9, atol=1e-15)
    assert found_common == pytest.approx(common)


def test_zero_shot_has_the_noise_of_its_items_alone() -> None:
    pilot = hard_and_easy_items()
    unsupervised = np.random.default_rng(1).random(ITEMS) < 0.4
    found, common = _noise(pilot, unsupervised, GROUPS)
    # Every item its own cluster: the binomial variance of the mean.
    share = unsupervised.mean()
    assert found[0] + common == pytest.approx(share * (1 - share) / ITEMS + 1e-6)


def test_what_all_items_do_to_all_mixes_is_an_offset_of_the_whole_surface() -> None:
    fitted = fit_surface(hard_and_easy_items(), ("easy", "hard"), "hard", None, 0.25, GROUPS)
    _, common = _noise(hard_and_easy_items(), None, GROUPS)
    offset = fitted.draws[:, fitted.parameter_names.index("test_offset")]
    assert offset.std() == pytest.approx(np.sqrt(common), rel=0.1)
    assert offset.mean() == pytest.approx(0, abs=0.1 * np.sqrt(common))


def alike(labels: dict[str, int], share: float, *rights: bool) -> Observation:
    """A seed has all items right or all wrong, so that items add no noise of their own."""
    return Observation(labels, np.repeat(np.array(rights)[:, None], ITEMS, axis=1), share)


def test_subsamples_of_one_pilot_by_hand() -> None:
    pilot = [
        alike({"easy": 10}, 0.5, True, False),
        alike({"easy": 20}, 1.0, True, False),
        alike({"hard": 10}, 0.5, True, False),
        alike({"easy": 10, "hard": 10}, 0.5, True, False),
    ]
    # Seeds at 1 and 0 vary by 1 / 2; at half the pilot this is half of S^2 / labels.
    # 10 labels: S^2 = 10; 20 labels: S^2 = 20. Items never differ within a seed by chance:
    # 1 / 2 over 100 items is taken off: 10 - .1, 20 - .2.
    variance = (2 * (10 - 0.1) + (20 - 0.2)) / 3
    assert _purchase_variance(pilot) == pytest.approx(variance)
    alone = (1 / 10 - 1 / 20) / 2  # two seeds; the whole pilot is no subsample
    np.testing.assert_allclose(
        _subsample_variances(pilot), variance * np.array([alone, 0, alone, alone / 2])
    )


def test_subsamples_vary_as_all_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow twin: every pair of subsamples that two seeds may have of a pilot of 4 + 4."""
    luck = np.array([0.3, -0.1, 0.0, 0.2])
    monkeypatch.setattr("budget.response._purchase_variance", lambda _: luck.var(ddof=1))
    of_one = [np.array(some) for some in combinations(luck, 2)]
    of_both = [np.concatenate(some) for some in product(of_one, of_one)]
    pilot = [
        alike({"easy": 2}, 0.5, True, False),
        alike({"easy": 2, "hard": 2}, 0.5, True, False),
        alike({"easy": 4, "hard": 4}, 1.0, True, False),
    ]
    expected = [
        np.var([(a.mean() + b.mean()) / 2 for a, b in product(subsamples, repeat=2)])
        for subsamples in (of_one, of_both, [luck])
    ]
    np.testing.assert_allclose(_subsample_variances(pilot), expected, atol=1e-15)


def test_seeds_that_differ_by_chance_alone_show_a_quarter_of_it() -> None:
    rng = np.random.default_rng(0)
    pilot = [Observation({"easy": 10}, rng.random((50, 400)) < 0.5, 0.5) for _ in range(20)]
    shown = np.mean([o.correct.mean(1).var(ddof=1) for o in pilot]) * 10 / 0.5
    assert _purchase_variance(pilot) == pytest.approx(shown / 4)


def test_seeds_that_differ_by_luck_show_it() -> None:
    rng = np.random.default_rng(0)
    luck = 0.1 * rng.standard_normal((20, 50, 1))  # S^2 = .01 * 10 labels / (1 - 1 / 2)
    correct = rng.random((20, 50, 400)) < 0.5 + luck
    pilot = [Observation({"easy": 10}, c, 0.5) for c in correct]
    assert _purchase_variance(pilot) == pytest.approx(0.2, rel=0.1)


def test_one_seed_tells_nothing_of_luck() -> None:
    pilot = [observed({"easy": 10}, 0.5, 0.5, seeds=1), observed({"easy": 20}, 0.5, 1.0, seeds=3)]
    assert _purchase_variance(pilot) == 0.25


# -- the luck of the pilot --------------------------------------------------------------------

PARAMETERS = ["floor", "ceiling", "scale", "exponent", "rate", "saturation"]


def natural_draws(size: int, seed: int = 0) -> Array:
    """Draws of a surface with one other stratum, in the columns of `PARAMETERS`."""
    rng = np.random.default_rng(seed)
    floor = rng.uniform(0.2, 0.4, size)
    ceiling = rng.uniform(0.6, 0.9, size)
    scale, exponent = rng.uniform(20, 200, size), rng.uniform(0.4, 1.5, size)
    rate, saturation = rng.uniform(0.3, 3, size), rng.uniform(50, 500, size)
    return np.stack([floor, ceiling, scale, exponent, rate, saturation], axis=1)


def accuracy_of(draw: Array, hard: float, easy: float, factors: tuple[float, float]) -> float:
    """Accuracy where each stratum's labels are worth so many times what they seem."""
    v = dict(zip(PARAMETERS, (float(value) for value in draw), strict=True))
    worth_of_easy = v["rate"] * v["saturation"] * (1 - np.exp(-easy / v["saturation"]))
    n = factors[0] * hard + factors[1] * worth_of_easy
    gain = 1 - (1 + n / v["scale"]) ** -v["exponent"]
    return float(v["floor"] + (v["ceiling"] - v["floor"]) * gain)


def test_luck_is_a_factor_on_what_labels_are_worth() -> None:
    """The slow twin, draw by draw, with the curve's slope from its differences."""
    pilot, variance, before = np.array([120, 80]), 0.04, natural_draws(50)
    after = before.copy()
    _add_pilot_luck(after, pilot, variance, np.random.default_rng(3))
    normal = np.random.default_rng(3).standard_normal((2, 50))
    for row in range(50):
        factors = []
        for stratum in range(2):
            hard, easy = (120.0, 0.0) if stratum == 0 else (0.0, 80.0)
            ends = [
                accuracy_of(before[row], hard, easy, (1 + step, 1 + step)) for step in (-1e-4, 1e-4)
            ]
            slope = (ends[1] - ends[0]) / 2e-4  # per unit of the factor's logarithm
            deviation = min(np.sqrt(variance / pilot[stratum]) / slope, 1.5)
            factors.append(float(np.exp(deviation * normal[stratum, row])))
        for hard, easy in [(120, 0), (0, 80), (30, 40), (500, 900)]:
            assert accuracy_of(after[row], hard, easy, (1, 1)) == pytest.approx(
                accuracy_of(before[row], hard, easy, (factors[0], factors[1])), rel=1e-6
            )
    untouched = [PARAMETERS.index(name) for name in ("floor", "ceiling", "exponent", "saturation")]
    assert (after[:, untouched] == before[:, untouched]).all()


def test_luck_moves_accuracy_by_its_deviation() -> None:
    # S = .05: .005 for 100 labels, small enough for the curve to be straight.
    draws = np.repeat(natural_draws(1), 20_000, axis=0)
    _add_pilot_luck(draws, np.array([100, 100]), 0.05**2, np.random.default_rng(0))
    for hard, easy in [(100, 0), (0, 100)]:
        deviation = np.std([accuracy_of(draw, hard, easy, (1, 1)) for draw in draws])
        assert deviation == pytest.approx(0.005, rel=0.03)


def test_no_luck_changes_nothing() -> None:
    draws = natural_draws(20)
    _add_pilot_luck(draws, np.array([120, 120]), 0.0, np.random.default_rng(0))
    assert (draws == natural_draws(20)).all()


def test_where_nothing_is_learnt_luck_is_anything_within_limits() -> None:
    draws = np.repeat(natural_draws(1), 4000, axis=0)
    draws[:, 1] = draws[:, 0]  # a ceiling at the floor: no slope
    before = draws.copy()
    _add_pilot_luck(draws, np.array([120, 120]), 0.04, np.random.default_rng(0))
    assert np.log(draws[:, 2]).std() == pytest.approx(1.5, rel=0.05)
    least, most = RATE_RANGE
    assert draws[:, 4].min() == least and draws[:, 4].max() == most
    # Luck of both strata: 1.5 * sqrt(2) in log units, of which some is cut off at the range.
    moved = np.log(draws[:, 4] / before[:, 4])
    expected = np.random.default_rng(1).normal(0, 1.5 * np.sqrt(2), 4000)
    expected = np.log((before[:, 4] * np.exp(expected)).clip(*RATE_RANGE) / before[:, 4])
    assert moved.std() == pytest.approx(expected.std(), rel=0.05)


def test_a_fitted_rate_stays_within_its_range() -> None:
    rng = np.random.default_rng(0)
    flat = [Observation(o.labels, rng.random((3, ITEMS)) < 0.4, 0.5) for o in small_pilot()]
    fitted = fit_surface(flat, ("easy", "hard"), "hard", None, 0.25, GROUPS)
    rates = fitted.rates("easy", 0)
    assert rates.min() >= RATE_RANGE[0] and rates.max() <= RATE_RANGE[1]


# -- the noise where the surface does not fit -------------------------------------------------


@pytest.mark.parametrize(("missed", "widened"), [(0.3, 1.0), (5.0, 3.5355339)])
def test_noise_is_widened_where_the_surface_misses_the_points(
    missed: float, widened: float
) -> None:
    # Six points, four parameters that they tell (ceiling, scale, exponent, rate): freedom 2.
    # One point 5 deviations off: sqrt(25 / 2) = 3.54. A third of one off is no reason to widen.
    counts = np.array([[20, 0], [0, 20], [20, 20], [40, 0], [0, 40], [40, 40]], dtype=float)
    variances = np.full(6, 0.02**2)
    flat = _Posterior(counts, np.zeros(6), variances, 0.25, True, counts[:, 1:].max(0))
    point = np.zeros(flat.size)
    measured = flat.predict(point[None])[0]
    measured[3] += 0.02 * missed
    posterior = _Posterior(counts, measured, variances, 0.25, True, counts[:, 1:].max(0))
    other = point + 0.5
    before = posterior.log_density(np.stack([point, other]))
    prior = flat_prior(np.stack([point, other]))
    posterior.widen(point)
    after = posterior.log_density(np.stack([point, other]))
    np.testing.assert_allclose(after - prior, (before - prior) / widened**2)


def flat_prior(points: Array) -> Array:
    """Log prior density: logistic, a standard normal for the exponent in column 3."""
    total = np.zeros(len(points))
    for column in range(points.shape[1]):
        if column == 3:
            total -= points[:, column] ** 2 / 2
        else:
            risen = 1 / (1 + np.exp(-points[:, column]))
            total += np.log(risen * (1 - risen))
    return total
