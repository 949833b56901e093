"""Cut a hardness measure into ordered strata.

`Strata` has the three bands of Hase et al. 2024 (arXiv:2401.06751); `OrderedStrata` any number.
`annotation.strata.cut` makes either: the paper's cut-offs, quantiles, explicit edges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items.table import measures

Side = Literal["easier", "harder"]


@dataclass(frozen=True)
class Edge:
    """Where one stratum ends and the next begins, in the unit of the measure.

    Items exactly at `value` belong to the band on the `ties` side.
    """

    value: float
    ties: Side = "easier"

    @property
    def place(self) -> tuple[float, int]:
        """Edges in order; two at one value enclose the items exactly there."""
        return self.value, int(self.ties == "easier")


class Bands:
    """What all ways of cutting share: names, rules and who is in which band."""

    measure: str

    @property
    def names(self) -> tuple[str, ...]:
        """The strata in order of hardness."""
        raise NotImplementedError

    @property
    def edges(self) -> tuple[Edge, ...]:
        """Edges between neighbouring strata, one fewer than there are strata."""
        raise NotImplementedError

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
            there = ", ".join(measures(items)) or "none"
            raise InputError(
                f"hardness measure '{self.measure}' is not in the items; they have: {there}."
            )
        return self.assign_values(items[self.measure].to_numpy(dtype=np.float64))

    def assign_values(self, values: NDArray[np.float64]) -> NDArray[np.object_]:
        """Name the stratum of every value of the measure, (items); "" where it is NaN."""
        band = np.zeros(len(values), dtype=np.int64)
        for edge in self.edges:
            band += values > edge.value if edge.ties == "easier" else values >= edge.value
        names = np.array(self.names, dtype=object)[band]
        names[np.isnan(values)] = ""
        return names


@dataclass(frozen=True)
class Strata(Bands):
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

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The items at a bound belong to the outer stratum."""
        return Edge(self.easy_at_most, "easier"), Edge(self.hard_at_least, "harder")


@dataclass(frozen=True)
class OrderedStrata(Bands):
    """Any number of bands of a hardness measure, cut at explicit edges.

    `cuts` (strata - 1,) are in order; `band_names` (strata,) run from easy to hard.

    Raises InputError if there is no edge, one is not a finite number, they are not in order, or
    the names are not as many as the bands and all different.
    """

    measure: str
    cuts: tuple[Edge, ...]
    band_names: tuple[str, ...]

    def __post_init__(self) -> None:
        where = f"strata of '{self.measure}'"
        if not self.cuts:
            raise InputError(f"{where}: give at least one edge, for two strata.")
        for edge in self.cuts:
            if not math.isfinite(edge.value):
                raise InputError(f"{where}: an edge is {edge.value}; give a number.")
        for first, second in pairwise(self.cuts):
            if first.place >= second.place:
                raise InputError(
                    f"{where}: edges should increase; got {_plain(first.value)} before "
                    f"{_plain(second.value)}."
                )
        if not len(set(self.band_names)) == len(self.band_names) == len(self.cuts) + 1:
            raise InputError(
                f"{where}: {len(self.cuts)} edges make {len(self.cuts) + 1} strata; name each, "
                f"all different; got {', '.join(self.band_names)}."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The strata in order of hardness."""
        return self.band_names

    @property
    def edges(self) -> tuple[Edge, ...]:
        """As given."""
        return self.cuts


def make_strata(measure: str, edges: Sequence[Edge]) -> Bands:
    """Strata cut at `edges`: `Strata` where these are its three bands, else `OrderedStrata`.

    Two strata are called easy and hard; those between the outer ones medium, or medium-1, medium-2
    and so on.

    Raises InputError as `OrderedStrata` does.
    """
    sides = [edge.ties for edge in edges]
    if sides == ["easier", "harder"] and edges[0].value < edges[1].value:
        return Strata(measure, edges[0].value, edges[1].value)
    between = len(edges) - 1
    if between > 1:
        middle = [f"medium-{number}" for number in range(1, between + 1)]
    else:
        middle = ["medium"] * between
    return OrderedStrata(measure, tuple(edges), ("easy", *middle, "hard"))


def _upper(edge: Edge | None) -> str:
    assert edge is not None
    return f"{'<=' if edge.ties == 'easier' else '<'} {_plain(edge.value)}"


def _plain(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else repr(float(bound))
