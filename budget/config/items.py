"""The items of a configuration."""

from pathlib import Path

import pandas as pd

from annotation.items.read import UserTable, read_user_table
from annotation.sources import load_items
from budget.config.run import RunConfig


def configured_items(config: RunConfig) -> pd.DataFrame:
    """The items that [items] names, all of them answered.

    Raises InputError if they cannot be loaded.
    """
    return load_items(config.items.source, **config.items.options())


def configured_table(config: RunConfig) -> UserTable | None:
    """The user's own file that [items] names, whose items may lack answers; None if it names none.

    Raises InputError if it cannot be read.
    """
    options = config.items.options()
    path, columns, choices = (options.pop(key, None) for key in ("path", "columns", "choices"))
    if config.items.source != "tabular" or path is None or options:
        return None  # what is left over, `load_items` tells of
    return read_user_table(Path(path), columns, choices, mapped_by="configuration")
