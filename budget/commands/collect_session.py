"""A collection and its store, opened for a command."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from annotation.label_studio.server import LabelStudioServer
    from budget.collection.steps import Collection
    from budget.collection.store.store import CollectionStore

Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The collection's folder, that 'new' wrote.")
]
By = Annotated[str | None, typer.Option("--by", help="Who decides; default: your user name.")]
_PATIENCE = 60.0  # seconds to go on when Label Studio stops answering


@contextmanager
def opened_store(folder: Path, doing: str, alone: bool = True) -> "Iterator[CollectionStore]":
    """The store of a folder's collection; for this process alone, unless it only reads."""
    from budget.collection.opened import opened_store as opened

    with opened(folder, doing, alone) as store:
        yield store


@contextmanager
def opened_collection(
    folder: Path,
    url: str | None,
    token_file: Path | None,
    workers: int | None = None,
    alone: bool = True,
) -> "Iterator[Collection]":
    """A collection; for this process alone, unless it only reads."""
    from budget.collection.beginning import open_collection
    from budget.collection.existing_labels import take_in
    from budget.commands.labelstudio_session import opened_server
    from training.engines.choice import EngineChoice

    def server() -> "AbstractContextManager[LabelStudioServer]":
        return opened_server(url, token_file, _PATIENCE)

    with opened_store(folder, "labelmix collect", alone) as store:
        if alone:
            take_in(store)
        yield open_collection(folder, store, server, EngineChoice(workers))
