"""Plans over many prices: never above the money, never above the items, always with the pilot."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.cost import LabelTerms, mix_cost
from budget.planner import Plan, candidate_mixes, plan_purchase
from budget.policies import baseline_mixes
from budget.surface.response import ResponseSurface

Array = NDArray[np.float64]
STRATA = ("easy", "medium", "hard")
SETS = st.sampled_from([("easy", "hard"), ("easy", "medium", "hard"), ("medium", "hard")])
COSTS = st.one_of(
    st.sampled_from([Decimal(c) for c in ("0.333", "1.07", "0.1", "2")]),
    st.decimals("0.01", 20, allow_nan=False, allow_infinity=False, places=3),
)
TRIPLE = st.tuples(COSTS, COSTS, COSTS)
CAPACITY = st.tuples(*[st.one_of(st.just(0), st.integers(0, 400))] * 3)


def terms_of(costs: tuple[Decimal, ...], scale: Decimal = Decimal(1)) -> dict[str, LabelTerms]:
    return {
        name: LabelTerms(cost if scale == 1 else cost * scale, 0.1, "redraw")
        for name, cost in zip(STRATA, costs, strict=True)
    }


def random_surface(strata: tuple[str, ...], seed: int, draws: int = 20) -> ResponseSurface:
    """Draws that agree in their order of magnitude, as those of a fit do; labels may do harm."""
    rng = np.random.default_rng(seed)
    floor = rng.uniform(0.1, 0.5, draws)
    values = {
        "floor": floor,
        "ceiling": floor + (1 - floor) * rng.random(draws),
        "steepness": np.exp(rng.normal(0, 0.5, draws)),
        "half_labels": np.exp(rng.uniform(1, 8) + rng.normal(0, 0.3, draws)),
        "exponent": np.exp(rng.normal(0, 0.5, draws)),
        "shape": np.exp(rng.normal(0, 0.5, draws)),
        "noise_power": np.exp(rng.normal(0, 0.2, draws)),
        "test_offset": rng.normal(0, 0.02, draws),
    }
    for name in strata[:-1]:
        values[f"signal_{name}"] = np.exp(rng.uniform(-2, 2) + rng.normal(0, 0.3, draws))
        values[f"alignment_{name}"] = np.tanh(rng.uniform(-1, 3) + rng.normal(0, 0.3, draws))
    return surface_of(strata, values)


def surface_of(strata: tuple[str, ...], values: dict[str, Array]) -> ResponseSurface:
    names = ResponseSurface(strata, "hard", np.empty((0, 0)), 0.0, 0.0).parameter_names
    draws = np.stack(np.broadcast_arrays(*(values[name] for name in names)), axis=1)
    return ResponseSurface(strata, "hard", draws, 0.0, 0.01)


@settings(max_examples=60)
@given(
    strata=SETS,
    costs=TRIPLE,
    capacity=CAPACITY,
    pilot_share=st.tuples(*[st.integers(0, 4)] * 3),
    spare=st.decimals(0, 300, allow_nan=False, allow_infinity=False, places=2),
    seed=st.integers(0, 1000),
)
def test_a_plan_stays_within_money_and_items_and_holds_the_pilot(
    strata: tuple[str, ...],
    costs: tuple[Decimal, ...],
    capacity: tuple[int, ...],
    pilot_share: tuple[int, ...],
    spare: Decimal,
    seed: int,
) -> None:
    terms = terms_of(costs)
    available = dict(zip(STRATA, capacity, strict=True))
    pilot = {
        name: available[name] * share // 8
        for name, share in zip(STRATA, pilot_share, strict=True)
        if name in strata
    }
    budget = mix_cost(pilot, terms) + spare
    for mix in candidate_mixes(strata, terms, budget, available, pilot):
        assert tuple(mix) == strata
        for name, count in mix.items():
            assert type(count) is int and pilot[name] <= count <= available[name]
        assert mix_cost(mix, terms) <= budget
    surface = random_surface(strata, seed)
    plan = plan_purchase(surface, terms, budget, available, pilot)
    assert plan.mix in list(candidate_mixes(strata, terms, budget, available, pilot))
    assert plan.cost == mix_cost(plan.mix, terms)
    assert plan.cost + plan.money_left == budget
    assert plan.money_left >= 0
    assert plan.after_pilot == {name: plan.mix[name] - pilot[name] for name in strata}


@settings(max_examples=40)
@given(
    strata=SETS,
    costs=st.tuples(*[st.integers(10**28, 10**31).map(lambda n: Decimal(f"{n}e-30"))] * 3),
    capacity=CAPACITY,
    labels=st.integers(1, 40),
    hair=st.integers(0, 2),
)
def test_amounts_of_30_digits_are_spent_as_fractions_are(
    strata: tuple[str, ...],
    costs: tuple[Decimal, ...],
    capacity: tuple[int, ...],
    labels: int,
    hair: int,
) -> None:
    """A budget at, or a hair below, what so many labels of each stratum cost."""
    terms, available = terms_of(costs), dict(zip(STRATA, capacity, strict=True))
    exact = {name: Fraction(terms[name].cost) for name in strata}
    budget = Decimal(f"{int(sum(exact.values()) * labels * 10**30) - hair}e-30")
    nothing_more, *mixes = candidate_mixes(strata, terms, budget, available, {})
    assert set(nothing_more.values()) == {0}
    for mix in mixes:
        left = Fraction(budget) - sum(exact[name] * count for name, count in mix.items())
        assert left >= 0
        # What could have bought one more label of what is in the mix has bought it.
        for name in strata:
            assert exact[name] > left or mix[name] in (0, available[name])


@settings(max_examples=40)
@given(
    strata=SETS,
    costs=TRIPLE,
    capacity=CAPACITY,
    budget=st.decimals(0, 500, allow_nan=False, allow_infinity=False, places=2),
    seed=st.integers(0, 1000),
)
def test_a_plan_without_a_pilot_beats_every_single_stratum(
    strata: tuple[str, ...],
    costs: tuple[Decimal, ...],
    capacity: tuple[int, ...],
    budget: Decimal,
    seed: int,
) -> None:
    terms, available = terms_of(costs), dict(zip(STRATA, capacity, strict=True))
    surface = random_surface(strata, seed)
    plan = plan_purchase(surface, terms, budget, available, {})
    rules = [
        mix
        for name, mix in baseline_mixes(budget, terms, available, strata).items()
        if name.startswith("all_")
    ]
    best = surface.predict(rules).mean(0).max()
    assert plan.expected_accuracy.estimate is not None
    assert plan.expected_accuracy.estimate >= best - 2e-6


@settings(max_examples=40)
@given(
    strata=SETS,
    costs=TRIPLE,
    capacity=CAPACITY,
    budget=st.decimals(0, 500, allow_nan=False, allow_infinity=False, places=2),
    factor=st.sampled_from([Decimal(f) for f in ("0.01", "0.7", "13", "1000")]),
    seed=st.integers(0, 1000),
)
def test_another_currency_changes_no_mix(
    strata: tuple[str, ...],
    costs: tuple[Decimal, ...],
    capacity: tuple[int, ...],
    budget: Decimal,
    factor: Decimal,
    seed: int,
) -> None:
    available = dict(zip(STRATA, capacity, strict=True))
    pilot = {name: min(available[name], 3) for name in strata}
    surface = random_surface(strata, seed)
    assume(mix_cost(pilot, terms_of(costs)) <= budget)

    def plan(scale: Decimal) -> Plan:
        return plan_purchase(surface, terms_of(costs, scale), budget * scale, available, pilot)

    here, there = plan(Decimal(1)), plan(factor)
    assert there.mix == here.mix
    assert there.cost == here.cost * factor


@given(
    cost=COSTS,
    counts=st.tuples(st.integers(0, 300), st.integers(0, 300)),
    spreads=st.lists(st.floats(0.1, 2), min_size=1, max_size=10),
)
def test_equal_strata_with_symmetric_draws_are_interchangeable(
    cost: Decimal, counts: tuple[int, int], spreads: list[float]
) -> None:
    # Two other strata that are each other in the second half of the draws.
    one_way, other_way = np.array(spreads), 2 - 0.9 * np.array(spreads)
    values = {
        "floor": np.array([0.3]),
        "ceiling": np.array([0.9]),
        "steepness": np.array([1.0]),
        "half_labels": np.array([100.0]),
        "exponent": np.array([0.8]),
        "shape": np.array([0.5]),
        "noise_power": np.array([1.0]),
        "test_offset": np.array([0.0]),
        "signal_easy": np.concatenate([one_way, other_way]),
        "signal_medium": np.concatenate([other_way, one_way]),
        "alignment_easy": np.concatenate([np.cos(one_way), np.cos(other_way)]),
        "alignment_medium": np.concatenate([np.cos(other_way), np.cos(one_way)]),
    }
    surface = surface_of(STRATA, values)
    one, two = counts
    there, back = {"easy": one, "medium": two}, {"easy": two, "medium": one}
    expected = surface.predict([there, back]).mean(0)
    assert expected[0] == pytest.approx(expected[1], abs=1e-12)
    terms = {name: LabelTerms(cost, 0.1, "redraw") for name in STRATA}
    assert mix_cost(there, terms) == mix_cost(back, terms)


@settings(max_examples=40)
@given(budgets=st.tuples(st.integers(30, 2000), st.integers(0, 500)), seed=st.integers(0, 1000))
def test_more_money_expects_no_less(budgets: tuple[int, int], seed: int) -> None:
    terms = terms_of((Decimal(1), Decimal("1.5"), Decimal(2)))
    available = dict.fromkeys(STRATA, 10_000)
    surface = random_surface(("easy", "hard"), seed)
    pilot = {"easy": 10, "hard": 10}

    def expected(budget: int) -> float:
        plan = plan_purchase(surface, terms, Decimal(budget), available, pilot)
        assert plan.expected_accuracy.estimate is not None
        return plan.expected_accuracy.estimate

    less, extra = budgets
    # The lattice of shares is another for every budget: allow for its steps.
    assert expected(less + extra) >= expected(less) - 2e-3
