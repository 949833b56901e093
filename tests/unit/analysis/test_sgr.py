import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.accuracy import ItemClusters
from analysis.sgr import supervision_gap_recovered


def right(seeds: int, items: int, number: int, start: int = 0) -> NDArray[np.bool_]:
    """(seeds, items) with `number` items right in every seed, from item `start` on."""
    row = np.zeros(items, dtype=bool)
    row[start : start + number] = True
    return np.tile(row, (seeds, 1))


def alone(items: int) -> ItemClusters:
    return ItemClusters(np.array([f"item-{k}" for k in range(items)], dtype=object))


def test_worked_example() -> None:
    # Of 100 items: zero-shot 40 right, easy 60, hard 65. SGR = 20 / 25.
    gap = supervision_gap_recovered(
        right(3, 100, 60), right(3, 100, 65), right(1, 100, 40), alone(100), labels=80
    )
    assert gap.resolved
    assert gap.estimate == pytest.approx(0.8)
    assert gap.low is not None and gap.high is not None
    assert gap.low < 0.8 < gap.high <= 1.0  # whatever is drawn, easy recovers no more than hard
    assert (gap.easy.estimate, gap.hard.estimate, gap.unsupervised.estimate) == (0.60, 0.65, 0.40)
    assert gap.gap.estimate == pytest.approx(0.25)
    assert gap.gap.low is not None and gap.gap.low > 0
    assert gap.labels == 80


def test_hard_against_itself_recovers_all_with_certainty() -> None:
    rng = np.random.default_rng(2)
    hard = rng.random((4, 200)) < 0.7
    gap = supervision_gap_recovered(hard, hard.copy(), right(1, 200, 60), alone(200), 10)
    assert gap.resolved
    assert (gap.estimate, gap.low, gap.high) == (1.0, 1.0, 1.0)


def test_easy_no_better_than_zero_shot_recovers_nothing() -> None:
    unsupervised = right(1, 100, 30)
    gap = supervision_gap_recovered(unsupervised, right(2, 100, 70), unsupervised, alone(100), 10)
    assert (gap.estimate, gap.low, gap.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("hard", "case"),
    [
        (right(2, 100, 42), "2 points in 100 items, all of them discordant"),
        (right(2, 100, 40), "no gap"),
        (right(2, 100, 10), "training harms"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unresolved_gap_gives_no_number(hard: NDArray[np.bool_], case: str) -> None:
    # Zero-shot is right on 40 other items, so that the difference is noisy.
    unsupervised = right(1, 100, 40, start=50)
    gap = supervision_gap_recovered(right(2, 100, 60), hard, unsupervised, alone(100), 10)
    assert not gap.resolved, case
    assert (gap.estimate, gap.low, gap.high) == (None, None, None)
    # The terms and the gap are told all the same.
    assert gap.easy.estimate == pytest.approx(0.6)
    assert gap.gap.estimate == pytest.approx(hard.mean() - 0.4)
    assert gap.gap.low is not None and gap.gap.low <= 0


def test_resolved_means_that_the_gap_lies_above_zero() -> None:
    resolved = []
    for lead in range(0, 45, 5):
        # Hard and zero-shot are right on different items: only the lead decides.
        gap = supervision_gap_recovered(
            right(1, 100, 20),
            right(1, 100, 20 + lead),
            right(1, 100, 20, start=80),
            alone(100),
            labels=10,
        )
        assert gap.gap.low is not None
        assert gap.resolved == (gap.gap.low > 0) == (gap.estimate is not None)
        resolved.append(gap.resolved)
    assert resolved == sorted(resolved)
    assert not resolved[0] and resolved[-1]


def test_the_gap_is_paired() -> None:
    # 5 points on the same items are resolved; on others they drown.
    unsupervised = right(1, 200, 100)
    same = supervision_gap_recovered(
        right(2, 200, 110), right(2, 200, 110), unsupervised, alone(200), 10
    )
    other = supervision_gap_recovered(
        right(2, 200, 110), right(2, 200, 110, start=90), unsupervised, alone(200), 10
    )
    assert same.gap.estimate == other.gap.estimate
    assert same.resolved and not other.resolved
