"""A hardness measure in numbers: its distribution, its strata, its correlations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.cutting import PAPER_CUTS, cut_items
from annotation.errors import InputError
from annotation.hardness.measure import OF_TEXTS
from annotation.hardness.registry import MEASURES
from budget.hardness_result import Bin, MeasureResult, Prediction, StratumResult

Array = NDArray[np.float64]
MOST_BARS = 12


def describe_measure(
    name: str,
    items: pd.DataFrame,
    source: str,
    cut: str | None,
    prediction: Prediction | None,
    remarks: Sequence[str],
) -> MeasureResult:
    """Distribution and strata of one measure; where it cannot be cut so, a remark says why.

    `cut` as for `annotation.cutting.read_cut`; None: the paper's where the items are from one of
    its data sets (`source`) and it used the measure, else three strata of like size.
    """
    values = items[name].to_numpy(dtype=np.float64)
    known = values[~np.isnan(values)]
    by_paper = (source, name) in PAPER_CUTS or (bool(source) and name in OF_TEXTS)
    cut = cut or ("paper" if by_paper else "quantiles:3")
    strata: list[StratumResult] = []
    told = list(remarks)
    try:
        _, sizes = cut_items(cut, name, items, source)
    except InputError as error:
        told.append(str(error))
    else:
        strata = [
            StratumResult(name=s.name, rule=s.rule, items=s.items, share=s.share)
            for s in sizes.strata
        ]
        told += sizes.remarks
    return MeasureResult(
        name=name,
        family=MEASURES[name].family if name in MEASURES else None,
        meaning=MEASURES[name].meaning if name in MEASURES else None,
        known=known.size,
        minimum=known_number(known.min()) if known.size else None,
        median=known_number(np.median(known)) if known.size else None,
        maximum=known_number(known.max()) if known.size else None,
        histogram=histogram(known),
        cut=cut,
        strata=strata,
        prediction=prediction,
        remarks=told,
    )


def histogram(known: Array) -> list[Bin]:
    """Counts of a measure: one bar a value where there are few, else bars of equal width."""
    distinct, counts = np.unique(known, return_counts=True)
    if distinct.size <= MOST_BARS:
        return [Bin(low=float(value), high=float(value), items=int(count))
                for value, count in zip(distinct, counts, strict=True)]  # fmt: skip
    counts, edges = np.histogram(known, bins=MOST_BARS)
    return [
        Bin(low=float(low), high=float(high), items=int(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


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
