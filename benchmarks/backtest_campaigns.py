"""1,000 campaigns of a backtest with real probe training on cached features, in all cores.

Twice: every policy of the registry alike, as a backtest has them, and the planner alone, whose
campaigns are the dearest. No peer plays the same game. One campaign of the planner is played alone
and among others: both must buy the same, because what a purchase gives does not depend on what else
is trained in its batch. Imports and the making of features are not timed.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import torch

from _machine import describe_machine, write_result
from budget.backtest.market import Market
from budget.backtest.policies.registry import POLICIES, find_policies
from budget.backtest.policy import play_markets
from budget.backtest.trainer import ProbeTrainer
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources
from budget.worlds.world import World

WORLDS = 20
NOWHERE = Path("unused")  # generated worlds read and write no files


@cache
def worlds() -> list[World]:
    """Generated worlds of the design half."""
    found, _ = choose_worlds(["generated"], WORLDS, "design", Sources(NOWHERE, None, NOWHERE))
    return found


def warm(_: int) -> None:
    """Import everything, and make all features."""
    torch.set_num_threads(1)
    for world in worlds():
        assert world.items.features.size
    time.sleep(1)  # so that no worker takes two of these


def play(index: int, policy: str, campaigns: int) -> tuple[float, list[dict[str, int]]]:
    """Seconds and purchases of so many campaigns of a policy in one world."""
    world = worlds()[index]
    trainer = ProbeTrainer(world, "per_size")
    markets = [Market(world, seed) for seed in range(campaigns)]
    started = time.perf_counter()
    play_markets(find_policies([policy])[0], markets, trainer)
    return time.perf_counter() - started, [market.bought for market in markets]


def timed(pool: ProcessPoolExecutor, policies: list[str], campaigns: int) -> dict[str, object]:
    """All policies in all worlds, so many campaigns in all: wall seconds and each policy's."""
    each = max(1, round(campaigns / WORLDS / len(policies)))
    started = time.perf_counter()
    # The longest first, so that no core waits for the last one.
    jobs = {
        (policy, index): pool.submit(play, index, policy, each)
        for policy in sorted(policies, key=lambda name: not name.startswith("planner"))
        for index in range(WORLDS)
    }
    seconds = dict.fromkeys(policies, 0.0)
    for (policy, _), job in jobs.items():
        seconds[policy] += job.result()[0]
    wall = time.perf_counter() - started
    played = each * WORLDS * len(policies)
    print(f"{played} campaigns of {len(policies)} policies: {wall:.0f} s")
    return {"campaigns": played, "wall_seconds": wall, "process_seconds": seconds}


def main() -> None:
    """Time both; print wall seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1000)
    campaigns = parser.parse_args().campaigns
    cores = int(str(describe_machine()["cores"]))
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        list(pool.map(warm, range(cores)))
        _, alone = pool.submit(play, 0, "planner", 1).result()
        _, among = pool.submit(play, 0, "planner", 8).result()
        assert among[0] == alone[0]
        result = {
            "all policies": timed(pool, list(POLICIES), campaigns),
            "planner": timed(pool, ["planner"], campaigns),
        }
    write_result("backtest_campaigns", {"processes": cores, **result})


if __name__ == "__main__":
    main()
