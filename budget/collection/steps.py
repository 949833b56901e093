"""The one next thing to do in a collection, decided from what is kept alone.

Every step can be done again at any time: what it did is in the store, on the server or in a file,
and what is there is not done twice. So a process that is killed anywhere is simply started again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from budget.collection.channels.base import Channel
from budget.collection.contents import Contents
from budget.collection.orders import BatchRecord
from budget.collection.proposing import Proposal, Proposer, batch_lines
from budget.collection.store.store import CollectionStore
from budget.collection.suppliers import Supplier
from budget.config.collection_config import CollectionConfig
from budget.market.supplier_file import SuppliersFile
from training.engines import Watcher
from training.engines.choice import EngineChoice

Step = Literal["plan", "approve", "order", "pull", "stop"]
BY_SETTING = "buying.approve_below"


@dataclass(frozen=True)
class Done:
    """What a step did.

    Attributes
    ----------
    step : which it was
    lines : what happened, for people
    waits_for : "approval", "annotators", "nothing" where the collection is at its end; None where
        the next step can be done at once
    batch : that it was about
    """

    step: Step
    lines: tuple[str, ...]
    waits_for: Literal["approval", "annotators", "nothing"] | None = None
    batch: int | None = None


class Collection:
    """A collection at work.

    Parameters
    ----------
    folder : its own, for features and trials that are kept
    store : where everything stands
    config, file, suppliers : settings, and who labels
    contents : items and test set
    channels : supplier -> the way to it
    engine : where trials run
    """

    def __init__(
        self,
        folder: Path,
        store: CollectionStore,
        config: CollectionConfig,
        file: SuppliersFile,
        suppliers: Mapping[str, Supplier],
        contents: Contents,
        channels: Mapping[str, Channel],
        engine: EngineChoice,
    ) -> None:
        self.folder, self.store, self.config = folder, store, config
        self.suppliers, self.contents = suppliers, contents
        self._channels = channels
        self.proposer = Proposer(folder, store, config, file, suppliers, contents, engine)

    # What is next

    def open_batch(self) -> BatchRecord | None:
        """The batch that is neither complete nor cancelled; None where a new one is due."""
        there = [b for b in self.store.batches() if b.state not in ("complete", "cancelled")]
        return there[-1] if there else None

    def next_step(self) -> Step:
        """What `step` would do."""
        if self.store.state() != "running":
            return "stop"
        batch = self.open_batch()
        if batch is None:
            return "plan"
        match batch.state:
            case "planned":
                return "approve"
            case "approved":
                return "order"
            case _:
                return "pull"

    def step(self, watcher: Watcher, enough: bool = False) -> Done:
        """Do the one next thing.

        `enough`: take the open batch as complete with the judgments that are there.

        Raises InputError if it cannot be done; nothing is lost, and it can be done again.
        """
        match self.next_step():
            case "plan":
                return self._plan(watcher)
            case "approve":
                return self._approve()
            case "order":
                return self._order()
            case "pull":
                return self._pull(enough)
            case _:
                told = f"the collection is {self.store.state()}; nothing is done"
                return Done("stop", (told,), "nothing")

    # Planning

    def _plan(self, watcher: Watcher) -> Done:
        deadline = self.config.deadline
        if deadline is not None and datetime.now(UTC).date() > deadline:
            return self._ended(f"The deadline, {deadline.isoformat()}, has passed.")
        proposal = self.proposer.proposal(watcher)
        if not proposal.lines:
            return self._ended(proposal.choice.why, proposal.choice.notes)
        key = self._key(proposal)
        decision = {**proposal.choice.evidence, "why": proposal.choice.why}
        share = Decimal(str(self.config.buying.extra))
        number = self.store.add_batch(proposal.lines, decision, key, share)
        self.store.remember(ended=None)
        return Done("plan", (*batch_lines(proposal, self.store.unit.shown),), None, number)

    def _ended(self, why: str, notes: tuple[str, ...] = ()) -> Done:
        self.store.remember(ended=why)
        return Done("plan", (why, *notes), "nothing")

    def _key(self, proposal: Proposal) -> str:
        """Names a batch by its number and what is in it: planned twice, it is one."""
        lines = [
            [line.supplier, line.item_id, line.judgments, line.gold] for line in proposal.lines
        ]
        text = json.dumps([proposal.number, lines], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    # Approving, ordering, pulling

    def _approve(self) -> Done:
        batch = self.open_batch()
        assert batch is not None
        limit, currency = self.config.buying.approve_below, self.store.unit.currency
        most = f"batch {batch.number} costs {batch.most} {currency} at most"
        if batch.most <= limit:
            self.store.approve(batch.number, BY_SETTING)
            told = (
                f"{most} and is approved: the settings ask for no approval up to {limit} {currency}"
            )
            return Done("approve", (told,), None, batch.number)
        told = (
            f"{most} and waits for approval: labelmix collect approve {self.folder} {batch.number}"
        )
        return Done("approve", (told,), "approval", batch.number)

    def _order(self) -> Done:
        batch = self.open_batch()
        assert batch is not None
        every = self.store.lines()
        ordered = {b.number for b in self.store.batches() if b.state in ("ordered", "complete")}
        told = []
        for name, channel in self._channels.items():
            own = every[(every["supplier"] == name)]
            if not (own["batch"] == batch.number).any():
                continue
            due = own[own["batch"].isin({*ordered, batch.number})]
            told.append(f"{name}: {channel.send(due)}")
        self.store.mark_ordered(batch.number)
        return Done("order", (f"batch {batch.number} is ordered", *told), None, batch.number)

    def _pull(self, enough: bool) -> Done:
        batch = self.open_batch()
        assert batch is not None
        told = list(self.fetch())
        now = next(own for own in self.store.batches() if own.number == batch.number)
        missing = self._missing(batch.number)
        if missing and not enough:
            told.append(f"batch {batch.number} waits for {missing:,} of {now.wanted:,} judgments")
            return Done("pull", tuple(told), "annotators", batch.number)
        self.store.complete(batch.number)
        rest = f" without {missing:,} judgments that did not come" if missing else ""
        told.append(f"batch {batch.number} is complete{rest}")
        return Done("pull", tuple(told), None, batch.number)

    def fetch(self) -> tuple[str, ...]:
        """Fetch and book what every supplier's people said; what happened, for people."""
        told = []
        ordered = self.store.lines()
        states = {own.number: own.state for own in self.store.batches()}
        sent = ordered[ordered["batch"].map(states).isin(["ordered", "complete"])]
        for name, channel in self._channels.items():
            if not (sent["supplier"] == name).any():
                continue
            fetched = channel.fetch()
            received = self.store.receive(name, fetched.judgments, fetched.whole)
            told.append(
                f"{name}: {received.new:,} new judgments, {received.changed:,} changed, "
                f"{received.gone:,} gone"
            )
            told += [f"{name}: left out: {note}" for note in fetched.notes[:5]]
        booked = self.store.book()
        if len(booked.unpaid):
            told.append(
                f"{len(booked.unpaid):,} judgments are not paid; see labelmix collect status"
            )
        return tuple(told)

    def _missing(self, batch: int) -> int:
        """Judgments that lines of the batch still wait for."""
        lines = self.store.lines(batch)
        return int((lines["judgments"] - lines["received"]).clip(lower=0).sum())
