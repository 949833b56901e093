"""One label, one spelling; one person, one name."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.judgments.item_names import shown
from annotation.judgments.look_alikes import look, shared_spellings
from annotation.judgments.repetitions import Note


def one_spelling_per_look(checked: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """The table with labels and gold answers that look alike spelled as the commonest of them.

    Nobody who answers can tell them apart. Remarks say what was changed.
    """
    counts = _counts(checked["label"]) + _counts(checked["gold"])
    changed = shared_spellings(counts)
    if not changed:
        return checked, ()
    return _changed(
        checked, ("label", "gold"), changed, "labels that look alike (blanks, Unicode forms)"
    )


def one_name_per_person(checked: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """The table with names of annotators that differ in case or blanks alone as the commonest.

    Names that differ in case stay two people where both answered one item in judgments of
    different source_ids: one person answers it once. Remarks say what was changed, or not.
    """
    counts = _counts(checked["annotator"])
    named = "annotators whose names differ in case or blanks alone"
    looks = shared_spellings(counts)
    notes: tuple[Note, ...] = ()
    if looks:
        checked, notes = _changed(checked, ("annotator",), looks, named)
        counts = _counts(checked["annotator"])
    cases = shared_spellings(counts, _name)
    if not cases:
        return checked, notes
    people = checked[checked["annotator"].isin([*cases, *cases.values()])]
    one_name = people["annotator"].replace(cases)
    per_judgment = people.assign(person=one_name).drop_duplicates(
        ["person", "item_id", "source_id", "annotator"]
    )
    of_item = per_judgment.groupby(["person", "item_id"], sort=False)
    spellings = of_item["annotator"].nunique()
    both = spellings[(spellings > 1) & (of_item["source_id"].nunique() > 1)]
    apart = set(both.index.get_level_values("person"))
    merged = {text: best for text, best in cases.items() if best not in apart}
    if merged:
        checked, more = _changed(checked, ("annotator",), merged, named)
        notes += more
    if apart:
        text, best = min((text, best) for text, best in cases.items() if best in apart)
        row = int(np.flatnonzero((checked["annotator"] == text).to_numpy())[0])
        remark = (
            f"{shown(text)} and {shown(best)} differ in case alone, but both answered item "
            f"{shown(both.loc[[best]].index[0][1])}: they count as two people; give them one "
            "name if they are one."
        )
        notes += ((row + 1, "annotator", shown(text), remark),)
    return checked, notes


def _name(text: str) -> str:
    return " ".join(look(text).split()).casefold()


def _counts(column: pd.Series) -> Counter[str]:
    return Counter({str(text): int(often) for text, often in column.value_counts().items()})


def _changed(
    checked: pd.DataFrame, columns: tuple[str, ...], changed: Mapping[str, str], named: str
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """The table with other texts in these columns, and a remark with the first row of them."""
    spelled: dict[str, NDArray[np.object_]] = {}
    rows = np.zeros(len(checked), dtype=bool)
    first: dict[str, int] = {}
    for column in columns:
        own = checked[column].isin(list(changed)).to_numpy()
        texts = checked[column].to_numpy(dtype=object).copy()
        if own.any():
            first[column] = int(np.flatnonzero(own)[0])
        texts[own] = [changed[text] for text in texts[own]]
        spelled[column] = texts
        rows |= own
    column = min(first, key=lambda name: (first[name], columns.index(name)))
    row = first[column]
    text = str(checked[column].iloc[row])
    count = int(rows.sum())
    several = f"{count:,} row{'s are' if count > 1 else ' is'} spelled anew"
    remark = f"{named} are one: {several}, such as {shown(text)} as {shown(changed[text])}."
    table = checked.assign(
        **{name: pd.Series(texts, dtype=object) for name, texts in spelled.items()}
    )
    return table, ((row + 1, column, shown(text), remark),)
