"""Cut a hardness measure into ordered strata, any number of bands under any names.

`annotation.strata.cut` makes them: the paper's cut-offs, quantiles, explicit edges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items.table import measures, no_such_measure

Side = Literal["easier", "harder"]


@dataclass(frozen=True)
class Edge:
    """Where one stratum ends and the next begins, in the unit of the measure.

    Items exactly at `value` belong to the band on the `ties` side.
    """

    value: float
    ties: Side = "easier"

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", float(self.value))  # 2 and 2.0 are one edge, one record

    @property
    def place(self) -> tuple[float, int]:
        """Edges in order; two at one value enclose the items exactly there."""
        return self.value, int(self.ties == "easier")


@dataclass(frozen=True)
class Strata:
    """Bands of a hardness measure, in order of hardness.

    Attributes
    ----------
    measure : the hardness measure that is cut
    names : (strata,) from the easiest to the hardest, all different
    edges : (strata - 1,) between neighbouring strata, increasing

    Raises InputError if there is no edge, one is not a finite number, they are not in order, or
    the names are not as many as the bands and all different.
    """

    measure: str
    names: tuple[str, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        where = f"strata of '{self.measure}'"
        if not self.edges:
            raise InputError(f"{where}: give at least one edge, for two strata.")
        for edge in self.edges:
            if not math.isfinite(edge.value):
                raise InputError(f"{where}: an edge is {edge.value}; give a number.")
        for first, second in pairwise(self.edges):
            if first.place >= second.place:
                raise InputError(
                    f"{where}: edges should increase; got {_plain(first.value)} before "
                    f"{_plain(second.value)}."
                )
        if not len(set(self.names)) == len(self.names) == len(self.edges) + 1:
            raise InputError(
                f"{where}: {len(self.edges)} edges make {len(self.edges) + 1} strata; name each, "
                f"all different; got {', '.join(self.names)}."
            )

    @classmethod
    def easy_medium_hard(cls, measure: str, easy_at_most: float, hard_at_least: float) -> Self:
        """The three bands of Hase et al. 2024 (arXiv:2401.06751).

        An item is easy where the measure is at most `easy_at_most`, hard where it is at least
        `hard_at_least`, medium between the two. Both bounds are in the unit of the measure.

        Raises InputError if a bound is not a finite number or the bands overlap.
        """
        for name, bound in (("easy_at_most", easy_at_most), ("hard_at_least", hard_at_least)):
            if not math.isfinite(bound):
                raise InputError(f"strata of '{measure}': {name} is {bound}; give a number.")
        if easy_at_most >= hard_at_least:
            raise InputError(
                f"strata of '{measure}': easy_at_most ({_plain(easy_at_most)}) should be below "
                f"hard_at_least ({_plain(hard_at_least)})."
            )
        edges = Edge(easy_at_most, "easier"), Edge(hard_at_least, "harder")
        return cls(measure, usual_names(3), edges)

    def named(self, names: Sequence[str]) -> Self:
        """The same bands under other names, (strata,).

        Raises InputError if they are not as many as the bands, all different.
        """
        return replace(self, names=tuple(names))

    def rule(self, name: str) -> str:
        """How a stratum is cut, for people: "steps <= 2", "2 < steps < 5", "steps >= 5".

        Raises InputError if there is no such stratum.
        """
        if name not in self.names:
            raise InputError(
                f"stratum '{name}' does not exist; choose one of {', '.join(self.names)}."
            )
        index = self.names.index(name)
        low = self.edges[index - 1] if index else None
        high = self.edges[index] if index < len(self.edges) else None
        if low is None:
            return f"{self.measure} {_upper(high)}"
        if high is None:
            return f"{self.measure} {'>' if low.ties == 'easier' else '>='} {_plain(low.value)}"
        lower = f"{_plain(low.value)} {'<' if low.ties == 'easier' else '<='}"
        return f"{lower} {self.measure} {_upper(high)}"

    def assign(self, items: pd.DataFrame) -> NDArray[np.object_]:
        """Name the stratum of every item, (items); "" where the measure is unknown.

        Raises InputError if the items have no such measure.
        """
        if self.measure not in measures(items):
            raise InputError(no_such_measure(items, self.measure))
        return self.assign_values(items[self.measure].to_numpy(dtype=np.float64))

    def assign_values(self, values: NDArray[np.float64]) -> NDArray[np.object_]:
        """Name the stratum of every value of the measure, (items); "" where it is NaN."""
        band = np.zeros(len(values), dtype=np.int64)
        for edge in self.edges:
            band += values > edge.value if edge.ties == "easier" else values >= edge.value
        names = np.array(self.names, dtype=object)[band]
        names[np.isnan(values)] = ""
        return names


def usual_names(bands: int) -> tuple[str, ...]:
    """What so many bands (at least 2) are called where nobody says otherwise.

    Two are easy and hard; those between are medium, or medium-1, medium-2 and so on.
    """
    between = bands - 2
    middle = [f"medium-{number}" for number in range(1, between + 1)] if between > 1 else ["medium"]
    return ("easy", *middle[:between], "hard")


def make_strata(measure: str, edges: Sequence[Edge]) -> Strata:
    """Strata cut at `edges`, under their usual names (`usual_names`).

    Raises InputError as `Strata` does.
    """
    return Strata(measure, usual_names(len(edges) + 1), tuple(edges))


def _upper(edge: Edge | None) -> str:
    assert edge is not None
    return f"{'<=' if edge.ties == 'easier' else '<'} {_plain(edge.value)}"


def _plain(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else repr(float(bound))
