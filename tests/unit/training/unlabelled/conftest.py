from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.probes.probe import LinearProbe
from training.unlabelled.rehearsal import Known

NONE = Known(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))


@dataclass(frozen=True)
class Clusters:
    """400 items of two classes by turns, at -3 and 3 on one axis; the probe knows which is which.

    The first hundred are taught.
    """

    features: NDArray[np.float32]
    mask: NDArray[np.bool_]
    answers: NDArray[np.int64]
    probe: LinearProbe

    def guesser(self, alike: NDArray[np.int64]) -> dict[str, Any]:
        """What a guesser is made of."""
        return {
            "features": self.features,
            "mask": self.mask,
            "taught": np.arange(100),
            "answers": self.answers[:100],
            "probe": self.probe,
            "alike": alike,
        }


@pytest.fixture
def clusters() -> Clusters:
    rng = np.random.default_rng(0)
    answers = np.arange(400) % 2
    features = (6.0 * answers - 3 + rng.standard_normal(400))[:, None, None].astype(np.float32)
    probe = LinearProbe(
        mean=np.zeros(1),
        scale=np.ones(1),
        weights=np.array([[-1.0], [1.0]]),
        intercepts=np.zeros(2),
        penalty=0.1,
    )
    return Clusters(features, np.ones((400, 2), dtype=bool), answers, probe)
