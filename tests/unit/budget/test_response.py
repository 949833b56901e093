from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.response import (
    Observation,
    ResponseSurface,
    _noise,
    _purchase_variance,
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


def plain_noise(observations: list[Observation], groups: Groups) -> tuple[Array, float]:
    """The slow twin: sums over clusters of items and over strata, entry by entry.

    The pilot's labels of every stratum are those of its largest subsample here.
    """
    size = len(observations)
    items = np.zeros((size, size))
    for a, first in enumerate(observations):
        for b, second in enumerate(observations):
            for cluster in set(groups):
                sums = [0.0, 0.0]
                for item in range(len(groups)):
                    if groups[item] == cluster:
                        for side, o in enumerate((first, second)):
                            sums[side] += o.correct[:, item].mean() - o.accuracy
                items[a, b] += sums[0] * sums[1] / len(groups) ** 2
    common = float(np.mean([items[a, b] for a in range(size) for b in range(size) if a != b]))
    assert common > 0
    variance = _purchase_variance(observations)
    own = np.zeros((size, size))
    for a, first in enumerate(observations):
        own[a, a] = max(items[a, a] - common, 0) + 1e-6
        for b, second in enumerate(observations):
            for name in ("easy", "hard"):
                n, m = first.labels.get(name, 0), second.labels.get(name, 0)
                if n and m:
                    bought = max(o.labels.get(name, 0) for o in observations)
                    shared = 1 / bought + (1 / max(n, m) - 1 / bought) / len(first.correct)
                    own[a, b] += variance * n / first.total * m / second.total * shared
    return own, common


def hard_and_easy_items(seed: int = 0) -> list[Observation]:
    """A pilot on whose items all models tend to agree, so that they share the items' noise."""
    tendency = np.random.default_rng(seed).random(ITEMS) < 0.5
    return [replace(o, correct=o.correct ^ (tendency & ~o.correct)) for o in small_pilot()]


def test_noise_is_the_sum_over_clusters_and_strata() -> None:
    groups = np.array([f"g{k % 17}" for k in range(ITEMS)], dtype=object)
    pilot = hard_and_easy_items()
    own, common = plain_noise(pilot, groups)
    found, found_common = _noise(pilot, None, groups)
    np.testing.assert_allclose(found, own, rtol=1e-9, atol=1e-15)
    assert found_common == pytest.approx(common)


def test_zero_shot_shares_the_items_but_no_purchase() -> None:
    pilot = hard_and_easy_items()
    unsupervised = np.random.default_rng(1).random(ITEMS) < 0.4
    found, common = _noise(pilot, unsupervised, GROUPS)
    assert (found[0, 1:] == 0).all() and (found[1:, 0] == 0).all()
    # Every item its own cluster: the binomial variance of the mean.
    share = unsupervised.mean()
    assert found[0, 0] + common == pytest.approx(share * (1 - share) / ITEMS + 1e-6)
    bought = _noise(pilot, None, GROUPS)[0]
    off = ~np.eye(len(pilot), dtype=bool)
    np.testing.assert_allclose(found[1:, 1:][off], bought[off])


def test_what_all_items_do_to_all_mixes_is_an_offset_of_the_whole_surface() -> None:
    fitted = fit_surface(hard_and_easy_items(), ("easy", "hard"), "hard", None, 0.25, GROUPS)
    _, common = _noise(hard_and_easy_items(), None, GROUPS)
    offset = fitted.draws[:, fitted.parameter_names.index("test_offset")]
    assert offset.std() == pytest.approx(np.sqrt(common), rel=0.1)
    assert offset.mean() == pytest.approx(0, abs=0.1 * np.sqrt(common))


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
    found = (_noise(pilot, None, GROUPS)[0] - 1e-6 * np.eye(4)) / variance
    pilot_part, seed_part = 1 / 20, (1 / 10 - 1 / 20) / 2
    both = pilot_part + seed_part
    expected = [
        [both, pilot_part, 0, both / 2],
        [pilot_part, pilot_part, 0, pilot_part / 2],
        [0, 0, both, both / 2],
        [both / 2, pilot_part / 2, both / 2, both / 2],
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


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
