"""What a target accuracy costs: the planner in five rounds against policies that buy at once.

In every world a one-shot policy spends the whole budget; what it reaches, the mean over markets, is
the target. The planner plays the same markets with smaller and larger budgets. The share of the
budget at which it reaches the target, interpolated in the log of the budget, is the ratio of costs.
A policy that is one-shot buys once after at most one pilot. Worlds are of the held-out half.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from _machine import write_result
from _workers import played
from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.registry import find_policies
from budget.backtest.trainer import ProbeTrainer
from budget.backtest.truth import Scores
from budget.campaign.play import Policy
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources, default_data_dir
from budget.worlds.world import World

Array = NDArray[np.float64]
SHARES = (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5)
ONE_SHOT = (
    "planner_one_shot",
    "all_easy",
    "all_hard",
    "equal_spend",
    "equal_counts",
    "proportional",
    "paper_rule",
    "power_law",
    "mix_regression",
)
MARKETS = 8
DRAWS = 2000


@dataclass(frozen=True)
class Choice:
    """Which worlds: the first of each family's held-out half; features are kept in a folder."""

    families: tuple[str, ...]
    count: int
    features: Path


@cache
def worlds_of(choice: Choice) -> list[World]:
    sources = Sources(default_data_dir(), None, choice.features)
    return choose_worlds(choice.families, choice.count, "held_out", sources)[0]


def reached(world: World, policy: Policy, share: float) -> float:
    """Mean accuracy over markets with so much of the world's budget."""
    items = world.items
    budget = Decimal(round(Fraction(world.budget) * Fraction(str(share))))
    own = replace(world, budget=budget, load=lambda: items)
    trainer = ProbeTrainer(own, "per_size")
    markets = [campaign_in(own, seed) for seed in range(MARKETS)]
    play_in_world(policy, markets, trainer)
    scores = Scores(own, trainer)
    trained = [(market.trained, seed) for seed, market in enumerate(markets)]
    for _ in scores.measure(trained):
        pass
    return float(np.mean([scores.of(mix, seed) for mix, seed in trained]))


class Played(TypedDict):
    """One world: what each one-shot policy reaches, and the planner's accuracy at each share."""

    world: str
    targets: dict[str, float]
    planner: list[float]


def play(choice: Choice, index: int) -> Played:
    """One world: what one-shot policies reach, and the planner's accuracy by budget."""
    world = worlds_of(choice)[index]
    (planner,) = find_policies(["planner"])
    targets = {own.name: reached(world, own, 1.0) for own in find_policies(ONE_SHOT)}
    curve = [reached(world, planner, share) for share in SHARES]
    return {"world": world.name, "targets": targets, "planner": curve}


def cost_of(target: float, curve: Sequence[float]) -> float:
    """Share of the budget at which a curve over `SHARES` reaches a target; infinite if nowhere.

    More money never has to give less: the curve is its running maximum.
    """
    best = np.maximum.accumulate(curve)
    if target > best[-1]:
        return float("inf")
    place = int(np.searchsorted(best, target))
    if place == 0:
        return SHARES[0]
    low, high = best[place - 1], best[place]
    part = (target - low) / (high - low)
    logs = np.log(SHARES)
    return float(np.exp(logs[place - 1] + part * (logs[place] - logs[place - 1])))


def medians(ratios: Mapping[str, Array]) -> dict[str, dict[str, float]]:
    """The median ratio per one-shot policy with its 95 % bootstrap interval over worlds."""
    found = {}
    for name, own in ratios.items():
        rng = np.random.default_rng(0)
        drawn = np.median(own[rng.integers(0, len(own), (DRAWS, len(own)))], axis=1)
        # An infinite bound is written as the largest share tried: it is at least that.
        low, high = np.minimum(np.quantile(drawn, [0.025, 0.975], method="nearest"), SHARES[-1])
        found[name] = {"median": float(np.median(own)), "low": float(low), "high": float(high)}
    return found


def main() -> None:
    """Play all worlds in several processes and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default="generated,sst5,subj")
    parser.add_argument("--count", type=int, default=24, help="of each family, at most")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--features", type=Path, default=Path("runs/backtest/features"))
    options = parser.parse_args()
    choice = Choice(tuple(options.worlds.split(",")), options.count, options.features)
    worlds = worlds_of(choice)
    rows: list[Played] = []
    for row in played(play, choice, worlds, options.workers):
        rows.append(row)
        print(row["world"], flush=True)
    ratios: dict[str, list[float]] = {name: [] for name in (*ONE_SHOT, "best of each world")}
    for row in rows:
        targets, curve = row["targets"], row["planner"]
        for name in ONE_SHOT:
            ratios[name].append(cost_of(targets[name], curve))
        ratios["best of each world"].append(cost_of(max(targets.values()), curve))
    found = medians({name: np.array(own) for name, own in ratios.items()})
    means = {name: float(np.mean([row["targets"][name] for row in rows])) for name in ONE_SHOT}
    for name, own in found.items():
        print(f"ratio: {own['median']:.2f} ({own['low']:.2f} to {own['high']:.2f}) {name}")
    payload = {"shares": SHARES, "markets": MARKETS, "cost_ratio": found, "mean_accuracy": means}
    write_result("rounds_to_target", {**payload, "worlds": rows})


if __name__ == "__main__":
    main()
