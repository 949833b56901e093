from collections.abc import Callable

import numpy as np
import pytest

from annotation.terms.cost import mix_cost
from budget.backtest.evidence import campaign_in
from budget.backtest.policies.candidates import (
    as_mix,
    candidate_purchases,
    choose,
    labels_bought,
    with_change,
)
from budget.worlds.world import World

Build = Callable[..., World]


def test_shares_of_the_money_left(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="9"), seed=0)
    market.buy({"easy": 1})
    # 8 is left; a hard label costs 2: shares of 1/50, rounded down on both sides.
    purchases = candidate_purchases(market)
    # [3, 2]: 23/50 of the money is 3.68, the rest 4.32
    assert all(own in purchases.tolist() for own in ([0, 4], [3, 2], [8, 0]))
    assert len(np.unique(purchases, axis=0)) == len(purchases)
    assert all(mix_cost(as_mix(market, own), market.terms) <= 8 for own in purchases)


def test_pools_end(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="100"), seed=0)
    market.buy({"easy": 2, "hard": 1})
    assert labels_bought(market).tolist() == [2, 1]
    assert candidate_purchases(market).max(0).tolist() == [10, 9]  # of 12 and 10 items


def test_the_cheapest_of_equals(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    purchases = np.array([[0, 4], [2, 1], [8, 0]])
    assert choose(market, purchases, np.array([0.7, 0.7, 0.6])).tolist() == [2, 1]
    assert choose(market, purchases, np.array([0.7, 0.7, 0.8])).tolist() == [8, 0]
    # Nothing speaks for any of them: 4 on each.
    assert choose(market, purchases, np.array([0.7, 0.7, 0.7])).tolist() == [4, 2]


@pytest.mark.parametrize(
    ("purchase", "more"),
    [
        ([3, 2], [3, 3]),  # costs 7 of 9: change for a hard label
        ([4, 2], [5, 2]),
        ([7, 0], [9, 0]),  # no stratum that is not bought
        ([2, 2], [2, 2]),  # 3 are left, the price of one label each: meant to be
    ],
)
def test_change_is_spent_on_what_is_bought(
    axes_world: Build, purchase: list[int], more: list[int]
) -> None:
    market = campaign_in(axes_world(budget="9"), seed=0)
    assert with_change(market, np.array(purchase)).tolist() == more


def test_change_does_not_exceed_a_pool(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="14"), seed=0)
    market.buy({"easy": 1})
    assert with_change(market, np.array([11, 0])).tolist() == [11, 0]
