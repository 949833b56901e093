"""`tabular`: the user's own items, from a JSONL, CSV or Parquet file or a hub data set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from annotation.errors import InputError, short
from annotation.files import TableRow, read_records, table_suffix
from annotation.items.answers import answer_reading
from annotation.items.choice_lengths import length_remark
from annotation.items.choice_order import in_own_order
from annotation.items.identifiers import first_same_number, rounded_identifier
from annotation.items.numeric_columns import NoNumber
from annotation.items.table import NO_NUMBERS, REMARKS, measures
from annotation.items.table_reader import MappedBy, TableReader
from annotation.items.told_by import SUFFIX, read_marks, remember
from annotation.items.validate import validate_items
from annotation.many_rows import no_search_for_circles


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
    given_choices : item_id -> its choices as they stand in the file, where their order is another
    """

    path: Path
    records: list[TableRow]
    columns: Mapping[str, str]
    items: pd.DataFrame
    no_numbers: Mapping[str, NoNumber]
    given_choices: Mapping[str, Sequence[str]] = field(default_factory=dict)

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
    answers: str | None = None,
) -> pd.DataFrame:
    """Load an item table from a file or from the hub.

    How the columns are read:

    - item_id: numbers become texts. Without it, items are "row-000001", "row-000002", ...
    - choices: a list; a list of objects {"label": ..., "text": ...}; a dict {"text": [...],
      "label": [...]} or {"A": ..., "B": ...}; a text that is JSON of one of these, or separated by
      "|"; or several columns, mapped as "a,b,c,d", whose names are then the labels (empty ones at
      the end are left out). Surrounding spaces are taken off. Where items have choices of their
      own, these are put in an order of their own, see `annotation.items.choice_order`.
    - answer: the text of a choice; or its label, or its letter (A is the first choice); or its
      number, counted from 0 or from 1. The column has one reading, which `attrs` of the table
      tell; see `annotation.items.answers.read_answers`.
    - answer_text, group, reasoning: texts; empty is absent.
    - every other column that is numeric is a hardness measure under its own name; an empty value
      or NA is unknown. Others are left out unless mapped.

    Parameters
    ----------
    path
        A file; its suffix is .jsonl, .csv (both also with .gz) or .parquet. Either this or
        `hub_id`.
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
    answers
        How answers are read, where several readings fit: "text", "letter", "index0" or "index1".

    Raises
    ------
    InputError
        If neither or both of `path` and `hub_id` are given; the file is absent, unreadable,
        malformed or of an unknown kind; the hub cannot be reached; a column is missing; an answer
        matches no choice, or answers can be read in several ways; or the table is not valid, see
        `annotation.items.validate.validate_items`.
    """
    return _load(path, hub_id, split, config, columns, choices, answers, require_answers=True)


def load_partly_answered(
    path: str | None = None,
    hub_id: str | None = None,
    split: str | None = None,
    config: str | None = None,
    columns: dict[str, str] | None = None,
    choices: list[str] | None = None,
    answers: str | None = None,
) -> pd.DataFrame:
    """Load an item table as `load_tabular` does; items without a right answer are welcome."""
    return _load(path, hub_id, split, config, columns, choices, answers, require_answers=False)


@no_search_for_circles()
def _load(
    path: str | None,
    hub_id: str | None,
    split: str | None,
    config: str | None,
    columns: dict[str, str] | None,
    choices: list[str] | None,
    answers: str | None,
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
    reader = TableReader(
        records,
        where,
        columns or {},
        is_csv,
        require_answers=require_answers,
        answers=None if answers is None else answer_reading(answers),
    )
    return _checked(reader, choices)[0]


def _checked(
    reader: TableReader, choices: list[str] | None
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The item table, with what there is to say of it; and choices that stood in another order."""
    items = validate_items(
        reader.items(choices), where=reader.where, require_answers=reader.require_answers
    )
    ordered = in_own_order(items)
    given = {}
    if ordered.given is not None:
        given = dict(zip(items["item_id"].tolist(), ordered.given, strict=True))
    remarks = (
        *reader.remarks,
        *_on_identifiers(items["item_id"].tolist()),
        *filter(None, (ordered.remark, length_remark(ordered.items))),
    )
    ordered.items.attrs[REMARKS] = remarks
    ordered.items.attrs[NO_NUMBERS] = {name: str(why) for name, why in reader.no_numbers.items()}
    return _with_marks(ordered.items, reader), given


def _on_identifiers(item_ids: Sequence[str]) -> Iterator[str]:
    """Remarks on identifiers of items that a spreadsheet or a table of floats changed."""
    for remark in (rounded_identifier(item_ids), first_same_number(item_ids)):
        if remark is not None:
            name, problem = remark
            yield f"row {item_ids.index(name) + 1}: item_id {short(name)} {problem}"


def _with_marks(items: pd.DataFrame, reader: TableReader) -> pd.DataFrame:
    """The table with what the file says of the judgments that told its measures."""
    for name in measures(items):
        if name + SUFFIX in reader.no_numbers:
            marks = [record.get(name + SUFFIX) for record in reader.records]
            told = read_marks(items["item_id"].tolist(), marks)
            items = items if told is None else remember(items, [name], told)
    return items


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
    answers: str | None = None,
    require_answers: bool = False,
) -> UserTable:
    """Read a file as `load_unanswered` does, and keep its rows beside the items.

    `mapped_by` is how messages tell the user to map a column, where it is not as there.
    `require_answers`: every item has to have its right answer, as for `load_tabular`.

    Raises InputError as `load_unanswered` does.
    """
    with no_search_for_circles():
        records = read_records(path)
        reader = TableReader(
            records,
            str(path),
            columns or {},
            _is_csv(str(path)),
            require_answers=require_answers,
            mapped_by=mapped_by or ("nothing" if columns is None else "option"),
            answers=None if answers is None else answer_reading(answers),
        )
        items, given = _checked(reader, choices)
        return UserTable(path, records, reader.mapping, items, reader.no_numbers, given)


def _is_csv(path: str) -> bool:
    return table_suffix(Path(path)) == ".csv"


def _hub_records(hub_id: str, config: str | None, split: str | None) -> list[TableRow]:
    from annotation.items.hub import hub_splits

    splits = hub_splits(hub_id, config, split, instead="a file of your own as 'path'")
    if len(splits) > 1:
        raise InputError(
            f"hub data set '{hub_id}' has the splits {', '.join(splits)}; name one as 'split' "
            f"(or several: '{'+'.join(splits)}')."
        )
    return next(iter(splits.values()))
