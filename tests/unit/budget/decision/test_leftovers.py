from dataclasses import replace
from decimal import Decimal

import pytest

from budget.decision.leftovers import left_because
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.plan import Line, Plan

EASY = Offer("easy", "crowd", 1, Decimal(1), 0.0, seconds=Decimal(3600), role="crowd")
HARD = Offer("hard", "expert", 1, Decimal(5), 0.0, least=10)
SUPPLY = Market(("easy", "hard"), (EASY, HARD), {"easy": 100, "hard": 100})


FEW = replace(EASY, capacity=60)


def plan(easy: int, money_left: str, offer: Offer = EASY) -> Plan:
    hours = {"crowd": offer.work(easy)}
    lines = (Line(offer, easy, offer.price(easy), offer.work(easy)),)
    return Plan(
        lines=lines,
        labels={"easy": easy, "hard": 0},
        used={"easy": easy, "hard": 0},
        clean={"easy": 1.0, "hard": 1.0},
        cost=Decimal(easy),
        training_cost=Decimal(0),
        money_left=Decimal(money_left),
        hours=hours,
        expected=0.5,
    )


@pytest.mark.parametrize(
    ("supply", "own", "because"),
    [
        (SUPPLY, plan(60, "0.5"), None),  # a label costs 1
        (SUPPLY, plan(60, "4"), None),  # may be a rest of the search: below 5 of 100
        (SUPPLY, plan(60, "40"), "accuracy"),
        (SUPPLY, plan(100, "40"), "for_sale"),  # ten hard labels, the least, cost 50
        (SUPPLY, plan(100, "60"), "accuracy"),
        (replace(SUPPLY, items={"easy": 100, "hard": 9}), plan(100, "60"), "for_sale"),
        (replace(SUPPLY, hours={"crowd": Decimal(60)}), plan(60, "40"), "hours"),
        (replace(SUPPLY, hours={"crowd": Decimal(61)}), plan(60, "40"), "accuracy"),
        (SUPPLY.only([FEW]), plan(59, "40", FEW), "accuracy"),
        (SUPPLY.only([FEW]), plan(60, "40", FEW), "for_sale"),
    ],
)
def test_why_money_is_left(supply: Market, own: Plan, because: str | None) -> None:
    assert left_because(supply, own, Decimal(100)) == because
