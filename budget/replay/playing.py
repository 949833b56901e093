"""Playing a collection: batches are planned, ordered and answered by what people once said."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from budget.collection.channels.base import Channel
from budget.collection.channels.replayed import ReplayedAnnotators
from budget.collection.orders import BatchRecord
from budget.collection.resources import CollectionResources
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore
from budget.decision.result import PlannedPurchase
from budget.replay.past import Past
from budget.replay.purchases import PLAN, PastPurchase
from training.engines import SilentWatcher, Watcher
from training.engines.choice import EngineChoice
from training.progress import Passed

_WHO = "replay"


@dataclass(frozen=True)
class Claim:
    """What a plan promised before its batch was bought.

    `spent` was paid by then; `plan` is all that it would have bought with the rest.
    """

    batch: int
    spent: Decimal
    plan: PlannedPurchase


@dataclass(frozen=True)
class Played:
    """A collection that was played to its end.

    Attributes
    ----------
    seed : of all its draws
    purchase : everything that it bought
    claims : of every batch but the first, in order
    batches : (supplier, stratum, judgments of an item) -> items asked, batch by batch
    gold : units paid for gold questions
    ended : why nothing more was bought
    """

    seed: int
    purchase: PastPurchase
    claims: tuple[Claim, ...]
    batches: tuple[Mapping[tuple[str, str, int], int], ...]
    gold: int
    ended: str


class OnlyReading:
    """Passes on that items are read for their features, which takes long; the rest is quick."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher, self._on = watcher, False

    def stage(self, description: str, total: int) -> None:
        self._on = description == "reading items"
        if self._on:
            self._watcher.stage(description, total)

    def advance(self, steps: int = 1, tokens: int = 0) -> None:
        if self._on:
            self._watcher.advance(steps, tokens)

    def within(self, step: str, passed: Passed) -> None:
        pass

    def ended(self, step: str) -> None:
        pass


def check_first_batch(past: Past, budget: Decimal, scratch: Path) -> None:
    """Raise InputError if the budget does not pay for a first batch; trains nothing."""
    with CollectionStore.create(scratch / "first.sqlite", past.unit, budget, _WHO) as store:
        collection = _collection(past, 0, budget, store, scratch, EngineChoice())
        collection.proposer.proposal(SilentWatcher())


def play(
    past: Past,
    seed: int,
    budget: Decimal,
    scratch: Path,
    work: Path,
    engine: EngineChoice,
    watcher: Watcher,
) -> Played:
    """Play one collection to its end; every batch is approved.

    Parameters
    ----------
    past : what people said, and at what price
    seed : of all draws
    budget : that it may spend
    scratch : folder for its store
    work : folder for features and trials, which all replays share
    engine : where trials run
    watcher : is told how training goes on

    Raises InputError if the budget does not pay for a first batch.
    """
    with CollectionStore.create(scratch / f"{seed}.sqlite", past.unit, budget, _WHO) as store:
        collection = _collection(past, seed, budget, store, work, engine)
        ended = _to_the_end(collection, watcher)
        return _played(past, seed, store, ended)


def _collection(
    past: Past,
    seed: int,
    budget: Decimal,
    store: CollectionStore,
    work: Path,
    engine: EngineChoice,
) -> Collection:
    """A collection whose annotators say what they said then."""
    config = past.config.model_copy(
        update={
            "buying": past.config.buying.model_copy(update={"seed": seed}),
            "budget": past.config.budget.model_copy(update={"total": budget}),
        }
    )
    channels: dict[str, Channel] = {
        name: ReplayedAnnotators(past.judgments[past.judgments["supplier"] == name], seed)
        for name in past.suppliers
    }
    resources = CollectionResources(
        work, store, config, past.file, past.suppliers, past.contents, engine
    )
    return Collection(resources, channels)


def _to_the_end(collection: Collection, watcher: Watcher) -> str:
    while True:
        done = collection.step(watcher, enough=True)
        if done.waits_for == "approval":
            assert done.batch is not None
            collection.store.approve(done.batch, _WHO)
        elif done.waits_for == "nothing":
            return done.lines[0]  # why; what follows are notes on what was measured


def _played(past: Past, seed: int, store: CollectionStore, ended: str) -> Played:
    table = store.judgments()
    lines = store.lines()
    records = store.batches()
    paid = store.unit.units(store.balance().paid, "what was paid")
    costs = dict(zip(past.judgments["source_id"], past.judgments["cost"], strict=True))
    gold = sum(costs[name] for name in table["source_id"][table["gold"].notna()])
    asked = lines[lines["gold"].isna()]
    batches = tuple(
        {
            (str(supplier), str(stratum), int(number)): len(own)
            for (supplier, stratum, number), own in asked[asked["batch"] == record.number].groupby(
                ["supplier", "stratum", "judgments"]
            )
        }
        for record in records
    )
    purchase = PastPurchase(PLAN, None, None, table, paid)
    return Played(seed, purchase, tuple(_claims(records)), batches, int(gold), ended)


def _claims(records: tuple[BatchRecord, ...]) -> list[Claim]:
    found, spent = [], Decimal(0)
    for record in records:
        decision: Mapping[str, Any] = record.decision
        if "plan" in decision:
            # The evidence is kept as JSON; it is read back as strictly as it was written.
            plan = PlannedPurchase.model_validate_json(json.dumps(decision["plan"]))
            found.append(Claim(record.number, spent, plan))
        spent += record.paid
    return found
