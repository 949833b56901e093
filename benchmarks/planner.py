"""How long a plan takes: the case of the promise, a small one, and how it grows.

The slow twin asks `ResponseSurface.accuracy` for the same candidates, all of them with all draws;
that both find the same best candidate is asserted. Growth is told against strata, suppliers and
draws, each varied alone.
"""

from collections.abc import Callable
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from _machine import Timing, interleaved_medians, write_result
from budget.planning.evaluation import MeanAccuracy
from budget.planning.offers import Offer, label_redraw_rate
from budget.planning.plan import Plan, Planner
from budget.planning.supply import Supply
from budget.surface.fit import fit_surface
from budget.surface.response import ResponseSurface

MONEY = Decimal(1000)
# Supplier -> cost per judgment of the easiest stratum, redraw rate there.
SUPPLIERS = {
    "crowd": ("0.10", 0.4),
    "expert": ("1.00", 0.05),
    "llm": ("0.02", 0.6),
    "students": ("0.30", 0.2),
    "agency": ("0.55", 0.1),
}
CANDIDATES = 4000  # of the comparison with the slow twin


def surface_of(strata: int, draws: int) -> ResponseSurface:
    """The prior, which is wider than what a pilot leaves: more candidates stay in the race."""
    names = tuple(f"stratum {k}" for k in range(strata))
    nobody = np.empty(0, dtype=object)
    return fit_surface([], names, names[-1], None, 0.25, nobody, draws=draws)


def supply_of(strata: int, suppliers: int, judgments: tuple[int, ...]) -> Supply:
    """Dearer and noisier with hardness; 60 labels bought of every stratum."""
    names = tuple(f"stratum {k}" for k in range(strata))
    offers = [
        Offer(
            name,
            supplier,
            number,
            Decimal(SUPPLIERS[supplier][0]) * (k + 1),
            label_redraw_rate(
                min(0.9, SUPPLIERS[supplier][1] * (1 + 0.2 * k)), "redraw", number, 4
            ),
            fixed_cost=Decimal(20) if supplier == "llm" else Decimal(0),
            capacity=500 if supplier == "crowd" else None,
        )
        for k, name in enumerate(names)
        for supplier in list(SUPPLIERS)[:suppliers]
        for number in judgments
    ]
    each = dict.fromkeys(names, 60)
    return Supply(names, tuple(offers), dict.fromkeys(names, 5000), each, dict.fromkeys(names, 0.8))


def planning(
    strata: int, suppliers: int, judgments: tuple[int, ...], draws: int
) -> Callable[[], Plan]:
    surface, supply = surface_of(strata, draws), supply_of(strata, suppliers, judgments)
    return lambda: Planner(surface, supply).plan(MONEY)


def check(plan: Plan) -> None:
    assert plan.cost <= MONEY
    assert plan.cost + plan.money_left == MONEY
    assert plan.lines


def twins() -> dict[str, Callable[[], object]]:
    """The mean accuracy of many candidates by the search's evaluation and by the surface."""
    surface = surface_of(3, 2000)
    rng = np.random.default_rng(0)
    counts = np.exp(rng.normal(4.5, 1.5, (CANDIDATES, 3))).round()
    clean = rng.uniform(0.2, 1, counts.shape)
    fast = MeanAccuracy(surface)

    def slow() -> NDArray[np.float64]:
        blocks = range(0, CANDIDATES, 200)
        parts = [surface.accuracy(counts[k : k + 200], clean[k : k + 200]).mean(0) for k in blocks]
        return np.concatenate(parts)

    expected, found, raced = slow(), fast.mean(counts, clean), fast.race(counts, clean)
    assert np.allclose(found, expected, atol=2e-7)
    assert raced.argmax() == expected.argmax()
    return {
        "surface": slow,
        "blocks": lambda: fast.mean(counts, clean),
        "race": lambda: fast.race(counts, clean),
    }


def show(timings: dict[str, Timing]) -> None:
    for name, timing in timings.items():
        print(f"{name:44s} {1000 * timing['median']:8.1f} ms")


def main() -> None:
    """Time plans and print the medians."""
    plans = {
        "3 strata, 3 suppliers, 1 3 5, 2000 draws": planning(3, 3, (1, 3, 5), 2000),
        "2 strata, 1 supplier, 1, 1000 draws": planning(2, 1, (1,), 1000),
    }
    growth = {
        **{
            f"{n} strata, 3 suppliers, 1 3 5": planning(n, 3, (1, 3, 5), 2000) for n in (1, 2, 4, 5)
        },
        **{f"3 strata, {n} suppliers, 1 3 5": planning(3, n, (1, 3, 5), 2000) for n in (1, 2, 5)},
        **{f"3 strata, 3 suppliers, {n} draws": planning(3, 3, (1, 3, 5), n) for n in (500, 8000)},
    }
    for plan in (*plans.values(), *growth.values()):
        check(plan())
    timings = interleaved_medians(plans, repetitions=7)
    grown = interleaved_medians(growth, repetitions=3)
    contestants = twins()
    evaluated = interleaved_medians(contestants, repetitions=5)
    for part in (timings, grown, evaluated):
        show(part)
    blocks = evaluated["surface"]["median"] / evaluated["blocks"]["median"]
    race = evaluated["surface"]["median"] / evaluated["race"]["median"]
    print(f"ratio: {blocks:.2f} (means of {CANDIDATES} candidates: surface / blocks)")
    print(f"ratio: {race:.2f} (best of {CANDIDATES} candidates: surface / race)")
    write_result(
        "planner",
        {"timings": timings, "growth": grown, "evaluation": evaluated, "ratios": [blocks, race]},
    )


if __name__ == "__main__":
    main()
