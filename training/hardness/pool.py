"""Items that are not cut into strata yet, as models and probes read them."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Features, Mask
from annotation.errors import InputError
from annotation.items.near_copies import ItemGroups, group_items
from annotation.items.table import shared_choices
from training.features import FeatureStore
from training.models.load import LoadedModel
from training.models.source import ModelSource
from training.progress import TokenProgress, no_token_progress
from training.prompts import DEFAULT_PROMPT, Prompt, find_prompt

_QUESTION_ALONE = "0306-mended"
_NO_CHOICE = "?"  # stands where an item has no choices; the prompt does not show it


class Pool:
    """Items, with gold answers or without, whatever measures they have.

    A further measure, or a pilot that adds answers to some, makes no model read them anew.
    """

    def __init__(self, items: pd.DataFrame) -> None:
        self.items = items

    @cached_property
    def groups(self) -> ItemGroups:
        """Which items belong together."""
        return group_items(self.items)

    @cached_property
    def choice_counts(self) -> NDArray[np.int64]:
        """How many choices every item has, (items,)."""
        return np.asarray(self.items["choices"].map(len).to_numpy(dtype=np.int64))

    @cached_property
    def shared_choices(self) -> tuple[str, ...] | None:
        """The choices that all items have in common: then this is classification."""
        return shared_choices(self.items)

    @cached_property
    def mask(self) -> Mask:
        """Which choices an item has, (items, most choices)."""
        return np.arange(int(self.choice_counts.max())) < self.choice_counts[:, None]

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """Gold choice index per item, (items,); -1 where it is not known."""
        return np.asarray(self.items["answer"].to_numpy(dtype=np.int64, na_value=-1))

    def require_choices(self, measure: str) -> None:
        """Raise InputError if an item has no choices, whose chances `measure` is made of."""
        without = np.flatnonzero(self.choice_counts == 0)
        if without.size:
            raise InputError(
                f"hardness measure '{measure}' needs choices; item "
                f"'{self.items['item_id'].iloc[int(without[0])]}' and {without.size - 1} others "
                "have none. Free-form answers: take a measure from judgments, or reasoning_words."
            )

    def choice_features(
        self,
        folder: Path,
        source: ModelSource,
        model: Callable[[], LoadedModel],
        progress: TokenProgress = no_token_progress,
        prompt: Prompt = DEFAULT_PROMPT,
    ) -> Features:
        """Features that tell choices apart, (items, choices or 1, width); see `FeatureStore`."""
        return _features(
            FeatureStore(folder, self, source, prompt), len(self.items), model, progress
        )

    def question_features(
        self,
        folder: Path,
        source: ModelSource,
        model: Callable[[], LoadedModel],
        progress: TokenProgress = no_token_progress,
        prompt: Prompt = DEFAULT_PROMPT,
    ) -> NDArray[np.float32]:
        """One vector per item, (items, width), that needs no answer.

        Of a decoder the state at the end of the prompt, which is the question alone where some item
        has no choices; of an encoder the mean over the question.
        """
        view = _Questions(self, prompt)
        store = FeatureStore(folder, view, source, prompt=view.prompt)
        return _features(store, len(self.items), model, progress)[:, 0]


class _Questions:
    """A pool seen as if all items shared their choices: one row of features per item."""

    shared_choices: tuple[str, ...] | None = ()

    def __init__(self, pool: Pool, prompt: Prompt) -> None:
        lists_choices = bool((pool.choice_counts > 0).all())
        self.prompt = prompt if lists_choices else find_prompt(_QUESTION_ALONE)
        self.items = pool.items
        if not lists_choices:
            self.items = self.items.assign(choices=[[_NO_CHOICE]] * len(self.items))
        self.choice_counts = np.ones(len(self.items), dtype=np.int64)


def _features(
    store: FeatureStore,
    count: int,
    model: Callable[[], LoadedModel],
    progress: TokenProgress,
) -> Features:
    everything = np.arange(count)
    absent = store.absent(everything)
    done = tokens = 0

    def advance(more_items: int, more_tokens: int) -> None:
        nonlocal done, tokens
        done, tokens = done + more_items, tokens + more_tokens
        progress(done, absent, tokens)

    return store.get(everything, model, advance)
