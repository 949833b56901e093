"""Pages hear of changes, whoever makes them."""

import time
from pathlib import Path

import anyio
import pytest

from budget.collection.beginning import STORE
from budget.web import changes, watched
from budget.web.watched import WatchedCollection
from tests.unit.budget.commands.command_line import labelmix


async def first_events(collection: WatchedCollection, seen: str, change: object) -> list[str]:
    """What a stream says up to its first event; `change` is done once it is open."""
    told: list[str] = []
    with anyio.fail_after(20):
        async for text in changes._events(collection, seen):
            if not told and callable(change):
                await anyio.to_thread.run_sync(change)
            told.append(text)
            if "event:" in text:
                break
    return told


@pytest.fixture
def collection(planned: Path) -> WatchedCollection:
    return WatchedCollection(planned, "UTC")


def test_an_approval_in_a_terminal_is_told_within_two_seconds(
    planned: Path, collection: WatchedCollection
) -> None:
    seen = collection.stamp()
    done: list[float] = []

    def approve() -> None:
        assert labelmix("collect", "approve", planned, "1", "--by", "bob").exit_code == 0
        done.append(time.monotonic())

    told = anyio.run(first_events, collection, seen, approve)
    assert time.monotonic() - done[0] < 2
    assert "event: changed\ndata: " in told[-1]


def test_what_changed_before_the_stream_was_open_is_told_at_once(
    collection: WatchedCollection,
) -> None:
    told = anyio.run(first_events, collection, "another state", None)
    assert collection.stamp() in told[-1]


def test_looking_is_no_change(planned: Path, collection: WatchedCollection) -> None:
    """Else two pages would wake each other for ever."""
    watched_again = WatchedCollection(planned, "UTC")
    seen = collection.facts().stamp
    for _ in range(3):
        assert watched_again.facts().stamp == seen
        watched_again.close()
        assert labelmix("collect", "status", planned).exit_code == 0
        time.sleep(watched._FRESH)
        assert collection.stamp() == seen


def test_a_store_that_can_no_longer_be_read_is_a_change(
    planned: Path, collection: WatchedCollection
) -> None:
    seen = collection.stamp()
    told = anyio.run(first_events, collection, seen, (planned / STORE).unlink)
    assert "event: changed" in told[-1]


def test_only_so_many_streams_are_open(
    collection: WatchedCollection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST_STREAMS", 0)
    assert changes.Streams().of(collection, "").status_code == 503
