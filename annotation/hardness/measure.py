"""Compute the measures that need no model: from the items' texts, and from judgments."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from annotation.arrays import Array
from annotation.errors import InputError
from annotation.hardness.disagreement import answer_entropy, pairwise_disagreement
from annotation.hardness.irt import Model, fit_item_response
from annotation.hardness.responses import responses_of_judgments
from annotation.hardness.text_lengths import (
    answer_characters,
    answer_words,
    question_words,
    reasoning_words,
)
from annotation.truth.coding import usable

Columns = dict[str, Array]

OF_TEXTS: dict[str, Callable[[pd.DataFrame], Array]] = {
    "question_words": question_words,
    "answer_words": answer_words,
    "answer_characters": answer_characters,
    "reasoning_words": reasoning_words,
}
OF_JUDGMENTS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Columns]] = {
    "answer_entropy": lambda items, judgments: {
        "answer_entropy": answer_entropy(items["item_id"], judgments)
    },
    "pairwise_disagreement": lambda items, judgments: {
        "pairwise_disagreement": pairwise_disagreement(items["item_id"], judgments)
    },
    "irt_difficulty": lambda items, judgments: _difficulty("irt", "2PL", items, judgments),
    "rasch_difficulty": lambda items, judgments: _difficulty("rasch", "1PL", items, judgments),
}


def text_measures(items: pd.DataFrame) -> Columns:
    """All measures that can be read off the items' texts, (items,) each, and are known of any."""
    found = {name: compute(items) for name, compute in OF_TEXTS.items()}
    return {name: values for name, values in found.items() if not np.isnan(values).all()}


def judgment_measure(name: str, items: pd.DataFrame, judgments: pd.DataFrame | None) -> Columns:
    """A measure from judgments, (items,), with its standard error where it has one.

    Of several judgments of one annotator on an item the last counts.

    Parameters
    ----------
    name
        A key of `OF_JUDGMENTS`.
    items
        The item table.
    judgments
        A judgment table; None where there is none.

    Raises
    ------
    InputError
        If there is no judgment table, no judgment is on any of the items, or, for item response
        theory, none is on an item with a gold answer.
    """
    if judgments is None:
        raise InputError(
            f"hardness measure '{name}' is computed from judgments; give their table "
            "(--judgments FILE)."
        )
    if not judgments["item_id"].isin(items["item_id"]).any():
        raise InputError(
            f"hardness measure '{name}': no judgment is on any of the items; their item_ids differ "
            f"(for instance {items['item_id'].iloc[0]!r:.40} and "
            f"{judgments['item_id'].iloc[0] if len(judgments) else None!r:.40})."
        )
    return OF_JUDGMENTS[name](items, usable(judgments))


def _difficulty(prefix: str, model: Model, items: pd.DataFrame, judgments: pd.DataFrame) -> Columns:
    fitted = fit_item_response(responses_of_judgments(items, judgments).right, model)
    return {
        f"{prefix}_difficulty": fitted.difficulty,
        f"{prefix}_difficulty_standard_error": fitted.difficulty_error,
    }
