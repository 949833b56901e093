"""Types of arrays, and streams of random numbers."""

import hashlib

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

IntArray = NDArray[np.int64]

Positions = NDArray[np.int64]
"""Places of items in the item table."""

Features = NDArray[np.float32]
"""What a model says of items, (items, choices, width), or (items, 1, width)."""

Mask = NDArray[np.bool_]
"""Which choices an item has, (items, choices)."""

Correct = NDArray[np.bool_]
"""Whether test items were answered right, (seeds, test items) or (test items,)."""


_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def mixed(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that look drawn at random and depend on both, of any shapes that go together.

    The finaliser of splitmix64 (Steele, Lea, Flood 2014).
    """
    found = one + other * np.uint64(_MULTIPLIERS[0])
    for shift, multiplier in zip((30, 27), _MULTIPLIERS[1:], strict=True):
        found = (found ^ (found >> np.uint64(shift))) * np.uint64(multiplier)
    return np.asarray(found ^ (found >> np.uint64(31)))


def generator(purpose: str, seed: int, stratum: str) -> np.random.Generator:
    """A stream of its own for every purpose, seed and stratum."""
    digest = hashlib.sha256(f"{purpose}/{stratum}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
