"""Worlds played in several processes, for benchmarks of the backtest."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from budget.worlds.world import World

Choice = TypeVar("Choice")
Played = TypeVar("Played")


def played(
    play: Callable[[Choice, int], Played], choice: Choice, worlds: Sequence[World], workers: int
) -> Iterator[Played]:
    """What `play` makes of each world's number, in order; features are made before."""
    for world in {own.family: own for own in worlds}.values():
        assert world.items.features.size  # kept on disk for the workers
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        jobs = [pool.submit(play, choice, index) for index in range(len(worlds))]
        for job in jobs:
            yield job.result()
