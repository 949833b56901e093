"""Compute the hardness measures that need a model: its features with probes, or its answers.

Items without a gold answer get none from here; `annotation.hardness.predicted` gives them one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Array, Features, Mask
from annotation.errors import InputError
from training.engines.base import Watcher
from training.features import FeatureStore
from training.hardness.code_length import online_code
from training.hardness.error_confidence import (
    ErrorConfidenceDesign,
    error_confidence,
    zero_shot_error_confidence,
)
from training.hardness.pool import Pool
from training.hardness.probe_difficulty import SAMPLES, probe_difficulty
from training.hardness.v_information import v_information
from training.models.load import LoadedModel, load_model
from training.models.number_types import Use, compute_type
from training.models.source import ModelSource
from training.progress import Progress
from training.prompts import DEFAULT_PROMPT, Prompt


@dataclass(frozen=True)
class Measured:
    """A measure, (items,), NaN where it is not known; and what there is to say of it as a whole."""

    values: Array
    remark: str = ""


ProbeMeasure = Callable[
    [Features, Mask, NDArray[np.int64], Sequence[object], int, Progress], Measured
]


def _error_confidence(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object],
    seed: int,
    progress: Progress,
) -> Measured:
    design = ErrorConfidenceDesign(seed=seed)
    return Measured(error_confidence(features, mask, answers, groups, design, progress=progress))


def _probe_difficulty(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object],
    seed: int,
    progress: Progress,
) -> Measured:
    design = ErrorConfidenceDesign(samples=SAMPLES, seed=seed)
    return Measured(probe_difficulty(features, mask, answers, groups, design, progress))


def _code_length(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object],
    seed: int,
    progress: Progress,
) -> Measured:
    code = online_code(features, mask, answers, seed=seed, progress=progress, groups=groups)
    worth = f"compressed {code.compression:.2f} times"
    if code.compression <= 1:
        worth += ", no better than without one, so that it says nothing of these items"
    return Measured(
        code.bits,
        f"all labels together take {code.total_bits:,.0f} bits, without a model "
        f"{code.uniform_bits:,.0f}: {worth}.",
    )


def _negative_pvi(
    features: Features,
    mask: Mask,
    answers: NDArray[np.int64],
    groups: Sequence[object],
    seed: int,
    progress: Progress,
) -> Measured:
    found = v_information(features, mask, answers, groups, seed=seed, progress=progress)
    remark = f"probes can use {found.mean:.2f} bits about a label from its item."
    if found.mean <= 0:
        remark = (
            "probes that see an item do no better than those that see none; the measure says "
            "nothing of these items."
        )
    return Measured(-found.pointwise, remark)


OF_FEATURES: dict[str, ProbeMeasure] = {
    "error_confidence": _error_confidence,
    "probe_difficulty": _probe_difficulty,
    "code_length": _code_length,
    "negative_pvi": _negative_pvi,
}
OF_LANGUAGE_MODEL = ("zero_shot_error_confidence",)


@dataclass
class ModelMeasures:
    """Computes measures of one pool of items under one model, loaded when first needed.

    Parameters
    ----------
    pool, source : whose items, under which model
    folder : where features are kept
    watcher : told of the progress
    seed : of samples, orders and folds
    prompt : how a decoder is asked
    """

    pool: Pool
    source: ModelSource
    folder: Path
    watcher: Watcher
    seed: int = 0
    prompt: Prompt = DEFAULT_PROMPT
    _loaded: dict[str, LoadedModel] = field(default_factory=dict, repr=False)  # at most one
    _features: Features | None = field(default=None, repr=False)

    def measure(self, name: str) -> Measured:
        """One measure of `OF_FEATURES` or `OF_LANGUAGE_MODEL`, of the items with a gold answer.

        Raises InputError if items have no choices, none is answered, or the model cannot be loaded
        or read them.
        """
        self.pool.require_choices(name)
        answered = np.flatnonzero(self.pool.answers >= 0)
        if not answered.size:
            raise InputError(
                f"hardness measure '{name}' compares a model with gold answers; no item has one."
            )
        if name in OF_LANGUAGE_MODEL:
            return self._everywhere(answered, Measured(self._zero_shot(answered)))
        features = self._choice_features()[answered]
        told = _Stage(self.watcher, f"{name}: probes")
        measured = OF_FEATURES[name](
            features,
            self.pool.mask[answered],
            self.pool.answers[answered],
            self.pool.groups.names[answered].tolist(),
            self.seed,
            told,
        )
        return self._everywhere(answered, measured)

    def question_features(self) -> NDArray[np.float32]:
        """One vector per item, (items, width), that needs no answer; see `Pool`."""
        told = _Stage(self.watcher, "features of the questions")
        return self.pool.question_features(
            self.folder, self.source, self._reader, told, self.prompt
        )

    def _choice_features(self) -> Features:
        if self._features is None:
            told = _Stage(self.watcher, "features of the choices")
            self._features = self.pool.choice_features(
                self.folder, self.source, self._reader, told, self.prompt
            )
        return self._features

    def _zero_shot(self, answered: NDArray[np.int64]) -> Array:
        if self.source.kind == "encoder":
            raise InputError(
                f"model '{self.source.name}' is an encoder and gives no probability of a choice; "
                "name a decoder, or take the measure error_confidence."
            )
        store = FeatureStore(self.folder, self.pool, self.source, self.prompt)
        absent = store.absent_scores(answered)
        if absent:
            self.watcher.stage("zero-shot answers", absent)
        scores = store.scores(answered, self._scorer, self.watcher.advance).by("sum")
        ids = self.pool.items["item_id"].iloc[answered].tolist()
        answers = self.pool.answers[answered]
        return zero_shot_error_confidence(scores, answers, ids, self.source.name)

    def _everywhere(self, answered: NDArray[np.int64], measured: Measured) -> Measured:
        values = np.full(len(self.pool.items), np.nan)
        values[answered] = measured.values
        return Measured(values, measured.remark)

    def _reader(self) -> LoadedModel:
        return self._model("features")

    def _scorer(self) -> LoadedModel:
        return self._model("scores")

    def _model(self, use: Use) -> LoadedModel:
        computes = compute_type(self.source, use=use)
        if computes not in self._loaded:
            self._loaded.clear()  # memory holds one
            self._loaded[computes] = load_model(self.source, use=use)
        return self._loaded[computes]


class _Stage:
    """Tells a watcher of one stage, which begins when first something is done."""

    def __init__(self, watcher: Watcher, description: str) -> None:
        self._watcher = watcher
        self._description = description
        self._done = self._tokens = 0

    def __call__(self, done: int, total: int, tokens: int = 0) -> None:
        if not self._done:
            self._watcher.stage(self._description, total)
        self._watcher.advance(done - self._done, tokens - self._tokens)
        self._done, self._tokens = done, tokens
