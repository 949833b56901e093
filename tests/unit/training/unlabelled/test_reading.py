import numpy as np
import pytest
from numpy.typing import NDArray

from training.unlabelled.reading import Reading, read, reading_of

Array = NDArray[np.float64]
TWO = np.ones((4, 2), dtype=bool)


def drawn(
    items: int, lift: float, shares: tuple[float, ...], seed: int = 0
) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64]]:
    """Scores of unit noise whose right choice is lifted, classes as often as `shares` has it."""
    rng = np.random.default_rng(seed)
    answers = rng.choice(len(shares), items, p=shares)
    noise = rng.standard_normal((items, len(shares)))
    scores = noise + lift * (np.arange(len(shares)) == answers[:, None])
    return scores, np.ones(scores.shape, dtype=bool), answers


def test_by_hand() -> None:
    """Choices of their own: the right one is lifted by 4, 8 or 0, and there is no noise."""
    answers = np.array([0, 1, 0, 1])
    scores = np.where(np.arange(2) == answers[:, None], 2.0, -2.0)
    found = read(scores, TWO, answers, {"easy": (2 * scores, TWO), "odd": (0 * scores, TWO)}, False)
    assert (found.lift, found.noise) == pytest.approx((4.0, 0.0))
    # Less the mean of its two choices a right score is 2, a wrong one -2: 8 for one free choice;
    # of a lift of 1 it is .5 and -.5: half.
    assert found.scatter == {"easy": pytest.approx(32.0), "odd": 0.0}
    assert found.answer_scatter == {"easy": 0.5, "odd": 0.5}
    assert found.error == {"easy": 0.0, "odd": 0.0}


@pytest.mark.parametrize(
    ("shares", "shared"), [((1 / 3, 1 / 3, 1 / 3), False), ((0.8, 0.15, 0.05), True)]
)
def test_noise_and_lift_are_told_apart(shares: tuple[float, ...], shared: bool) -> None:
    scores, mask, answers = drawn(20_000, 1.5, shares)
    more, _, _ = drawn(20_000, 3.0, shares, seed=1)
    found = read(scores, mask, answers, {"easy": (more, mask)}, shared)
    assert found.lift == pytest.approx(1.5, rel=0.03)
    assert found.noise == pytest.approx(1.0, rel=0.03)
    above = (found.scatter["easy"] - found.noise) / found.answer_scatter["easy"]
    assert above == pytest.approx(3.0**2, rel=0.05)


def test_the_standard_error_is_that_of_as_many_items() -> None:
    scores, mask, answers = drawn(20_000, 1.5, (1 / 3, 1 / 3, 1 / 3))
    found = read(scores, mask, answers, {"easy": (scores, mask)}, False)
    # Half a non-central chi-square with two degrees of freedom about 1.5 deviates by 2.5 ** .5.
    assert found.error["easy"] == pytest.approx(np.sqrt(2.5 * 2 / 20_000), rel=0.05)


def test_items_with_other_numbers_of_choices_are_read_alike() -> None:
    """The same lift shows in every stratum, however many choices its items have."""
    five, all_five, answers = drawn(20_000, 2.0, (0.2,) * 5)
    two, all_two, _ = drawn(20_000, 2.0, (0.5, 0.5), seed=1)
    padded = np.hstack([two, np.full((20_000, 3), -np.inf)])
    mask = np.hstack([all_two, np.zeros((20_000, 3), dtype=bool)])
    found = read(five, all_five, answers, {"easy": (padded, mask), "own": (five, all_five)}, False)
    for name in ("easy", "own"):
        above = (found.scatter[name] - found.noise) / found.answer_scatter[name]
        assert above == pytest.approx(4.0, rel=0.06)


def test_what_an_item_has_no_choice_for_is_not_read() -> None:
    answers = np.array([0, 1, 0, 1])
    scores = np.where(np.arange(3) == answers[:, None], 2.0, -2.0)
    scores[:, 2] = -np.inf
    mask = np.array([[True, True, False]] * 4)
    found = read(scores, mask, answers, {"easy": (scores, mask)}, False)
    assert found == read(scores[:, :2], TWO, answers, {"easy": (scores[:, :2], TWO)}, False)


def test_a_class_that_is_likelier_everywhere_is_no_separation() -> None:
    scores, mask, answers = drawn(400, 0.0, (0.5, 0.5))
    leaning = scores + np.array([5.0, 0.0])
    plain = read(scores, mask, answers, {"easy": (scores, mask)}, True)
    leant = read(leaning, mask, answers, {"easy": (leaning, mask)}, True)
    assert leant.scatter["easy"] == pytest.approx(plain.scatter["easy"])
    assert (leant.noise, leant.lift) == pytest.approx((plain.noise, plain.lift))


def test_a_probe_that_is_wrong_lifts_the_wrong_choices() -> None:
    scores, mask, answers = drawn(400, -2.0, (0.5, 0.5))
    assert read(scores, mask, answers, {"easy": (scores, mask)}, False).lift < -1


def test_details_keep_it() -> None:
    by_name = {"easy": 2.0, "a b": 3.0}
    known = Reading(1.5, 0.2, by_name, {"easy": 0.5, "a b": 0.2}, {"easy": 0.1, "a b": 0.2})
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
