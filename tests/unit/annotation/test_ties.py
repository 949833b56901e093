import numpy as np
import pytest

from annotation.ties import OF_MODELS, OF_PROBES, all_tied_share, pick, share_right, tie_draws

CONTENT = np.arange(4000, dtype=np.uint64) * np.uint64(7919)


def test_the_largest_score_is_taken_whatever_is_drawn() -> None:
    scores = np.array([[1.0, 2.0, -np.inf], [3.0, 0.0, 2.999]])
    for draws in (np.zeros((2, 3)), np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])):
        assert pick(scores, draws, OF_MODELS).tolist() == [1, 0]


@pytest.mark.parametrize("off", [0.0, 1e-12, -1e-12])
def test_choices_that_tie_are_each_taken_as_often(off: float) -> None:
    scores = np.tile([-50.0, -50.0 + off, -60.0, -50.0, -np.inf], (4000, 1))
    picked = pick(scores, tie_draws(CONTENT, 5), OF_PROBES)
    counts = np.bincount(picked, minlength=5)
    assert counts[2] == counts[4] == 0
    # 4 standard deviations of a count of 4,000 draws of 1 in 3.
    assert np.abs(counts[[0, 1, 3]] - 4000 / 3).max() < 4 * np.sqrt(4000 * 2 / 9)


def test_draws_follow_the_item_and_not_its_place() -> None:
    draws = tie_draws(CONTENT, 4)
    assert draws.min() >= 0 and draws.max() <= 1
    order = np.random.default_rng(0).permutation(len(CONTENT))
    assert (tie_draws(CONTENT[order], 4) == draws[order]).all()
    # More choices leave the draws of the others as they are.
    assert (tie_draws(CONTENT, 6)[:, :4] == draws).all()


def test_many_probes_at_once_pick_as_one() -> None:
    scores = np.random.default_rng(0).integers(0, 3, (5, 50, 4)).astype(float)
    draws = tie_draws(CONTENT[:50], 4)
    assert (
        pick(scores, draws, OF_PROBES) == np.stack([pick(one, draws, OF_PROBES) for one in scores])
    ).all()


def test_a_tie_is_right_by_its_share() -> None:
    scores = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0], [0.0, 1.0, -np.inf], [0.0, 1.0, 1.0]])
    found = share_right(scores, np.array([0, 2, 1, 0]), OF_PROBES)
    assert found.tolist() == [0.5, pytest.approx(1 / 3), 1.0, 0.0]


def test_items_whose_choices_cannot_be_told_apart() -> None:
    scores = np.array([[1.0, 1.0, -np.inf], [2.0, 2.0, 2.0], [0.0, 1.0, 1.0], [3.0, 2.0, -np.inf]])
    assert all_tied_share(scores, OF_MODELS) == 0.5
