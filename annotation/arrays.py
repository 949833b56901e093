"""Types of arrays, and streams of random numbers."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    pass


Array = NDArray[np.float64]


IntArray = NDArray[np.int64]


Positions = NDArray[np.int64]


def generator(purpose: str, seed: int, stratum: str) -> np.random.Generator:
    """A stream of its own for every purpose, seed and stratum."""
    digest = hashlib.sha256(f"{purpose}/{stratum}".encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
