"""The baseline without a model: always answer the class that is commonest.

It is what scikit-learn's DummyClassifier calls "most_frequent". A model that was trained on labels
should beat it; where items do not share their choices there are no classes, and guessing is all
that can be done without a model.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import IntArray, Positions
from annotation.labelling.labels import Labels
from annotation.ties import pick, tie_draws
from training.task import Task


@dataclass(frozen=True)
class CommonestClass:
    """A class, and what always answering it gives.

    Attributes
    ----------
    answer : the class, as the items spell it
    correct : (test items,), whether it is the right answer
    """

    answer: str
    correct: NDArray[np.bool_]


def commonest_class(
    task: Task, stratum: str, labels: Sequence[Labels] = ()
) -> CommonestClass | None:
    """The class that is commonest in a stratum among what can be bought, never among test items.

    Known from the right answers of the stratum's items for sale, or else of all items for sale; or
    from the `labels` that people gave, where there are any. Of classes that are as common one is
    drawn by its text, so that neither the order of choices nor that of items decides.

    None where items have choices of their own, or nothing is known of any item for sale.
    """
    if not _have_classes(task):
        return None
    known = [(own.positions, own.labels) for own in labels if len(own)]
    if not known:
        known = _answers(task, [stratum]) or _answers(task, list(task.pools))
    counted = Counter(
        text for positions, answers in known for text in task.label_texts(positions, answers)
    )
    if not counted:
        return None
    classes = np.array([str(text) for text in task.items["choices"].iloc[0]], dtype=object)
    counts = np.array([[counted[text] for text in classes]], dtype=np.float64)
    draws = tie_draws(pd.util.hash_array(classes, categorize=False), 1).T
    answer = str(classes[pick(counts, draws, 0.0)[0]])
    tested = task.label_texts(task.test_positions, task.answers[task.test_positions])
    return CommonestClass(answer, np.array([text == answer for text in tested], dtype=bool))


def _have_classes(task: Task) -> bool:
    """Whether all items have the same choices, in whatever order."""
    if task.free_form:
        return False
    if task.shared_choices is not None:
        return True
    return len({frozenset(choices) for choices in task.items["choices"]}) == 1


def _answers(task: Task, strata: Sequence[str]) -> list[tuple[Positions, IntArray]]:
    """Items for sale whose right answer is known, and that answer; empty where there are none."""
    found = []
    for name in strata:
        known = task.pools[name][task.answered[task.pools[name]]]
        if known.size:
            found.append((known, task.answers[known]))
    return found
