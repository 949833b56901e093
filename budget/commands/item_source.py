"""The items of `labelmix hardness`: from a file, a run's configuration, or a source by name."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.hardness.items import MeasuredPool
from annotation.errors import InputError
from annotation.items.read import load_unanswered
from annotation.judgments.rejections import Reading
from annotation.sources import load_items
from annotation.strata.bands import Strata
from annotation.strata.cut import read_cut
from budget.config.read import read_config, with_overrides

if TYPE_CHECKING:
    import pandas as pd

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from annotation.items.read import UserTable, read_user_table
from annotation.items.table import LEFT_OUT

if TYPE_CHECKING:
    from training.engines.base import Watcher

_MEANT_AS_NUMBERS = 0.5  # of a column's values; with fewer numbers it is no measure gone wrong
_LOCAL_SOURCES = ("workshop", "tabular")


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
    from budget.config.read import read_config, with_overrides

    config = with_overrides(read_config(path, plans=False), data_dir=data_dir)
    options, bands = config.items.options(), config.strata
    if config.items.source == "tabular" and isinstance(options.get("path"), str):
        table = read_user_table(
            Path(options["path"]), options.get("columns"), options.get("choices")
        )
        pool = _of_table(table)
    else:
        pool = _of_source(config.items.source, options, watcher)
    cuts, names = {bands.measure: bands.as_cut}, {bands.measure: bands.names}
    return replace(pool, cuts=cuts, names=names)


def _of_source(source: str, options: Mapping[str, object], watcher: "Watcher") -> MeasuredPool:
    if "data_dir" not in options and source not in _LOCAL_SOURCES:
        watcher.stage(f"fetching {source} from the hub", 1)
    items = load_items(source, **options)
    left_out = items.attrs.get(LEFT_OUT)
    remarks = (f"left out: {left_out}.",) if left_out else ()
    return MeasuredPool(items, source, source, remarks=remarks)


def _of_table(table: UserTable) -> MeasuredPool:
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
    return MeasuredPool(table.items, str(table.path), "", table, remarks=tuple(remarks))


@dataclass(frozen=True)
class ItemSource:
    """Where items and strata come from: a run's configuration, or an item table and a cut."""

    config: Path | None = None
    data_dir: Path | None = None
    items: Path | None = None
    measure: str | None = None
    cut: str | None = None
    answers_are_gold: bool = False


def with_items(
    reading: Reading, source: ItemSource
) -> tuple[Reading, "pd.DataFrame | None", tuple[str, ...]]:
    """Judgments held against the items, the items, and the strata in order of hardness.

    There are no items where none are given, and no strata where no measure is cut.

    Raises InputError if the items cannot be read or cut.
    """
    from annotation.items.read import load_unanswered
    from annotation.judgments.item_checks import check_against_items

    if source.config is not None and source.items is not None:
        raise InputError("give either --config or --items; the former has its own items.")
    if source.measure is not None and source.items is None:
        raise InputError("--measure goes with --items; --config has its own strata.")
    if source.cut is not None and source.measure is None:
        raise InputError("--cut needs the measure that is cut; give --measure.")
    strata: Strata | None = None
    if source.config is not None:
        from annotation.sources import load_items
        from budget.config.read import read_config, with_overrides

        config = with_overrides(read_config(source.config, plans=False), data_dir=source.data_dir)
        items = load_items(config.items.source, **config.items.options())
        strata = config.strata.cut_items(items, config.items.source)
    elif source.items is not None:
        items = load_unanswered(str(source.items))  # answers may be what is asked for
        if source.measure is not None:
            strata = read_cut(source.cut or "quantiles:3", source.measure, items)
    else:
        if source.answers_are_gold:
            raise InputError("--answers-are-gold needs items; give --items or --config.")
        return reading, None, ()
    names = None
    if strata is not None:
        names = dict(zip(items["item_id"], strata.assign(items), strict=True))
    checked = check_against_items(reading, items, names, source.answers_are_gold)
    return checked, items, strata.names if strata is not None else ()


ALL = "all"  # the stratum of every item where no measure is cut


def items_and_strata(
    path: Path,
    measure: str | None,
    cut: str | None,
    data_dir: Path | None,
    columns: dict[str, str] | None = None,
    choices: list[str] | None = None,
) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    """The items of a file or of a run's configuration, (items), and their strata, (items,).

    Of a file, items may lack answers; `measure` is cut as `cut` says, and without a measure all
    items are in the stratum "all"; `columns` and `choices` as for
    `annotation.items.read.load_tabular`. A configuration brings its own cut.

    Raises InputError if the items cannot be read or cut, or options do not go together.
    """
    if path.suffix.lower() == ".toml":
        if measure is not None or cut is not None:
            raise InputError("--measure and --cut go with a file of items; CONFIG.toml has a cut.")
        if columns or choices is not None:
            raise InputError(
                "--column and --choices go with a file of items; CONFIG.toml has its own."
            )
        config = with_overrides(read_config(path, plans=False), data_dir=data_dir)
        items = load_items(config.items.source, **config.items.options())
        return items, config.strata.cut_items(items, config.items.source).assign(items)
    if data_dir is not None:
        raise InputError("--data-dir goes with CONFIG.toml, not with a file of items.")
    items = load_unanswered(str(path), columns or {}, choices)
    if measure is None:
        if cut is not None:
            raise InputError("--cut needs --measure, the measure that is cut.")
        return items, np.full(len(items), ALL, dtype=object)
    return items, read_cut(cut or "quantiles:3", measure, items).assign(items)
