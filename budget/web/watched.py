"""Collections that are shown: their stores stay open, and facts are worked out once a change."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, NoReturn, TypeVar, cast

from pydantic import BaseModel

from annotation.label_studio.server import LabelStudioServer
from budget.collection.beginning import open_collection
from budget.collection.judged_items import ItemIndex, item_index
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
from budget.collection.team_status import TeamStatus, team_status
from training.engines.choice import EngineChoice

Found = TypeVar("Found")
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
        self._kept: dict[str, tuple[str, Any]] = {}
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
        return self._worked_out("board", self._board)

    def team(self) -> TeamStatus:
        """How good people are.

        Raises InputError if the collection cannot be read.
        """
        return self._worked_out("team", lambda _, own: team_status(own))

    def items(self) -> ItemIndex:
        """All items and what was said of them.

        Raises InputError if the collection cannot be read.
        """
        return self._worked_out("items", lambda _, own: item_index(own))

    def name_and_strata(self) -> tuple[str, tuple[str, ...]]:
        """What the collection is called, and its strata in order of hardness."""
        return self._worked_out(
            "names", lambda _, own: (own.config.name, tuple(own.contents.task.strata.names))
        )

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
        self._store = self._collection = None
        self._kept.clear()
        self._seen = (0.0, "")

    def _worked_out(self, what: str, work: Callable[[str, Collection], Found]) -> Found:
        """What was worked out for the store as it is now, once."""
        with self._lock:
            stamp = self._stamp(fresh=0.0)
            known, found = self._kept.get(what, ("", None))
            if known != stamp:
                found = work(stamp, self._opened_collection(self._opened()))
                self._kept[what] = (stamp, found)
            return cast(Found, found)

    def _board(self, stamp: str, collection: Collection) -> BoardFacts:
        store = collection.store
        status = collection_status(collection, True, self._zone)
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
