"""1,000 campaigns of a backtest with real probe training on cached features, in all cores.

Twice: every policy of the registry alike, world by world as a backtest plays them, and the planner
alone, whose campaigns are the dearest. No peer plays the same game. Campaigns of the planner are
played one by one and together, in a world where it rehearses: both must buy the same, because what
a purchase gives does not depend on what else is trained in its batch. Imports, the making of
features and the truth that a backtest measures beside the campaigns are not timed.
"""

import argparse
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import torch

from _machine import describe_machine, write_result
from budget.backtest.evidence import campaign_in, play_in_world
from budget.backtest.policies.registry import POLICIES, find_policies
from budget.backtest.trainer import ProbeTrainer
from budget.market.simple_rules import Mix
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources
from budget.worlds.world import World

WORLDS = 20
REHEARSED = 2  # a world where the planner rehearses more than the control
Purchases = list[Mix]
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


def play(index: int, policies: list[str], seeds: range) -> dict[str, tuple[float, Purchases]]:
    """Policy -> seconds and purchases of campaigns in one world, one per seed.

    Seconds are of deciding, with the probes that no policy before it asked for.
    """
    world = worlds()[index]
    trainer = ProbeTrainer(world, "per_size")
    played = {}
    for policy in find_policies(policies):
        markets = [campaign_in(world, seed) for seed in seeds]
        started = time.perf_counter()
        play_in_world(policy, markets, trainer)
        seconds = time.perf_counter() - started
        played[policy.name] = (seconds, [market.bought for market in markets])
    return played


def timed(pool: ProcessPoolExecutor, policies: list[str], campaigns: int) -> dict[str, object]:
    """All policies in all worlds, so many campaigns in all: wall seconds and each policy's."""
    each = math.ceil(campaigns / WORLDS / len(policies))
    started = time.perf_counter()
    jobs = [pool.submit(play, index, policies, range(each)) for index in range(WORLDS)]
    seconds = dict.fromkeys(policies, 0.0)
    for job in jobs:
        for policy, (own, _) in job.result().items():
            seconds[policy] += own
    wall = time.perf_counter() - started
    played = each * WORLDS * len(policies)
    print(f"{played} campaigns of {len(policies)} policies: {wall:.0f} s")
    return {"campaigns": played, "wall_seconds": wall, "process_seconds": seconds}


def main() -> None:
    """Time both; print wall seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=1000)
    campaigns = parser.parse_args().campaigns
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers read it: a process a core is enough
    cores = int(str(describe_machine()["cores"]))
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        list(pool.map(warm, range(cores)))
        alone = [pool.submit(play, REHEARSED, ["planner"], range(n, n + 1)) for n in range(8)]
        _, together = pool.submit(play, REHEARSED, ["planner"], range(8)).result()["planner"]
        assert together == [job.result()["planner"][1][0] for job in alone]
        result = {
            "all policies": timed(pool, list(POLICIES), campaigns),
            "planner": timed(pool, ["planner"], campaigns),
        }
    write_result("backtest_campaigns", {"processes": cores, **result})


if __name__ == "__main__":
    main()
