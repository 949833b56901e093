"""A world in which everything can be worked out by hand."""

from collections.abc import Callable

import numpy as np

from budget.worlds.world import LabelledItems, World

Build = Callable[..., World]
EASY, HARD, TEST = 12, 10, 8


def axes_items() -> LabelledItems:
    """Items of two choices; the right one is marked on an axis of its stratum's own.

    Easy items say nothing of the hard axis: trained on easy labels alone, a probe finds both
    choices of a hard item alike and takes the first, which is right for half of the test items.
    One clean hard label is enough to answer all of them.
    """
    items = EASY + HARD + TEST
    answers = np.arange(items) % 2
    axis = (np.arange(items) >= EASY).astype(int)
    features = np.zeros((items, 2, 2), dtype=np.float32)
    features[np.arange(items), answers, axis] = 1.0
    features[np.arange(items), 1 - answers, axis] = -1.0
    test = np.arange(EASY + HARD, items)
    return LabelledItems(
        name="axes",
        features=features,
        mask=np.ones((items, 2), dtype=bool),
        answers=answers,
        pools={"easy": np.arange(EASY), "hard": np.arange(EASY, EASY + HARD)},
        target="hard",
        test=test,
        groups=np.arange(items).astype(str).astype(object),
    )
