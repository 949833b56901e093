from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from budget.surface.fit import DISCREPANCY, fit_surface, item_noise
from budget.surface.luck import LUCK
from budget.surface.observation import Observation
from budget.surface.parameters import SHARED, Prior
from budget.surface.response import ResponseSurface
from budget.surface.separation import Separation

Array = NDArray[np.float64]
Groups = NDArray[np.object_]
ITEMS = 100
GROUPS = np.array([f"item-{k}" for k in range(ITEMS)], dtype=object)
STRATA = ("easy", "hard")


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


def fit(observations: list[Observation], **options: object) -> ResponseSurface:
    given: dict[str, object] = {"unsupervised": None, "chance": 0.25, "groups": GROUPS}
    return fit_surface(observations, STRATA, "hard", **(given | options))  # type: ignore[arg-type]


def drawn(surface: ResponseSurface) -> Mapping[str, Array]:
    return dict(zip(surface.parameter_names, surface.draws.T, strict=True))


def test_an_observation_knows_its_size_and_accuracy() -> None:
    correct = np.array([[True, False], [True, True]])
    observation = Observation({"easy": 3, "hard": 5}, correct, 0.5)
    assert observation.total == 8
    assert observation.accuracy == 0.75


def test_only_items_that_were_not_trained_on_count() -> None:
    correct = np.array([[True, False, True], [True, True, False]])
    scored = np.array([[True, True, False], [False, True, False]])
    observation = Observation({}, correct, 0.0, borrowed=1, scored=scored)
    assert observation.total == 1
    assert observation.accuracy == pytest.approx(2 / 3)
    # The last item never counts: it is given the mean, which moves nothing.
    assert observation.by_item == pytest.approx([1.0, 0.5, 2 / 3])


def test_borrowed_labels_teach_as_the_targets_do() -> None:
    """A curve of lent labels tells what bought ones of the target will give, and not of others."""
    rng = np.random.default_rng(5)
    curve = []
    for borrowed in (8, 16, 32, 64):
        accuracy = 0.25 + 0.6 * borrowed / (borrowed + 20)
        scored = np.stack([rng.permutation(ITEMS) >= borrowed for _ in range(16)])
        correct = rng.random((16, ITEMS)) < accuracy
        curve.append(Observation({}, correct, 0.0, borrowed=borrowed, scored=scored))
    mixes = [{"hard": 64}, {"easy": 64}]
    prior, told = (fit(own, draws=1000).predict(mixes, offset=False).std(0) for own in ([], curve))
    assert told[0] < prior[0] / 3
    assert told[1] > 2 * told[0]
    assert fit(curve, draws=1000).predict(mixes[:1], offset=False).mean() == pytest.approx(
        0.25 + 0.6 * 64 / 84, abs=0.04
    )


def test_unlabelled_items_tell_the_pull_along_the_target() -> None:
    """Signal times alignment becomes what was read; what points elsewhere stays unknown."""
    for square in (0.04, 1.0, 2.25):
        surface = fit([], draws=2000, separations={"easy": Separation(square, 0.05)})
        found = drawn(surface)
        along = found["signal_easy"] * np.maximum(found["alignment_easy"], 0)
        assert (along**2).mean() == pytest.approx(square, abs=0.06)
        assert found["signal_easy"].std() > 0.1
        prior = drawn(fit([], draws=2000))
        for name in ("half_labels", "shape"):  # of which reading says nothing
            assert np.log(found[name]).std() == pytest.approx(np.log(prior[name]).std(), rel=0.15)


def test_strata_that_were_not_read_keep_their_prior() -> None:
    given, told = fit([], draws=500), fit([], draws=500, separations={})
    np.testing.assert_array_equal(given.draws, told.draws)


def test_draws_are_within_their_ranges() -> None:
    surface = fit(small_pilot(), draws=500)
    found = drawn(surface)
    assert all(draws.shape == (500,) for draws in found.values())
    assert (found["floor"] == 0.25).all()  # known: a probe starts from chance
    assert (found["ceiling"] > 0.25).all() and (found["ceiling"] < 1).all()
    assert (np.abs(found["alignment_easy"]) <= 1).all()
    for name in (*SHARED[1:], "signal_easy"):
        assert (found[name] > 0).all() and found[name].std() > 0
    assert surface.root_mean_square_noise > 0
    assert surface.root_mean_square_residual > 0


def test_labels_that_start_from_zero_shot_have_its_accuracy_as_floor() -> None:
    surface = fit(small_pilot(), unsupervised=np.arange(ITEMS) < 40)
    assert (drawn(surface)["floor"] == 0.4).all()
    assert (drawn(surface)["ceiling"] > 0.4).all()
    np.testing.assert_allclose(surface.predict([{}], offset=False), 0.4)


def test_a_model_that_is_right_without_labels_has_nothing_to_learn() -> None:
    surface = fit(small_pilot(), unsupervised=np.ones(ITEMS, dtype=bool))
    assert np.isfinite(surface.draws).all()
    np.testing.assert_allclose(surface.predict([{"hard": 50}], offset=False), 1)


def test_the_same_seed_gives_the_same_surface() -> None:
    pilot = small_pilot()
    once, again, other = (fit(pilot, draws=200, seed=seed).draws for seed in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_nothing_measured_is_the_prior() -> None:
    """Given by a prior of the test's own."""
    prior = replace(Prior(), half_labels=replace(Prior().half_labels, centre=5.0, spread=0.3))
    surface = fit([], draws=5000, prior=prior)
    found = drawn(surface)
    log_half = np.log(found["half_labels"])
    assert (log_half.mean(), log_half.std()) == pytest.approx((5.0, 0.3), abs=0.02)
    ceiling = np.median(found["ceiling"])
    assert ceiling == pytest.approx(0.25 + 0.75 * expit(prior.ceiling.centre), abs=0.02)
    assert (found["test_offset"] == 0).all()
    assert (surface.root_mean_square_residual, surface.root_mean_square_noise) == (0, 0)
    assert surface.luck == pytest.approx(LUCK)
    assert surface.item_deviation == DISCREPANCY


def test_one_mix_tells_something() -> None:
    before, after = fit([]), fit([observed({"hard": 40}, 0.9, seeds=5)])
    mix = [{"hard": 40}]
    spread = [surface.predict(mix, offset=False).std() for surface in (before, after)]
    assert spread[1] < spread[0] / 1.5
    assert after.predict(mix).mean() > before.predict(mix).mean() + 0.1


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_models_that_are_all_wrong_or_all_right_are_fitted(right: float) -> None:
    pilot = [replace(o, correct=np.full(o.correct.shape, bool(right))) for o in small_pilot()]
    surface = fit(pilot, draws=100)
    assert np.isfinite(surface.draws).all()
    assert np.isfinite(surface.root_mean_square_noise)
    assert surface.root_mean_square_noise >= DISCREPANCY


def test_the_surface_knows_the_clean_shares_it_was_fitted_with() -> None:
    surface = fit(small_pilot(), clean={"easy": 0.7})
    assert surface.clean == {"easy": 0.7, "hard": 1.0}
    # What is measured is what labels with their errors give, whatever share of them is clean.
    without = fit(small_pilot())
    mixes = [dict(o.labels) for o in small_pilot()]
    means = [own.predict(mixes).mean(0) for own in (surface, without)]
    np.testing.assert_allclose(means[0], means[1], atol=0.02)
    cleaner = surface.predict([{"easy": 40}], clean={}).mean()
    assert cleaner > surface.predict([{"easy": 40}]).mean() + 0.01


def test_a_pilot_is_what_its_largest_mixes_hold_unless_told() -> None:
    pilot = small_pilot()
    assert np.array_equal(fit(pilot).draws, fit(pilot, pilot={"easy": 40, "hard": 40}).draws)
    # Of a larger purchase, other subsamples might have been drawn: seeds tell more of its luck.
    assert not np.array_equal(fit(pilot).draws, fit(pilot, pilot={"easy": 80, "hard": 80}).draws)


def test_three_strata_are_fitted() -> None:
    strata = ("easy", "medium", "hard")
    pilot = [*small_pilot(), observed({"medium": 40}, 0.57)]
    surface = fit_surface(pilot, strata, "medium", None, 0.25, GROUPS, draws=50)
    assert surface.others == ("easy", "hard")
    assert surface.draws.shape == (50, 1 + len(SHARED) + 4 + 1)


# -- the noise of what was measured -----------------------------------------------------------


def plain_noise(observations: list[Observation], groups: Groups) -> tuple[Array, float]:
    """The slow twin: sums over clusters of items, entry by entry."""
    size = len(observations)
    items = np.zeros((size, size))
    for a, b in product(range(size), repeat=2):
        for cluster in set(groups):
            sums = [0.0, 0.0]
            for item in range(len(groups)):
                if groups[item] == cluster:
                    for side, own in enumerate((observations[a], observations[b])):
                        sums[side] += own.correct[:, item].mean() - own.correct.mean()
            items[a, b] += sums[0] * sums[1] / len(groups) ** 2
    common = float(np.mean([items[a, b] for a in range(size) for b in range(size) if a != b]))
    assert common > 0
    return np.array([max(items[a, a] - common, 0) for a in range(size)]), common


def hard_and_easy_items(seed: int = 0) -> list[Observation]:
    """A pilot on whose items all models tend to agree, so that they share the items' noise."""
    tendency = np.random.default_rng(seed).random(ITEMS) < 0.5
    return [replace(o, correct=o.correct ^ (tendency & ~o.correct)) for o in small_pilot()]


@pytest.mark.parametrize("clusters", [17, ITEMS])
def test_item_noise_is_the_sum_over_clusters(clusters: int) -> None:
    groups = np.array([f"g{k % clusters}" for k in range(ITEMS)], dtype=object)
    pilot = hard_and_easy_items()
    own, common = plain_noise(pilot, groups)
    found, found_common = item_noise(pilot, groups)
    np.testing.assert_allclose(found, own, rtol=1e-9, atol=1e-15)
    assert found_common == pytest.approx(common)


def test_one_mix_has_all_the_noise_of_its_items() -> None:
    one = Observation({"hard": 9}, np.arange(ITEMS)[None] < 30, 1.0)
    own, common = item_noise([one], GROUPS)
    # Every item its own cluster: the binomial variance of the mean.
    assert (own[0], common) == (pytest.approx(0.3 * 0.7 / ITEMS), 0)
    assert item_noise([], GROUPS)[1] == 0


def test_what_all_items_do_to_all_mixes_is_an_offset_of_the_whole_surface() -> None:
    surface = fit(hard_and_easy_items())
    _, common = item_noise(hard_and_easy_items(), GROUPS)
    offset = drawn(surface)["test_offset"]
    assert offset.std() == pytest.approx(np.sqrt(common), rel=0.1)
    assert offset.mean() == pytest.approx(0, abs=0.1 * np.sqrt(common))


def test_noise_is_widened_where_the_surface_misses_the_points() -> None:
    """Accuracies that no surface has, on so many items that chance is no excuse."""
    rng = np.random.default_rng(0)
    items, wide = 20_000, []
    for swing in (0.0, 0.3):
        pilot = [
            Observation({"hard": n}, rng.random((1, items)) < 0.6 + swing * (-1) ** k, 1.0)
            for k, n in enumerate((100, 110, 120, 130, 140, 150))
        ]
        surface = fit(pilot, groups=np.arange(items).astype(object))
        wide.append(surface.predict([{"hard": 125}], offset=False).std())
        assert surface.root_mean_square_residual == pytest.approx(swing, abs=0.02)
    assert wide[1] > 3 * wide[0]
