"""Break-even points of surfaces on which they follow from the formula."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from budget.decision.flips import compare_side
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.plan import PlanSearch
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]
MONEY = Decimal(20_000)


def search(surface: ResponseSurface, hard_redraw: float = 0.0) -> PlanSearch:
    offers = (
        Offer("easy", "crowd", 1, Decimal(1), 0.0),
        Offer("hard", "crowd", 1, Decimal(2), hard_redraw),
    )
    items = {"easy": 10**6, "hard": 10**6}
    return PlanSearch(surface, Market(("easy", "hard"), offers, items))


def test_the_price_at_which_the_other_is_better_is_the_exchange_rate(make_surface: Surface) -> None:
    side = compare_side(search(make_surface({"easy": 0.6})), "easy", MONEY)
    assert side is not None
    assert (side.stratum, side.target, side.probability_better) == ("easy", "hard", 1.0)
    assert (side.cost, side.cost_ratio.now) == (1.0, 0.5)
    assert side.cost_ratio.at == pytest.approx(0.6, rel=2e-3)


def test_the_error_rate_at_which_the_other_is_better(make_surface: Surface) -> None:
    # At half the price .6 c^2 = .5: c = .91287.
    side = compare_side(search(make_surface({"easy": 0.6})), "easy", MONEY)
    assert side is not None
    assert (side.redraw_rate.now, side.noise_ratio) == (0.0, None)
    assert side.redraw_rate.at == pytest.approx(1 - 0.91287, abs=1e-3)
    # Against hard labels of which a tenth is redrawn: .6 c^2 = .5 .81.
    noisy = compare_side(search(make_surface({"easy": 0.6}), 0.1), "easy", MONEY)
    assert noisy is not None and noisy.redraw_rate.at is not None
    assert noisy.redraw_rate.at == pytest.approx(1 - 0.82158, abs=1e-3)
    assert noisy.noise_ratio == pytest.approx(noisy.redraw_rate.at / 0.1)


def test_the_targets_error_rate_at_which_the_other_is_better(make_surface: Surface) -> None:
    # .4 < .5 c^2 until c = .89443; better easy labels stay better however hard ones err.
    side = compare_side(search(make_surface({"easy": 0.4})), "easy", MONEY)
    assert side is not None
    assert (side.target_redraw_rate.now, side.redraw_rate.at) == (0.0, None)
    assert side.target_redraw_rate.at == pytest.approx(1 - 0.89443, abs=1e-3)
    better = compare_side(search(make_surface({"easy": 0.6})), "easy", MONEY)
    assert better is not None and better.target_redraw_rate.at is None
    # Noisy hard labels would be the better buy if they erred less: .45 < .5 c^2 from c = .94868.
    noisy = compare_side(search(make_surface({"easy": 0.45}), 0.2), "easy", MONEY)
    assert noisy is not None and noisy.probability_better == 1.0
    assert noisy.target_redraw_rate.now == pytest.approx(0.2)
    assert noisy.target_redraw_rate.at == pytest.approx(1 - 0.94868, abs=1e-3)


def test_the_transfer_at_which_the_other_is_better(make_surface: Surface) -> None:
    side = compare_side(search(make_surface({"easy": 0.6})), "easy", Decimal(200))
    assert side is not None
    # z .6 200 / (.6 200 + 100) = 100 / (100 + 100)
    assert side.transfer.now == 1.0
    assert side.transfer.at == pytest.approx(0.91667, abs=2e-3)


def test_the_worse_buy_has_break_even_points_too(make_surface: Surface) -> None:
    side = compare_side(search(make_surface({"easy": 0.4})), "easy", MONEY)
    assert side is not None
    assert side.probability_better == 0.0
    assert (side.difference.estimate or 0.0) < 0
    assert side.cost_ratio.at == pytest.approx(0.4, rel=2e-3)
    # Clean labels that point the right way already: neither can make up for it.
    assert side.redraw_rate.at is None and side.noise_ratio is None
    assert side.transfer.at is None


def test_labels_that_harm_are_worse_at_any_price(make_surface: Surface) -> None:
    surface = make_surface({"easy": 0.6}, alignment_easy=-0.5)
    side = compare_side(search(surface), "easy", MONEY)
    assert side is not None
    assert side.probability_better == 0
    assert side.cost_ratio.at is None and side.redraw_rate.at is None
    assert side.cost_ratio.now == 0.5
    assert (side.cost_ratio.low, side.cost_ratio.high) == (0.01, 25.0)


def test_the_probability_is_the_share_of_draws(make_surface: Surface) -> None:
    surface = make_surface({"easy": [0.4, 0.45, 0.48, 0.7]})
    side = compare_side(search(surface), "easy", MONEY)
    assert side is not None
    assert side.probability_better == 0.25


def test_nothing_to_compare(make_surface: Surface) -> None:
    own = search(make_surface({"easy": 0.6}))
    only_hard = PlanSearch(own.surface, own.market.only(own.market.of_stratum("hard")))
    assert compare_side(only_hard, "easy", MONEY) is None
    assert compare_side(own, "easy", Decimal("0.5")) is None
    no_items = replace(own.market, items={"easy": 10, "hard": 0})
    assert compare_side(PlanSearch(own.surface, no_items), "easy", MONEY) is None
