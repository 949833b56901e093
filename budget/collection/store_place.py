"""Where the store of a folder's collection is."""

import os
from pathlib import Path

STORE = "collection.sqlite"
STORE_VARIABLE = "LABELMIX_COLLECTION_STORE"
"""Address of a PostgreSQL database, where a team keeps the collection there; it may tell a
password, so the folder does not hold it."""


def is_elsewhere() -> bool:
    """Whether the variable says where it is."""
    return bool(os.environ.get(STORE_VARIABLE, "").strip())


def store_url(folder: Path) -> str:
    """Where the store of a folder's collection is: in the folder, or where the variable says."""
    given = os.environ.get(STORE_VARIABLE, "").strip()
    return given or f"sqlite:///{folder.absolute() / STORE}"
