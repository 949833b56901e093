import numpy as np
import pytest

from budget.response import (
    Observation,
    ResponseSurface,
    _covariance,
    _purchase_variance,
    fit_surface,
)

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


def surface(strata: tuple[str, ...], draws: list[list[float]]) -> ResponseSurface:
    return ResponseSurface(strata, "hard", np.array(draws), 0.0, 0.01)


def test_an_observation_knows_its_size_and_accuracy() -> None:
    correct = np.array([[True, False], [True, True]])
    observation = Observation({"easy": 3, "hard": 5}, correct, 0.5)
    assert observation.total == 8
    assert observation.accuracy == 0.75


def test_predict_by_hand() -> None:
    # n = 10 + 3 * 30 = 100, so n / scale = 1: .3 + .6 * (1 - 1 / 2) = .6
    assert surface(("easy", "hard"), [[0.3, 0.9, 100.0, 1.0, 3.0]]).predict(
        [{"easy": 30, "hard": 10}, {}]
    ) == pytest.approx(np.array([[0.6, 0.3]]))


def test_predict_is_a_plain_loop_over_the_formula() -> None:
    rng = np.random.default_rng(0)
    draws = rng.uniform([0.1, 0.5, 5, 0.2, 0.1, 0.1], [0.4, 0.9, 500, 2, 9, 9], (7, 6))
    strata = ("easy", "medium", "hard")
    mixes = [{}, {"hard": 40}, {"easy": 7, "medium": 0, "hard": 3}, {"medium": 100, "easy": 1}]
    expected = np.empty((len(draws), len(mixes)))
    for row, (floor, ceiling, scale, exponent, rate_easy, rate_medium) in enumerate(draws):
        for column, mix in enumerate(mixes):
            n = mix.get("hard", 0)
            n += rate_easy * mix.get("easy", 0) + rate_medium * mix.get("medium", 0)
            gain = 1 - (1 + n / scale) ** -exponent
            expected[row, column] = floor + (ceiling - floor) * gain
    found = surface(strata, draws.tolist()).predict(mixes)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_target_need_not_be_the_hardest_stratum() -> None:
    draws = np.array([[0.2, 0.8, 50.0, 1.0, 2.0, 0.5]])
    middle = ResponseSurface(("easy", "medium", "hard"), "medium", draws, 0.0, 0.01)
    assert middle.others == ("easy", "hard")
    assert middle.parameter_names[4:] == ["rate_easy", "rate_hard"]
    assert middle.rates("medium").tolist() == [1.0]
    assert middle.rates("hard").tolist() == [0.5]
    # n = 10 + 2 * 15 + 20 / 2 = 50
    mix = {"easy": 15, "medium": 10, "hard": 20}
    assert middle.predict([mix])[0, 0] == pytest.approx(0.5)


def test_a_stratum_that_is_not_for_sale_has_no_rate() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        surface(("easy", "hard"), [[0.3, 0.9, 100.0, 1.0, 3.0]]).rates("medium")


def test_draws_are_within_their_ranges() -> None:
    fitted = fit_surface(small_pilot(), ("easy", "hard"), "hard", None, 0.25, GROUPS, draws=500)
    assert fitted.draws.shape == (500, 5)
    floor, ceiling, scale, exponent, rate = fitted.draws.T
    assert (floor == 0.25).all()  # known: a probe starts from chance
    assert (ceiling > floor).all() and (ceiling < 1).all()
    assert (scale > 0).all() and (exponent > 0).all() and (rate > 0).all()
    assert fitted.root_mean_square_noise > 0


def test_labels_that_start_from_zero_shot_have_its_accuracy_as_floor() -> None:
    unsupervised = np.arange(ITEMS) < 40
    fitted = fit_surface(small_pilot(), ("easy", "hard"), "hard", unsupervised, 0.25, GROUPS)
    floor = fitted.draws[:, 0]
    assert floor.std() > 0
    assert np.median(floor) == pytest.approx(0.40, abs=0.06)
    assert fitted.predict([{}]).mean() == pytest.approx(floor.mean())


def test_the_same_seed_gives_the_same_surface() -> None:
    def fit(seed: int) -> np.ndarray:
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


# -- the covariance of what was measured -----------------------------------------------------


def plain_covariance(observations: list[Observation], groups: np.ndarray) -> np.ndarray:
    """The slow twin: sums over clusters of items and over strata, entry by entry.

    The pilot's labels of every stratum are those of its largest subsample here.
    """
    pilot = {
        name: max(o.labels.get(name, 0) for o in observations)
        for name in {name for o in observations for name in o.labels}
    }
    variance = _purchase_variance(observations)
    size = len(observations)
    covariance = np.zeros((size, size))
    for a, first in enumerate(observations):
        for b, second in enumerate(observations):
            for cluster in set(groups):
                sums = [0.0, 0.0]
                for item in range(len(groups)):
                    if groups[item] == cluster:
                        for side, o in enumerate((first, second)):
                            sums[side] += o.correct[:, item].mean() - o.accuracy
                covariance[a, b] += sums[0] * sums[1] / len(groups) ** 2
            for name, bought in pilot.items():
                n, m = first.labels.get(name, 0), second.labels.get(name, 0)
                if n and m:
                    seeds = len(first.correct)
                    common = 1 / bought + (1 / max(n, m) - 1 / bought) / seeds
                    covariance[a, b] += variance * n / first.total * m / second.total * common
        covariance[a, a] += 1e-6
    return covariance


def test_covariance_is_the_sum_over_clusters_and_strata() -> None:
    groups = np.array([f"g{k % 17}" for k in range(ITEMS)], dtype=object)
    pilot = small_pilot()
    expected = plain_covariance(pilot, groups)
    np.testing.assert_allclose(_covariance(pilot, None, groups), expected, rtol=1e-9, atol=1e-15)


def test_zero_shot_shares_the_items_but_no_purchase() -> None:
    pilot = small_pilot()
    unsupervised = np.random.default_rng(1).random(ITEMS) < 0.4
    with_zero_shot = _covariance(pilot, unsupervised, GROUPS)
    np.testing.assert_allclose(with_zero_shot[1:, 1:], _covariance(pilot, None, GROUPS))
    # Every item its own cluster: the binomial variance of the mean.
    share = unsupervised.mean()
    assert with_zero_shot[0, 0] == pytest.approx(share * (1 - share) / ITEMS + 1e-6)


def test_purchases_of_one_pilot_by_hand() -> None:
    # All items are alike, so that items add nothing: only what was bought is left.
    def alike(labels: dict[str, int], share: float, *rights: bool) -> Observation:
        return Observation(labels, np.repeat(np.array(rights)[:, None], ITEMS, axis=1), share)

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
    found = (_covariance(pilot, None, GROUPS) - 1e-6 * np.eye(4)) / variance
    pilot_part, seed_part = 1 / 20, (1 / 10 - 1 / 20) / 2
    both = pilot_part + seed_part
    expected = [
        [both, pilot_part, 0, both / 2],
        [pilot_part, pilot_part, 0, pilot_part / 2],
        [0, 0, both, both / 2],
        [both / 2, pilot_part / 2, both / 2, both / 2],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_seeds_that_differ_by_chance_alone_show_half_of_it_at_most() -> None:
    rng = np.random.default_rng(0)
    pilot = [Observation({"easy": 10}, rng.random((50, 400)) < 0.5, 0.5) for _ in range(20)]
    shown = np.mean([o.correct.mean(1).var(ddof=1) for o in pilot]) * 10 / 0.5
    assert _purchase_variance(pilot) == pytest.approx(shown / 2)


def test_seeds_that_differ_by_luck_show_it() -> None:
    rng = np.random.default_rng(0)
    luck = 0.1 * rng.standard_normal((20, 50, 1))  # S^2 = .01 * 10 labels / (1 - 1 / 2)
    correct = rng.random((20, 50, 400)) < 0.5 + luck
    pilot = [Observation({"easy": 10}, c, 0.5) for c in correct]
    assert _purchase_variance(pilot) == pytest.approx(0.2, rel=0.1)


def test_one_seed_tells_nothing_of_luck() -> None:
    pilot = [observed({"easy": 10}, 0.5, 0.5, seeds=1), observed({"easy": 20}, 0.5, 1.0, seeds=3)]
    assert _purchase_variance(pilot) == 0.25
