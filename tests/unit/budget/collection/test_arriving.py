"""What webhooks bring, against what a pull finds."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.items.read import load_partly_answered
from annotation.label_studio.deliveries import Deliveries
from budget.collection.arriving import Arrivals, Arrived, take_in
from budget.collection.channels.label_studio import LabelStudioChannel
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore
from tests.unit.annotation.label_studio.conftest import FakeServer
from tests.unit.budget.collection.by_hand import write_tables
from tests.unit.budget.collection.channels.test_files import lines

ITEMS, EACH = 4, 2


class Site:
    """A batch of four items at a supplier in Label Studio, each to be judged by two people."""

    def __init__(self, folder: Path) -> None:
        self.studio = FakeServer()
        write_tables(folder)
        items = load_partly_answered(path=str(folder / "pool.jsonl"))
        self.channel = LabelStudioChannel(
            *("treat", "crowd", items, folder / "crowd"),
            lambda: nullcontext(self.studio.as_server()),
        )
        unit = MoneyUnit("EUR", 2)
        self.store = CollectionStore.create(folder / "c.sqlite", unit, Decimal(10), "ann")
        price = Price(Decimal("0.05"))
        own = [OrderLine("crowd", f"item-{n:03d}", "easy", EACH, None, price) for n in range(ITEMS)]
        self.batch = self.store.add_batch(own, {}, "key")
        self.store.approve(self.batch, "ann")
        self.channel.send(lines(0, ITEMS))
        self.store.mark_ordered(self.batch)
        # Both annotators are met: they skip a task that nobody ordered.
        asked = self.studio.add_task(dict(self.studio.tasks[min(self.studio.tasks)].data))
        for who in (1, 2):
            self.studio.annotate(asked, None, who)
        self.pull()

    @property
    def channels(self) -> dict[str, LabelStudioChannel]:
        return {"crowd": self.channel}

    def pull(self) -> Any:
        fetched = self.channel.fetch()
        return self.store.receive("crowd", fetched.judgments, fetched.whole)

    def said(self, task: int, choice: str | None, who: int = 1) -> bytes:
        """Somebody answers; what is delivered of it."""
        number = self.studio.annotate(task, choice, who)
        return json.dumps(self.studio.delivery(task, number)).encode()

    def take(self, *bodies: bytes) -> Arrived:
        return take_in(self.store, self.channels, bodies)

    @property
    def tasks(self) -> list[int]:
        return sorted(self.studio.tasks)[:ITEMS]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with made.store:
        yield made


def test_what_is_delivered_is_there_and_a_pull_finds_it_as_it_is(site: Site) -> None:
    bodies = [site.said(task, "odd", who) for task in site.tasks for who in (1, 2)]
    assert site.take(*bodies) == Arrived(new=8)
    assert site.take(*bodies[::-1]) == Arrived(same=8)
    assert site.store.missing(site.batch) == 0
    kept = site.store.judgments()
    pulled = site.pull()
    assert (pulled.new, pulled.changed, pulled.gone) == (0, 0, 0)
    assert site.store.judgments().equals(kept)
    site.store.book()
    assert site.store.balance().paid == Decimal("0.40")


def test_an_edit_that_overtakes_what_it_edits(site: Site) -> None:
    task = site.tasks[0]
    number = site.studio.annotate(task, "odd")
    first = site.studio.delivery(task, number)
    site.studio.edit(task, number, "even")
    second = site.studio.delivery(task, number, "ANNOTATION_UPDATED")
    assert site.take(json.dumps(second).encode()) == Arrived(new=1)
    assert site.take(json.dumps(first).encode()) == Arrived(same=1)
    assert site.store.judgments()["label"].tolist() == ["even"]


def test_what_was_deleted_meanwhile_is_mended_by_a_pull(site: Site) -> None:
    task = site.tasks[0]
    number = site.studio.annotate(task, "odd")
    late = json.dumps(site.studio.delivery(task, number)).encode()
    assert site.take(late).new == 1
    site.store.book()
    site.studio.erase(task, number)
    assert site.pull().gone == 1
    assert site.take(late) == Arrived(unclear=1)
    site.store.book()
    assert site.store.balance().paid == 0
    assert site.store.missing(site.batch) == ITEMS * EACH


def test_a_judgment_that_the_store_refuses_stops_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("no.")

    with monkeypatch.context() as patch:
        patch.setattr(site.store, "deliver", refuse)
        assert site.take(site.said(site.tasks[0], "odd")) == Arrived(unclear=1)
    assert site.pull().new == 1


def test_a_choice_that_only_the_delivery_knows_is_left_to_a_pull(site: Site) -> None:
    told = json.loads(site.said(site.tasks[0], "odd"))
    told["task"]["data"]["options"].append({"value": "neither"})
    told["annotation"]["result"][0]["value"]["choices"] = ["neither"]
    assert site.take(json.dumps(told).encode()) == Arrived(unclear=1)
    assert not len(site.store.judgments())


# Waiting


class Waited:
    """A wait in a thread of its own, as an annotator would see it."""

    def __init__(self, site: Site) -> None:
        self.deliveries = Deliveries()
        self.lines: list[str] = []
        self.arrivals = Arrivals(
            site.store, site.channels, self.deliveries, self.lines.append, 0.0, 0.01
        )
        self.site = site

    def wait(self, *bodies: bytes | None, every: float = 30.0, after: float = 0.0) -> float:
        """Deliver these after a while; how long the wait took."""

        def deliver() -> None:
            time.sleep(after)
            for body in bodies:
                self.deliveries.put(body)

        thread = threading.Thread(target=deliver)
        thread.start()
        began = time.monotonic()
        self.arrivals.until_a_pull_is_due(self.site.batch, every, 0.0)
        took = time.monotonic() - began
        thread.join()
        return took


@pytest.fixture
def waited(site: Site) -> Waited:
    return Waited(site)


def test_nobody_says_anything_until_the_next_pull(waited: Waited) -> None:
    assert 0.2 <= waited.wait(every=0.2) < 5
    assert waited.lines == []


def test_what_is_said_is_kept_and_paid_while_others_are_waited_for(
    site: Site, waited: Waited
) -> None:
    waited.wait(site.said(site.tasks[0], "odd"), every=0.5)
    assert waited.lines == ["by webhook: 1 new judgments, 0 changed; batch 1 waits for 7 more"]
    assert site.store.balance().paid == Decimal("0.05")


def test_the_last_judgment_ends_the_wait(site: Site, waited: Waited) -> None:
    bodies = [site.said(task, "odd", who) for task in site.tasks for who in (1, 2)]
    assert waited.wait(*bodies, after=0.05) < 10
    assert waited.lines[-1].endswith("batch 1 has all its judgments")
    # What ended it may not have been there to be read: the next look comes soon.
    assert waited.wait() < 10
    assert 0.3 <= waited.wait(every=0.3) < 10


@pytest.mark.parametrize("body", [None, b"{}", b'{"action": "ANNOTATIONS_DELETED"}'])
def test_what_only_a_pull_can_settle_ends_the_wait(body: bytes | None, waited: Waited) -> None:
    assert waited.wait(body, after=0.05) < 10
    assert waited.lines == []


def test_what_was_refused_for_want_of_room_ends_the_wait(site: Site) -> None:
    waited = Waited(site)
    waited.deliveries._most = 10
    assert waited.wait(site.said(site.tasks[0], "odd")) < 10


def test_pulls_that_are_asked_for_leave_the_server_time_for_others(
    site: Site, waited: Waited
) -> None:
    waited.deliveries.put(None)
    began = time.monotonic()
    waited.arrivals.until_a_pull_is_due(site.batch, 30.0, took=0.2)
    assert 0.6 <= time.monotonic() - began < 10


# Who is called


def test_projects_call_once_they_are_known_and_no_longer_at_the_end(site: Site) -> None:
    studio, channel = site.studio, site.channel
    assert channel.register("http://me/", {"X": "secret"}) == 1
    assert channel.register("http://me/", {"X": "secret"}) == 0
    (project,) = studio.projects_
    assert list(studio.webhooks_.values()) == [(project, "http://me/", {"X": "secret"}, True)]
    channel.send(lines(ITEMS, 2, batch=2).assign(judgments=1))
    channel.fetch()
    assert channel.register("http://me/", {"X": "secret"}) == 1
    assert {own[0] for own in studio.webhooks_.values()} == set(studio.projects_)
    channel.unregister(5)
    assert not studio.webhooks_
    channel.unregister(5)  # nothing is left to be done
