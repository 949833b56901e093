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


def generator(purpose: str, seed: int, stratum: str) -> np.random.Generator:
    """A stream of its own for every purpose, seed and stratum."""
    digest = hashlib.sha256(f"{purpose}/{stratum}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
