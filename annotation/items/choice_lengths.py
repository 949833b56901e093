"""Whether the length of a choice gives the right answer away.

Where people write the right answer with more care than the wrong ones, it is often the longest.
A model that looks at length alone is then right, and so is one whose score of a choice grows with
its length: what it reaches says nothing of what it knows.
"""

import numpy as np
import pandas as pd

from annotation.items.table import shared_choices

_NEARLY_ALL = 0.9
_FEWEST_TOLD = 10  # items; in fewer, chance makes the right answer the longest soon enough
_MOST_LOOKED_AT = 10_000  # items, evenly over the table: enough to know a share


def length_remark(items: pd.DataFrame) -> str:
    """A sentence where the right answer alone is the longest, or the shortest, in nearly all items.

    `items` is a valid item table. "" where lengths do not tell, where items share their choices
    (the remark on classes speaks of those), and where fewer than ten answers are known.
    """
    answers = items["answer"].to_numpy(dtype=np.int64, na_value=-1)
    known = np.flatnonzero(answers >= 0)
    if known.size < _FEWEST_TOLD:
        return ""
    step = -(-known.size // _MOST_LOOKED_AT)
    looked_at = items.iloc[known[::step]]
    if shared_choices(looked_at) is not None:
        return ""
    longest = shortest = 0
    for choices, answer in zip(looked_at["choices"], answers[known[::step]].tolist(), strict=True):
        lengths = [len(choice) for choice in choices]
        own = lengths.pop(answer)
        longest += bool(lengths) and own > max(lengths)
        shortest += bool(lengths) and own < min(lengths)
    for name, count in (("longest", longest), ("shortest", shortest)):
        share = count / len(looked_at)
        if share >= _NEARLY_ALL:
            among = "every item" if share == 1 else f"{100 * share:.0f} % of the items"
            return (
                f"the right answer is the {name} choice in {among}: a model that looks at length "
                "alone would be right as often, so an accuracy here says little of what it knows."
            )
    return ""
