"""Reaching a target accuracy: the planner in five rounds against policies that buy once.

The question of Mahmood et al. (CVPR 2022): how much must be bought until the target is scored? Who
buys once has to buy enough for a purchase that turns out unlucky; who buys in rounds stops as soon
as the target is scored. In every world the target is what the best mix of a grid scores in the mean
for half of the world's budget. There is four times that money.

- in rounds, at once: `TargetBuyer` with five rounds and with two, a batch to learn from and the
  purchase; both aim at the target with a probability of .9 in their last round.
- a rule, sized in hindsight: the smallest size at which the rule's purchase scores the target in at
  least as many of the same markets as the planner in rounds did. No policy can know this size: it
  is less than any that buys once by this rule could do with.
- the best rule of each world, known in hindsight too; the best mix of the grid is one of them.

Whether the target is scored is read off the same test set by which the planner stops, so that a
part of what rounds save is that a lucky score is taken where it comes.
"""

import argparse
from collections.abc import Callable, Mapping
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
from annotation.terms.cost import affordable, mix_cost
from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies import simple
from budget.backtest.policies.target_buyer import TargetBuyer
from budget.backtest.trainer import ProbeTrainer
from budget.backtest.truth import Scores, grid_mixes
from budget.campaign.campaign import Campaign
from budget.market.simple_rules import Mix
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources, default_data_dir
from budget.worlds.world import Half, World

Array = NDArray[np.float64]
Rule = Callable[[Campaign], Mix]
MARKETS = 16
PLENTY = 4  # times the money for which the best mix scores the target
SIZES = tuple(1.15**k for k in range(-9, 11))  # of a rule's purchase, times the same
RULES: Mapping[str, Rule] = {
    "all_easy": simple.all_easy,
    "all_hard": simple.all_hard,
    "equal_spend": simple.equal_spend,
    "equal_counts": simple.equal_counts,
    "proportional": simple.proportional,
    "paper_rule": simple.paper_rule,
}
BEST = "best rule of each world"
DRAWS = 2000


@dataclass(frozen=True)
class Choice:
    """Which worlds of a half, as (family, those left out first, number); where features lie."""

    families: tuple[tuple[str, int, int], ...]
    half: Half
    features: Path


class Played(TypedDict):
    """One world. Costs are means over markets, as multiples of the best mix's; `sized` by rule."""

    world: str
    target: float
    rounds_cost: float
    rounds_reached: float
    once_cost: float
    once_reached: float
    sized: dict[str, float | None]  # None: at no size tried


@cache
def worlds_of(choice: Choice) -> list[World]:
    found: list[World] = []
    for family, first, count in choice.families:
        sources = Sources(default_data_dir(), None, choice.features / family)
        found += choose_worlds([family], count, choice.half, sources, first)[0]
    return found


def play(choice: Choice, index: int) -> Played:
    """One world: both buyers, and every rule at every size."""
    world = worlds_of(choice)[index]
    items = world.items
    half = Decimal(round(Fraction(world.budget) / 2))

    def with_money(times: float) -> World:
        money = (half * Decimal(str(times))).quantize(Decimal("0.01"))
        return replace(world, budget=money, load=lambda: items)

    reference, plenty = with_money(1), with_money(PLENTY)
    trainer = ProbeTrainer(world, "per_size")
    scores = Scores(world, trainer)
    seeds = range(MARKETS)

    def accuracies(mix: Mix) -> Array:
        for _ in scores.measure([(mix, seed) for seed in seeds]):
            pass
        return np.array([scores.of(mix, seed) for seed in seeds])

    grid = grid_mixes(reference)
    for _ in scores.measure([(mix, seed) for mix in grid for seed in seeds]):
        pass
    means = [float(accuracies(mix).mean()) for mix in grid]
    best, target = grid[int(np.argmax(means))], max(means)
    bought: dict[str, tuple[float, float]] = {}
    for name, buyer in (
        ("rounds", TargetBuyer(target)),
        ("once", TargetBuyer(target, rounds=2, learning=1)),
    ):
        markets = [campaign_in(plenty, seed) for seed in seeds]
        play_in_world(buyer, markets, trainer)
        cost = float(np.mean([float(own.cost / half) for own in markets]))
        for _ in scores.measure(
            [(own.trained, seed) for own, seed in zip(markets, seeds, strict=True)]
        ):
            pass
        reached = [
            scores.of(own.trained, k) >= target for own, k in zip(markets, seeds, strict=True)
        ]
        bought[name] = (cost, float(np.mean(reached)))

    def best_mix(market: Campaign) -> Mix:
        return {
            name: min(
                affordable(market.budget, market.terms[name].cost, _share(best, reference, name)),
                market.capacity[name],
            )
            for name in market.strata
        }

    sized: dict[str, float | None] = {}
    for name, rule in {**RULES, "best_mix": best_mix}.items():
        sized[name] = None
        for size in SIZES:
            mix = rule(campaign_in(with_money(size), 0))
            if (accuracies(mix) >= target).mean() >= bought["rounds"][1]:
                sized[name] = float(mix_cost(mix, world.terms) / half)
                break
    return {
        "world": world.name,
        "target": target,
        "rounds_cost": bought["rounds"][0],
        "rounds_reached": bought["rounds"][1],
        "once_cost": bought["once"][0],
        "once_reached": bought["once"][1],
        "sized": sized,
    }


def _share(mix: Mix, world: World, stratum: str) -> Fraction:
    """The share of the money that a mix spends on a stratum."""
    spent = {name: Fraction(world.terms[name].cost) * count for name, count in mix.items()}
    return spent[stratum] / sum(spent.values())


def median(ratios: Array) -> dict[str, float]:
    """The median over worlds with its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    drawn = np.median(ratios[rng.integers(0, ratios.size, (DRAWS, ratios.size))], axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    return {"median": float(np.median(ratios)), "low": float(low), "high": float(high)}


def summarise(rows: list[Played]) -> dict[str, dict[str, float]]:
    """Ratios of the planner's cost in rounds to that of every policy that buys once.

    0 where a rule gets there at no size that was tried.
    """
    rounds = np.array([row["rounds_cost"] for row in rows])
    found = {"planner, at once": median(rounds / np.array([row["once_cost"] for row in rows]))}
    for name in rows[0]["sized"]:
        costs = [row["sized"][name] or np.inf for row in rows]
        found[name] = median(rounds / np.array(costs))
    return {**found, BEST: median(rounds / np.array([least(row) for row in rows]))}


def least(row: Played) -> float:
    """What the best rule of a world costs, infinite if none gets there."""
    return min((cost for cost in row["sized"].values() if cost is not None), default=np.inf)


def main() -> None:
    """Play all worlds in several processes and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default="generated:60:14,sst5:12:8,subj:12:8")
    parser.add_argument("--half", choices=("design", "held_out"), default="held_out")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--features", type=Path, default=Path("runs/backtest/features"))
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    families = []
    for text in options.worlds.split(","):
        family, first, count = text.split(":")
        families.append((family, int(first), int(count)))
    choice = Choice(tuple(families), options.half, options.features)
    worlds = worlds_of(choice)
    rows: list[Played] = []
    for row in played(play, choice, worlds, options.workers):
        rows.append(row)
        print(
            f"{row['world']}: in rounds {row['rounds_cost']:.2f} ({row['rounds_reached']:.0%})"
            f", at once {row['once_cost']:.2f} ({row['once_reached']:.0%}), best rule "
            f"{least(row):.2f}",
            flush=True,
        )
    found = summarise(rows)
    for name, own in found.items():
        print(f"ratio: {own['median']:.2f} ({own['low']:.2f} to {own['high']:.2f}) {name}")
    reached = {
        name: float(np.mean([row[name] for row in rows]))
        for name in ("rounds_reached", "once_reached")
    }
    print(reached)
    if not options.no_write:
        write_result(
            "target_in_rounds",
            {"sizes": SIZES, "markets": MARKETS, "cost_ratio": found, **reached, "worlds": rows},
        )


if __name__ == "__main__":
    main()
