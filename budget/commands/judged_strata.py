"""Strata of judgments, and which judgments measure errors by them: never those that told them."""

from dataclasses import dataclass, replace

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
from annotation.items.told_by import who_told
from annotation.judgments.rejections import CheckedJudgments
from annotation.strata.cut import read_cut
from annotation.truth.coding import Coded
from budget.commands.item_source import LoadedItems

OPTION = "--judgments-for-strata"
OTHERS = "--strata-of-other-judgments"


@dataclass(frozen=True)
class StrataFromJudgments:
    """How the first judgments of every item are to make strata.

    `first` judgments of every item tell how far they disagree, by `measure`, which is cut by
    `cut`; None: the usual ones.

    Raises InputError if no such measure is told by judgments.
    """

    first: int
    measure: str | None = None
    cut: str | None = None

    def __post_init__(self) -> None:
        if self.measure is not None and self.measure not in OF_DISAGREEMENT:
            raise InputError(
                f"{OPTION} lets judgments tell how hard items are, by --measure "
                f"{' or '.join(OF_DISAGREEMENT)}; got --measure {self.measure}."
            )


@dataclass(frozen=True)
class JudgedStrata:
    """Judgments to measure errors by, with strata that others told.

    `names` are the strata in order of hardness, where that is known; `measure` is what was cut,
    None where the judgments bring strata of their own; `notes` are sentences for people.
    """

    reading: CheckedJudgments
    names: tuple[str, ...] = ()
    measure: str | None = None
    notes: tuple[str, ...] = ()


def first_tell(
    reading: CheckedJudgments, items: pd.DataFrame | None, asked: StrataFromJudgments
) -> JudgedStrata:
    """Cut strata by the first judgments of every item, and keep the others.

    Raises InputError if they cannot be cut so, or too few judgments are left.
    """
    judgments = reading.judgments
    if items is None:
        item_ids = pd.Series(judgments["item_id"].unique(), dtype=object)
    else:
        item_ids = items["item_id"]
    found = first_judgments(item_ids, judgments, asked.first)
    measure = asked.measure or USUAL_MEASURE
    if found.of_items[measure].isna().all():
        raise InputError(
            f"{OPTION} {asked.first}: no item has two judgments, which could disagree; cut by "
            "another measure."
        )
    cut = asked.cut or default_cut(measure, found.of_items, "")
    strata = read_cut(cut, measure, found.of_items)
    found.evidence.check_enough(
        f"Lower {OPTION}, collect more judgments, or give answers to gold questions."
    )
    names = strata.assign(found.of_items)
    by_id = dict(zip(item_ids, names, strict=True))
    kept = found.evidence.judgments
    own = [by_id.get(item_id) or None for item_id in kept["item_id"]]
    kept = kept.assign(stratum=pd.Series(own, dtype=object))
    note = (
        f"the first {asked.first} judgments of every item ({found.evidence.set_apart:,} in all) "
        f"told its stratum, by {measure} ({'; '.join(map(strata.rule, strata.names))}). All that "
        f"is told here, costs and labels too, is of the {len(kept):,} others."
    )
    return JudgedStrata(replace(reading, judgments=kept), strata.names, None, (note,))


def items_tell(reading: CheckedJudgments, loaded: LoadedItems) -> JudgedStrata:
    """Strata as items have them; judgments that told the measure, as its file says, are left out.

    Raises InputError if too few judgments are left.
    """
    if loaded.strata is None:
        return JudgedStrata(reading)
    measure, notes = loaded.strata.measure, loaded.strata_remarks
    told = who_told(loaded.items, measure)
    if told is not None:
        others = other_judgments(reading.judgments, told)
        if others.set_apart:
            others.check_enough(
                f"Give {OPTION} 2, which lets 2 judgments of every item tell its stratum and "
                "measures by the others, or collect more."
            )
            reading = replace(reading, judgments=others.judgments)
            notes += (
                f"{others.set_apart:,} judgments told '{measure}', by which the strata are cut, "
                "and are left out. All that is told here, costs and labels too, is of the "
                f"{len(others.judgments):,} others.",
            )
    return JudgedStrata(reading, loaded.strata.names, measure, notes)


def check_other_judgments(coded: Coded, items: pd.DataFrame | None, measure: str | None) -> None:
    """Raise InputError if strata look as if they were cut by the very judgments they hold."""
    sign = of_same_judgments(coded, items, measure)
    if sign is not None:
        raise InputError(
            f"strata look as if they were cut by these very judgments: {sign}. Then what decided "
            "who is hard measures the errors, too, and easy and hard come out too far apart. Give "
            f"{OPTION} 2, which lets 2 judgments of every item tell its stratum and measures by "
            f"the others; or {OTHERS}, if other judgments told the strata."
        )
