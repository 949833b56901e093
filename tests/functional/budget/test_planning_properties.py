"""Plans of random supplies: never above money, items, capacity or hours; never worse with more.

Each test draws a hundred configurations: whatever goes wrong in 3 % of them is met with a
probability of 95 %. `LABELMIX_PLANNER_EXAMPLES` sets another number.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from annotation.errors import InputError
from budget.decision.rounds import next_round
from budget.market.market import Market, TrainingCost
from budget.market.offers import Discount, Offer
from budget.search.plan import Plan, PlanSearch, plan_purchase
from budget.surface.parameters import ParameterSpace
from budget.surface.response import ResponseSurface

T = TypeVar("T")
EXAMPLES = int(os.environ.get("LABELMIX_PLANNER_EXAMPLES", "100"))
SETS = (("easy", "hard"), ("easy", "medium", "hard"))
ROLES = ("crowd", "expert")
SAME = 2e-6  # of equals within a millionth the cheapest is planned


def cents(low: int, high: int) -> st.SearchStrategy[Decimal]:
    return st.integers(low, high).map(lambda n: Decimal(n).scaleb(-2))


def random_surface(strata: tuple[str, ...], seed: int, spread: float = 0.6) -> ResponseSurface:
    """Draws about one random point of the prior; some strata may teach the contrary."""
    rng = np.random.default_rng(seed)
    space = ParameterSpace(strata, "hard")
    centre = 1.3 * rng.standard_normal(space.size)
    points = centre + spread * rng.standard_normal((24, space.size))
    draws = np.hstack([space.natural(points, 0.25), np.zeros((24, 1))])
    return ResponseSurface(strata, "hard", draws, 0.0, 0.01)


@st.composite
def an_offer(draw: DrawFn, stratum: str, supplier: str, judgments: int) -> Offer:
    cost = draw(cents(0, 400))
    discounts: tuple[Discount, ...] = ()
    if cost > Decimal("0.10") and draw(st.booleans()):
        after = draw(st.integers(1, 300))
        discounts = (Discount(after, (cost / 2).quantize(Decimal("0.01"))),)
        if draw(st.booleans()):
            discounts += (Discount(after + draw(st.integers(1, 300)), Decimal("0.01")),)
    return Offer(
        stratum,
        supplier,
        judgments,
        cost,
        draw(st.sampled_from([0.0, 0.1, 0.4, 0.7, 0.95])),
        discounts,
        draw(st.sampled_from([Decimal(0), Decimal(5), Decimal("33.33")])),
        draw(st.sampled_from([1, 1, 7, 50])),
        draw(st.sampled_from([None, 0, 20, 150])),
        draw(st.sampled_from([Decimal(0), Decimal(30), Decimal("12.5")])),
        draw(st.sampled_from([None, *ROLES])),
    )


@st.composite
def a_supply(draw: DrawFn) -> Market:
    strata = draw(st.sampled_from(SETS))
    suppliers = draw(st.integers(1, 3))
    judgments = draw(st.sampled_from([(1,), (1, 3), (1, 3, 5)]))
    offers = [
        draw(an_offer(stratum, f"supplier {k}", number))
        for stratum in strata
        for k in range(suppliers)
        for number in judgments
        if draw(st.integers(0, 3))
    ]
    training = st.just(TrainingCost())
    return Market(
        strata,
        tuple(offers),
        {name: draw(st.sampled_from([0, 40, 400, 3000])) for name in strata},
        {name: draw(st.sampled_from([0, 0, 15, 120])) for name in strata},
        {name: draw(st.sampled_from([0.5, 0.8, 1.0])) for name in strata},
        {role: draw(cents(0, 1000)) for role in ROLES if draw(st.booleans())},
        draw(training | st.builds(TrainingCost, cents(0, 500), cents(0, 20))),
    )


def scaled(supply: Market, factor: Decimal) -> Market:
    """The same in another currency."""
    offers = [
        replace(
            own,
            cost=own.cost * factor,
            fixed_cost=own.fixed_cost * factor,
            discounts=tuple(Discount(d.after, d.cost * factor) for d in own.discounts),
        )
        for own in supply.offers
    ]
    training = TrainingCost(supply.training.fixed * factor, supply.training.per_label * factor)
    return replace(supply, offers=tuple(offers), training=training)


def swapped(surface: ResponseSurface, supply: Market) -> tuple[ResponseSurface, Market]:
    """Easy and medium exchanged, in draws and terms."""
    other = {"easy": "medium", "medium": "easy", "hard": "hard"}
    names = surface.parameter_names
    exchanged = [
        name.replace("easy", "@").replace("medium", "easy").replace("@", "medium") for name in names
    ]
    draws = surface.draws[:, [names.index(name) for name in exchanged]]

    def of(values: Mapping[str, T]) -> dict[str, T]:
        return {other[name]: value for name, value in values.items()}

    offers = tuple(replace(own, stratum=other[own.stratum]) for own in supply.offers)
    return replace(surface, draws=draws), replace(
        supply,
        offers=offers,
        items=of(supply.items),
        bought=of(supply.bought),
        bought_clean=of(supply.bought_clean),
    )


def planned(surface: ResponseSurface, supply: Market, money: Decimal) -> Plan | None:
    if money < supply.training_of_bought():
        # Leaving out what was bought before may still be affordable.
        with suppress(InputError):
            return plan_purchase(surface, supply, money)
        return None
    return plan_purchase(surface, supply, money)


def check_within(plan: Plan, supply: Market, money: Decimal) -> None:
    """Reckoned anew from the lines, in fractions."""
    spent = Fraction(supply.training.fixed)
    spent += Fraction(supply.training.per_label) * sum(plan.used.values())
    hours: dict[str | None, Fraction] = {}
    for line in plan.lines:
        offer = line.offer
        assert offer in supply.offers
        assert line.labels >= offer.least
        assert offer.capacity is None or line.labels <= offer.capacity
        judgments = line.labels * offer.judgments
        prices = [offer.cost] * judgments
        for discount in offer.discounts:
            prices[discount.after :] = [discount.cost] * len(prices[discount.after :])
        assert Fraction(line.cost) == sum(map(Fraction, prices)) + Fraction(offer.fixed_cost)
        spent += Fraction(line.cost)
        work = Fraction(offer.seconds) * judgments / 3600
        hours[offer.role] = hours.get(offer.role, Fraction(0)) + work
    assert spent == Fraction(plan.cost)
    assert spent + Fraction(plan.money_left) == Fraction(money)
    assert plan.money_left >= 0
    for role, limit in supply.hours.items():
        assert hours.get(role, 0) <= Fraction(limit)
    for name in supply.strata:
        own = [line for line in plan.lines if line.offer.stratum == name]
        assert len({line.offer.supplier for line in own}) == len(own)
        bought = sum(line.labels for line in own)
        assert plan.labels[name] == bought <= supply.items[name]
        before = supply.bought.get(name, 0)
        assert plan.used[name] == before + bought or (plan.used[name] == 0 == bought)


@settings(max_examples=EXAMPLES)
@given(supply=a_supply(), money=cents(0, 100_000), more=cents(0, 50_000), seed=st.integers(0, 9999))
def test_a_plan_stays_within_its_means_and_gains_by_more_money(
    supply: Market, money: Decimal, more: Decimal, seed: int
) -> None:
    surface = random_surface(supply.strata, seed)
    less = planned(surface, supply, money)
    rich = planned(surface, supply, money + more)
    if less is None:
        return
    assert rich is not None
    check_within(less, supply, money)
    check_within(rich, supply, money + more)
    assert rich.expected >= less.expected - SAME


@settings(max_examples=EXAMPLES)
@given(supply=a_supply(), money=cents(5_000, 100_000), seed=st.integers(0, 9999))
def test_what_to_buy_first_is_within_its_means(supply: Market, money: Decimal, seed: int) -> None:
    search = PlanSearch(random_surface(supply.strata, seed), supply)
    try:
        plan = search.plan(money)
    except InputError:
        return
    found = next_round(search, plan, money, 3, None)
    assert found.cost <= float(money) * (1 + 1e-12)
    least_work = dict.fromkeys(supply.hours, Fraction(0))
    for name, count in found.labels.items():
        offers = supply.of_stratum(name)
        most = {own.supplier: 0 for own in offers}
        for own in offers:
            capacity = supply.items[name] if own.capacity is None else own.capacity
            most[own.supplier] = max(most[own.supplier], capacity)
        assert min(own.least for own in offers) <= count <= sum(most.values())
        assert count <= supply.items[name]
        for role in least_work:
            if {own.role for own in offers} == {role}:
                least_work[role] += count * min(Fraction(own.seconds) for own in offers)
    assert all(work <= Fraction(supply.hours[role]) * 3600 for role, work in least_work.items())


@settings(max_examples=EXAMPLES)
@given(
    supply=a_supply(),
    money=cents(0, 100_000),
    factor=st.sampled_from([Decimal(f) for f in ("0.01", "0.7", "13", "1000")]),
    seed=st.integers(0, 9999),
)
def test_another_currency_changes_nothing(
    supply: Market, money: Decimal, factor: Decimal, seed: int
) -> None:
    surface = random_surface(supply.strata, seed)
    here = planned(surface, supply, money)
    there = planned(surface, scaled(supply, factor), money * factor)
    assert (here is None) == (there is None)
    if here is None or there is None:
        return
    assert here.labels == there.labels and here.used == there.used
    assert there.cost == here.cost * factor
    assert there.expected == here.expected


@settings(max_examples=EXAMPLES)
@given(supply=a_supply(), money=cents(0, 100_000), seed=st.integers(0, 9999))
def test_exchanged_strata_exchange_the_plan(supply: Market, money: Decimal, seed: int) -> None:
    surface = random_surface(supply.strata, seed)
    if "medium" not in supply.strata:
        supply = replace(
            supply,
            strata=("easy", "medium", "hard"),
            items={**supply.items, "medium": 300},
            bought={**supply.bought, "medium": 10},
        )
        surface = random_surface(supply.strata, seed)
    here = planned(surface, supply, money)
    there = planned(*swapped(surface, supply), money)
    assert (here is None) == (there is None)
    if here is None or there is None:
        return
    assert there.expected == pytest.approx(here.expected, abs=SAME)
