"""Judgments that come by webhook: into the store at once, until a pull is due.

A pull stays the truth. Every step that decides begins with one, and nothing is taken in between: so
what a delivery said wrongly, or never said, is put right before a batch is complete, before anybody
trains on it, and before the next batch is planned.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.label_studio.deliveries import Deliveries
from annotation.label_studio.hearing import KnownProject, hear
from annotation.label_studio.watch import REST, SETTLE
from budget.collection.store.store import CollectionStore

_TOGETHER = 0.2  # seconds: what comes within them is one transaction


class HeardSupplier(Protocol):
    """A supplier who is heard by webhooks."""

    @property
    def known(self) -> Mapping[int, KnownProject]:
        """Its projects by their numbers, as they were pulled."""

    def says_a_choice(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether judgments say a choice that their item has here, or skip it, (judgments,)."""


@dataclass(frozen=True)
class Arrived:
    """What became of deliveries: judgments new, changed and as before; and who needs a pull."""

    new: int = 0
    changed: int = 0
    same: int = 0
    unclear: int = 0

    def __add__(self, other: "Arrived") -> "Arrived":
        return Arrived(
            self.new + other.new,
            self.changed + other.changed,
            self.same + other.same,
            self.unclear + other.unclear,
        )


def take_in(
    store: CollectionStore, channels: Mapping[str, HeardSupplier], bodies: Iterable[bytes]
) -> Arrived:
    """Put the judgments of deliveries into a store, one transaction a supplier. Nothing is booked.

    Parameters
    ----------
    store
        The collection's.
    channels
        Supplier -> the way to it.
    bodies
        Of webhooks, in the order in which they came.

    Raises
    ------
    MachineError
        If the store cannot be written.
    """
    projects = {number: own for each in channels.values() for number, own in each.known.items()}
    heard = hear(bodies, projects)
    arrived = Arrived(unclear=heard.unclear)
    for supplier, channel in channels.items():
        tables = [heard.judgments[n] for n in channel.known if n in heard.judgments]
        if not tables:
            continue
        table = pd.concat(tables, ignore_index=True)
        fits = channel.says_a_choice(table)
        arrived += Arrived(unclear=int((~fits).sum()))
        table = table[fits]
        try:
            said = store.deliver(supplier, table)
        except InputError:  # the pull says what is wrong with them, and where
            arrived += Arrived(unclear=len(table))
        else:
            arrived += Arrived(said.new, said.changed, said.same, said.unclear)
    return arrived


class Arrivals:
    """Takes in what is delivered while annotators are waited for.

    Parameters
    ----------
    store
        The collection's.
    channels
        Supplier -> the way to it.
    deliveries
        What a receiver of webhooks hands on.
    tell
        Told, in one line, what came, at most once for every booking.
    together, settle
        Seconds in which what comes is one transaction, and between what was said last and the pull
        that it asks for.
    """

    def __init__(
        self,
        store: CollectionStore,
        channels: Mapping[str, HeardSupplier],
        deliveries: Deliveries,
        tell: Callable[[str], None],
        together: float = _TOGETHER,
        settle: float = SETTLE,
    ) -> None:
        self._store, self._channels, self._deliveries = store, channels, deliveries
        self._tell, self._together, self._settle = tell, together, settle
        self._asked_for_pull = False

    def until_a_pull_is_due(self, batch: int, every: float, took: float) -> None:
        """Take in, and book, what is said about a batch, until its judgments should be pulled.

        That is after so many seconds; soon after something was said that a pull alone can settle;
        and as soon as no judgment of the batch is missing any more.

        Parameters
        ----------
        batch
            That annotators work on.
        every
            Seconds between two pulls if nobody asks for one.
        took
            Seconds that the last pull took. Pulls that are asked for are so far apart that they do
            not become the server's main work; bookings likewise.

        Raises
        ------
        InputError, MachineError
            If the store cannot be read or written.
        """
        now = began = time.monotonic()
        # What asked for the last pull may not have been there to be read: look once more soon.
        due = began + (
            min(every, 4 * self._settle + REST * took) if self._asked_for_pull else every
        )
        self._asked_for_pull = False
        earliest = began + REST * took
        book_at = began
        news = Arrived()
        while now < due:
            stops = [due]
            if news.new or news.changed:
                stops.append(book_at)
            if self._deliveries.wait(max(0.0, min(stops) - now)):
                time.sleep(self._together)
                taken = self._deliveries.take()
                arrived = take_in(self._store, self._channels, taken.bodies)
                news += arrived
                if arrived.unclear or not taken.is_all:
                    self._asked_for_pull = True
                    due = min(due, max(earliest, time.monotonic() + self._settle))
            now = time.monotonic()
            if (news.new or news.changed) and now >= book_at:
                missing = self._booked(batch, news)
                news = Arrived()
                now, begun = time.monotonic(), now
                book_at = now + REST * (now - begun)
                if not missing:
                    self._asked_for_pull = True
                    due = min(due, now + self._settle)

    def _booked(self, batch: int, news: Arrived) -> int:
        """Pay for what came; how many judgments of the batch are missing now."""
        self._store.book(batch)
        missing = self._store.missing(batch)
        waits = f"waits for {missing:,} more" if missing else "has all its judgments"
        self._tell(
            f"by webhook: {news.new:,} new judgments, {news.changed:,} changed; batch {batch} "
            f"{waits}"
        )
        return missing
