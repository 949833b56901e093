"""A hardness measure in numbers: its distribution, its strata, its correlations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.hardness.result import (
    Bin,
    MeasureResult,
    PredictionSummary,
    StratumResult,
)
from annotation.arrays import Array
from annotation.errors import InputError
from annotation.hardness.measure import OF_TEXTS
from annotation.hardness.registry import MEASURES
from annotation.strata.cut import PAPER_CUTS, cut_items
from annotation.strata.mixed_scale import mixed_scale_remark

MOST_BARS = 12


@dataclass(frozen=True)
class Described:
    """A measure in numbers, and the stratum of every item, (items,); "" where it is in none."""

    result: MeasureResult
    strata: NDArray[np.object_]


def describe_measure(
    name: str,
    items: pd.DataFrame,
    source: str,
    cut: str | None,
    prediction: PredictionSummary | None,
    remarks: Sequence[str],
    names: Sequence[str] = (),
) -> Described:
    """Distribution and strata of one measure; where it cannot be cut so, a remark says why.

    `cut` as for `annotation.strata.cut.read_cut`; None: the paper's where the items are from one of
    its data sets (`source`) and it used the measure, else three strata of like size, or two of a
    measure with two values. `names` are those of the strata; empty: the usual ones.
    """
    values = items[name].to_numpy(dtype=np.float64)
    known = values[~np.isnan(values)]
    cut = cut or default_cut(name, items, source)
    strata: list[StratumResult] = []
    assigned: NDArray[np.object_] = np.full(len(items), "", dtype=object)
    told = list(remarks)
    if known.size and known.min() == known.max():
        told.append(f"it is {known[0]:.4g} for every item, and tells none from another.")
    try:
        bands, sizes = cut_items(cut, name, items, source, names)
    except InputError as error:
        told.append(str(error))
    else:
        assigned = bands.assign(items)
        strata = [
            StratumResult(name=s.name, rule=s.rule, items=s.items, share=s.share)
            for s in sizes.strata
        ]
        told += sizes.remarks
        mixed = mixed_scale_remark(items, bands)
        told += [] if mixed is None else [mixed]
    result = MeasureResult(
        name=name,
        family=MEASURES[name].family if name in MEASURES else None,
        meaning=MEASURES[name].meaning if name in MEASURES else None,
        known=known.size,
        minimum=known_number(known.min()) if known.size else None,
        median=known_number(np.median(known)) if known.size else None,
        maximum=known_number(known.max()) if known.size else None,
        histogram=histogram(known),
        cut=cut,
        stratum_column=None,
        strata=strata,
        prediction=prediction,
        remarks=told,
    )
    return Described(result, assigned)


def default_cut(name: str, items: pd.DataFrame, source: str) -> str:
    """How a measure is cut unless somebody says how, see `describe_measure`."""
    if (source, name) in PAPER_CUTS or (source and name in OF_TEXTS):
        return "paper"
    return "quantiles:2" if items[name].nunique() == 2 else "quantiles:3"


def histogram(known: Array) -> list[Bin]:
    """Counts of a measure: one bar a value where there are few, else bars of equal width.

    Bars of whole numbers hold as many of them each, from `low` up to and including `high`.
    """
    distinct, counts = np.unique(known, return_counts=True)
    if distinct.size <= MOST_BARS:
        return [Bin(low=float(value), high=float(value), items=int(count))
                for value, count in zip(distinct, counts, strict=True)]  # fmt: skip
    edges = _bar_edges(known)
    counts, _ = np.histogram(known, bins=edges)
    beyond = 0 if (known % 1).any() else 1
    return [
        Bin(low=float(low), high=float(high) - beyond, items=int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _bar_edges(known: Array) -> Array:
    """Ends of the bars, each one's end the next one's beginning."""
    low, high = known.min(), known.max()
    if (known % 1).any():
        return np.linspace(low, high, MOST_BARS + 1)
    step = np.ceil((high - low + 1) / MOST_BARS)
    return np.asarray(low + step * np.arange(np.ceil((high - low + 1) / step) + 1))


def spearman_matrix(columns: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """Rank correlations over the items that have both measures; None where one is constant."""
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = columns.corr(method="spearman", min_periods=3)
    return {
        str(row): {str(column): known_number(value) for column, value in values.items()}
        for row, values in matrix.to_dict("index").items()
    }


def known_number(value: float) -> float | None:
    """The number, or None for one that is not finite, which JSON could not hold."""
    return float(value) if np.isfinite(value) else None
