import numpy as np
import pytest
from numpy.typing import NDArray

from training.unlabelled import guessing
from training.unlabelled.guessing import (
    Mixture,
    NoiseSpace,
    guess,
    label_log_odds,
    probabilities,
)

Array = NDArray[np.float64]


def clusters(
    items: int, choices: int, apart: float, seed: int = 0
) -> tuple[Array, NDArray[np.int64]]:
    """Items of shared classes in five directions of unit noise, and their classes."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, choices, items)
    rows = rng.standard_normal((items, 1, 5))
    rows[np.arange(items), 0, answers] += apart
    return rows, answers


def test_label_log_odds_by_hand() -> None:
    """Three choices and two: redrawn at .3, a label is right with .8 and with .85."""
    mask = np.array([[True, True, True], [True, True, False], [True, True, True]])
    found = label_log_odds(mask, np.array([0, 1]), np.array([2, 0]), np.array([0.3, 0.3]))
    assert np.exp(found[0]) == pytest.approx([0.1, 0.1, 0.8])
    assert np.exp(found[1]) == pytest.approx([0.85, 0.15, 0.0])
    assert found[2].tolist() == [0.0, 0.0, 0.0]


def test_mixture_by_hand() -> None:
    """Two shared classes at 1 and -1 on one axis, as likely: odds of 2 x; the evidence to match."""
    mask = np.ones((2, 2), dtype=bool)
    mixture = Mixture(np.array([[1.0], [-1.0]]), np.log([0.5, 0.5]), np.array([10.0]))
    items = np.array([[[10.5]], [[10.0]]])
    odds = mixture.log_odds(items, mask)
    assert odds[:, 0] - odds[:, 1] == pytest.approx([1.0, 0.0])
    # 1/2 exp(x - 1/2) + 1/2 exp(-x - 1/2)
    expected = [np.log(0.5 * (np.exp(0.0) + np.exp(-1.0))), -0.5]
    assert mixture.evidence(odds, mask) == pytest.approx(expected)


def test_mixture_of_own_choices_by_hand() -> None:
    """The right choice lies 2 apart; scores are centred, and a missing choice has no chance."""
    mask = np.array([[True, True, True], [True, True, False]])
    mixture = Mixture(np.array([[2.0]]), np.zeros(1), np.zeros(1))
    items = np.array([[[1.0], [0.0], [-1.0]], [[0.5], [-0.5], [0.0]]])
    odds = mixture.log_odds(items, mask)
    assert odds.tolist() == [[2.0, 0.0, -2.0], [1.0, -1.0, -np.inf]]
    assert probabilities(odds)[1].tolist() == pytest.approx([0.8808, 0.1192, 0.0], abs=1e-4)
    # log of (1/K) sum exp(odds), less |m|^2 (1 - 1/K) / 2
    expected = [
        np.log((np.exp(2) + 1 + np.exp(-2)) / 3) - 2 * 2 / 3,
        np.log((np.exp(1) + np.exp(-1)) / 2) - 2 / 2,
    ]
    assert mixture.evidence(odds, mask) == pytest.approx(expected)


@pytest.mark.parametrize("own_choices", [False, True])
def test_noise_space_has_unit_noise_within_classes(own_choices: bool) -> None:
    """Correlated noise of very unequal directions, classes four deviations apart."""
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((4, 4)) * [5.0, 1.0, 0.3, 2.0]
    choices = 3 if own_choices else 1
    answers = rng.integers(0, 3, 6000)
    noise = rng.standard_normal((6000, choices, 4)) @ mixing
    features = noise.copy()
    apart = 4 * rng.standard_normal((3, 4))
    if own_choices:
        features[np.arange(6000), answers] += apart[0]
    else:
        features[:, 0] += apart[answers]
    mask = np.ones((6000, 3), dtype=bool)
    few = slice(0, 3000)
    space = NoiseSpace.of(features[few], mask[few], answers[few], (features[3000:], mask[3000:]))
    projected = space.project(noise, mask).reshape(-1, 4)
    scatter = projected.T @ projected / (6000 * max(choices - 1, 1))
    assert np.abs(scatter - np.diag(np.diag(scatter))).max() < 0.15
    assert (np.diag(scatter) < 1.15).all()  # the ridge lets the quietest directions be smaller


def test_sixteen_labels_of_clear_clusters_tell_all() -> None:
    items, answers = clusters(600, 3, 5.0)
    mask = np.ones((600, 3), dtype=bool)
    places = np.arange(16)
    said = label_log_odds(mask, places, answers[:16], np.zeros(16))
    weights = np.zeros(600)
    weights[:16] = 1.0
    found = guess(items, mask, said, [(probabilities(said), weights)])
    assert (found.unaided.argmax(1) == answers).mean() > 0.99
    assert found.probabilities[:16].argmax(1).tolist() == answers[:16].tolist()


def test_the_likelier_start_is_taken() -> None:
    """From a start that mixes two clusters up, the other one still wins, in either order."""
    items, answers = clusters(600, 3, 5.0)
    mask = np.ones((600, 3), dtype=bool)
    nothing = np.zeros((600, 3))
    right = (np.eye(3)[answers] + 0.1) / 1.3
    same = np.full((600, 3), 1 / 3)
    ones = np.ones(600)
    good, bad = (guess(items, mask, nothing, [(own, ones)]) for own in (right, same))
    assert good.log_likelihood > bad.log_likelihood
    for starts in ([(right, ones), (same, ones)], [(same, ones), (right, ones)]):
        assert guess(items, mask, nothing, starts).log_likelihood == good.log_likelihood


def test_noisy_labels_are_not_believed_too_far() -> None:
    """A label that is redrawn as often as not gives way to where its item lies."""
    items, answers = clusters(600, 2, 6.0)
    mask = np.ones((600, 2), dtype=bool)
    wrong = answers[:40].copy()
    wrong[:6] = 1 - wrong[:6]
    said = label_log_odds(mask, np.arange(40), wrong, np.full(40, 0.5))
    weights = (np.arange(600) < 40).astype(float)
    found = guess(items, mask, said, [(probabilities(said), weights)])
    assert found.probabilities[:6].argmax(1).tolist() == answers[:6].tolist()


def test_more_features_than_rows_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows' own span has all their noise: the same distances as with every direction."""
    rng = np.random.default_rng(2)
    features, mask = rng.standard_normal((40, 1, 60)), np.ones((40, 2), dtype=bool)
    answers = np.arange(30) % 2
    own = (features[:30], mask[:30], answers, (features[30:], mask[30:]))

    def distances() -> Array:
        rows = NoiseSpace.of(*own).project(features, mask)[:, 0]
        return np.asarray(rows @ rows.T)

    in_span = distances()
    monkeypatch.setattr(guessing, "_span", lambda rows: np.eye(rows.shape[1]))
    np.testing.assert_allclose(in_span, distances(), rtol=1e-6, atol=1e-9)
