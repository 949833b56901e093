"""The items and judgments of a collection that is over, as they are read for its replay."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from analysis.hardness.describe import default_cut
from annotation.errors import InputError
from annotation.hardness.same_judgments import of_same_judgments
from annotation.hardness.selection import (
    OF_DISAGREEMENT,
    USUAL_MEASURE,
    first_judgments,
    other_judgments,
)
from annotation.items.read import load_partly_answered
from annotation.items.table import no_such_measure
from annotation.items.told_by import remember, who_told
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.rejections import CheckedJudgments
from annotation.truth.coding import code_judgments, usable

_FIRST = "--judgments-for-strata"
_OTHERS = "--strata-of-other-judgments"


@dataclass(frozen=True)
class ItemFiles:
    """Which items, and how they are read.

    Attributes
    ----------
    items, test : their files; without `test`, test items are drawn of `items`
    columns, choices, answers : as in `annotation.items.read.load_tabular`
    """

    items: Path
    test: Path | None = None
    columns: Mapping[str, str] | None = None
    choices: tuple[str, ...] | None = None
    answers: str | None = None


@dataclass(frozen=True)
class StrataAsked:
    """How hardness is measured and cut; None for what is usual.

    `first` judgments of every item tell it, and are not replayed; without, a column of the items
    does. `others_told`: the user says that other judgments than those replayed told that column.
    """

    measure: str | None = None
    cut: str | None = None
    first: int | None = None
    others_told: bool = False


@dataclass(frozen=True)
class PastTables:
    """What is read of a collection that is over.

    Attributes
    ----------
    items : pool and test items alike, with the measure as a column
    given_test : item_ids of the test items that were given; None where they are to be drawn
    judgments : those that can be replayed, one of each annotator of an item
    measure, cut : of the strata
    notes : sentences for people
    """

    items: pd.DataFrame
    given_test: frozenset[str] | None
    judgments: pd.DataFrame
    measure: str
    cut: str
    notes: tuple[str, ...]


def read_past(files: ItemFiles, reading: CheckedJudgments, asked: StrataAsked) -> PastTables:
    """Read the items, hold the judgments against them, and set apart those that tell strata.

    Raises InputError if a table cannot be read, an item is tested and for sale, no judgment is of
    an item and one of its choices, there is no such measure, or none are left to be replayed.
    """
    items, given = _items(files)
    fitting = check_against_items(reading, items)
    if usable(fitting.judgments).empty:
        first = f": {fitting.rejected[0]}" if fitting.rejected else "; name the items judged."
        raise InputError(f"{files.items}: no judgment is of an item and one of its choices{first}")
    left_out = sum(not own.row_stays for own in fitting.rejected)
    notes = (
        [f"{left_out:,} rows are left out; the first: {fitting.rejected[0]}"] if left_out else []
    )
    table = fitting.judgments
    measure = _measure(items, asked, files.items)
    if asked.first is not None:
        split = first_judgments(items["item_id"], table, asked.first)
        new = split.of_items.drop(columns="item_id").set_index(items.index)
        items = remember(items.assign(**new), list(new.columns), split.told)
        table = split.evidence.judgments
        notes.append(
            f"the first {asked.first} judgments of every item ({split.evidence.set_apart:,}) tell "
            "how hard it is; they are neither bought again nor counted as paid."
        )
    elif (told := who_told(items, measure)) is not None:
        others = other_judgments(table, told)
        table = others.judgments
        if others.set_apart:
            notes.append(
                f"{others.set_apart:,} judgments told '{measure}'; they are neither bought again "
                "nor counted as paid."
            )
    table = usable(table).reset_index(drop=True)
    if table.empty:
        raise InputError(
            f"no judgment is left to be replayed: all of them told how hard the items are; lower "
            f"{_FIRST}, or name another measure."
        )
    if asked.first is None and not asked.others_told:
        _check_others_told(items, table, measure)
    cut = asked.cut or default_cut(measure, items, "")
    return PastTables(items, given, table, measure, cut, tuple(notes))


def _items(files: ItemFiles) -> tuple[pd.DataFrame, frozenset[str] | None]:
    items = _table(files.items, files)
    if files.test is None:
        return items, None
    test = _table(files.test, files)
    given = frozenset(test["item_id"])
    # Test items may be a part of the same table: they are not for sale then.
    pool = items[~items["item_id"].isin(given)]
    joined = pd.concat([pool, test], ignore_index=True)
    joined.attrs = dict(items.attrs)
    return joined, given


def _table(path: Path, files: ItemFiles) -> pd.DataFrame:
    table = load_partly_answered(
        path=str(path),
        columns=dict(files.columns) if files.columns else None,
        choices=list(files.choices) if files.choices else None,
        answers=files.answers,
    )
    without = table["choices"].map(len) == 0
    if without.any():
        raise InputError(
            f"{path}: item '{table['item_id'][without].iloc[0]}' has no choices, which a replay "
            "needs; give every item some (--choices)."
        )
    return table


def _measure(items: pd.DataFrame, asked: StrataAsked, path: Path) -> str:
    """Raises InputError if there is no such measure."""
    if asked.first is not None:
        measure = asked.measure or USUAL_MEASURE
        if measure not in OF_DISAGREEMENT:
            raise InputError(
                f"{_FIRST} lets judgments tell how hard items are, by --measure "
                f"{' or '.join(OF_DISAGREEMENT)}; got --measure {measure}."
            )
        if measure in items:
            raise InputError(
                f"{path}: has a column '{measure}', and {_FIRST} makes another; leave one of the "
                "two out."
            )
        return measure
    if asked.measure is None:
        raise InputError(
            f"nothing says how hard the items are; give --measure COLUMN, or {_FIRST} 2, which "
            "lets 2 judgments of every item tell it."
        )
    if asked.measure not in items:
        raise InputError(
            f"{path}: {no_such_measure(items, asked.measure)} {_FIRST} 2 lets judgments tell it."
        )
    return asked.measure


def _check_others_told(items: pd.DataFrame, judgments: pd.DataFrame, measure: str) -> None:
    sign = of_same_judgments(code_judgments(judgments, items), items, measure)
    if sign is not None:
        raise InputError(
            f"strata look as if they were cut by these very judgments: {sign}. Then what decided "
            f"who is hard would be bought again. Give {_FIRST} 2, which lets 2 judgments of every "
            f"item tell its stratum; or {_OTHERS}, if other judgments told it."
        )


def with_roles(tables: PastTables, roles: Mapping[str, str]) -> PastTables:
    """The same with roles given: annotator -> role.

    Raises InputError if one made no judgment.
    """
    there = set(tables.judgments["annotator"])
    for name in roles:
        if name not in there:
            raise InputError(
                f"annotator '{name}' has a role but made no judgment that can be replayed; the "
                f"annotators are: {', '.join(sorted(there)[:10])}."
            )
    told = tables.judgments["annotator"].map(roles)
    own = told.where(told.notna(), tables.judgments["role"])
    return replace(tables, judgments=tables.judgments.assign(role=own.astype(object)))
