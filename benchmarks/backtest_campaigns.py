"""1,000 campaigns of the planner with real probe training on cached features.

No peer plays the same game. One campaign is played alone and among others: both must buy the same,
because what a purchase gives does not depend on what else is trained in its batch.
"""

import argparse
import time

from _machine import write_result
from budget.backtest.market import Market
from budget.backtest.policies.surface_planner import SurfacePlanner
from budget.backtest.policy import play_markets
from budget.backtest.trainer import ProbeTrainer
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources, default_data_dir
from budget.worlds.world import World

WORLDS = 20


def play(world: World, campaigns: int) -> tuple[float, list[dict[str, int]]]:
    """Seconds and purchases of so many campaigns in one world."""
    trainer = ProbeTrainer(world, "per_size")
    markets = [Market(world, seed) for seed in range(campaigns)]
    started = time.perf_counter()
    play_markets(SurfacePlanner(), markets, trainer)
    return time.perf_counter() - started, [market.bought for market in markets]


def main() -> None:
    """Time the campaigns world by world; features are made before the clock starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1000)
    each = parser.parse_args().campaigns // WORLDS
    sources = Sources(default_data_dir(), None, default_data_dir() / "features")
    worlds, _ = choose_worlds(["generated"], WORLDS, "design", sources)
    rows = []
    for world in worlds:
        assert world.items.features.size  # made now
        _, alone = play(world, 1)
        seconds, bought = play(world, each)
        assert bought[0] == alone[0]
        rows.append({"world": world.name, "campaigns": each, "seconds": seconds})
        print(f"{world.name:55s} {each} campaigns {seconds:6.1f} s", flush=True)
    total = sum(float(str(row["seconds"])) for row in rows)
    print(f"{each * len(worlds)} campaigns: {total:.0f} s")
    write_result("backtest_campaigns", {"worlds": rows, "seconds": total})


if __name__ == "__main__":
    main()
