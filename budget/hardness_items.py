"""The items of `labelmix hardness`: from a file, a run's configuration, or a source by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from annotation.errors import InputError
from annotation.items import LEFT_OUT
from annotation.sources import load_items
from annotation.sources.extended_table import check_added_names, write_extended
from annotation.sources.table_writer import write_table
from annotation.sources.tabular import UserTable, read_user_table

if TYPE_CHECKING:
    from training.engines.base import Watcher

_MEANT_AS_NUMBERS = 0.5  # of a column's values; with fewer numbers it is no measure gone wrong
_LOCAL_SOURCES = ("workshop", "tabular")


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
    remarks : what there is to say about how they were read
    """

    items: pd.DataFrame
    name: str
    source: str = ""
    table: UserTable | None = None
    cuts: Mapping[str, str] = field(default_factory=dict)
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
        there = set(self.items.columns)
        if self.table is not None:
            there |= {name for record in self.table.records for name in record}
        if len(measures) == 1 and "stratum" not in there:
            return {measures[0]: "stratum"}
        return {name: f"{name}_stratum" for name in measures}

    def write(
        self, items: pd.DataFrame, strata: Mapping[str, list[str | None]], path: Path
    ) -> None:
        """Write the items with what `items` has beyond them, and columns that tell strata.

        Raises InputError if a column's name is taken, or the file cannot be written.
        """
        names = list(dict.fromkeys([*items.columns, *strata]))
        added = {
            name: strata[name] if name in strata else items[name].tolist()
            for name in names
            if name in strata
            or name not in self.items.columns
            or not items[name].equals(self.items[name])
        }
        if self.table is None:
            write_table(items, path, strata)
        else:
            write_extended(self.table, added, path)


def load_pool(
    path: Path | None,
    source: str | None,
    data_dir: Path | None,
    columns: dict[str, str],
    choices: list[str] | None,
    watcher: "Watcher",
) -> MeasuredPool:
    """Load the items of a file, of a run's CONFIG.toml, or of a source; one of the first two.

    Raises InputError if options do not go together, or the items cannot be loaded.
    """
    if (path is None) == (source is None):
        raise InputError("give either ITEMS (a file) or --source.")
    from_config = path is not None and path.suffix.lower() == ".toml"
    if columns and (source is not None or from_config):
        raise InputError("--column goes with ITEMS, not with --source or CONFIG.toml.")
    if choices is not None and (source is not None or from_config):
        raise InputError("--choices goes with ITEMS, not with --source or CONFIG.toml.")
    if from_config:
        assert path is not None
        return _of_config(path, data_dir, watcher)
    if path is not None:
        if data_dir is not None:
            raise InputError("--data-dir goes with --source, not with ITEMS.")
        return _of_table(read_user_table(path, columns, choices))
    assert source is not None
    options = {} if data_dir is None else {"data_dir": str(data_dir)}
    return _of_source(source, options, watcher)


def _of_config(path: Path, data_dir: Path | None, watcher: "Watcher") -> MeasuredPool:
    from budget.config import read_config, with_overrides

    config = with_overrides(read_config(path, plans=False), data_dir=data_dir)
    options, bands = config.items.options(), config.strata
    cuts = {bands.measure: f"edges:{bands.easy_at_most!r},>={bands.hard_at_least!r}"}
    if config.items.source == "tabular" and isinstance(options.get("path"), str):
        table = read_user_table(
            Path(options["path"]), options.get("columns"), options.get("choices")
        )
        return _of_table(table, cuts)
    return _of_source(config.items.source, options, watcher, cuts)


def _of_source(
    source: str,
    options: Mapping[str, object],
    watcher: "Watcher",
    cuts: Mapping[str, str] | None = None,
) -> MeasuredPool:
    if "data_dir" not in options and source not in _LOCAL_SOURCES:
        watcher.stage(f"fetching {source} from the hub", 1)
    items = load_items(source, **options)
    left_out = items.attrs.get(LEFT_OUT)
    remarks = (f"left out: {left_out}.",) if left_out else ()
    return MeasuredPool(items, source, source, cuts=cuts or {}, remarks=remarks)


def _of_table(table: UserTable, cuts: Mapping[str, str] | None = None) -> MeasuredPool:
    remarks = [
        f"column '{name}' is no measure: row {why.row} holds {why.value!r:.60}, which is no number."
        for name, why in table.no_numbers.items()
        if why.numbers >= _MEANT_AS_NUMBERS
    ]
    if not table.names_its_items:
        there = {name.lower(): name for record in table.records[:1] for name in record}
        like = next((there[name] for name in ("id", "uid", "key") if name in there), None)
        hint = f"; --column item_id={like} takes column '{like}'" if like else ""
        remarks.append(f"items are called row-000001 and so on: there is no item_id{hint}.")
    return MeasuredPool(table.items, str(table.path), "", table, cuts or {}, tuple(remarks))
