"""The one next thing to do in a collection, decided from what is kept alone.

Every step can be done again at any time: what it did is in the store, on the server or in a file,
and what is there is not done twice. So a process that is killed anywhere is simply started again.
"""

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from annotation.errors import InputError
from annotation.monitoring.alarms import AlarmSettings
from budget.collection.channels.base import Channel, PlaceGoneError
from budget.collection.channels.label_studio import LabelStudioChannel
from budget.collection.contents import read_contents
from budget.collection.measuring import JudgmentsSoFar, SupplierMeasured
from budget.collection.money_unit import shown
from budget.collection.orders import BatchRecord
from budget.collection.proposal import Proposal, batch_lines
from budget.collection.proposing import Proposer
from budget.collection.resources import CollectionResources
from budget.collection.test_set.buying import TestSetBuyer
from budget.collection.test_set.facts import kept_test_set
from training.engines import Watcher

Step = Literal["plan", "approve", "order", "pull", "stop"]
BY_SETTING = "buying.approve_below"
_MOST_NOTES = 5  # of a supplier, that are shown


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


class _FromAll(NamedTuple):
    """What was fetched of all suppliers.

    `failure` is the first that could not be fetched from; `without_task` are (supplier, item) that
    nobody can answer any more.
    """

    told: tuple[str, ...]
    failure: InputError | None
    without_task: set[tuple[str, str]]


class Collection:
    """A collection at work.

    Parameters
    ----------
    resources : what it works with
    channels : supplier -> the way to it
    """

    def __init__(self, resources: CollectionResources, channels: Mapping[str, Channel]) -> None:
        self.folder, self.store = resources.folder, resources.store
        self.config, self.suppliers = resources.config, resources.suppliers
        self.contents = resources.contents
        self.alarms = AlarmSettings(resources.file.alarms.false_alarms)
        self.proposer = Proposer(resources)
        self._resources, self._channels = resources, channels

    @property
    def label_studio(self) -> Mapping[str, LabelStudioChannel]:
        """The suppliers whose people work in Label Studio, and the way to them."""
        own = self._channels.items()
        return {name: each for name, each in own if isinstance(each, LabelStudioChannel)}

    # What is next

    def open_batch(self) -> BatchRecord | None:
        """The batch that is neither complete nor cancelled; None where a new one is due."""
        there = [b for b in self.store.batches() if b.state not in ("complete", "cancelled")]
        return there[-1] if there else None

    def next_step(self) -> Step:
        """What `step` would do.

        While the collection is paused, what people answer of an ordered batch is still fetched and
        paid: they may be at work on it.
        """
        state, batch = self.store.state(), self.open_batch()
        if state == "paused" and batch is not None and batch.state == "ordered":
            return "pull"
        if state != "running":
            return "stop"
        if batch is None:
            return "plan"
        match batch.state:
            case "planned":
                return "approve"
            case "approved":
                return "order"
            case _:
                return "pull"

    def step(self, watcher: Watcher, enough: bool = False, send_again: bool = False) -> Done:
        """Do the one next thing.

        Parameters
        ----------
        watcher
            Is told how training goes on.
        enough
            Take the open batch as complete with the judgments that are there.
        send_again
            First bring what was ordered to its suppliers once more: tasks that were deleted there.

        Raises
        ------
        InputError
            If it cannot be done; nothing is lost, and it can be done again.
        """
        match self.next_step():
            case "plan":
                return self._plan(watcher)
            case "approve":
                return self._approve()
            case "order":
                return self._order()
            case "pull":
                return self._pull(enough, send_again)
            case _:
                state = self.store.state()
                told = f"the collection is {state}; nothing is done"
                if state == "paused":
                    told += f"; to go on: labelmix collect resume {self.folder}"
                return Done("stop", (told,), "nothing")

    # Planning

    def proposal(self, watcher: Watcher) -> Proposal | None:
        """The next batch, worked out and not kept; the test set's answers come before all labels.

        None where these answers are there and can be settled.
        """
        if self.contents.awaits_answers:
            return TestSetBuyer(self._resources).proposal(*self._measured())
        return self.proposer.proposal(watcher)

    def _measured(self) -> tuple[JudgmentsSoFar, dict[tuple[str, str], SupplierMeasured]]:
        so_far = self.proposer.judgments_so_far()
        return so_far, self.proposer.measured(so_far)

    def _settle(self) -> Done:
        """Keep the answers of the test items; from here on models can be scored."""
        told, is_kept = TestSetBuyer(self._resources).settle(*self._measured())
        if not is_kept:
            return self._ended(told[0], told[1:])
        bought = kept_test_set(self.store)
        self._resources = replace(self._resources, contents=read_contents(self.config, bought))
        self.contents, self.proposer = self._resources.contents, Proposer(self._resources)
        return Done("plan", told)

    def _plan(self, watcher: Watcher) -> Done:
        deadline = self.config.deadline
        if deadline is not None and datetime.now(UTC).date() > deadline:
            return self._ended(f"The deadline, {deadline.isoformat()}, has passed.")
        proposal = self.proposal(watcher)
        if proposal is None:
            return self._settle()
        if not proposal.lines:
            return self._ended(proposal.choice.why, proposal.choice.notes)
        key = self._key(proposal)
        decision = {**proposal.choice.evidence, "why": proposal.choice.why}
        share = Decimal(str(self.config.buying.extra))
        number = self.store.add_batch(proposal.lines, decision, key, share)
        self.store.remember(ended=None)
        return Done("plan", tuple(batch_lines(proposal, self.store.unit)), None, number)

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
        most = f"batch {batch.number} costs {shown(batch.most, currency)} at most"
        if batch.most <= limit:
            self.store.approve(batch.number, BY_SETTING)
            told = (
                f"{most} and is approved: the settings ask for no approval up to "
                f"{shown(limit, currency)}"
            )
            return Done("approve", (told,), None, batch.number)
        told = (
            f"{most} and waits for approval: labelmix collect approve {self.folder} {batch.number}"
        )
        return Done("approve", (told,), "approval", batch.number)

    def _order(self) -> Done:
        batch = self.open_batch()
        assert batch is not None
        told = self._send(batch.number)
        self.store.mark_ordered(batch.number)
        return Done("order", (f"batch {batch.number} is ordered", *told), None, batch.number)

    def _send(self, batch: int) -> list[str]:
        """Bring the lines of a batch to their suppliers, and those ordered before; what was done.

        What is there is not sent again.
        """
        every = self.store.lines()
        ordered = {b.number for b in self.store.batches() if b.state in ("ordered", "complete")}
        told = []
        for name, channel in self._channels.items():
            own = every[(every["supplier"] == name)]
            if not (own["batch"] == batch).any():
                continue
            due = own[own["batch"].isin({*ordered, batch})]
            told.append(f"{name}: {channel.send(due)}")
        return told

    def _pull(self, enough: bool, send_again: bool) -> Done:
        batch = self.open_batch()
        assert batch is not None
        told = self._send(batch.number) if send_again else []
        fetched = self._fetch()
        told += fetched.told
        is_gone = isinstance(fetched.failure, PlaceGoneError)
        if fetched.failure is not None and not (enough and is_gone):
            raise fetched.failure
        now = next(own for own in self.store.batches() if own.number == batch.number)
        missing = self.store.missing(batch.number)
        if missing and not enough:
            told.append(f"batch {batch.number} waits for {missing:,} of {now.wanted:,} judgments")
            told += self._without_task(batch.number, fetched.without_task)
            return Done("pull", tuple(told), "annotators", batch.number)
        self.store.complete(batch.number)
        rest = f" without {missing:,} judgments that did not come" if missing else ""
        told.append(f"batch {batch.number} is complete{rest}")
        return Done("pull", tuple(told), None, batch.number)

    def _without_task(self, batch: int, items: Set[tuple[str, str]]) -> list[str]:
        """A line about tasks that the batch waits for, and that are not there any more."""
        lines = self.store.lines(batch)
        lines = lines[lines["received"] < lines["judgments"]]
        gone = [
            own for own in zip(lines["supplier"], lines["item_id"], strict=True) if own in items
        ]
        if not gone:
            return []
        supplier, item = gone[0]
        tasks = "a task of it was" if len(gone) == 1 else f"{len(gone):,} tasks of it were"
        return [
            f"{tasks} deleted, such as item '{item}' of supplier '{supplier}', and nobody can "
            f"answer. To send them again: labelmix collect step {self.folder} --send-again; to do "
            "without them: --enough"
        ]

    def fetch(self) -> tuple[str, ...]:
        """Fetch and book what every supplier's people said; what happened, for people.

        Raises InputError if one cannot be fetched from, once all others are.
        """
        fetched = self._fetch()
        if fetched.failure is not None:
            raise fetched.failure
        return fetched.told

    def _fetch(self) -> _FromAll:
        told = []
        failure: InputError | None = None
        without_task: set[tuple[str, str]] = set()
        ordered = self.store.lines()
        states = {own.number: own.state for own in self.store.batches()}
        sent = ordered[ordered["batch"].map(states).isin(["ordered", "complete"])]
        for name, channel in self._channels.items():
            if not (sent["supplier"] == name).any():
                continue
            try:
                fetched = channel.fetch()
            except InputError as error:
                failure = failure or error
                told.append(f"{name}: {error}")
                continue
            received = self.store.receive(name, fetched.judgments, fetched.whole)
            told.append(
                f"{name}: {received.new:,} new judgments, {received.changed:,} changed, "
                f"{received.gone:,} gone"
            )
            told += [f"{name}: left out: {note}" for note in fetched.notes[:_MOST_NOTES]]
            more = len(fetched.notes) - _MOST_NOTES
            if more > 0:
                told.append(f"{name}: left out: {more:,} more rows")
            told += [f"{name}: {remark}" for remark in fetched.remarks]
            without_task |= {(name, item) for item in fetched.missing}
        booked = self.store.book()
        if len(booked.unpaid):
            told.append(
                f"{len(booked.unpaid):,} judgments are not paid; see labelmix collect status"
            )
        return _FromAll(tuple(told), failure, without_task)
