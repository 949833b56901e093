"""The items of a configuration."""

from pathlib import Path

import pandas as pd

from annotation.items.read import UserTable, load_partly_answered, read_user_table
from annotation.sources import check_options, load_items
from budget.config.run import RunConfig


def configured_items(config: RunConfig, answered: bool = True) -> pd.DataFrame:
    """The items that [items] names.

    All need a right answer where `answered`, unless the configuration has people's judgments:
    then some, or all but the test set's, may lack theirs.

    Raises InputError if they cannot be loaded.
    """
    if config.items.source == "tabular" and (config.collected is not None or not answered):
        check_options("tabular", config.items.options())
        return load_partly_answered(**config.items.options())
    return load_items(config.items.source, **config.items.options())


def configured_table(config: RunConfig) -> UserTable | None:
    """The user's own file that [items] names, whose items may lack answers; None if it names none.

    Raises InputError if it cannot be read.
    """
    options = config.items.options()
    path, columns, choices, answers = (
        options.pop(key, None) for key in ("path", "columns", "choices", "answers")
    )
    if config.items.source != "tabular" or path is None or options:
        return None  # what is left over, `load_items` tells of
    return read_user_table(Path(path), columns, choices, mapped_by="configuration", answers=answers)
