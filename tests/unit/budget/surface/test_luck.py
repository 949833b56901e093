"""The luck of a purchase, against all subsamples of a tiny one."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.surface.luck import (
    _MOST,
    _PRIOR_SEEDS,
    LUCK,
    KnownLuck,
    bounded_push,
    estimate_luck,
    luck_covariance,
    luck_variance,
)
from budget.surface.observation import Observation

Array = NDArray[np.float64]
ITEMS = 100


def test_luck_of_clean_labels_is_that_of_so_many_pushes() -> None:
    push = bounded_push(np.array([[400.0]]), np.ones(1), LUCK)[0]
    assert luck_variance(400) == pytest.approx(400 * push**2)
    assert luck_variance(68) == pytest.approx(0.27**2 / 100)


def pushes(counts: Array, clean: Array, luck: float) -> Array:
    """Standard deviation of one label's push in each mix: the formula of the module, by itself."""
    return np.array(
        [luck / np.sqrt((row @ clean) ** 2 + 32 * row.sum()) for row in counts if row.sum()]
    )


def subsamples(row: Array, bought: Array) -> list[Array]:
    """Every subsample with so many labels of each stratum, as (labels,) of 0 and 1."""
    of_strata = []
    for wanted, there in zip(row.astype(int), bought.astype(int), strict=True):
        chosen = [np.isin(np.arange(there), own) for own in combinations(range(there), wanted)]
        of_strata.append(chosen)
    return [np.concatenate(own).astype(float) for own in product(*of_strata)]


def test_covariance_is_that_of_all_subsamples_of_a_purchase() -> None:
    """The slow twin: labels push accuracy alone and by a sum, seeds draw their own subsamples."""
    bought, clean = np.array([4.0, 3.0]), np.array([0.5, 1.0])
    counts = np.array([[2, 0], [0, 2], [2, 1], [4, 3], [1, 3]], dtype=float)
    push = pushes(counts, clean, 0.1)
    every = [subsamples(row, bought) for row in counts]
    # A mean over seeds is linear in the labels' pushes, which are independent with variance 1.
    for seeds in (1, 2):
        means = [
            np.array([np.mean(own, axis=0) for own in product(chosen, repeat=seeds)])
            for chosen in every
        ]
        expected = np.empty((5, 5))
        for a, b in product(range(5), repeat=2):
            if a == b:
                overlap = np.mean([own @ own for own in means[a]])
            else:
                overlap = np.mean([one @ other for one in means[a] for other in means[b]])
            expected[a, b] = push[a] * push[b] * overlap
        found = luck_covariance(counts, bought, clean, np.full(5, float(seeds)), 0.1)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("labels", [4, 68, 868])
def test_a_purchase_of_clean_labels_varies_like_one_over_the_root(labels: int) -> None:
    own = np.array([float(labels)])
    found = luck_covariance(own[None], own, np.ones(1), np.ones(1), 0.2)
    assert found[0, 0] == pytest.approx(0.2**2 / (labels + 32))


def test_noisy_labels_are_more_a_matter_of_luck() -> None:
    # 100 labels of which half are clean: .2 * sqrt(100 / (50^2 + 3200)).
    own = np.array([100.0])
    found = luck_covariance(own[None], own, np.array([0.5]), np.ones(1), 0.2)
    assert found[0, 0] == pytest.approx(0.04 * 100 / 5700)


def test_luck_moves_accuracy_by_so_much_at_most() -> None:
    counts, bought = np.array([[1.0, 0.0], [0.0, 5.0], [300.0, 5.0]]), np.array([300.0, 5.0])
    clean, seeds = np.array([1.0, 0.02]), np.ones(3)
    free = luck_covariance(counts, bought, clean, seeds, 0.01)
    held = luck_covariance(counts, bought, clean, seeds, 10.0)
    assert (np.diag(free) < _MOST**2).all()
    np.testing.assert_allclose(np.diag(held), _MOST**2)
    # Which mixes go together is left as it is.
    for own in (free, held):
        own /= np.sqrt(np.outer(np.diag(own), np.diag(own)))
    np.testing.assert_allclose(held, free, rtol=1e-9)


def test_what_a_measured_purchase_tells_of_its_own_luck() -> None:
    # 68 labels: .2 / sqrt(100) = .02 of luck, measured with as much noise again.
    own, clean = np.array([[68.0]]), np.ones(1)
    inverse = np.array([[1 / 0.0008]])
    push = bounded_push(own, clean, 0.2)
    known = KnownLuck(own, push, own[0], inverse, np.array([[0.01]]) @ inverse)
    # .01 above the surface: half of it is luck, and half of that luck's variance is left.
    assert known.expected(own, clean, 0.2) == pytest.approx(np.array([[0.005]]))
    assert known.variance(own, clean, 0.2) == pytest.approx(np.array([0.0002]))
    # With 800 labels more, each pushes by .2 / sqrt(868 * 900): 68 * that * .02 / sqrt(68).
    more = np.array([[868.0]])
    push = 0.2 / np.sqrt(868 * 900)
    share = 68 * push * 0.02 / np.sqrt(68)
    assert known.shared(more, clean, 0.2) == pytest.approx(np.array([[share]]))
    assert known.variance(more, clean, 0.2) == pytest.approx(68 * push**2 - share**2 / 0.0008)


def test_nothing_is_known_of_the_luck_of_labels_left_out() -> None:
    own, clean = np.array([[68.0, 0.0]]), np.ones(2)
    push = bounded_push(own, clean, 0.2)
    known = KnownLuck(own, push, own[0], np.array([[1000.0]]), np.array([[3.0]]))
    others = np.array([[0.0, 50.0]])
    assert known.expected(others, clean, 0.2)[0, 0] == 0
    assert known.variance(others, clean, 0.2)[0] == 0


def test_labels_of_different_strata_share_no_luck() -> None:
    counts, bought = np.array([[10.0, 0.0], [0.0, 10.0]]), np.array([20.0, 20.0])
    found = luck_covariance(counts, bought, np.ones(2), np.full(2, 5.0))
    assert found[0, 1] == found[1, 0] == 0
    assert found[0, 0] > 0


def test_nothing_bought_is_no_luck() -> None:
    counts = np.array([[0.0, 0.0], [3.0, 0.0]])
    found = luck_covariance(counts, np.array([6.0, 0.0]), np.ones(2), np.full(2, 5.0))
    assert found[0].tolist() == [0.0, 0.0]
    assert found[1, 1] > 0


# -- what seeds show of it --------------------------------------------------------------------


def alike(labels: dict[str, int], share: float, *rights: bool) -> Observation:
    """A seed has all items right or all wrong, so that items differ by no chance of their own."""
    return Observation(labels, np.repeat(np.array(rights)[:, None], ITEMS, axis=1), share)


def test_luck_by_hand() -> None:
    # One seed at 1 and one at 0: variance 1 / 2, of which .5 / 100 is set down to chance. For a
    # luck of 1, half of 64 labels vary by 32 * (1 - 1 / 2) / (32^2 + 32 * 32) = 1 / 128.
    half = alike({"hard": 32}, 0.5, True, False)
    found = estimate_luck([half], np.array([[32.0]]), np.array([64.0]), np.ones(1))
    expected = (LUCK**2 * _PRIOR_SEEDS + 0.495 * 128) / (_PRIOR_SEEDS + 1)
    assert found == pytest.approx(np.sqrt(expected))


def test_seeds_that_cannot_tell_leave_luck_as_it_is_believed() -> None:
    whole, one = alike({"hard": 64}, 1.0, True, False), alike({"hard": 32}, 0.5, True)
    found = estimate_luck([whole, one], np.array([[64.0], [32.0]]), np.array([64.0]), np.ones(1))
    assert found == pytest.approx(LUCK)
    assert estimate_luck([], np.empty((0, 1)), np.array([0.0]), np.ones(1)) == pytest.approx(LUCK)


@pytest.mark.parametrize("luck", [0.15, 0.3, 0.6])
def test_many_seeds_show_the_luck_they_were_drawn_with(luck: float) -> None:
    """Labels with pushes of their own, subsampled; with chance on 2,000 items."""
    rng = np.random.default_rng(0)
    bought, clean = np.array([80.0, 80.0]), np.array([0.6, 1.0])
    counts = np.array([[40, 0], [0, 40], [20, 40], [20, 20]], dtype=float)
    push = pushes(counts, clean, luck)
    found = []
    for _ in range(20):
        lucks = rng.standard_normal((2, 80))
        observations = []
        for row, own in zip(counts.astype(int), push, strict=True):
            accuracy = [
                0.5 + own * sum(lucks[s][rng.permutation(80)[: row[s]]].sum() for s in range(2))
                for _ in range(20)
            ]
            right = rng.random((20, 2000)) < np.array(accuracy)[:, None]
            labels = {"easy": int(row[0]), "hard": int(row[1])}
            observations.append(Observation(labels, right, 0.5))
        found.append(estimate_luck(observations, counts, bought, clean))
    # 76 seeds' worth against what 10 seeds' worth of belief draws it to.
    expected = np.sqrt((76 * luck**2 + _PRIOR_SEEDS * LUCK**2) / (76 + _PRIOR_SEEDS))
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(expected, rel=0.08)


def test_seeds_that_differ_by_chance_alone_show_a_quarter_of_it() -> None:
    rng = np.random.default_rng(0)
    pilot = [Observation({"easy": 10}, rng.random((50, 400)) < 0.5, 0.5) for _ in range(20)]
    counts = np.full((20, 1), 10.0)
    shown = np.mean([o.correct.mean(1).var(ddof=1) for o in pilot])
    unit = 10 * 0.5 / (10**2 + 320)
    least = (LUCK**2 * _PRIOR_SEEDS + 20 * 49 * shown / 4 / unit) / (_PRIOR_SEEDS + 20 * 49)
    found = estimate_luck(pilot, counts, np.array([20.0]), np.ones(1))
    assert found >= np.sqrt(least)
    assert found == pytest.approx(np.sqrt(least), rel=0.1)
