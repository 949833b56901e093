"""What is known of the items that a supplier can be asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from budget.selection.doubt import expected_fall, with_predictions

_SUM_TO_ONE = 1e-6


@dataclass(frozen=True)
class AskableItems:
    """The items of one stratum, as one supplier can be asked about them.

    Attributes
    ----------
    item_ids : (items,), each once
    features : (items, width), what a model says of them; alike items are near each other
    posteriors : (items, choices), what judgments alone say, see `annotation.truth`; uniform over
        the item's choices where there is none
    choice_counts : (items,), at least 1
    given : (items,), judgments that were given or are on order, of all suppliers
    room : (items,), how many more this supplier can give; 0 where it has none left
    error_rate : share of this supplier's judgments that are wrong, from 0 to 1
    predictions : (items, choices), chances by a model that has not seen the item's own judgments,
        see `training.probes.out_of_fold`; None before there is a model

    Raises
    ------
    InputError
        If the error rate is not within 0 and 1.
    ValueError
        If shapes do not fit, an item occurs twice, or chances are none.
    """

    item_ids: Sequence[str]
    features: NDArray[np.floating]
    posteriors: Array
    choice_counts: IntArray
    given: IntArray
    room: IntArray
    error_rate: float
    predictions: Array | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.error_rate <= 1:
            raise InputError(f"error rate should be within 0 and 1; got {self.error_rate}.")
        count = len(self.item_ids)
        if len(set(self.item_ids)) != count:
            raise ValueError("'item_ids' should name every item once.")
        for name in ("choice_counts", "given", "room"):
            if getattr(self, name).shape != (count,) or np.any(getattr(self, name) < 0):
                raise ValueError(f"'{name}' should be ({count},), none below 0.")
        if self.features.ndim != 2 or len(self.features) != count:
            raise ValueError(f"'features' should be ({count}, width); got {self.features.shape}.")
        if not np.isfinite(self.features).all():
            raise ValueError("'features' should be finite numbers.")
        self._check_chances("posteriors", self.posteriors)
        if self.predictions is not None:
            self._check_chances("predictions", self.predictions)
            if self.predictions.shape != self.posteriors.shape:
                raise ValueError("'predictions' and 'posteriors' should be of one shape.")

    @property
    def is_new(self) -> NDArray[np.bool_]:
        """Which items nobody has been asked about and this supplier can be, (items,)."""
        return np.asarray((self.given == 0) & (self.room > 0))

    @cached_property
    def believed(self) -> Array:
        """What judgments and model say together, (items, choices)."""
        if self.predictions is None:
            return self.posteriors
        return with_predictions(self.posteriors, self.predictions)

    @cached_property
    def falls(self) -> Array:
        """Expected fall of doubt by one more judgment of every item, (items,)."""
        return expected_fall(self.believed, self.choice_counts, self.error_rate)

    def _check_chances(self, name: str, chances: Array) -> None:
        """Raise ValueError unless these are chances of the items' choices, (items, choices)."""
        if chances.ndim != 2 or len(chances) != len(self.item_ids):
            raise ValueError(f"'{name}' should be ({len(self.item_ids)}, choices).")
        absent = np.arange(chances.shape[1]) >= self.choice_counts[:, None]
        sums = np.abs(chances.sum(axis=1) - 1)
        # Written so that NaN fails.
        if not (np.all(chances >= 0) and np.all(sums <= _SUM_TO_ONE) and not chances[absent].any()):
            raise ValueError(f"'{name}' should be chances of each item's choices, adding up to 1.")
