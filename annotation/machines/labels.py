"""What a machine answered, how sure it said it was, and what people answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Array, IntArray, mixed
from annotation.errors import InputError, short
from annotation.files import TableRow, read_records
from annotation.items.numeric_columns import number_in
from annotation.items.read import UserTable, read_user_table
from annotation.items.table import is_missing, shared_choices


@dataclass(frozen=True)
class MachineLabels:
    """Items with the answers of one machine, and of people where they were asked.

    Attributes
    ----------
    items : the item table, (items)
    said : (items,), which choice the machine gave; -1 where it gave none
    confidence : (items,), 0 to 1, as the machine says; NaN where it says nothing
    people : (items,), which choice people gave; -1 where they were not asked
    strata : (items,), the stratum of each item; "all" where none is named
    """

    items: pd.DataFrame
    said: IntArray
    confidence: Array
    people: IntArray
    strata: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which items the machine has answered, (items,)."""
        return np.asarray(self.said >= 0)

    @property
    def checked(self) -> NDArray[np.bool_]:
        """Which items both have answered, (items,)."""
        return np.asarray((self.said >= 0) & (self.people >= 0))

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The choices, where all items share them."""
        return shared_choices(self.items)

    def texts(self, places: IntArray) -> list[str | None]:
        """The choices at `places` (items,), as texts; None where the place is -1."""
        pairs = zip(self.items["choices"], places.tolist(), strict=True)
        return [None if place < 0 else str(choices[place]) for choices, place in pairs]

    def draws(self, purpose: int, seed: int) -> Array:
        """A number from 0 to 1 for every item, (items,): by its own name, wherever it stands."""
        names = self.items["item_id"].astype(str).to_numpy(dtype=object)
        stream = mixed(np.array([purpose], dtype=np.uint64), np.array([seed], dtype=np.uint64))
        return np.asarray(mixed(pd.util.hash_array(names, categorize=False), stream) / 2.0**64)


def read_machine_labels(
    path: Path,
    machine: str,
    confidence: str | None,
    people: str,
    stratum: str | None = None,
    columns: dict[str, str] | None = None,
    choices: list[str] | None = None,
    answers: str | None = None,
) -> MachineLabels:
    """Read a table of items in which one column is a machine's answer and one is people's.

    Both are read as an item's answer is, see `annotation.items.read.load_tabular`, and both may be
    empty: an empty answer of the machine goes to people.

    Parameters
    ----------
    machine, confidence, people, stratum
        Columns of the file. Without `confidence` the machine says nothing of how sure it is. The
        column of `people` may be absent: then nobody was asked.
    columns, choices, answers
        As for `load_tabular`.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, two are the same, an answer is no choice of
        its item, or a confidence is no number from 0 to 1.
    """
    named = [machine, people, *filter(None, (confidence,))]
    for name in named:
        if named.count(name) > 1:
            raise InputError(
                f"column {short(name)} cannot be two of the machine's answer, its confidence and "
                "people's answer; name another one."
            )
    given = dict(columns or {})
    if "answer" in given:
        raise InputError(
            "--column answer=...: answers are named by --machine and --people; leave it out."
        )
    names = list(dict.fromkeys(name for record in read_records(path) for name in record))
    wanted = {"--machine": machine, "--confidence": confidence, "--stratum": stratum}
    for option, column in wanted.items():
        if column is not None and column not in names:
            raise InputError(
                f"{path}: column {short(column)} is missing; the columns are: {', '.join(names)}. "
                f"Name the one that holds it: {option} COLUMN."
            )
    of_machine = _read(path, given | {"answer": machine}, choices, answers)
    nobody = np.full(len(of_machine.items), -1, dtype=np.int64)
    there = people in names
    of_people = _read(path, given | {"answer": people}, choices, answers) if there else None
    return MachineLabels(
        items=of_machine.items,
        said=_places(of_machine),
        confidence=_confidence(of_machine.records, confidence, path),
        people=nobody if of_people is None else _places(of_people),
        strata=_strata(of_machine.records, stratum, path),
    )


def _read(
    path: Path, columns: dict[str, str], choices: list[str] | None, answers: str | None
) -> UserTable:
    return read_user_table(path, columns, choices, mapped_by="option", answers=answers)


def _places(table: UserTable) -> IntArray:
    return np.asarray(table.items["answer"].to_numpy(dtype=np.int64, na_value=-1))


def _confidence(records: Sequence[TableRow], name: str | None, path: Path) -> Array:
    found = np.full(len(records), np.nan)
    if name is None:
        return found
    for row, record in enumerate(records):
        value = record.get(name)
        if value is None or is_missing(value) or str(value).strip() == "":
            continue
        number = number_in(value)
        if number is None or not 0 <= number <= 1:
            raise InputError(
                f"{path}: row {row + 1}, column {short(name)}: {short(value)} should be a number "
                "from 0 to 1; give shares, not percent, and leave it empty where nothing is known."
            )
        found[row] = number
    return found


def _strata(records: Sequence[TableRow], name: str | None, path: Path) -> NDArray[np.object_]:
    found = np.full(len(records), "all", dtype=object)
    if name is None:
        return found
    for row, record in enumerate(records):
        value = record.get(name)
        if value is None or is_missing(value) or str(value).strip() == "":
            raise InputError(
                f"{path}: row {row + 1}, column {short(name)} is empty; name the item's stratum."
            )
        found[row] = str(value).strip()
    return found
