import numpy as np
import pytest

from annotation.labelling.labels import Labels, joined


def labels(*positions: int, posteriors: list[list[float]] | None = None) -> Labels:
    own = np.array(positions)
    return Labels(
        own,
        (own % 2)[:, None],
        np.full(own.size, 0.1),
        None if posteriors is None else np.array(posteriors),
    )


def test_a_label_is_the_majority_of_its_judgments() -> None:
    judged = Labels(np.array([4, 7]), np.array([[1, 0, 1], [2, 2, 0]]), np.zeros(2))
    assert judged.labels.tolist() == [1, 2]


def test_a_posterior_goes_before_the_judgments() -> None:
    judged = Labels(np.array([4]), np.array([[1, 0, 1]]), np.zeros(1), np.array([[0.8, 0.2]]))
    assert judged.labels.tolist() == [0]


def test_posteriors_that_tie_are_a_draw_by_item_and_judgments() -> None:
    positions = np.arange(400)
    said = np.tile([[0, 1]], (400, 1))
    even = np.tile([0.5, 0.5, 0.0], (400, 1))
    judged = Labels(positions, said, np.zeros(400), even)
    # 4 standard deviations of 400 draws of 1 in 2; the third choice is never taken.
    assert set(judged.labels.tolist()) == {0, 1}
    assert abs(judged.labels.sum() - 200) < 4 * np.sqrt(400 / 4)
    some = np.array([7, 3, 200])
    assert judged.chosen(some).labels.tolist() == judged.labels[some].tolist()
    off = Labels(positions, said, np.zeros(400), even + np.array([1e-13, 0.0, 0.0]))
    assert off.labels.tolist() == judged.labels.tolist()


def test_labels_of_several_strata_are_one() -> None:
    both = joined([labels(3, 4), labels(9)])
    assert both.positions.tolist() == [3, 4, 9]
    assert both.labels.tolist() == [1, 0, 1]
    assert len(joined([], judgments=3)) == 0
    assert joined([], judgments=3).judgments.shape == (0, 3)


def test_labels_with_posteriors_and_without_are_not_joined() -> None:
    with pytest.raises(ValueError, match="cannot be joined"):
        joined([labels(3), labels(4, posteriors=[[0.5, 0.5]])])


def test_the_key_follows_all_that_is_trained_on() -> None:
    one = labels(3, 4)
    same = [labels(3, 4), joined([labels(3), labels(4)]), labels(3, 4, 5).chosen(np.arange(2))]
    assert {own.key for own in same} == {one.key}
    others = [
        labels(3, 5),
        Labels(one.positions, 1 - one.judgments, one.redraw_rates),
        Labels(one.positions, one.judgments, one.redraw_rates + 0.1),
        labels(3, 4, posteriors=[[0.5, 0.5], [0.5, 0.5]]),
    ]
    assert len({one.key, *(own.key for own in others)}) == 5
