"""How long each judgment took, against what is usual for its annotator."""

import numpy as np

from annotation.arrays import Array, IntArray

FASTER, SLOWER = 0, 1  # directions of a change
NEIGHBOURS = 10  # judgments in a row that resemble each other: moods, passages, times of day
_LEVELS = 41
_SIZES = np.array([0.5, 1.0, 2.0])  # of a change, in standard deviations
_MOST = 3.0  # standard deviations; a longer time was a break
_SHORTEST = 0.05  # seconds, of which a logarithm is taken
_LEAST_SPREAD = 0.1  # of log seconds
_ONE_MORE = 0.5  # standard deviations beyond the levels that were seen


class TimeModel:
    """Log seconds: normal around a level, cut at three standard deviations.

    What all annotators gain by practice is taken off before: the common slope of log seconds
    against the log of how many judgments each had made (the power law of practice: Newell and
    Rosenbloom 1981). See `annotation.monitoring.change_chart`.

    Parameters
    ----------
    seconds
        Of every judgment, above 0, (judgments,).
    chart
        Whose sequence it belongs to, from 0, (judgments,).
    practice
        How many judgments its annotator had made before, (judgments,).
    rows
        The row by which each is called, (judgments,), ascending.
    """

    directions, sizes = 2, _SIZES.size

    def __init__(self, seconds: Array, chart: IntArray, practice: IntArray, rows: IntArray) -> None:
        self._rows = rows
        chart = np.unique(chart, return_inverse=True)[1]
        log_seconds, done = _logs(seconds, practice)
        self.slope = practice_slope(seconds, chart, practice)
        rest = log_seconds - self.slope * done
        middle = _medians(rest, chart)
        spread = np.maximum(1.4826 * _medians(np.abs(rest - middle[chart]), chart), _LEAST_SPREAD)
        usual = float(np.median(middle))
        level = (middle - usual) / spread
        scaled = (rest - usual) / spread[chart]
        self._value = np.clip(scaled, level[chart] - _MOST, level[chart] + _MOST)
        low, high = float(level.min()) - _ONE_MORE, float(level.max()) + _ONE_MORE
        self.levels: Array = low + (high - low) * np.arange(_LEVELS) / (_LEVELS - 1)
        self._after = self.levels[:, None, None] + np.stack([-_SIZES, _SIZES])

    def before(self, rows: IntArray) -> Array:
        return np.asarray(-0.5 * (self._of(rows)[:, None] - self.levels) ** 2)

    def after(self, rows: IntArray) -> Array:
        return np.asarray(-0.5 * (self._of(rows)[:, None, None, None] - self._after) ** 2)

    def _of(self, rows: IntArray) -> Array:
        return np.asarray(self._value[np.searchsorted(self._rows, rows)])


def practice_slope(seconds: Array, who: IntArray, practice: IntArray) -> float:
    """The common slope of log seconds against the log of judgments made before.

    Within sequences, by least squares; 0 where nobody made several. All (judgments,); `who` from 0.
    """
    log_seconds, done = _logs(seconds, practice)
    count = np.maximum(np.bincount(who), 1)
    apart = done - (np.bincount(who, done) / count)[who]
    moved = log_seconds - (np.bincount(who, log_seconds) / count)[who]
    varied = float((apart**2).sum())
    return float((apart * moved).sum()) / varied if varied > 0 else 0.0


def _logs(seconds: Array, practice: IntArray) -> tuple[Array, Array]:
    return np.log(np.maximum(seconds, _SHORTEST)), np.log1p(practice)


def _medians(values: Array, chart: IntArray) -> Array:
    """The median of every chart, (charts,)."""
    order = np.lexsort((values, chart))
    count = np.bincount(chart)
    start = np.cumsum(count) - count
    ordered = values[order]
    return np.asarray((ordered[start + (count - 1) // 2] + ordered[start + count // 2]) / 2)
