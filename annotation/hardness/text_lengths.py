"""Hardness that can be read off the text: lengths of question, answer and reasoning.

The counts of Hase et al. 2024 (arXiv:2401.06751): words are separated by whitespace; the answer is
the gold choice, or the free-form answer.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from annotation.arrays import Array
from annotation.items.table import gold_texts


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


def _of_texts(texts: list[str | None], count: Callable[[str], int]) -> Array:
    return np.array(
        [np.nan if text is None else float(count(text)) for text in texts], dtype=np.float64
    )
