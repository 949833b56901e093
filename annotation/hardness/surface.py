"""Hardness that can be read off the text: lengths of question, answer and reasoning.

The counts of Hase et al. 2024 (arXiv:2401.06751): words are separated by whitespace; the answer is
the gold choice, or the free-form answer.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]


def question_words(items: pd.DataFrame) -> Array:
    """Words of the question, (items,)."""
    return np.array([len(text.split()) for text in items["question"]], dtype=np.float64)


def answer_words(items: pd.DataFrame) -> Array:
    """Words of the gold answer, (items,); NaN where there is none."""
    return _of_texts(gold_texts(items), lambda text: len(text.split()))


def answer_characters(items: pd.DataFrame) -> Array:
    """Characters of the gold answer, (items,); NaN where there is none."""
    return _of_texts(gold_texts(items), len)


def reasoning_words(items: pd.DataFrame) -> Array:
    """Words of the reasoning, (items,); NaN where there is none."""
    return _of_texts(items["reasoning"].tolist(), lambda text: len(text.split()))


def gold_texts(items: pd.DataFrame) -> list[str | None]:
    """The gold answer of every item as a text, (items,); None where it is not known."""
    columns = (items[name].tolist() for name in ("choices", "answer", "answer_text"))
    golds: list[str | None] = []
    for choices, index, text in zip(*columns, strict=True):
        if choices:
            golds.append(None if pd.isna(index) else str(choices[int(index)]))
        else:
            golds.append(text if isinstance(text, str) else None)
    return golds


def _of_texts(texts: list[str | None], count: Callable[[str], int]) -> Array:
    return np.array(
        [np.nan if text is None else float(count(text)) for text in texts], dtype=np.float64
    )
