"""How long labels take: breaks recognised, impossible times named."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray
from annotation.errors import InputError
from annotation.intervals import (
    CONFIDENCE,
    NOTHING,
    Interval,
    Scope,
    median_interval,
    ratio_interval,
)

IDLE_CAP = 600.0  # seconds
FLOOR = 1.0  # seconds
_LONG_QUANTILE = 0.95
_ROUNDING = 1.0  # seconds by which time stamps and durations may disagree


@dataclass(frozen=True)
class WorkTime:
    """Seconds of work on some judgments.

    `median` and `mean` are of one judgment that ended in a label; `with_cancelled` is all the work,
    cancelled judgments included, over the number of labels. `timed` judgments have a known time,
    of which `idle` ones lasted longer than the idle cap.
    """

    median: Interval
    mean: Interval
    with_cancelled: Interval
    timed: int
    untimed: int
    idle: int
    cancelled: int


@dataclass(frozen=True)
class TimeWarning:
    """Judgments of one annotator whose times cannot be right."""

    annotator: str
    judgments: int
    of: int
    problem: str
    example: str  # a source_id

    def __str__(self) -> str:
        return (
            f"{self.annotator}: {self.judgments:,} of {self.of:,} judgments {self.problem}, for "
            f"example {self.example}"
        )


class Timing:
    """The times of a judgment table.

    A time above the idle cap is a break; how long the work itself took is not known, only that it
    was probably long. It counts as the 95 % quantile of the stratum's times up to the cap
    (winsorised: Tukey 1962, Annals of Mathematical Statistics 33). Counting it as the cap itself
    would let 1 % of breaks add a fifth to a mean of half a minute.

    Parameters
    ----------
    judgments
        A valid judgment table.
    idle_cap
        Seconds above which a judgment contains a break.
    floor
        Seconds below which nobody can have read an item.
    scope, confidence
        Of the intervals, see `annotation.intervals`.

    Raises
    ------
    InputError
        If the idle cap is not above the floor, or the floor is negative.
    """

    def __init__(
        self,
        judgments: pd.DataFrame,
        idle_cap: float = IDLE_CAP,
        floor: float = FLOOR,
        scope: Scope = "like_these",
        confidence: float = CONFIDENCE,
    ) -> None:
        if not 0 <= floor < idle_cap < np.inf:
            raise InputError(
                f"the idle cap should be above the floor; got a cap of {idle_cap:g} s and a floor "
                f"of {floor:g} s."
            )
        self.judgments = judgments
        self.idle_cap, self.floor = idle_cap, floor
        self.scope: Scope = scope
        self.confidence = confidence
        self.item = pd.factorize(judgments["item_id"].to_numpy(dtype=object))[0]
        self.annotator, names = pd.factorize(judgments["annotator"].to_numpy(dtype=object))
        self.annotators = np.asarray(names, dtype=object)
        self.labelled = ~judgments["cancelled"].to_numpy()
        self.raw = judgments["seconds"].to_numpy()
        self.is_idle = self.raw > idle_cap

    @cached_property
    def seconds(self) -> Array:
        """Seconds of work on every judgment, breaks replaced; NaN where unknown, (judgments,)."""
        seconds: Array = self.raw.copy()
        stratum = pd.factorize(self.judgments["stratum"].to_numpy(dtype=object))[0]
        for code in np.unique(stratum[self.is_idle]):
            own = stratum == code
            worked = self.raw[own & (self.raw <= self.idle_cap)]
            usual = np.quantile(worked, _LONG_QUANTILE) if worked.size else self.idle_cap
            seconds[own & self.is_idle] = usual
        return seconds

    def work(self, chosen: NDArray[np.bool_] | None = None) -> WorkTime:
        """The times of chosen judgments, (judgments,) of the table; by default of all."""
        places = np.arange(len(self.raw)) if chosen is None else np.flatnonzero(chosen)
        return self._work(places, self.scope)

    def by_annotator(self) -> list[WorkTime]:
        """The times of every annotator, in the order of `annotators`."""
        return [self._work(places, "these") for places in self.places()]

    def places(self) -> list[IntArray]:
        """The rows of every annotator in the table, in the order of `annotators`."""
        order = np.argsort(self.annotator, kind="stable")
        ends = np.cumsum(np.bincount(self.annotator, minlength=len(self.annotators)))
        return np.split(order, ends[:-1])

    def _work(self, places: IntArray, scope: Scope) -> WorkTime:
        timed = places[~np.isnan(self.raw[places])]
        labelled = timed[self.labelled[timed]]
        seconds = self.seconds
        clusters = (self.item[labelled], self.annotator[labelled], scope, self.confidence)
        median = median_interval(seconds[labelled], *clusters) if labelled.size else NOTHING
        mean = ratio_interval(seconds[labelled], np.ones(labelled.size), *clusters)
        with_cancelled = ratio_interval(
            seconds[timed],
            self.labelled[timed].astype(np.float64),
            self.item[timed],
            self.annotator[timed],
            scope,
            self.confidence,
        )
        return WorkTime(
            median=median,
            mean=mean,
            with_cancelled=with_cancelled,
            timed=int(timed.size),
            untimed=int(places.size - timed.size),
            idle=int(self.is_idle[places].sum()),
            cancelled=int((~self.labelled[places]).sum()),
        )

    @cached_property
    def warnings(self) -> list[TimeWarning]:
        """Impossible times, annotator by annotator, the most frequent first.

        A judgment with a label is impossible below the floor; and any that lasted longer than the
        time since its annotator's previous one was handed in, unless it was edited later: then its
        seconds are those of the edit too. Of who mostly took longer than the idle cap nothing is
        known: his times may be in another unit.
        """
        too_short = self.labelled & (self.raw < self.floor)
        found = self._warnings(too_short, f"took less than {self.floor:g} s")
        found += self._warnings(
            self._overlapping(), "took longer than the time since the one before"
        )
        found += self._warnings(
            self.is_idle & self._is_mostly_idle()[self.annotator],
            f"took longer than the idle cap of {self.idle_cap / 60:g} minutes (are these "
            "seconds, or milliseconds?)",
        )
        return sorted(found, key=lambda warning: (-warning.judgments, warning.annotator))

    def _is_mostly_idle(self) -> NDArray[np.bool_]:
        """Annotators, (annotators,), more than half of whose times are above the idle cap."""
        many = len(self.annotators)
        timed = np.bincount(self.annotator[~np.isnan(self.raw)], minlength=many)
        idle = np.bincount(self.annotator[self.is_idle], minlength=many)
        return np.asarray(2 * idle > timed)

    def _overlapping(self) -> NDArray[np.bool_]:
        created = self.judgments["created_at"]
        known = np.flatnonzero(created.notna().to_numpy())
        stamp = created.iloc[known].dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        order = np.lexsort((stamp, self.annotator[known]))
        rows = known[order]
        gap = np.diff(stamp[order].astype(np.int64)) / 1e6
        same = self.annotator[rows[1:]] == self.annotator[rows[:-1]]
        # Time stamps that are all the same were given by an import, not by work.
        is_stamp = gap > 0
        late = self.judgments["updated_at"] - created
        edited = (late.dt.total_seconds() > _ROUNDING).to_numpy()
        overlapping = np.zeros(len(self.raw), dtype=bool)
        overlapping[rows[1:]] = (
            same & is_stamp & ~edited[rows[1:]] & (self.raw[rows[1:]] > gap + _ROUNDING)
        )
        return overlapping

    def _warnings(self, wrong: NDArray[np.bool_], problem: str) -> list[TimeWarning]:
        rows = np.flatnonzero(wrong)
        counts = np.bincount(self.annotator[rows], minlength=len(self.annotators))
        of = np.bincount(self.annotator, minlength=len(self.annotators))
        first = dict(zip(self.annotator[rows[::-1]].tolist(), rows[::-1].tolist(), strict=True))
        source_ids = self.judgments["source_id"]
        return [
            TimeWarning(
                str(self.annotators[code]),
                int(counts[code]),
                int(of[code]),
                problem,
                str(source_ids.iloc[row]),
            )
            for code, row in first.items()
        ]
