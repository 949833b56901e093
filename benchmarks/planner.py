"""How long a plan and a fit take: the cases of the promise, small ones, and how they grow.

The slow twin works the surface's formula out plainly, for the same candidates, all of them with all
draws; that both find the same best candidate is asserted. Growth of a plan is told against strata,
suppliers and draws, that of a fit against trials and strata, each varied alone.
"""

from collections.abc import Callable
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from _machine import Timing, interleaved_medians, write_result
from annotation.terms.majority import majority_redraw_rate
from budget.market.market import Market
from budget.market.offers import Offer
from budget.search.evaluation import MeanAccuracy
from budget.search.plan import Plan, PlanSearch
from budget.surface.fit import fit_surface
from budget.surface.observation import Observation
from budget.surface.response import ResponseSurface, _agreement

MONEY = Decimal(1000)
# Supplier -> cost per judgment of the easiest stratum, redraw rate there.
SUPPLIERS = {
    "crowd": ("0.10", 0.4),
    "expert": ("1.00", 0.05),
    "llm": ("0.02", 0.6),
    "students": ("0.30", 0.2),
    "agency": ("0.55", 0.1),
}
SEEDS = 5
CANDIDATES = 4000  # of the comparison with the slow twin


def surface_of(strata: int, draws: int) -> ResponseSurface:
    """The prior, which is wider than what a pilot leaves: more candidates stay in the race."""
    names = tuple(f"stratum {k}" for k in range(strata))
    nobody = np.empty(0, dtype=object)
    return fit_surface([], names, names[-1], None, 0.25, nobody, draws=draws)


def supply_of(strata: int, suppliers: int, judgments: tuple[int, ...]) -> Market:
    """Dearer and noisier with hardness; 60 labels bought of every stratum."""
    names = tuple(f"stratum {k}" for k in range(strata))
    offers = [
        Offer(
            name,
            supplier,
            number,
            Decimal(SUPPLIERS[supplier][0]) * (k + 1),
            majority_redraw_rate(min(0.9, SUPPLIERS[supplier][1] * (1 + 0.2 * k)), number, 4),
            fixed_cost=Decimal(20) if supplier == "llm" else Decimal(0),
            capacity=500 if supplier == "crowd" else None,
        )
        for k, name in enumerate(names)
        for supplier in list(SUPPLIERS)[:suppliers]
        for number in judgments
    ]
    each = dict.fromkeys(names, 60)
    return Market(names, tuple(offers), dict.fromkeys(names, 5000), each, dict.fromkeys(names, 0.8))


def planning(
    strata: int, suppliers: int, judgments: tuple[int, ...], draws: int
) -> Callable[[], Plan]:
    surface, market = surface_of(strata, draws), supply_of(strata, suppliers, judgments)
    return lambda: PlanSearch(surface, market).plan(MONEY)


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

    draws = dict(zip(surface.parameter_names, surface.draws.T, strict=True))
    steepness = draws["steepness"][:, None] / np.sqrt(2)
    reach = (draws["ceiling"] - draws["floor"])[:, None] / erf(steepness)

    def slow() -> NDArray[np.float64]:
        found = []
        for k in range(0, CANDIDATES, 200):
            agreement = _agreement(surface.draws, 2, counts[k : k + 200], clean[k : k + 200])
            accuracy = draws["floor"][:, None] + reach * erf(steepness * agreement)
            found.append(accuracy.mean(0))
        return np.concatenate(found)

    expected, found, raced = slow(), fast.mean(counts, clean), fast.race(counts, clean)
    assert np.allclose(found, expected, atol=2e-7)
    assert raced.argmax() == expected.argmax()
    return {
        "plain": slow,
        "blocks": lambda: fast.mean(counts, clean),
        "race": lambda: fast.race(counts, clean),
    }


def fitting(trials: int, strata: int = 2) -> Callable[[], ResponseSurface]:
    """A fit to so many trials, five seeds of every mix, 1,000 test items."""
    names = tuple(f"stratum {k}" for k in range(strata))
    rng = np.random.default_rng(0)
    items = 1000
    observations = []
    for _ in range(trials // SEEDS):
        mix = {name: int(rng.integers(1, 200)) for name in names}
        accuracy = 0.5 + 0.3 * (1 - np.exp(-sum(mix.values()) / 150))
        observations.append(Observation(mix, rng.random((SEEDS, items)) < accuracy, 0.5))
    groups = np.array([str(k) for k in range(items)], dtype=object)
    had = dict.fromkeys(names, 400)
    return lambda: fit_surface(
        observations, names, names[-1], None, 0.25, groups, draws=2000, pilot=had
    )


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
    fits = {f"fit, {n} trials, 2 strata": fitting(n) for n in (50, 100, 250, 500, 1000)}
    fits |= {f"fit, 500 trials, {n} strata": fitting(500, n) for n in (1, 3, 5)}
    timings = interleaved_medians(plans, repetitions=7)
    fitted = interleaved_medians(fits, repetitions=5)
    grown = interleaved_medians(growth, repetitions=3)
    contestants = twins()
    evaluated = interleaved_medians(contestants, repetitions=5)
    for part in (timings, grown, fitted, evaluated):
        show(part)
    blocks = evaluated["plain"]["median"] / evaluated["blocks"]["median"]
    race = evaluated["plain"]["median"] / evaluated["race"]["median"]
    print(f"ratio: {blocks:.2f} (means of {CANDIDATES} candidates: plain / blocks)")
    print(f"ratio: {race:.2f} (best of {CANDIDATES} candidates: plain / race)")
    write_result(
        "planner",
        {
            "timings": timings,
            "growth": grown,
            "fits": fitted,
            "evaluation": evaluated,
            "ratios": [blocks, race],
        },
    )


if __name__ == "__main__":
    main()
