"""Machines of which everything is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.items.validate import validate_items
from annotation.machines.labels import MachineLabels

CHOICES = ["yes", "no", "perhaps"]


def machine_labels(
    count: int = 400, seed: int = 0, wrong: float = 0.2, sure: bool = True, **changes: Any
) -> MachineLabels:
    """People's answers are drawn; the machine errs more often the less sure it is."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 3, count)
    confidence = rng.choice([0.6, 0.8, 0.9, 0.99], count)
    chance = np.clip(wrong * (1 - confidence) / 0.1775, 0, 1) if sure else np.full(count, wrong)
    errs = rng.random(count) < chance
    said = np.where(errs, (people + rng.integers(1, 3, count)) % 3, people)
    items = pd.DataFrame(
        {
            "item_id": [f"q{k}" for k in range(count)],
            "question": [f"Is it {k}?" for k in range(count)],
            "choices": [CHOICES] * count,
        }
    )
    given = {
        "items": validate_items(items, "here", require_answers=False),
        "said": said,
        "confidence": confidence,
        "people": people,
        "strata": np.where(np.arange(count) % 2, "odd", "even").astype(object),
    }
    return MachineLabels(**(given | changes))


@pytest.fixture
def make_machine() -> Callable[..., MachineLabels]:
    return machine_labels
