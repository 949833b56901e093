"""Tie prices that follow from the formula: a label counts by its clean share squared."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from budget.decision.negotiation import negotiate
from budget.decision.result import Negotiation, SupplierPair
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.plan import PlanSearch
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]
MONEY = Decimal(20_000)


def negotiated(
    surface: ResponseSurface, offers: Sequence[Offer], money: Decimal = MONEY, choices: int = 2
) -> Negotiation:
    items = {"easy": 10**6, "hard": 10**6}
    market = Market(("easy", "hard"), tuple(offers), items)
    found = negotiate(PlanSearch(surface, market), money, choices)
    assert found is not None
    return found


def pair_of(found: Negotiation) -> SupplierPair:
    (pair,) = found.pairs
    return pair


def hard(supplier: str, cost: str, redraw: float = 0.0, fixed: str = "0") -> Offer:
    return Offer("hard", supplier, 1, Decimal(cost), redraw, fixed_cost=Decimal(fixed))


def test_two_suppliers_tie_where_price_over_squared_clean_share_is_the_same(
    make_surface: Surface,
) -> None:
    pair = pair_of(
        negotiated(make_surface({"easy": 0.6}), [hard("one", "2"), hard("two", "2", 0.3)])
    )
    assert (pair.ahead, pair.behind, pair.probability_ahead) == ("one", "two", 1.0)
    assert (pair.price_ahead, pair.price_behind) == (2.0, 2.0)
    assert pair.tie_price == pytest.approx(2 * 0.7**2, rel=3e-3)
    assert pair.discount == pytest.approx(1 - 0.7**2, abs=3e-3)
    assert pair.ahead_up_to == pytest.approx(2 / 0.7**2, rel=3e-3)
    assert pair.turns_at is None and pair.turns_labels is None
    assert not pair.is_tie


def test_suppliers_of_different_strata_tie_by_the_exchange_rate(make_surface: Surface) -> None:
    easy = Offer("easy", "crowd", 1, Decimal(1), 0.0)
    pair = pair_of(negotiated(make_surface({"easy": 0.6}), [hard("expert", "2"), easy]))
    assert (pair.ahead, pair.behind) == ("crowd", "expert")
    assert pair.tie_price == pytest.approx(1 / 0.6, rel=3e-3)
    assert pair.ahead_up_to == pytest.approx(2 * 0.6, rel=3e-3)


def test_a_fixed_cost_pays_from_some_volume_on(make_surface: Surface) -> None:
    # 1 a label after 3,000 against 2: the same number of labels at 6,000.
    for money, ahead in ((Decimal(20_000), "factory"), (Decimal(4_000), "crowd")):
        offers = [hard("crowd", "2"), hard("factory", "1", fixed="3000")]
        pair = pair_of(negotiated(make_surface({"easy": 0.6}), offers, money))
        assert pair.ahead == ahead
        assert pair.turns_at == pytest.approx(6000, rel=5e-3)
        assert pair.turns_labels == pytest.approx((3000, 3000), rel=2e-2)
        assert (pair.least_money, pair.most_money) == (float(money) / 16, 4 * float(money))


def test_equal_suppliers_have_nothing_to_negotiate(make_surface: Surface) -> None:
    pair = pair_of(negotiated(make_surface({"easy": 0.6}), [hard("one", "2"), hard("two", "2")]))
    assert pair.is_tie
    assert (pair.tie_price, pair.discount, pair.ahead_up_to) == (2.0, 0.0, 2.0)
    assert pair.probability_ahead == 0.5


@pytest.mark.parametrize("choices", [2, 5])
def test_a_point_fewer_errors_is_worth_its_share_of_the_price(
    make_surface: Surface, choices: int
) -> None:
    found = negotiated(make_surface({"easy": 0.6}), [hard("one", "2", 0.2)], choices=choices)
    (own,) = found.fewer_errors
    better = 0.01 * choices / (choices - 1)
    assert (own.supplier, own.price) == ("one", 2.0)
    assert own.worth == pytest.approx(2 * (((0.8 + better) / 0.8) ** 2 - 1), rel=2e-2)
    assert found.pairs == []


def test_money_that_is_left_over_does_not_make_errors_dearer(make_surface: Surface) -> None:
    """100 items for 200 of 400: labels may cost 4, and with fewer errors no more than 4 either."""
    market = Market(("easy", "hard"), (hard("one", "2", 0.2),), {"easy": 0, "hard": 100})
    found = negotiate(PlanSearch(make_surface({"easy": 0.6}), market), Decimal(400), 2)
    assert found is not None
    # 96 cleaner labels teach more than these 100 (96 .82^2 > 100 .8^2), 95 less.
    assert found.fewer_errors[0].worth == pytest.approx(400 / 96 - 4, abs=0.01)


def test_who_makes_no_errors_cannot_make_fewer(make_surface: Surface) -> None:
    (own,) = negotiated(make_surface({"easy": 0.6}), [hard("one", "2")]).fewer_errors
    assert own.worth is None


def test_no_discount_makes_up_for_labels_that_teach_nothing(make_surface: Surface) -> None:
    offers = [hard("one", "2"), hard("two", "2", 1.0)]
    pair = pair_of(negotiated(make_surface({"easy": 0.6}), offers))
    assert (pair.ahead, pair.tie_price, pair.discount) == ("one", None, None)
    assert pair.ahead_up_to is None


def test_nothing_that_can_be_bought_is_not_negotiated(make_surface: Surface) -> None:
    market = Market(("easy", "hard"), (hard("one", "2"),), {"easy": 10, "hard": 10})
    search = PlanSearch(make_surface({"easy": 0.6}), market)
    assert negotiate(search, Decimal(1), 2) is None
