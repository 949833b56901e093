"""Collections that are shown: their stores stay open, and facts are worked out once a change."""

from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import NoReturn

from pydantic import BaseModel

from annotation.label_studio.server import LabelStudioServer
from budget.collection.beginning import open_collection
from budget.collection.progress import (
    Decided,
    OrderGroup,
    PersonProgress,
    decided,
    order_groups,
    people,
)
from budget.collection.status import CollectionStatus, collection_status
from budget.collection.steps import Collection
from budget.collection.store.store import CollectionStore
from budget.collection.store_place import STORE, is_elsewhere, store_url
from training.engines.choice import EngineChoice

_FRESH = 0.4  # seconds in which a change need not be looked for again


class BoardFacts(BaseModel):
    """All that the board of a collection tells.

    Attributes
    ----------
    stamp : of the store that this is of
    waiting : the batch that waits for an approval, by whom it would be labelled; else empty
    out : the batch that people are at work on; else empty
    """

    stamp: str
    status: CollectionStatus
    waiting: list[OrderGroup]
    out: list[OrderGroup]
    people: list[PersonProgress]
    decided: list[Decided]


class WatchedCollection:
    """The collection of one folder, for readers of any number of threads.

    Nothing here is written: what is kept in memory is what was read, and it is read again after
    every change of the store, of whatever process.
    """

    def __init__(self, folder: Path, zone: str) -> None:
        self._folder, self._zone = folder, zone
        self._lock = Lock()
        self._store: CollectionStore | None = None
        self._file: tuple[int, int] | None = None
        self._collection: tuple[object, Collection] | None = None
        self._facts: BoardFacts | None = None
        self._seen: tuple[float, str] = (0.0, "")

    def stamp(self) -> str:
        """Differs after every change; many who ask within a moment are one question to the store.

        Raises as `CollectionStore.open` does.
        """
        with self._lock:
            return self._stamp()

    def facts(self) -> BoardFacts:
        """All that the board tells, as the store has it now.

        Raises InputError if the collection cannot be read.
        """
        with self._lock:
            stamp = self._stamp(fresh=0.0)
            if self._facts is None or self._facts.stamp != stamp:
                self._facts = self._read(stamp)
            return self._facts

    def close(self) -> None:
        with self._lock:
            self._close()

    def _stamp(self, fresh: float = _FRESH) -> str:
        at, stamp = self._seen
        if monotonic() - at < fresh:
            return stamp
        stamp = self._opened().stamp()
        self._seen = (monotonic(), stamp)
        return stamp

    def _opened(self) -> CollectionStore:
        """The store; opened again if another file stands there by now."""
        file = self._which_file()
        if self._store is not None and file != self._file:
            self._close()
        if self._store is None:
            self._store, self._file = CollectionStore.open(store_url(self._folder)), file
        return self._store

    def _which_file(self) -> tuple[int, int] | None:
        if is_elsewhere():
            return None
        try:
            found = (self._folder / STORE).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
        self._store = self._collection = self._facts = None
        self._seen = (0.0, "")

    def _read(self, stamp: str) -> BoardFacts:
        store = self._opened()
        status = collection_status(self._opened_collection(store), True, self._zone)
        by_state = {own.state: own.number for own in status.batches}
        return BoardFacts(
            stamp=stamp,
            status=status,
            waiting=_groups(store, by_state.get("planned")),
            out=_groups(store, by_state.get("ordered", by_state.get("approved"))),
            people=people(store),
            decided=decided(store),
        )

    def _opened_collection(self, store: CollectionStore) -> Collection:
        """Settings, tables and suppliers; read again if one of them has changed."""
        tables = sorted(
            path for name in ("items", "test") for path in (self._folder / name).glob("*")
        )
        written = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in tables]
        state = (store.about("settings"), store.about("suppliers"), written)
        if self._collection is None or self._collection[0] != state:
            found = open_collection(self._folder, store, _no_server, EngineChoice())
            self._collection = (state, found)
        return self._collection[1]


class WatchedCollections:
    """All collections that are shown, by folder."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._lock = Lock()
        self._watched: dict[Path, WatchedCollection] = {}

    def of(self, folder: Path) -> WatchedCollection:
        """The one of a folder."""
        with self._lock:
            if folder not in self._watched:
                self._watched[folder] = WatchedCollection(folder, self._zone)
            return self._watched[folder]

    def close(self) -> None:
        for own in self._watched.values():
            own.close()


def _groups(store: CollectionStore, batch: int | None) -> list[OrderGroup]:
    return [] if batch is None else order_groups(store, batch)


def _no_server() -> AbstractContextManager[LabelStudioServer]:
    return _never()


def _never() -> NoReturn:
    raise RuntimeError("a page asks Label Studio for nothing")
