"""Worlds played in several processes; the one that started them alone writes the journal."""

import multiprocessing
import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing.queues import Queue

from budget.backtest.journal import Journal, Row
from budget.backtest.play_world import Design, play_world, steps_of
from budget.backtest.regret import world_summary
from budget.backtest.result import WorldSummary
from budget.campaign.play import Policy
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources, no_progress
from budget.worlds.world import Half, World
from training.engines.base import SilentWatcher, Watcher

_LOOK_EVERY = 0.2  # seconds
_rows: "Queue[tuple[str, Row]] | None" = None  # of a worker: where its results go


@dataclass(frozen=True)
class Choice:
    """How a worker finds the worlds that its parent has chosen."""

    families: tuple[str, ...]
    count: int
    half: Half
    sources: Sources
    skip: int = 0

    def worlds(self) -> list[World]:
        return choose_worlds(self.families, self.count, self.half, self.sources, self.skip)[0]


class _Passed:
    """A journal whose rows were handed over, and whose new ones go to the parent."""

    def __init__(self, known: dict[str, Row]) -> None:
        self._known = known
        self.passed_on = 0

    def find(self, key: str) -> Row | None:
        return self._known.get(key)

    def add(self, key: str, row: Row) -> Row:
        assert _rows is not None
        _rows.put((key, row))
        self.passed_on += 1
        return row


def play_in_workers(
    names: Sequence[str],
    choice: Choice,
    policies: Sequence[Policy],
    design: Design,
    journal: Journal,
    watcher: Watcher,
    workers: int,
) -> Iterator[WorldSummary]:
    """Play all worlds of a choice, `names` in its order; every row is kept once it is there."""
    choice = replace(choice, sources=replace(choice.sources, progress=no_progress))
    context = multiprocessing.get_context("spawn")
    rows: Queue[tuple[str, Row]] = context.Queue()
    with ProcessPoolExecutor(workers, context, _begin, (rows,)) as pool:
        try:
            played: list[Future[tuple[WorldSummary, int]]] = []
            for index, name in enumerate(names):
                known = journal.of_world(name)
                arguments = (choice, index, tuple(policies), design, known)
                played.append(pool.submit(_play, *arguments))
            left, missing = set(played), 0  # rows that workers have passed on, not yet kept
            while left:
                done, left = wait(left, _LOOK_EVERY, FIRST_COMPLETED)
                missing += sum(future.result()[1] for future in done)  # or what a worker raised
                missing -= _keep_what_is_there(rows, journal)
                watcher.advance(len(done) * steps_of(policies))
            for _ in range(missing):  # still on their way
                journal.add(*rows.get())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    yield from (future.result()[0] for future in played)


def _keep_what_is_there(rows: "Queue[tuple[str, Row]]", journal: Journal) -> int:
    """How many rows had come."""
    kept = 0
    while True:
        try:
            key, row = rows.get_nowait()
        except queue.Empty:
            return kept
        journal.add(key, row)
        kept += 1


def _begin(rows: "Queue[tuple[str, Row]]") -> None:
    global _rows
    _rows = rows
    import torch

    torch.set_num_threads(1)  # pools of threads on the same cores slow each other down


@cache
def _worlds(choice: Choice) -> list[World]:
    return choice.worlds()


def _play(
    choice: Choice, index: int, policies: tuple[Policy, ...], design: Design, known: dict[str, Row]
) -> tuple[WorldSummary, int]:
    """A world's summary, and how many rows were passed on for it."""
    worlds = _worlds(choice)
    # A copy of its own: its items are let go of when it is done.
    world = replace(worlds[index])
    journal = _Passed(known)
    summary = world_summary(play_world(world, policies, design, journal, SilentWatcher()))
    return summary, journal.passed_on
