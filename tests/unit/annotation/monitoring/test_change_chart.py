import numpy as np
import pytest

from annotation.arrays import Array, IntArray
from annotation.monitoring.change_chart import (
    ChartAlarm,
    Sequences,
    believed_levels,
    calibrated_threshold,
    change_point,
    crossings,
)


class Coins:
    """Heads at one of three rates; a change doubles the rate."""

    directions, sizes = 1, 1

    def __init__(self, heads: list[int]) -> None:
        self.levels = np.array([0.1, 0.2, 0.4])
        self._heads = np.array(heads)

    def before(self, rows: IntArray) -> Array:
        return self._log(rows, self.levels)

    def after(self, rows: IntArray) -> Array:
        return self._log(rows, 2 * self.levels)[:, :, None, None]

    def _log(self, rows: IntArray, rates: Array) -> Array:
        heads = self._heads[rows][:, None]
        return np.asarray(np.log(np.where(heads, rates, 1 - rates)))


def plain_statistics(coins: Coins, rows: IntArray, believed: Array) -> list[float]:
    """The average over levels, and the sum over times, as they are defined."""
    found = []
    for end in range(1, len(rows) + 1):
        seen = rows[:end]
        before, after = np.exp(coins.before(seen)), np.exp(coins.after(seen))[:, :, 0, 0]
        weight = believed * before.prod(axis=0)
        ratios = sum((after[k:] / before[k:]).prod(axis=0) for k in range(end))
        found.append(float((weight * ratios).sum() / weight.sum()))
    return found


def test_the_statistic_is_the_sum_over_all_times_of_the_change() -> None:
    rng = np.random.default_rng(0)
    heads = (rng.random(40) < 0.2).astype(int).tolist()
    coins, rows = Coins(heads), np.arange(40)
    believed = np.array([0.5, 0.3, 0.2])
    plain = plain_statistics(coins, rows, believed)
    for threshold in sorted(plain)[-3:]:
        first = next(place for place, value in enumerate(plain) if value >= threshold)
        just_below = crossings(coins, Sequences(rows, np.array([40])), believed, threshold - 1e-9)
        assert just_below[0] == ChartAlarm(0, first, 0)
    assert not crossings(coins, Sequences(rows, np.array([40])), believed, max(plain) + 1e-9)


def test_an_alarm_starts_the_chart_anew() -> None:
    heads = [0] * 10 + [1] * 6
    believed = np.full(3, 1 / 3)
    twice = Sequences(np.tile(np.arange(16), 2), np.array([32]))
    apart = Sequences(np.tile(np.arange(16), 2), np.array([16, 16]))
    coins = Coins(heads)
    first = crossings(coins, apart, believed, 30.0)
    assert [(each.sequence, each.place) for each in first[:1]] == [(0, first[0].place)]
    again = crossings(coins, twice, believed, 30.0)
    assert again[0].place == first[0].place


def test_sequences_of_any_length_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(1)
    heads = (rng.random(90) < 0.3).astype(int).tolist()
    coins, believed = Coins(heads), np.full(3, 1 / 3)
    lengths = np.array([20, 50, 0, 19, 1])
    together = crossings(coins, Sequences(np.arange(90), lengths), believed, 25.0)
    starts = np.cumsum(lengths) - lengths
    alone = [
        ChartAlarm(number, each.place, 0)
        for number, (start, length) in enumerate(zip(starts, lengths, strict=True))
        for each in crossings(
            coins, Sequences(np.arange(start, start + length), np.array([length])), believed, 25.0
        )
    ]
    assert together == alone
    assert together


@pytest.mark.parametrize("block", [1, 4])
def test_shuffling_keeps_every_sequence_and_its_blocks(block: int) -> None:
    sequences = Sequences(np.arange(30), np.array([12, 0, 18]))
    shuffled = sequences.shuffled(np.random.default_rng(2), block)
    assert sorted(shuffled.rows[:12]) == list(range(12))
    assert sorted(shuffled.rows[12:]) == list(range(12, 30))
    assert not np.array_equal(shuffled.rows, sequences.rows)
    neighbours = int((np.diff(shuffled.rows) == 1).sum())
    assert neighbours >= (15 if block == 4 else 0)  # three of four stay beside the next one


def test_the_threshold_gives_the_rate_that_is_asked_for() -> None:
    rng = np.random.default_rng(3)
    heads = (rng.random(20_000) < 0.2).astype(int).tolist()
    coins, sequences = Coins(heads), Sequences(np.arange(20_000), np.full(100, 200))
    believed = believed_levels(coins, sequences)
    assert believed.argmax() == 1
    assert believed.sum() == pytest.approx(1)
    threshold = calibrated_threshold(coins, sequences, believed, 3.0, 40_000, rng)
    fresh = Coins((rng.random(20_000) < 0.2).astype(int).tolist())
    assert len(crossings(fresh, sequences, believed, threshold)) == pytest.approx(60, rel=0.3)


def test_the_change_point_is_where_heads_become_frequent() -> None:
    heads = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1]
    assert change_point(Coins(heads), np.arange(18), np.full(3, 1 / 3), 0) == 10
    assert change_point(Coins([1]), np.arange(1), np.full(3, 1 / 3), 0) == 0
