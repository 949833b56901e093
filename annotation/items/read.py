"""`tabular`: the user's own items, from a JSONL, CSV or Parquet file or a hub data set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.files import TableRow, read_records
from annotation.items.numeric_columns import NoNumber
from annotation.items.table_reader import MappedBy, TableReader
from annotation.items.validate import validate_items


@dataclass(frozen=True)
class UserTable:
    """A file of the user's own: its rows as they stand, and the items that were read from them.

    Attributes
    ----------
    path : the file
    records : its rows, in the order of the items
    columns : name in the item table -> name in the file, as far as they differ
    items : the item table, (items); answers may be unknown
    no_numbers : columns that are left out of the item table because a value is no number
    """

    path: Path
    records: list[TableRow]
    columns: Mapping[str, str]
    items: pd.DataFrame
    no_numbers: Mapping[str, NoNumber]

    @property
    def is_csv(self) -> bool:
        return _is_csv(str(self.path))

    @property
    def names_its_items(self) -> bool:
        """Whether the file has identifiers; otherwise items are called row-000001 and so on."""
        column = self.columns.get("item_id", "item_id")
        return any(column in record for record in self.records)


def load_tabular(
    path: str | None = None,
    hub_id: str | None = None,
    split: str | None = None,
    config: str | None = None,
    columns: dict[str, str] | None = None,
    choices: list[str] | None = None,
) -> pd.DataFrame:
    """Load an item table from a file or from the hub.

    How the columns are read:

    - item_id: numbers become texts. Without it, items are "row-000001", "row-000002", ...
    - choices: a list; a dict {"text": [...], "label": [...]}; a text that is JSON of either, or
      separated by "|"; or several columns, mapped as "a,b,c,d", whose names are then the labels
      (empty ones at the end are left out). Surrounding spaces are taken off.
    - answer: the exact text of a choice; else a label of one; else a letter (A is the first
      choice); else an index from 0. The first of these that fits the whole column is taken; see
      `annotation.items.choices.resolve_answers`.
    - answer_text, group, reasoning: texts; empty is absent.
    - every other column that is numeric is a hardness measure under its own name; an empty value
      or NA is unknown. Others are left out unless mapped.

    Parameters
    ----------
    path
        A file; its suffix is .jsonl, .csv or .parquet. Either this or `hub_id`.
    hub_id
        A data set on the hub, read with the `datasets` library.
    split, config
        Split and configuration on the hub. `split` may be left out if there is only one.
    columns
        Name in the item table -> name in the data, for the columns above and for measures.
        Columns that are not mapped keep their names.
    choices
        The choices of all items, where the data have no column for them (a column `choices` of
        the data is then not read).

    Raises
    ------
    InputError
        If neither or both of `path` and `hub_id` are given; the file is absent, unreadable,
        malformed or of an unknown kind; the hub cannot be reached; a column is missing; an answer
        matches no choice; or the table is not valid, see
        `annotation.items.validate.validate_items`.
    """
    return _load(path, hub_id, split, config, columns, choices, require_answers=True)


def load_partly_answered(
    path: str | None = None,
    hub_id: str | None = None,
    split: str | None = None,
    config: str | None = None,
    columns: dict[str, str] | None = None,
    choices: list[str] | None = None,
) -> pd.DataFrame:
    """Load an item table as `load_tabular` does; items without a right answer are welcome."""
    return _load(path, hub_id, split, config, columns, choices, require_answers=False)


def _load(
    path: str | None,
    hub_id: str | None,
    split: str | None,
    config: str | None,
    columns: dict[str, str] | None,
    choices: list[str] | None,
    require_answers: bool,
) -> pd.DataFrame:
    if (path is None) == (hub_id is None):
        raise InputError("tabular: give either 'path' (a file) or 'hub_id' (a hub data set).")
    if path is not None:
        if split is not None or config is not None:
            raise InputError("tabular: 'split' and 'config' go with 'hub_id', not with 'path'.")
        records, where = read_records(Path(path)), path
    else:
        assert hub_id is not None
        records, where = _hub_records(hub_id, config, split), hub_id
    is_csv = path is not None and _is_csv(path)
    reader = TableReader(records, where, columns or {}, is_csv, require_answers=require_answers)
    return validate_items(reader.items(choices), where=where, require_answers=require_answers)


def load_unanswered(
    path: str, columns: dict[str, str] | None = None, choices: list[str] | None = None
) -> pd.DataFrame:
    """Load an item table of which some items, or all, have no gold answer yet.

    It is read as by `load_tabular`, but the columns answer and answer_text may be empty or absent,
    and the column choices too. What is missing is <NA> or None in the table: it can be looked at,
    measured and sent to annotators, not trained or tested on.

    Raises InputError as `load_tabular` does; a message names the option --column where `columns`
    is given, be it empty, and else asks to rename a column.
    """
    return read_user_table(Path(path), columns, choices).items


def read_user_table(
    path: Path,
    columns: dict[str, str] | None = None,
    choices: list[str] | None = None,
    mapped_by: MappedBy | None = None,
) -> UserTable:
    """Read a file as `load_unanswered` does, and keep its rows beside the items.

    `mapped_by` is how messages tell the user to map a column, where it is not as there.

    Raises InputError as `load_unanswered` does.
    """
    records = read_records(path)
    reader = TableReader(
        records,
        str(path),
        columns or {},
        _is_csv(str(path)),
        require_answers=False,
        mapped_by=mapped_by or ("nothing" if columns is None else "option"),
    )
    items = validate_items(reader.items(choices), where=str(path), require_answers=False)
    return UserTable(path, records, columns or {}, items, reader.no_numbers)


def _is_csv(path: str) -> bool:
    return Path(path).suffix.lower() == ".csv"


def _hub_records(hub_id: str, config: str | None, split: str | None) -> list[TableRow]:
    from annotation.items.hub import hub_splits

    splits = hub_splits(hub_id, config, split, instead="a file of your own as 'path'")
    if len(splits) > 1:
        raise InputError(
            f"hub data set '{hub_id}' has the splits {', '.join(splits)}; name one as 'split' "
            f"(or several: '{'+'.join(splits)}')."
        )
    return next(iter(splits.values()))
