"""Measured and predicted hardness in one column: what a cut of both has to tell.

A prediction is drawn to the mean of the measure, so that few predicted items are extreme. Cut as
one scale, the outermost strata are filled with measured items, whatever the others are like.
"""

import numpy as np
import pandas as pd

from annotation.arrays import Mask
from annotation.items.table import IS_PREDICTED, ONE_SCALE
from annotation.strata.bands import Strata


def predicted_items(items: pd.DataFrame, measure: str) -> Mask:
    """Which items have a prediction for a measure, (items,).

    The column `MEASURE_is_predicted` says so. Where it is absent, those are predicted that have
    `MEASURE_low` below `MEASURE_high`.
    """
    told = measure + IS_PREDICTED
    low, high = f"{measure}_low", f"{measure}_high"
    if told in items:
        found = items[told].to_numpy(dtype=np.float64) > 0
    elif low in items and high in items:
        found = items[low].to_numpy(dtype=np.float64) < items[high].to_numpy(dtype=np.float64)
    else:
        found = np.zeros(len(items), dtype=bool)
    return np.asarray(found & items[measure].notna().to_numpy())


def mixed_scale_remark(items: pd.DataFrame, strata: Strata) -> str | None:
    """What to say where strata are cut from measured and predicted values; None where they are not.

    Raises InputError if the items have no such measure.
    """
    measure = strata.measure
    stratum_of = strata.assign(items)
    predicted = predicted_items(items, measure)
    measured = ~predicted & items[measure].notna().to_numpy()
    if not predicted.any() or not measured.any():
        return None
    hardest = strata.names[-1]
    shares = [float((stratum_of[there] == hardest).mean()) for there in (measured, predicted)]
    one_scale = measure + ONE_SCALE
    if one_scale in items:
        remedy = f"'{one_scale}' has all items on one scale: cut that"
    else:
        remedy = (
            f"'labelmix hardness --predict' writes a column '{one_scale}', which has all items on "
            "one scale: cut that"
        )
    return (
        f"strata mix measured and predicted hardness: '{measure}' is measured for "
        f"{measured.sum():,} items and predicted for {predicted.sum():,}. Predictions are drawn to "
        f"the mean, so that {shares[0]:.0%} of the measured items are in '{hardest}', and "
        f"{shares[1]:.0%} of the predicted; {remedy}, or measure the others too."
    )
