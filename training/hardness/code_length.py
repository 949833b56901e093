"""Minimum description length by online codes (Voita and Titov 2020, arXiv:2003.12298, section 3.2).

Labels are sent block by block. The first block costs log2(choices) a label; every further one is
coded by a probe that was trained on all before it, and costs -log2 of the probability that the
probe gives to the label. The blocks end at .1, .2, .4, .8, 1.6, 3.2, 6.25, 12.5, 25, 50 and 100 %
of the items. A label's bits say how hard it is to learn from the others.

What a label costs depends on when it is sent, so the code is repeated for several orders: one
random order, and rotations of it by equal parts, so that every item stands once in each part of it.
Items of a group are sent together and in one block: no probe codes a label whose group it has seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Features, IntArray, Mask
from annotation.errors import InputError
from annotation.groups import group_numbers, together
from training.hardness.chances import check_probed, gold_log_chances
from training.probes.probe import ProbeJob, fit_probes
from training.progress import Progress

FRACTIONS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)
PENALTIES = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
FEWEST_ITEMS = 10


@dataclass(frozen=True)
class OnlineCode:
    """What it costs to send all labels.

    Attributes
    ----------
    bits : (items,), the mean over the orders of what each label costs
    uniform_bits : what all labels cost without a model, the sum of log2(choices)
    """

    bits: Array
    uniform_bits: float

    @property
    def total_bits(self) -> float:
        """Length of the whole code, the mean over the orders."""
        return float(self.bits.sum())

    @property
    def compression(self) -> float:
        """How many times shorter than without a model; at most 1 if features tell nothing."""
        return self.uniform_bits / self.total_bits if self.total_bits > 0 else float("inf")


def online_code(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    orders: int = 8,
    seed: int = 0,
    progress: Progress = lambda _done, _total: None,
    groups: Sequence[object] | None = None,
) -> OnlineCode:
    """Code labels online, by probes of `training.probes.probe`.

    Parameters
    ----------
    features
        (items, choices, width); choices is 1 for classification.
    mask
        Which choices an item has, (items, choices).
    answers
        Labels, (items,).
    orders
        Rotations of one random order; more make the bits of single items surer.
    seed
        Of the order.
    progress
        Called with the probes done and their number.
    groups
        Cluster of every item, (items,); None: each its own. Blocks end with a cluster.

    Raises
    ------
    InputError
        If there are fewer than 10 items.
    ValueError
        If shapes differ, an item has no gold answer, features are not finite, or `orders` is below
        1.
    """
    check_probed(features, mask, answers)
    count = len(answers)
    if count < FEWEST_ITEMS:
        raise InputError(f"code length: needs at least {FEWEST_ITEMS} items; got {count}.")
    if orders < 1:
        raise ValueError(f"'orders' should be at least 1; got {orders}.")
    group = np.arange(count) if groups is None else group_numbers(groups)
    order = together(np.random.default_rng([seed, 0xC0DE]).permutation(count), group)
    starts = np.append(0, _group_ends(order, group))
    parts = [starts[np.searchsorted(starts, -(-count * turn // orders))] for turn in range(orders)]
    rotations = [np.roll(order, -start) for start in parts]
    all_ends = [_whole_blocks(rotation, group) for rotation in rotations]
    targets = np.eye(mask.shape[1])[answers]
    # Rows stay in random order: a fit chooses its penalty in folds that go by position.
    jobs = [
        ProbeJob(rotation[:end], targets[rotation[:end]])
        for rotation, ends in zip(rotations, all_ends, strict=True)
        for end in ends[:-1]
    ]
    probes = iter(fit_probes(features, mask, jobs, PENALTIES, progress=progress, groups=group))
    uniform = np.log2(mask.sum(1))
    bits = np.zeros(count)
    for rotation, ends in zip(rotations, all_ends, strict=True):
        first = rotation[: ends[0]]
        bits[first] += uniform[first]
        for start, end in pairwise(ends):
            block = rotation[start:end]
            chances = gold_log_chances([next(probes)], features[block], mask[block], answers[block])
            bits[block] -= chances[0] / np.log(2)
    return OnlineCode(bits / orders, float(uniform.sum()))


def block_ends(count: int) -> list[int]:
    """Where blocks of `count` labels end, in order, the last at `count`."""
    return sorted({max(1, round(fraction * count)) for fraction in FRACTIONS})


def _group_ends(order: IntArray, group: IntArray) -> IntArray:
    """Where the groups of an order end, in order, the last at its own end."""
    return np.append(np.flatnonzero(np.diff(group[order])) + 1, order.size)


def _whole_blocks(order: IntArray, group: IntArray) -> list[int]:
    """The ends of `block_ends`, each moved on to where its last group ends."""
    ends = _group_ends(order, group)
    return sorted({int(ends[np.searchsorted(ends, end)]) for end in block_ends(order.size)})
