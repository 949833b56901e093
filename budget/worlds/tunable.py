"""The texts behind a world's items, for models that read them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.models.source import ModelSource
from training.task import Task


@dataclass(frozen=True)
class TunableItems:
    """Items as texts, and the model that adapters are trained on.

    `positions` (items,) in the task of the world's items.
    """

    task: Task
    positions: NDArray[np.int64]
    source: ModelSource
