"""What a collection works with: its folder, store, settings, people, items and machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from budget.collection.contents import Contents
from budget.collection.store.store import CollectionStore
from budget.collection.suppliers import Supplier
from budget.config.collection_config import CollectionConfig
from budget.market.supplier_file import SuppliersFile
from training.engines.choice import EngineChoice


@dataclass(frozen=True)
class CollectionResources:
    """Everything that batches are worked out with, and steps are done with.

    Attributes
    ----------
    folder : the collection's own; features and trials are kept in it
    store : where everything stands
    config : settings
    file : the suppliers as their file has them
    suppliers : the same as the collection orders from them, by name
    contents : items and test set
    engine : where trials run
    """

    folder: Path
    store: CollectionStore
    config: CollectionConfig
    file: SuppliersFile
    suppliers: Mapping[str, Supplier]
    contents: Contents
    engine: EngineChoice
