"""Items with hardness measures, and how they were cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from annotation.items.extended_table import check_added_names, write_extended
from annotation.items.read import UserTable
from annotation.items.told_by import SUFFIX, mark_columns
from annotation.items.write import write_table


@dataclass(frozen=True)
class MeasuredPool:
    """Items to measure, and what is known of where they are from.

    Attributes
    ----------
    items : the item table
    name : what they are called, for people
    source : the source's name; "" for a user's own file
    table : the user's own file, where they are from one
    cuts : measure -> its cut in a run's configuration
    names : measure -> what the strata of that cut are called, easiest first
    remarks : what there is to say about how they were read
    """

    items: pd.DataFrame
    name: str
    source: str = ""
    table: UserTable | None = None
    cuts: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def why_no_measure(self, name: str) -> str | None:
        """Why a column of the user's file is no measure; None if there is no such column."""
        why = None if self.table is None else self.table.no_numbers.get(name)
        if why is None:
            return None
        return (
            f"{self.name}: row {why.row}, column '{name}': {why.value!r:.60} is no number; mend it "
            "or leave it empty."
        )

    def check_added_names(self, names: Sequence[str]) -> None:
        """Raise InputError if the user's file has other columns under these names."""
        if self.table is not None:
            check_added_names(self.table, names)

    def stratum_columns(self, measures: Sequence[str]) -> dict[str, str]:
        """Measure -> the column that tells its strata: "stratum" where that is clear and free."""
        there = {*self.items.columns, *self._columns_of_the_file()}
        if len(measures) == 1 and "stratum" not in there:
            return {measures[0]: "stratum"}
        return {name: f"{name}_stratum" for name in measures}

    def _columns_of_the_file(self) -> set[str]:
        """All columns of the user's own file; none where there is none."""
        records = [] if self.table is None else self.table.records
        return {name for record in records for name in record}

    def write(
        self, items: pd.DataFrame, strata: Mapping[str, list[str | None]], path: Path
    ) -> None:
        """Write the items with what `items` has beyond them, and columns that tell strata.

        Beside a measure that judgments told stands from which it comes.

        Raises InputError if a column's name is taken, or the file cannot be written.
        """
        names = list(dict.fromkeys([*items.columns, *strata]))
        added: dict[str, Sequence[object]] = {
            name: strata[name] if name in strata else items[name].tolist()
            for name in names
            if name in strata
            or name not in self.items.columns
            or not items[name].equals(self.items[name])
        }
        there = self._columns_of_the_file()
        marks = {
            name: values
            for name, values in mark_columns(items).items()
            if name.removesuffix(SUFFIX) in added and name not in there
        }
        if self.table is None:
            write_table(items, path, {**mark_columns(items), **strata})
        else:
            write_extended(self.table, {**added, **marks}, path)
