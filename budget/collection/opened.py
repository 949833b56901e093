"""The store of a collection's folder, open for whoever decides or looks."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from budget.collection.store.store import CollectionStore
from budget.collection.store_place import store_url


@contextmanager
def opened_store(folder: Path, doing: str, alone: bool = True) -> Iterator[CollectionStore]:
    """The store of a folder's collection; for this process alone, unless it only reads.

    `doing` is told to whoever comes second. Raises as `CollectionStore.open` and `alone` do.
    """
    with (
        CollectionStore.open(store_url(folder)) as store,
        store.alone(doing) if alone else nullcontext(),
    ):
        yield store
