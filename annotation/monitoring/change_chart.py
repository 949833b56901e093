"""Charts that watch sequences of observations for a change, the level before it not known.

Of every sequence the chart keeps the Shiryaev-Roberts statistic, that is the sum over all times k
of the likelihood ratio "changed at k" against "no change": Roberts 1966, Technometrics 8. The level
before the change is not known. So the sum is taken for every level on a grid, and averaged over
the levels by how probable they are after all observations so far; it then is a mixture e-detector
of Shin, Ramdas and Rinaldo (2024, New England Journal of Statistics in Data Science 2). Levels are
believed beforehand to be like those of the other sequences (empirical Bayes). An alarm starts the
chart of its sequence anew, with every level as probable as any, so that a change is told once.

The threshold comes from the sequences themselves. While nothing changes, every order of a sequence
is equally likely. So sequences are shuffled, and the threshold is the one at which charts of
shuffled sequences raise as many false alarms as are allowed. That holds whatever the distribution
of the observations is. Where neighbours resemble each other, blocks of neighbours are shuffled
whole, as in the block bootstrap (Politis and Romano 1994, JASA 89). Likeness over more than a block
is taken for change.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from annotation.arrays import Array, IntArray

LOWEST_THRESHOLD = 20.0  # below, an alarm would mean nothing
_LARGEST = 1e200  # of a sum for one level; only levels that are out of the question come there
_EM_STEPS = 10  # few, so that the levels of few sequences stay spread out
_ROUNDS = 5
_NEAR = 0.03  # of the allowed false alarms; a part of what chance makes of them
_CHUNK = 65_536


class ChangeModel(Protocol):
    """What observations are like at a level, and which changes of it are looked for.

    `levels` (levels,); `directions` and `sizes` are how many kinds of change, and how large ones of
    a kind, are looked for.
    """

    levels: Array
    directions: int
    sizes: int

    def before(self, rows: IntArray) -> Array:
        """Log-likelihood of observations at every level, (rows, levels)."""
        ...

    def after(self, rows: IntArray) -> Array:
        """The same after every change, (rows, levels, directions, sizes)."""
        ...


@dataclass(frozen=True)
class Sequences:
    """Observations of several sequences, each in order of time.

    `rows` (observations,) are rows of the model, sequence after sequence; `lengths` (sequences,).
    """

    rows: IntArray
    lengths: IntArray

    @property
    def starts(self) -> IntArray:
        """Where every sequence begins in `rows`, (sequences,)."""
        return np.asarray(np.cumsum(self.lengths) - self.lengths, dtype=np.int64)

    def shuffled(self, rng: np.random.Generator, block: int = 1) -> "Sequences":
        """Every sequence in an order of its own; so many neighbours stay together."""
        owner = np.repeat(np.arange(self.lengths.size), self.lengths)
        place = np.arange(self.rows.size) - np.repeat(self.starts, self.lengths)
        # A block may begin anywhere, so that ends of blocks are not always the same neighbours.
        shift = rng.integers(0, block, self.lengths.size)
        group = (place + shift[owner]) // block
        blocks = -(-int(self.lengths.max(initial=0)) // block) + 1
        key = rng.random(self.lengths.size * blocks)
        order = np.lexsort((place, key[owner * blocks + group], owner))
        return Sequences(self.rows[order], self.lengths)

    def times(self, count: int) -> "Sequences":
        """All sequences so many times."""
        return Sequences(np.tile(self.rows, count), np.tile(self.lengths, count))


@dataclass(frozen=True)
class ChartAlarm:
    """An alarm: of which sequence, at which of its observations, in which direction."""

    sequence: int
    place: int
    direction: int


def believed_levels(model: ChangeModel, sequences: Sequences) -> Array:
    """How probable every level is for one more sequence like these, (levels,), above 0.

    Maximum likelihood over distributions on the grid (Laird 1978, JASA 73), a few steps of EM from
    the uniform one, mixed with the uniform one as if that were two more sequences. It does not
    depend on the order of observations.
    """
    levels = model.levels.size
    owner = np.repeat(np.arange(sequences.lengths.size), sequences.lengths)
    total = np.zeros((sequences.lengths.size, levels))
    for start in range(0, sequences.rows.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        np.add.at(total, owner[part], model.before(sequences.rows[part]))
    likelihood = np.exp(total - total.max(axis=1, keepdims=True))
    believed = np.full(levels, 1 / levels)
    for _ in range(_EM_STEPS):
        shares = likelihood * believed
        believed = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    spread = 2 / (sequences.lengths.size + 2)
    return np.asarray((1 - spread) * believed + spread / levels)


def crossings(
    model: ChangeModel, sequences: Sequences, believed: Array, threshold: float
) -> list[ChartAlarm]:
    """All alarms, in order of sequences and places.

    `believed` (levels,) is how probable levels are beforehand; `threshold` is of the statistic.
    """
    by_length = np.argsort(-sequences.lengths, kind="stable")
    lengths, starts = sequences.lengths[by_length], sequences.starts[by_length]
    count, levels = lengths.size, model.levels.size
    sums = np.zeros((count, levels, model.directions, model.sizes))
    log_weight = np.tile(np.log(believed), (count, 1))
    found: list[ChartAlarm] = []
    longest = int(lengths[0]) if count else 0
    longer = np.searchsorted(-lengths, -np.arange(longest), side="left")  # sequences beyond a place
    for place in range(longest):
        still = int(longer[place])
        rows = sequences.rows[starts[:still] + place]
        before = model.before(rows)
        ratio = np.exp(model.after(rows) - before[:, :, None, None])
        now = sums[:still]
        now += 1
        now *= ratio
        np.minimum(now, _LARGEST, out=now)
        log_weight[:still] += before
        log_weight[:still] -= log_weight[:still].max(axis=1, keepdims=True)
        weight = np.exp(log_weight[:still])
        weight /= weight.sum(axis=1, keepdims=True)
        statistic = np.einsum("nl,nlds->nd", weight, now) / model.sizes
        for sequence in np.flatnonzero(statistic.max(axis=1) >= threshold):
            direction = int(statistic[sequence].argmax())
            found.append(ChartAlarm(int(by_length[sequence]), place, direction))
            sums[sequence] = 0.0
            log_weight[sequence] = 0.0  # any level: the new one may be like nobody's
    return sorted(found, key=lambda each: (each.sequence, each.place))


def calibrated_threshold(
    model: ChangeModel,
    sequences: Sequences,
    believed: Array,
    per_thousand: float,
    observations: int,
    rng: np.random.Generator,
    block: int = 1,
) -> float:
    """The threshold with so many false alarms per 1,000 observations of shuffled sequences.

    Parameters
    ----------
    model, sequences, believed
        As for `crossings`.
    per_thousand
        False alarms per 1,000 observations.
    observations
        How many are shuffled, about; their number of alarms has a Poisson error.
    rng
        What shuffles them.
    block
        How many neighbours stay together.
    """
    repeats = max(1, -(-observations // max(1, sequences.rows.size)))
    if sequences.rows.size > observations:
        sequences = _some(sequences, observations, rng)
    shuffled = sequences.times(repeats).shuffled(rng, block)
    allowed = per_thousand / 1000 * shuffled.rows.size
    threshold = max(LOWEST_THRESHOLD, 700 / per_thousand)
    for _ in range(_ROUNDS):  # alarms are about inversely proportional to the threshold
        raised = len(crossings(model, shuffled, believed, threshold))
        if abs(raised - allowed) <= max(0.5, _NEAR * allowed):
            break
        threshold = max(LOWEST_THRESHOLD, threshold * max(raised, 0.3) / max(allowed, 0.3))
    return threshold


def _some(sequences: Sequences, observations: int, rng: np.random.Generator) -> Sequences:
    """Whole sequences, drawn, until so many observations are together."""
    drawn = rng.permutation(sequences.lengths.size)
    enough = int(np.searchsorted(np.cumsum(sequences.lengths[drawn]), observations)) + 1
    kept = np.sort(drawn[:enough])
    parts = [
        sequences.rows[start : start + length]
        for start, length in zip(sequences.starts[kept], sequences.lengths[kept], strict=True)
    ]
    return Sequences(np.concatenate(parts), sequences.lengths[kept])


def change_point(model: ChangeModel, rows: IntArray, believed: Array, direction: int) -> int:
    """How many observations of one sequence, up to its alarm, most probably are before the change.

    All levels and sizes of the change are averaged over, by their probability. At least one
    observation is before the change and one after it, where there are two.
    """
    before = model.before(rows)
    after = model.after(rows)[:, :, direction, :]
    until = np.concatenate([np.zeros((1, before.shape[1])), np.cumsum(before, axis=0)[:-1]])
    beyond = np.cumsum(after[::-1], axis=0)[::-1]
    both = until[:, :, None] + beyond + np.log(believed)[None, :, None]
    largest = both.max()
    evidence = np.exp(both - largest).sum(axis=(1, 2))
    return int(evidence[1:].argmax()) + 1 if evidence.size > 1 else 0
