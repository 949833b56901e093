from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from annotation.errors import InputError
from budget.backtest.evidence import campaign_in
from budget.campaign.campaign import PurchaseRefusedError
from budget.worlds.world import World
from tests.markets import sold

Build = Callable[..., World]


def test_a_purchase_is_paid(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    market.buy({"easy": 3, "hard": 2})
    assert market.bought == {"easy": 3, "hard": 2}
    assert (market.cost, market.money_left) == (Decimal(7), Decimal(1))
    assert (market.affordable("easy"), market.affordable("hard")) == (1, 0)


@pytest.mark.parametrize(
    ("mix", "why"),
    [
        ({"easy": 9}, "costs 9; 8 is left"),
        ({"easy": 1, "hard": 4}, "costs 9"),
        ({"easy": -1}, "whole and not negative"),
        ({"medium": 1}, "no terms"),
    ],
)
def test_a_refused_purchase_changes_nothing(
    axes_world: Build, mix: dict[str, int], why: str
) -> None:
    market = campaign_in(axes_world(budget="8"), seed=0)
    with pytest.raises(PurchaseRefusedError, match=why):
        market.buy(mix)
    assert market.money_left == 8
    assert market.rounds == 0


def test_an_empty_pool_is_refused(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="100"), seed=0)
    market.buy({"hard": 10})
    assert market.affordable("hard") == 0
    with pytest.raises(PurchaseRefusedError, match="0 left"):
        market.buy({"hard": 1})


def test_cents_add_up(axes_world: Build) -> None:
    market = campaign_in(axes_world(budget="0.3", easy=("0.1", 0.0)), seed=0)
    for _ in range(3):
        market.buy({"easy": 1})
    assert market.money_left == 0


def test_only_what_was_bought_can_be_seen(axes_world: Build) -> None:
    market = campaign_in(axes_world(), seed=0)
    market.buy({"easy": 2})
    assert len(market.bought_of("easy")) == 2
    assert len(market.bought_of("hard")) == 0
    with pytest.raises(PurchaseRefusedError, match="place 2"):
        market.chosen({"easy": np.array([0, 2])})


def test_a_smaller_purchase_begins_a_larger_one(axes_world: Build) -> None:
    world = axes_world(easy=("1", 0.5))
    small, large = sold(world, 3, {"easy": 4}), sold(world, 3, {"easy": 9, "hard": 2})
    np.testing.assert_array_equal(small.positions, large.positions[:4])
    np.testing.assert_array_equal(small.labels, large.labels[:4])
    assert len(set(large.positions)) == 11


def test_labels_are_wrong_at_the_stated_rate_only(axes_world: Build) -> None:
    world = axes_world(hard=("2", 1.0))
    items = world.items
    bought = [sold(world, seed, {"easy": 12, "hard": 10}) for seed in range(200)]
    wrong = np.stack([own.labels != items.answers[own.positions] for own in bought])
    assert not wrong[:, :12].any()
    assert 0.45 < wrong[:, 12:].mean() < 0.55  # redrawn among two choices


def test_no_more_labels_than_items(axes_world: Build) -> None:
    with pytest.raises(InputError, match="11 labels wanted, 10 items there"):
        sold(axes_world(), 0, {"hard": 11})
