import numpy as np
import pytest

from training.probes.reading import Reading, read, reading_of

TWO = np.ones((4, 2), dtype=bool)


def test_by_hand() -> None:
    """Choices of their own: the right one stands out by 4, or by nothing, with no noise."""
    answers = np.array([0, 1, 0, 1])
    scores = np.where(np.arange(2) == answers[:, None], 2.0, -2.0)
    found = read(scores, TWO, answers, {"easy": (2 * scores, TWO), "odd": (0 * scores, TWO)}, False)
    # Less the mean of its two choices a right score is 2, a wrong one -2: squares of 8 for one
    # free choice. It is all between.
    assert (found.between, found.within) == pytest.approx((8.0, 0.0))
    assert found.scatter == {"easy": pytest.approx(32.0), "odd": 0.0}
    assert found.standard_error == {"easy": 0.0, "odd": 0.0}


def test_noise_and_what_stands_out_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    items, choices, stands_out = 20_000, 3, 1.5
    answers = rng.integers(0, choices, items)
    noise = rng.standard_normal((items, choices))
    scores = noise + stands_out * (np.arange(choices) == answers[:, None])
    mask = np.ones(scores.shape, dtype=bool)
    found = read(scores, mask, answers, {"easy": (scores, mask)}, False)
    assert found.within == pytest.approx(1.0, rel=0.03)
    assert found.between == pytest.approx(stands_out**2 / choices, rel=0.05)
    assert found.scatter["easy"] == pytest.approx(found.within + found.between)
    # Half a non-central chi-square with two degrees of freedom about 1.5 deviates by 2.5 ** .5.
    assert found.standard_error["easy"] == pytest.approx(np.sqrt(2.5 * 2 / items), rel=0.05)


def test_items_with_fewer_choices() -> None:
    """What an item has no choice for is not read, whatever stands there."""
    answers = np.array([0, 1, 0, 1])
    scores = np.where(np.arange(3) == answers[:, None], 2.0, -2.0)
    scores[:, 2] = -np.inf
    mask = np.array([[True, True, False]] * 4)
    found = read(scores, mask, answers, {"easy": (scores, mask)}, False)
    assert found == read(scores[:, :2], TWO, answers, {"easy": (scores[:, :2], TWO)}, False)


def test_a_class_that_is_likelier_everywhere_is_no_separation() -> None:
    rng = np.random.default_rng(1)
    answers = rng.integers(0, 2, 400)
    scores = rng.standard_normal((400, 2))
    mask = np.ones(scores.shape, dtype=bool)
    leaning = scores + np.array([5.0, 0.0])
    plain = read(scores, mask, answers, {"easy": (scores, mask)}, True)
    leant = read(leaning, mask, answers, {"easy": (leaning, mask)}, True)
    assert leant.scatter["easy"] == pytest.approx(plain.scatter["easy"])
    assert leant.within == pytest.approx(plain.within)


def test_details_keep_it() -> None:
    known = Reading(1.5, 0.2, {"easy": 2.0, "a b": 3.0}, {"easy": 0.1, "a b": 0.2})
    assert reading_of({"penalty": 3.0, **known.as_details()}) == known
    with pytest.raises(KeyError):
        reading_of({"penalty": 3.0})


def test_what_cannot_be_read() -> None:
    scores, answers = np.zeros((4, 2)), np.zeros(4, dtype=np.int64)
    one = np.array([[True, False]] * 4)
    with pytest.raises(ValueError, match="two choices"):
        read(scores, one, answers, {}, False)
    with pytest.raises(ValueError, match="items to read"):
        read(scores, TWO, answers, {"easy": (scores[:0], TWO[:0])}, False)
