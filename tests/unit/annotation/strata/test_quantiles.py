import math
from collections.abc import Sequence

import numpy as np
import pytest

from annotation.errors import InputError
from annotation.strata.bands import Strata
from annotation.strata.quantiles import lower_edge, quantile_strata, upper_edge


def sizes(values: Sequence[float], shares: tuple[float, ...]) -> list[int]:
    array = np.array(values, dtype=np.float64)
    strata = quantile_strata(array, "n", shares)
    names = strata.assign_values(array)
    return [int((names == name).sum()) for name in strata.names]


def test_without_ties_shares_are_what_was_asked() -> None:
    assert sizes(list(range(10)), (0.3, 0.7)) == [3, 4, 3]
    assert sizes(list(range(8)), (0.25, 0.5, 0.75)) == [2, 2, 2, 2]


def test_ties_stay_together_and_no_stratum_is_empty() -> None:
    # Cumulative shares at 1, 2, 3: 60, 70, 90 %; the nearest to 30 and 70 % are 60 and 70.
    assert sizes([1] * 6 + [2] + [3] * 2 + [4], (0.3, 0.7)) == [6, 1, 3]
    # Where both quantiles fall into one value, the edges lie on either side of it.
    assert sizes([1] + [2] * 8 + [3], (0.3, 0.7)) == [1, 8, 1]


def test_unknown_values_are_left_out() -> None:
    values = np.array([1, math.nan, 2, 3, 4, math.nan])
    assert quantile_strata(values, "n", (0.25, 0.75)) == Strata.easy_medium_hard("n", 1, 4)


def test_the_papers_quantiles_leave_strata_empty() -> None:
    # 30 % quantile 2, 70 % quantile 3: nothing lies between.
    values = np.array([1.0, 2, 2, 2, 2, 2, 3, 3, 3, 4])
    assert quantile_strata(values, "n", (0.3, 0.7), ties="outer") == Strata.easy_medium_hard(
        "n", 2, 3
    )
    assert sizes(values.tolist(), (0.3, 0.7)) == [1, 5, 4]


def test_too_many_ties_for_the_papers_quantiles() -> None:
    with pytest.raises(InputError, match=r"quantiles 0\.3 and 0\.7 are both 2: too many items"):
        quantile_strata(np.array([1.0, 2, 2, 2, 3]), "n", (0.3, 0.7), ties="outer")
    with pytest.raises(ValueError, match="two shares; got 1"):
        quantile_strata(np.arange(5, dtype=np.float64), "n", (0.3,), ties="outer")


@pytest.mark.parametrize("shares", [(), (0.0, 0.5), (0.5, 1.0), (0.5, 0.5), (math.nan,)])
def test_impossible_shares(shares: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="quantiles should increase within 0 and 1"):
        quantile_strata(np.arange(9, dtype=np.float64), "n", shares)


def test_edges_are_short() -> None:
    assert upper_edge(1.6950041108138623, 1.6983) == 1.696
    assert upper_edge(12.0, 23.0) == 12.0
    assert upper_edge(0.1234567, 0.1234568) == 0.1234567
    assert upper_edge(-1.6950041108138623, -1.69) == -1.69500  # rounded up still below -1.69
    assert lower_edge(1.69, 1.6950041108138623) == 1.695
    assert lower_edge(-3.0000001, 0.0) == 0.0
