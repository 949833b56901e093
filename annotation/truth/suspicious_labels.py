"""What looks like a slip of the hand in the labels of a judgment table, to be told to people."""

from collections import Counter
from itertools import islice

import numpy as np

from annotation.errors import short
from annotation.judgments.item_names import shown
from annotation.truth.coding import Coded

_MOST_SHOWN = 3


def suspicious_labels(coded: Coded) -> tuple[str, ...]:
    """Sentences on labels that nearly equal one another, and on gold answers that nobody gave."""
    return (*_nearly_equal(coded), *_unknown_gold(coded))


def _nearly_equal(coded: Coded) -> list[str]:
    """Labels that differ alone in case, in blanks between words or in letters joined to one."""
    if coded.kind == "own choices":  # they were held against the items
        return []
    if coded.kind == "shared":
        counts = np.bincount(coded.label, minlength=len(coded.shared)).tolist()
        texts = Counter(dict(zip(coded.shared, counts, strict=True)))
    else:
        said = zip(coded.item.tolist(), coded.label.tolist(), strict=True)
        texts = Counter(coded.text(item, label) for item, label in said)
    groups: dict[str, list[str]] = {}
    for text, count in texts.items():
        if count:
            groups.setdefault(" ".join(text.split()).casefold(), []).append(text)
    alike = [group for group in groups.values() if len(group) > 1]
    if not alike:
        return []
    # Beyond case, as letters joined to one, which look like those apart.
    lower = ({" ".join(text.split()).lower() for text in group} for group in alike)
    joined = any(len(group) > 1 for group in lower)
    how = "case, blanks or joined letters" if joined else "case or blanks"
    told = shown if joined else short  # with codes for what cannot be told apart
    listed = "; ".join(
        " and ".join(f"{told(text)} ({texts[text]:,})" for text in group)
        for group in islice(alike, _MOST_SHOWN)
    )
    more = len(alike) - _MOST_SHOWN
    return [
        f"labels that differ in {how} alone count as different ones: {listed}"
        + (f"; {more:,} more such" if more > 0 else "")
        + "; give them one spelling if they mean the same."
    ]


def _unknown_gold(coded: Coded) -> list[str]:
    counts = Counter(coded.unknown_gold)
    return [
        f"gold answer {short(text)} (of {count:,} {'item' if count == 1 else 'items'}) is a label "
        "that nobody gave, so it is left out; if it is right, say with --choices how many classes "
        "there are."
        for text, count in counts.most_common()
    ]
