"""What trains a world's models, whatever they are: probes or adapters."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from budget.backtest.lending import Lender, Rehearsing
from budget.backtest.market import Market
from budget.backtest.offers import TrainingSet
from training.probes.reading import Reading
from training.probes.rehearsed import Rehearsed

Correct = NDArray[np.bool_]


class Looker(Protocol):
    """What is seen in items for sale before they are labelled."""

    @property
    def readings(self) -> list[Reading]:
        """What is read in unlabelled items; none where nothing reads."""

    def rehearse(self, asked: Sequence[tuple[Market, Rehearsing]]) -> list[list[list[Rehearsed]]]:
        """For every asking market and every mix that it wants, results by seed; may be none."""


class Trainer(Protocol):
    """Trains on purchases of one world and tests on its target's test set.

    `lender` lends labels of test items, `halves` looks at what is for sale.
    """

    @property
    def lender(self) -> Lender: ...

    @property
    def halves(self) -> Looker: ...

    def correct(self, sets: Sequence[TrainingSet]) -> Correct:
        """Whether each test item is answered right, (sets, test items)."""

    def market(self, seed: int) -> Market:
        """A market whose purchases this trains on."""
