"""Items and strata of a command: from a file of items, a run's CONFIG.toml, or a source by name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items.answers import answer_reading
from annotation.items.read import UserTable, read_user_table
from annotation.items.table import LEFT_OUT, REMARKS
from annotation.sources import load_items
from annotation.strata.bands import Strata
from annotation.strata.cut import read_cut
from annotation.strata.mixed_scale import mixed_scale_remark
from budget.config.items import configured_items, configured_table
from budget.config.read import read_config, with_overrides
from budget.config.run import RunConfig

if TYPE_CHECKING:
    from training.engines.base import Watcher

ALL = "all"  # the stratum of every item where no measure is cut
USUAL_CUT = "quantiles:3"
_LOCAL_SOURCES = ("workshop", "tabular")
_OF_READING = ("--column", "--choices")  # how a file is read, not how it is cut


@dataclass(frozen=True)
class ItemSource:
    """Where items and strata come from, as a command's options say.

    Attributes
    ----------
    either : how the command calls its ways to name items: "CONFIG.toml or --source"
    config : a run's configuration, which has items and a cut
    items : a file of items (JSONL, CSV, Parquet), which may lack answers
    source : a source by name
    path : file of the source `tabular`
    data_dir : local folder of the data of a source, named or configured
    columns, choices : how to read `items`, or a file of the source `tabular`; `columns` is None
        where the command has no such option
    answers : how the answers of `items`, or of a file of the source `tabular`, are read
    measure, cut : how to cut `items`; without a measure all are in the stratum "all"

    Raises InputError if they do not go together.
    """

    either: str
    config: Path | None = None
    items: Path | None = None
    source: str | None = None
    path: Path | None = None
    data_dir: Path | None = None
    columns: dict[str, str] | None = None
    choices: list[str] | None = None
    answers: str | None = None
    measure: str | None = None
    cut: str | None = None

    def __post_init__(self) -> None:
        if [self.config, self.items, self.source].count(None) < 2:
            raise InputError(f"give either {self.either}.")
        if self.path is not None and self.source is None:
            raise InputError("--path goes with --source tabular; CONFIG.toml names its own file.")
        if self.data_dir is not None and self.config is None and self.source is None:
            raise InputError(
                "--data-dir goes with CONFIG.toml or a source; a file of items needs none."
            )
        of_a_file = {
            "--column": bool(self.columns),
            "--choices": self.choices is not None,
            "--measure": self.measure is not None,
            "--cut": self.cut is not None,
        }
        if self.answers is not None:
            answer_reading(self.answers)
            if self.items is None and self.path is None:
                own = "; CONFIG.toml has its own" if self.config is not None else ""
                raise InputError(f"--answers goes with a file of items{own}.")
        if self.cut is not None and self.measure is None and self.config is None:
            raise InputError("--cut needs the measure that is cut; give --measure.")
        for option, is_given in of_a_file.items():
            is_file = self.items is not None or (self.path is not None and option in _OF_READING)
            if is_given and not is_file:
                own = "; CONFIG.toml has its own" if self.config is not None else ""
                raise InputError(f"{option} goes with a file of items{own}.")

    @property
    def names_items(self) -> bool:
        """Whether there are items at all."""
        return [self.config, self.items, self.source].count(None) < 3


def config_or_items(path: Path | None) -> tuple[Path | None, Path | None]:
    """What ITEMS is: a run's configuration where it ends in .toml, else a file of items."""
    is_config = path is not None and path.suffix.lower() == ".toml"
    return (path, None) if is_config else (None, path)


@dataclass(frozen=True)
class LoadedItems:
    """The items of a command.

    Attributes
    ----------
    items : the item table
    name : what they are called, for people: their file or source
    source : the source's name; "" for a user's own file
    table : the user's own file, where they are from one
    remarks : what there is to say about how they were read
    config : the run's configuration, where they are from one
    measure, cut : how options of the command cut them; None where they do not
    """

    items: pd.DataFrame
    name: str
    source: str = ""
    table: UserTable | None = None
    remarks: tuple[str, ...] = ()
    config: RunConfig | None = None
    measure: str | None = None
    cut: str | None = None

    @property
    def files(self) -> list[Path]:
        """The files that the items were read from: a table, or those that a configuration names."""
        found = [] if self.table is None else [self.table.path]
        if self.config is not None:
            options = self.config.items.options()
            found += [Path(options[key]) for key in ("path", "annotations") if key in options]
            collected = self.config.collected
            found += [] if collected is None else [Path(name) for name in collected.judgments]
        return found

    @cached_property
    def strata(self) -> Strata | None:
        """How the configuration, or options, cut them; None where nothing does.

        Raises InputError if they cannot be cut so.
        """
        if self.config is not None:
            return self.config.strata.cut_items(self.items, self.config.items.source)
        if self.measure is not None:
            return read_cut(self.cut or USUAL_CUT, self.measure, self.items)
        return None

    @property
    def strata_remarks(self) -> tuple[str, ...]:
        """What there is to say about how they were cut.

        Raises InputError if they cannot be cut.
        """
        told = None if self.strata is None else mixed_scale_remark(self.items, self.strata)
        return () if told is None else (told,)

    @property
    def stratum_of_items(self) -> NDArray[np.object_]:
        """Name of every item's stratum, (items,); "" where it is in none.

        Raises InputError if they cannot be cut.
        """
        if self.strata is None:
            return np.full(len(self.items), ALL, dtype=object)
        return self.strata.assign(self.items)

    @property
    def stratum_by_id(self) -> dict[str, str] | None:
        """item_id -> its stratum, "" for none; None where nothing cuts them."""
        if self.strata is None:
            return None
        return dict(zip(self.items["item_id"], self.stratum_of_items, strict=True))


def load_source(
    asked: ItemSource, watcher: "Watcher | None" = None, answered: bool = False
) -> LoadedItems:
    """Load the items that a command is to work on.

    `answered`: those of a configuration are as in a run, with answers, or with what the judgments
    that it names tell of them. Those of a file never need answers.

    Raises InputError if no items are named, or they cannot be loaded.
    """
    if asked.config is not None:
        config = with_overrides(read_config(asked.config, plans=False), data_dir=asked.data_dir)
        table = None if answered else configured_table(config)
        if table is not None and config.collected is None:
            return replace(_of_table(table), config=config)
        _tell_of_fetching(config.items.source, config.items.options(), watcher)
        found = configured_items(config, answered)
        if config.collected is not None:
            from budget.config.judged_items import judged_items  # loads torch

            found = judged_items(found, config.collected, config.strata.measure).items
            if table is not None:
                return replace(_of_table(replace(table, items=found)), config=config)
        return replace(_of_source(config.items.source, found), config=config)
    if asked.items is not None:
        table = read_user_table(asked.items, asked.columns, asked.choices, answers=asked.answers)
        return replace(_of_table(table), measure=asked.measure, cut=asked.cut)
    if asked.source == "tabular" and asked.path is not None:
        table = read_user_table(
            asked.path,
            asked.columns,
            asked.choices,
            answers=asked.answers,
            require_answers=answered,
        )
        return replace(_of_table(table), name=asked.source, source=asked.source)
    if asked.source is not None:
        given = {"path": asked.path, "data_dir": asked.data_dir, "answers": asked.answers}
        options = {name: str(value) for name, value in given.items() if value is not None}
        _tell_of_fetching(asked.source, options, watcher)
        return _of_source(asked.source, load_items(asked.source, **options))
    raise InputError(f"give either {asked.either}.")


def _tell_of_fetching(
    source: str, options: Mapping[str, object], watcher: "Watcher | None"
) -> None:
    if watcher is not None and "data_dir" not in options and source not in _LOCAL_SOURCES:
        watcher.stage(f"fetching {source} from the hub", 1)


def _of_source(source: str, items: pd.DataFrame) -> LoadedItems:
    left_out = items.attrs.get(LEFT_OUT)
    remarks = (f"left out: {left_out}.",) if left_out else items.attrs.get(REMARKS, ())
    return LoadedItems(items, source, source, remarks=remarks)


def _of_table(table: UserTable) -> LoadedItems:
    remarks = [
        f"column '{name}' is no measure: {why}."
        for name, why in table.no_numbers.items()
        if why.is_meant_as_measure
    ]
    remarks += table.items.attrs.get(REMARKS, ())
    if not table.names_its_items:
        there = {name.lower(): name for record in table.records[:1] for name in record}
        taken = set(table.columns.values())  # such as the key to the right answers
        like = next(
            (
                there[name]
                for name in ("id", "uid", "key")
                if name in there and there[name] not in taken
            ),
            None,
        )
        hint = (
            f"--column item_id={like} takes column '{like}'"
            if like
            else "--column item_id=COLUMN names one"
        )
        remarks.append(f"items are called row-000001 and so on: there is no item_id; {hint}.")
    return LoadedItems(table.items, str(table.path), table=table, remarks=tuple(remarks))
