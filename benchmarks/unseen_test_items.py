"""What the planner learns from a test set, judged by items that it has never seen.

The planner trains on labels that the test set lends and reads accuracies off it; regret is told of
the same test set. Here every generated world has 2,000 test items. Policies see 1,000 of them; what
they bought is scored on these and on the other 1,000, each against the best mix for those items. If
borrowing only fitted the test set, the planner's lead would be gone on the second half.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from _machine import write_result
from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.registry import find_policies
from budget.backtest.trainer import ProbeTrainer
from budget.backtest.truth import Scores, grid_mixes
from budget.market.simple_rules import Mix
from budget.worlds.generated import FAMILY, draw_recipe, generated_world
from budget.worlds.world import Half, World, half_of

Array = NDArray[np.float64]
SEEDS, MARKETS = 32, 8
POLICIES = ("planner", "planner_not_borrowing", "learn_optimize_collect")
DRAWS = 2000


class Played(TypedDict):
    """One world: regret of each policy in points, on the items seen and on those unseen."""

    world: str
    seen: dict[str, float]
    unseen: dict[str, float]


def worlds_of(half: Half, count: int) -> list[int]:
    """Numbers of the first generated worlds of a half."""
    found: list[int] = []
    number = 0
    while len(found) < count:
        recipe, condition = draw_recipe(number)
        if half_of(f"{FAMILY}-{recipe.seed:04d}-{condition.name}") == half:
            found.append(number)
        number += 1
    return found


def play(number: int) -> Played:
    """Play the policies on the first half of the test items, score on both."""
    recipe, condition = draw_recipe(number)
    whole = generated_world(replace(recipe, test=2 * recipe.test), condition)

    def tested_on(part: slice) -> World:
        test = whole.items.test[part]
        items = replace(whole.items, test=test)
        return replace(whole, load=lambda: items)

    seen, unseen = tested_on(slice(recipe.test)), tested_on(slice(recipe.test, None))
    trainer = ProbeTrainer(seen, "per_size")
    bought: dict[str, list[Mix]] = {}
    for policy in find_policies(POLICIES):
        markets = [campaign_in(seen, seed) for seed in range(MARKETS)]
        play_in_world(policy, markets, trainer)
        bought[policy.name] = [market.trained for market in markets]
    return {
        "world": whole.name,
        "seen": regrets(seen, bought),
        "unseen": regrets(unseen, bought),
    }


def regrets(world: World, bought: dict[str, list[Mix]]) -> dict[str, float]:
    """Points of accuracy on this world's test items that policies lose against its best mix."""
    scores = Scores(world, ProbeTrainer(world, "per_size"))
    grid = grid_mixes(world)
    for _ in scores.measure([(mix, seed) for mix in grid for seed in range(SEEDS)]):
        pass
    truth = np.array([[scores.of(mix, seed) for seed in range(SEEDS)] for mix in grid])
    best = truth[truth.mean(1).argmax(), :MARKETS].mean()
    found = {}
    for name, mixes in bought.items():
        for _ in scores.measure([(mix, seed) for seed, mix in enumerate(mixes)]):
            pass
        got = np.mean([scores.of(mix, seed) for seed, mix in enumerate(mixes)])
        found[name] = float(100 * (best - got))
    return found


def interval(values: Array) -> dict[str, float]:
    """Mean over worlds with its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    drawn = values[rng.integers(0, values.size, (DRAWS, values.size))].mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high)}


def main() -> None:
    """Play all worlds in several processes and print regrets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("design", "held_out"), default="design")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.workers, get_context("spawn")) as pool:
        rows = list(pool.map(play, worlds_of(options.half, options.count)))
    found = {}
    for items in ("seen", "unseen"):
        regret = {name: np.array([row[items][name] for row in rows]) for name in POLICIES}
        found[items] = {name: interval(own) for name, own in regret.items()}
        for name in POLICIES[1:]:
            more = regret[name] - regret["planner"]
            found[items][f"{name}, more than the planner"] = interval(more)
        for name, own in found[items].items():
            print(f"{items}: {own['mean']:.2f} ({own['low']:.2f} to {own['high']:.2f}) {name}")
    write_result("unseen_test_items", {"half": options.half, "regret": found, "worlds": rows})


if __name__ == "__main__":
    main()
