"""Log-probabilities of choices with what they may be divided by, in rows that can be kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array, Features
from training.scoring.choices import Normalisation
from training.scoring.encoding import EncodedItem

SUM, TOKENS, CHARACTERS = range(3)


@dataclass(frozen=True)
class ChoiceScores:
    """Of every item and choice its summed log-probability, its tokens and its characters.

    `rows` (items, 3, most choices) float32; zeros where an item has fewer choices.
    """

    rows: Features

    def by(self, normalisation: Normalisation) -> Array:
        """Scores of choices as `score_items` has them, (items, choices); -inf where there is none.

        "sum" is the sum itself; "token" and "character" divide it by how many the choice has.
        """
        rows = self.rows.astype(np.float64)
        there = rows[:, TOKENS] > 0
        lengths = {
            "sum": np.ones_like(rows[:, SUM]),
            "token": rows[:, TOKENS],
            "character": rows[:, CHARACTERS],
        }[normalisation]
        return np.where(there, rows[:, SUM] / np.maximum(lengths, 1), -np.inf)


def score_rows(items: Sequence[EncodedItem], log_probabilities: Array, most: int) -> Features:
    """Rows of `ChoiceScores` for these items, of log-probabilities (items, choices)."""
    rows = np.zeros((len(items), 3, most), dtype=np.float32)
    for row, item in enumerate(items):
        count = len(item.choices)
        rows[row, SUM, :count] = log_probabilities[row, :count]
        rows[row, TOKENS, :count] = [len(choice) for choice in item.choices]
        rows[row, CHARACTERS, :count] = item.characters
    return rows
