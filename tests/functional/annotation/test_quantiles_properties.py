"""Cuts by quantiles: no stratum is empty, no tie divided, and no cut comes nearer to the shares."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.errors import InputError
from annotation.strata.quantiles import quantile_strata, upper_edge

VALUES = st.lists(st.integers(-4, 6) | st.floats(-50, 50), min_size=1, max_size=40)
SHARES = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4, unique=True).map(sorted)


@given(VALUES, SHARES)
def test_nearest_of_all_cuts(values: list[float], shares: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    distinct = np.unique(array)
    if distinct.size <= len(shares):
        with pytest.raises(InputError, match="need as many different values"):
            quantile_strata(array, "n", shares)
        return
    strata = quantile_strata(array, "n", shares)
    names = strata.assign_values(array)
    sizes = [int((names == name).sum()) for name in strata.names]
    assert len(strata.names) == len(shares) + 1
    assert min(sizes) > 0 and sum(sizes) == len(values)
    for value in distinct:
        assert len(set(names[array == value])) == 1
    order = [strata.names.index(name) for name in names[np.argsort(array)]]
    assert all(a <= b for a, b in pairwise(order))

    def distance(below: tuple[float, ...]) -> float:
        return float(sum(abs((array <= b).mean() - s) for b, s in zip(below, shares, strict=True)))

    best = min(map(distance, combinations(distinct[:-1], len(shares))))
    got = np.cumsum(sizes)[:-1] / len(values)
    assert np.abs(got - shares).sum() == pytest.approx(best)


@given(VALUES, st.tuples(st.floats(0.05, 0.45), st.floats(0.55, 0.95)))
def test_the_papers_cut_is_at_its_quantiles(
    values: list[float], shares: tuple[float, float]
) -> None:
    array = np.array(values, dtype=np.float64)
    low, high = np.quantile(array, shares)
    if low == high or np.unique(array).size < 3:
        with pytest.raises(InputError):
            quantile_strata(array, "n", shares, ties="outer")
        return
    names = quantile_strata(array, "n", shares, ties="outer").assign_values(array)
    assert ((names == "easy") == (array <= low)).all()
    assert ((names == "hard") == (array >= high)).all()


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e300))
def test_edges_stay_within_their_gap(last: float, gap: float) -> None:
    following = last + gap
    if following > last:
        assert last <= upper_edge(last, following) < following
