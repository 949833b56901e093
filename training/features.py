"""Features of items and scores of their choices: each item is read once, and kept on disk."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.arrays import Features, Positions
from annotation.errors import InputError, MachineError
from annotation.faults import os_failure
from annotation.items.table import texts_fingerprint
from annotation.locks import exclusive
from training.item_states import DecoderReader, encoder_features, probe_layers
from training.kept_rows import KeptRows, KeptValues
from training.models.load import LoadedModel
from training.models.number_types import compute_type
from training.models.source import ModelSource
from training.progress import ReadProgress
from training.prompts import DEFAULT_PROMPT, Prompt
from training.reading_cost import ReadingCost, reading_cost
from training.scoring.choice_scores import ChoiceScores
from training.trial import RECIPE_VERSION

# Items that are kept together: few at first, more where a model is fast.
_FIRST_SAVED, _SAVED_EVERY = 32, 256
_SECONDS_UNSAVED = 30.0

logger = logging.getLogger(__name__)


class FeatureItems(Protocol):
    """What features are computed of: a `training.task.Task`, or items that are not cut yet."""

    @property
    def items(self) -> pd.DataFrame: ...
    @property
    def choice_counts(self) -> NDArray[np.int64]: ...
    @property
    def shared_choices(self) -> tuple[str, ...] | None: ...


class FeatureStore:
    """What a model makes of a task's items: features, and of a decoder scores of their choices.

    Features are (items, choices, layers x width). Choices is 1 where all items share their choices,
    or for an encoder with its questions alone. Items are read when first asked for; a killed
    process loses at most the last few hundred. What was damaged on the disk is computed again, with
    a note. One process at a time computes; others may read.

    Where features and scores are of one number type, one pass through the model gives both, and
    both are kept. They are kept under the texts of the items alone: neither answers nor hardness
    measures change them.

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
        self._computes = compute_type(source, use="features")
        changes_both = (
            texts_fingerprint(task.items),
            source.label,
            source.revision,
            "" if source.kind == "encoder" else prompt,
            RECIPE_VERSION,
        )
        layers_read = "middle and last" if self._layers is None else self._layers
        stem = _stem("features", changes_both, self._computes, self._per_choice, layers_read)
        scored_in = compute_type(source, use="scores")
        self._one_pass = source.kind == "decoder" and scored_in == self._computes
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise os_failure(folder, "made a folder", error) from None
        self._folder = folder / stem
        self._score_folder = folder / _stem("scores", changes_both, scored_in)
        self._of_earlier_versions = (folder / f"{stem}.npy", folder / f"{stem}.done.npy")
        self._rows = KeptRows(self._folder, len(task.items))
        self._score_rows = KeptRows(self._score_folder, len(task.items))
        self._told = False

    def get(
        self,
        positions: Positions,
        model: Callable[[], LoadedModel],
        progress: ReadProgress = lambda _items, _tokens: None,
    ) -> Features:
        """Features of the items at `positions`: (positions, choices, width), float32.

        `model` gives the model as it is loaded for features; `progress` is told of items
        read and their tokens.

        Raises InputError if another process computes such features now; MachineError if the disk
        is full or fails.
        """
        return self._kept(self._rows, positions, partial(self._compute, model, progress))

    def scores(
        self,
        positions: Positions,
        model: Callable[[], LoadedModel],
        progress: ReadProgress = lambda _items, _tokens: None,
    ) -> ChoiceScores:
        """Log-probabilities of the choices of the items at `positions`, with no example shown.

        `model` gives a decoder as it is loaded for scores. Raises as `get` does.
        """
        compute = partial(self._compute_scores, model, progress)
        return ChoiceScores(self._kept(self._score_rows, positions, compute))

    def absent(self, positions: Positions) -> int:
        """How many of these items have no features yet."""
        return int(self.without_features(positions).size)

    def absent_scores(self, positions: Positions) -> int:
        """How many of these items have no scores yet."""
        wanted = np.unique(positions)
        return int((~self._score_rows.done[wanted]).sum())

    def without_features(self, positions: Positions) -> Positions:
        """Those of these items that have no features yet, each once, in order."""
        wanted = np.unique(positions)
        return np.asarray(wanted[~self._rows.done[wanted]])

    def _kept(
        self, kept: KeptRows, positions: Positions, compute: Callable[[Positions], None]
    ) -> KeptValues:
        """Rows at `positions`, in order; `compute` writes those that are absent."""
        wanted, places = np.unique(positions, return_inverse=True)
        rows, sound = kept.read(wanted)
        if not sound.all():
            with self._alone():
                absent = wanted[~sound]
                self._rows.look_again()
                self._score_rows.look_again()
                _, sound = kept.read(absent)
                self._tell_what_is_lost()
                compute(absent[~sound])
            rows, sound = kept.read(wanted)
            if not sound.all():
                raise MachineError(
                    f"{self._folder}: features that were just written cannot be read; check the "
                    "disk, or name another folder."
                )
        return rows if np.array_equal(places, np.arange(wanted.size)) else rows[places]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process computes features or scores of these items until the block ends."""
        doing = "labelmix, which reads the same items with a model"
        with ExitStack() as stack:
            stack.enter_context(exclusive(self._folder, doing))
            if self._source.kind == "decoder":
                stack.enter_context(exclusive(self._score_folder, doing))
            yield

    def cost(self, positions: Positions, loaded: LoadedModel) -> ReadingCost:
        """What computing the features of these items takes; `loaded` may be a model's outline.

        Raises InputError, naming the item, if one is too long for the model.
        """
        rows = self._task.items.iloc[np.unique(positions)]
        return reading_cost(rows, self._most if self._per_choice else 1, loaded, self._prompt)

    def _tell_what_is_lost(self) -> None:
        """Once: that features are computed again, and why."""
        old = [path for path in self._of_earlier_versions if path.is_file()]
        for path in old:
            path.unlink()
        damaged = self._rows.was_damaged or self._score_rows.was_damaged
        if (old or damaged) and not self._told:
            self._told = True
            what = "of an earlier version, without checksums" if old else "damaged"
            logger.warning(
                "note: %s: features are %s; these items are read again.", self._folder, what
            )

    def _compute(
        self,
        model: Callable[[], LoadedModel],
        progress: ReadProgress,
        positions: Positions,
    ) -> None:
        """Features of items, and scores where the same pass gives them."""
        if not positions.size:  # another process has just done it
            return
        loaded = model()
        layers = probe_layers(loaded) if self._layers is None else list(self._layers)
        for part in parts_of(positions):
            rows = self._task.items.iloc[part]
            if loaded.kind == "encoder":
                self._rows.write(part, self._finite(rows, self._encoded(rows, loaded, layers)))
                most = self._most if self._per_choice else 1
                progress(part.size, reading_cost(rows, most, loaded, self._prompt).tokens)
                continue
            reading = DecoderReader(loaded, self._prompt, self._most, layers, progress)
            if self._per_choice:
                features, scores = reading.choices(rows)
                self._rows.write(part, self._finite(rows, features))
                if self._one_pass:
                    self._score_rows.write(part, scores)
            else:
                self._rows.write(part, self._finite(rows, reading.prompts(rows)))

    def _compute_scores(
        self,
        model: Callable[[], LoadedModel],
        progress: ReadProgress,
        positions: Positions,
    ) -> None:
        """Scores of items, and features where the same pass gives them and they are absent."""
        if not positions.size:
            return
        loaded = model()
        layers = probe_layers(loaded) if self._layers is None else list(self._layers)
        reading = DecoderReader(loaded, self._prompt, self._most, layers, progress)
        both = ~self._rows.done[positions] & self._one_pass
        for part in parts_of(positions[both]):
            rows = self._task.items.iloc[part]
            read = reading.choices if self._per_choice else reading.prompts_and_choices
            features, scores = read(rows)
            self._rows.write(part, self._finite(rows, features))
            self._score_rows.write(part, scores)
        for part in parts_of(positions[~both]):
            self._score_rows.write(part, reading.scores(self._task.items.iloc[part]))

    @property
    def _most(self) -> int:
        return int(self._task.choice_counts.max())

    def _encoded(self, rows: pd.DataFrame, loaded: LoadedModel, layers: Sequence[int]) -> Features:
        return encoder_features(rows, self._most if self._per_choice else 1, loaded, layers)

    def _finite(self, rows: pd.DataFrame, features: Features) -> Features:
        """Raises InputError, naming the item, if a feature is not a finite number."""
        bad = np.flatnonzero(~np.isfinite(features).all((1, 2)))
        if bad.size:
            raise InputError(
                f"item '{rows['item_id'].iloc[int(bad[0])]}': hidden states of model "
                f"'{self._source.name}' are not finite numbers; its values overflow in "
                f"{self._computes}. Use another model, or another [model] dtype."
            )
        return features


def _stem(*changes_it: object) -> str:
    return hashlib.sha256(repr(changes_it).encode()).hexdigest()[:24]


def parts_of(positions: Positions) -> Iterator[Positions]:
    """Items in parts that are written one after the other, small ones where a model is slow."""
    start, size = 0, min(_FIRST_SAVED, _SAVED_EVERY)
    while start < positions.size:
        begun = time.perf_counter()
        yield positions[start : start + size]
        start += size
        if time.perf_counter() - begun < _SECONDS_UNSAVED / 2:
            size = min(2 * size, _SAVED_EVERY)
