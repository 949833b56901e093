"""Where all easy and all hard labels are expected to do equally well."""

import numpy as np
from numpy.typing import NDArray

from budget.simulate.result import AxisRecord, BreakEven


def break_even(x: AxisRecord, y: AxisRecord, difference: NDArray[np.float64]) -> list[BreakEven]:
    """Per value of y the places along x, on the straight line between cells on the axis's scale.

    `difference` (y, x) is the expected accuracy of all easy minus that of all hard.
    """
    values = np.array(x.values)
    scaled = np.log(values) if x.scale == "log" else values
    found = []
    for y_value, row in zip(y.values, difference, strict=True):
        better = row >= 0
        changes = np.flatnonzero(better[1:] != better[:-1])
        way = row[changes] / (row[changes] - row[changes + 1])
        places = scaled[changes] + way * (scaled[changes + 1] - scaled[changes])
        if x.scale == "log":
            places = np.exp(places)
        found.append(
            BreakEven(
                y=y_value,
                x=[float(f"{place:.6g}") for place in places],
                easy_from_here=better[changes + 1].tolist(),
                easy_at_the_end=bool(better[-1]),
            )
        )
    return found
