"""The whole replay: collections are played, the plan's claim is told, then all is tested."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from annotation.arrays import Correct
from annotation.errors import InputError
from budget.replay.outcomes import Outcomes
from budget.replay.past import Past
from budget.replay.playing import OnlyReading, Played, play
from budget.replay.purchases import PastPurchase, done, simple_rules
from budget.replay.result import ClaimRecord, ReplayResult
from budget.replay.summarise import PurchaseKind, claim_of, summarise
from training.engines import SilentWatcher, Watcher
from training.engines.choice import EngineChoice

_SHARES = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)
"""Of all that was paid: where it is looked how far what was done had come."""


@dataclass(frozen=True)
class Folders:
    """`work` is for features and trials, which stay; `scratch` for stores, which do not."""

    work: Path
    scratch: Path


def usual_budget(past: Past) -> Decimal:
    """Half of what was paid, rounded down to a unit."""
    return past.amount(int(past.for_sale["cost"].sum()) // 2)


def check_budget(past: Past, budget: Decimal) -> None:
    """Raise InputError if the budget is nothing, or more than was paid, or finer than its unit."""
    units = past.unit.units(budget, "--budget")
    paid = int(past.for_sale["cost"].sum())
    if not 0 < units <= paid:
        raise InputError(
            f"--budget {budget}: should be above 0 and at most {past.amount(paid)}, which is what "
            "the judgments of items for sale cost: nothing else can be bought again."
        )


def played_again(
    past: Past,
    budget: Decimal,
    seeds: int,
    folders: Folders,
    engine: EngineChoice,
    watcher: Watcher,
    say: Callable[[str], None],
) -> list[Played]:
    """Play so many collections; after the first it is said how long the others take.

    Raises InputError if the budget does not pay for a first batch.
    """
    found = []
    for seed in range(seeds):
        began = time.monotonic()
        # The first reads most items, which takes long; then the stage is that of replays.
        heard = SilentWatcher() if seed else OnlyReading(watcher)
        found.append(play(past, seed, budget, folders.scratch, folders.work, engine, heard))
        if seed == 0:
            say(_duration(time.monotonic() - began, seeds - 1))
            watcher.stage("replays", seeds)
        watcher.advance()
    return found


def _duration(seconds: float, more: int) -> str:
    minutes = seconds * more / 60
    told = f"{minutes:.0f} minutes" if minutes >= 1.5 else "a minute or two"
    return f"the first replay took {seconds:.0f} s; {more} more take {told} at most"


def replay_outcome(
    past: Past,
    budget: Decimal,
    played: Sequence[Played],
    claim: ClaimRecord,
    folders: Folders,
    engine: EngineChoice,
    watcher: Watcher,
) -> ReplayResult:
    """Train on what every replay bought, on what was done and on simple purchases; test all."""
    money = past.unit.units(budget, "--budget")
    outcomes = Outcomes(past, folders.work, engine)
    bought: list[dict[PurchaseKind, tuple[PastPurchase, Correct]]] = []
    paid = int(past.for_sale["cost"].sum())
    points = sorted({money, *(int(share * paid) for share in _SHARES)})
    curve: dict[int, list[Correct]] = {units: [] for units in points}
    for own in played:
        seed = own.seed
        ways = [own.purchase, done(past, money, seed), *_that_buy(past, money, seed)]
        # In the order of time, what was done is the same in every replay.
        is_new = not past.is_timed or not bought
        looked = [done(past, units, seed) for units in points] if is_new else []
        heard = SilentWatcher() if bought else OnlyReading(watcher)
        correct = outcomes.correct([*ways, *looked], seed, heard)
        if not bought:
            watcher.stage("trained and tested", len(played))
        bought.append({way.kind: (way, own) for way, own in zip(ways, correct, strict=False)})
        for units, right in zip(points, correct[len(ways) :], strict=False):
            curve[units].append(right)
        watcher.advance()
    if past.is_timed:
        curve = {units: own * len(played) for units, own in curve.items()}
    return summarise(
        past,
        played,
        claim,
        float(budget),
        bought,
        [(float(past.amount(units)), np.stack(own)) for units, own in curve.items()],
    )


def _that_buy(past: Past, money: int, seed: int) -> list[PastPurchase]:
    """Simple rules for which the money is enough to buy anything."""
    return [own for own in simple_rules(past, money, seed) if len(own.table)]


__all__ = [
    "Folders",
    "check_budget",
    "claim_of",
    "played_again",
    "replay_outcome",
    "usual_budget",
]
