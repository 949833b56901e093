"""Features of items for the linear probe, computed once and kept on disk."""

import hashlib
import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from annotation.arrays import Features, Positions
from annotation.errors import InputError, MachineError
from annotation.faults import os_failure
from annotation.locks import exclusive
from training.kept_rows import KeptRows
from training.models.load import LoadedModel, compute_type
from training.models.source import ModelSource
from training.prompts import DEFAULT_PROMPT, Prompt
from training.reading_cost import ReadingCost, reading_cost
from training.scoring.choices import EncodedItem, encode_items, scored_batches
from training.scoring.token_budget import TokenBudget, budget_of, take_padded
from training.trial import RECIPE_VERSION

_SAVED_EVERY = 256  # items

logger = logging.getLogger(__name__)


class FeatureItems(Protocol):
    """What features are computed of: a `training.task.Task`, or items that are not cut yet."""

    @property
    def items(self) -> pd.DataFrame: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def choice_counts(self) -> NDArray[np.int64]: ...
    @property
    def shared_choices(self) -> tuple[str, ...] | None: ...


def probe_layers(loaded: LoadedModel) -> list[int]:
    """Middle and last hidden state, of L + 1 with the embedding (paper, section 3)."""
    count = int(loaded.model.config.num_hidden_layers)
    return sorted({min(math.ceil((count + 1) / 2), count), count})


class FeatureStore:
    """Features of a task's items under one model: (items, choices, layers x width).

    Choices is 1 where all items share their choices, or for an encoder with its questions alone.
    Items are computed when first asked for; a killed process loses at most the last few hundred.
    Features that were damaged on the disk are computed again, with a note. One process at a time
    computes; others may read.

    Parameters
    ----------
    folder
        Where features are kept, in a folder for everything that changes them.
    task, source
        Whose items, under which model.
    prompt
        How a decoder is asked; an encoder reads question and choice as they are.
    layers
        Hidden states to take, 0 being the embedding; the middle and the last unless given.
    per_choice
        Features of every choice also where all items share theirs.
    """

    def __init__(
        self,
        folder: Path,
        task: FeatureItems,
        source: ModelSource,
        prompt: Prompt = DEFAULT_PROMPT,
        layers: Sequence[int] | None = None,
        per_choice: bool = False,
    ) -> None:
        self._task = task
        self._source = source
        self._prompt = prompt
        self._layers = None if layers is None else tuple(layers)
        self._per_choice = per_choice or task.shared_choices is None
        changes_them = (
            task.fingerprint,
            source.label,
            source.revision,
            compute_type(source.kind),
            "" if source.kind == "encoder" else prompt,
            self._per_choice,
            "middle and last" if self._layers is None else self._layers,
            RECIPE_VERSION,
        )
        stem = hashlib.sha256(repr(changes_them).encode()).hexdigest()[:24]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise os_failure(folder, "made a folder", error) from None
        self._folder = folder / stem
        self._of_earlier_versions = (folder / f"{stem}.npy", folder / f"{stem}.done.npy")
        self._rows = KeptRows(self._folder, len(task.items))
        self._told = False

    def get(
        self,
        positions: Positions,
        model: Callable[[], LoadedModel],
        progress: Callable[[int], None] = lambda _: None,
    ) -> Features:
        """Features of the items at `positions`: (positions, choices, width), float32.

        Raises InputError if another process computes such features now; MachineError if the disk
        is full or fails.
        """
        wanted, places = np.unique(positions, return_inverse=True)
        rows, sound = self._rows.read(wanted)
        if not sound.all():
            with exclusive(self._folder, "labelmix, which reads the same items with a model"):
                absent = wanted[~sound]
                self._rows.look_again()
                _, sound = self._rows.read(absent)
                self._tell_what_is_lost()
                self._compute(absent[~sound], model, progress)
            rows, sound = self._rows.read(wanted)
            if not sound.all():
                raise MachineError(
                    f"{self._folder}: features that were just written cannot be read; check the "
                    "disk, or name another folder."
                )
        return rows if np.array_equal(places, np.arange(wanted.size)) else rows[places]

    def absent(self, positions: Positions) -> int:
        """How many of these items have no features yet."""
        return int(self.without_features(positions).size)

    def without_features(self, positions: Positions) -> Positions:
        """Those of these items that have no features yet, each once, in order."""
        wanted = np.unique(positions)
        return np.asarray(wanted[~self._rows.done[wanted]])

    def cost(self, positions: Positions, loaded: LoadedModel) -> ReadingCost:
        """What computing the features of these items takes; `loaded` may be a model's outline.

        Raises InputError, naming the item, if one is too long for the model.
        """
        return reading_cost(
            self._task.items.iloc[np.unique(positions)], self._most, loaded, self._prompt
        )

    @property
    def _most(self) -> int:
        """Choices that features are of: 1 where the item alone has them."""
        return int(self._task.choice_counts.max()) if self._per_choice else 1

    def _tell_what_is_lost(self) -> None:
        """Once: that features are computed again, and why."""
        old = [path for path in self._of_earlier_versions if path.is_file()]
        for path in old:
            path.unlink()
        if (old or self._rows.was_damaged) and not self._told:
            self._told = True
            what = "of an earlier version, without checksums" if old else "damaged"
            logger.warning(
                "note: %s: features are %s; these items are read again.", self._folder, what
            )

    def _compute(
        self,
        positions: Positions,
        model: Callable[[], LoadedModel],
        progress: Callable[[int], None],
    ) -> None:
        if not positions.size:  # another process has just done it
            return
        loaded = model()
        layers = probe_layers(loaded) if self._layers is None else list(self._layers)
        for start in range(0, positions.size, _SAVED_EVERY):
            part = positions[start : start + _SAVED_EVERY]
            self._rows.write(part, self._features(part, loaded, layers))
            progress(part.size)

    def _features(
        self, positions: Positions, loaded: LoadedModel, layers: Sequence[int]
    ) -> Features:
        """Raises InputError, naming the item, if a feature is not a finite number."""
        compute = _encoder_features if loaded.kind == "encoder" else _decoder_features
        rows = self._task.items.iloc[positions]
        features = compute(rows, self._most, loaded, layers, self._prompt)
        bad = np.flatnonzero(~np.isfinite(features).all((1, 2)))
        if bad.size:
            raise InputError(
                f"item '{rows['item_id'].iloc[int(bad[0])]}': hidden states of model "
                f"'{loaded.name}' are not finite numbers; its values overflow in "
                f"{compute_type(loaded.kind)}. Use another model."
            )
        return features


def _decoder_features(
    rows: pd.DataFrame, most: int, loaded: LoadedModel, layers: Sequence[int], prompt: Prompt
) -> Features:
    """Hidden states at the end of prompt + choice; at the end of the prompt for `most` 1."""
    encoded = encode_items(
        loaded,
        rows["question"].tolist(),
        rows["choices"].tolist(),
        rows["item_id"].tolist(),
        prompt,
    )
    if most == 1:
        # The prompt's own last token ("Answer:") stands for the item: read it as its only choice.
        encoded = [EncodedItem(item.prompt[:-1], [item.prompt[-1:]]) for item in encoded]
    width = len(layers) * int(loaded.model.config.hidden_size)
    features = np.zeros((len(rows), most, width), dtype=np.float32)
    for batch, scored in scored_batches(loaded, encoded, layers):
        assert scored.states is not None
        flat = scored.states.flatten(2).float().cpu().numpy()  # (batch, choices, layers x width)
        features[batch, : flat.shape[1]] = flat
    return features


def _encoder_features(
    rows: pd.DataFrame, most: int, loaded: LoadedModel, layers: Sequence[int], _: Prompt
) -> Features:
    """Mean-pooled states of question + choice; of the question for `most` 1."""
    questions, choices = rows["question"].tolist(), rows["choices"].tolist()
    if most == 1:
        return mean_pooled(loaded, questions, layers)[:, None, :]
    texts = [f"{q} {c}" for q, own in zip(questions, choices, strict=True) for c in own]
    states = mean_pooled(loaded, texts, layers)
    owner = np.repeat(np.arange(len(questions)), [len(own) for own in choices])
    slot = np.concatenate([np.arange(len(own)) for own in choices])
    features = np.zeros((len(rows), most, states.shape[1]), dtype=np.float32)
    features[owner, slot] = states
    return features


@torch.no_grad()
def mean_pooled(
    loaded: LoadedModel,
    texts: Sequence[str],
    layers: Sequence[int],
    budget: TokenBudget | None = None,
) -> Features:
    """Mean over the tokens of each text of the chosen hidden states: (texts, layers x width).

    Texts longer than the model's context are cut, as is usual for sentence encoders. Batches are
    of the model's own `budget` of tokens unless another is given.

    Raises InputError if one text alone does not fit into memory.
    """
    ids = loaded.tokenizer(list(texts), truncation=True, max_length=loaded.context_length)
    sequences = ids["input_ids"]
    order = sorted(range(len(texts)), key=lambda index: -len(sequences[index]))
    lengths = [max(1, len(sequences[index])) for index in order]

    def pool(start: int, end: int) -> Features:
        padded = loaded.tokenizer.pad(
            {"input_ids": [sequences[index] for index in order[start:end]]}, return_tensors="pt"
        ).to(loaded.device)
        states = loaded.model(**padded, output_hidden_states=True).hidden_states
        mask = padded["attention_mask"][:, :, None].float()
        pooled = torch.cat(
            [(states[layer].float() * mask).sum(1) / mask.sum(1) for layer in layers], dim=1
        )
        return np.asarray(pooled.cpu().numpy(), dtype=np.float32)

    width = len(layers) * int(loaded.model.config.hidden_size)
    out = np.zeros((len(texts), width), dtype=np.float32)
    budget = budget or budget_of(loaded.model)
    for places, pooled in budget.run(len(order), partial(take_padded, lengths), pool):
        out[[order[place] for place in places]] = pooled
    return out
