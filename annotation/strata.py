"""Cut a hardness measure into ordered strata."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items import measures


@dataclass(frozen=True)
class Strata:
    """Three bands of a hardness measure: easy, medium, hard.

    An item is easy where the measure is at most `easy_at_most`, hard where it is at least
    `hard_at_least`, medium between the two. Both bounds are in the unit of the measure.

    Raises InputError if a bound is not a finite number or the bands overlap.
    """

    measure: str
    easy_at_most: float
    hard_at_least: float

    def __post_init__(self) -> None:
        for name in ("easy_at_most", "hard_at_least"):
            bound = getattr(self, name)
            if not math.isfinite(bound):
                raise InputError(f"strata of '{self.measure}': {name} is {bound}; give a number.")
        if self.easy_at_most >= self.hard_at_least:
            raise InputError(
                f"strata of '{self.measure}': easy_at_most ({_plain(self.easy_at_most)}) should "
                f"be below hard_at_least ({_plain(self.hard_at_least)})."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The strata in order of hardness."""
        return ("easy", "medium", "hard")

    def rule(self, name: str) -> str:
        """How a stratum is cut, for people: "steps <= 2", "2 < steps < 5", "steps >= 5".

        Raises InputError if there is no such stratum.
        """
        low, high = _plain(self.easy_at_most), _plain(self.hard_at_least)
        rules = {
            "easy": f"{self.measure} <= {low}",
            "medium": f"{low} < {self.measure} < {high}",
            "hard": f"{self.measure} >= {high}",
        }
        if name not in rules:
            raise InputError(f"stratum '{name}' does not exist; choose one of {', '.join(rules)}.")
        return rules[name]

    def assign(self, items: pd.DataFrame) -> NDArray[np.object_]:
        """Name the stratum of every item, (items); "" where the measure is unknown.

        Raises InputError if the items have no such measure.
        """
        if self.measure not in measures(items):
            there = ", ".join(measures(items)) or "none"
            raise InputError(
                f"hardness measure '{self.measure}' is not in the items; they have: {there}."
            )
        values = items[self.measure].to_numpy(dtype=np.float64)
        names = np.full(len(values), "", dtype=object)
        names[values <= self.easy_at_most] = "easy"
        names[(values > self.easy_at_most) & (values < self.hard_at_least)] = "medium"
        names[values >= self.hard_at_least] = "hard"
        return names


def _plain(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else repr(float(bound))
