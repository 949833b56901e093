"""Adapters (QLoRA) trained on purchases, one after the other, and tested on the test set."""

import hashlib
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Correct
from annotation.labelling.labels import Labels
from annotation.ties import OF_MODELS, pick
from budget.backtest.evidence import annotators_of, campaign_in, lender_of
from budget.campaign.campaign import Campaign
from budget.campaign.play import Rehearsing
from budget.worlds.world import World, check_tunable
from training.models.load import LoadedModel
from training.scoring.choices import score_items
from training.tuning.qlora import (
    Encoded,
    QloraSettings,
    encode_for_tuning,
    load_for_tuning,
    train_and_score,
)
from training.unlabelled.reading import Reading
from training.unlabelled.told import Rehearsed


class LooksAtNothing:
    """Adapters read no unlabelled items and rehearse nothing, as in `labelmix run`."""

    @property
    def readings(self) -> list[Reading]:
        """None."""
        return []

    def rehearse(self, asked: Sequence[tuple[Campaign, Rehearsing]]) -> list[list[list[Rehearsed]]]:
        """Nothing, for every mix."""
        return [[[] for _ in wanted.mixes] for _, wanted in asked]


class AdapterTrainer:
    """Trains an adapter per purchase; the same purchase gives the same adapter.

    Takes seconds to minutes each. A decoder starts from its zero-shot answers, an encoder, whose
    head is new, from guessing.

    Raises InputError if the world has no texts, or its model cannot be loaded.
    """

    def __init__(self, world: World, settings: QloraSettings | None = None) -> None:
        check_tunable(world)
        assert world.tunable is not None
        self._world = world
        self._settings = settings or QloraSettings()
        self._items = world.items
        self._texts = world.tunable()
        self._known: dict[bytes, NDArray[np.bool_]] = {}
        self.annotators = annotators_of(world)
        self.lender = lender_of(world, self.annotators)
        self.looker = LooksAtNothing()
        self.trained = 0

    def campaign(self, seed: int) -> Campaign:
        """One that lends nothing: adapters on many lent parts would be too dear."""
        return campaign_in(self._world, seed, self.annotators, self.unsupervised, lends=False)

    def correct(self, sets: Sequence[Labels]) -> Correct:
        """Whether each test item is answered right, (sets, test items).

        A set without labels answers as the model does untrained, an encoder with any choice. Of
        choices that tie one is drawn.
        """
        found = [self._correct(one) for one in sets]
        if not found:
            return np.empty((0, self._items.test.size), dtype=bool)
        return np.stack(found)

    @cached_property
    def unsupervised(self) -> NDArray[np.bool_] | None:
        """Whether the untrained model is right on each test item; None of an encoder."""
        if self._model.kind == "encoder":
            return None
        scores = score_items(self._model, self._test)  # type: ignore[arg-type]  # a decoder's
        return self._right(scores.numpy())

    def _correct(self, one: Labels) -> NDArray[np.bool_]:
        key = hashlib.sha256(one.positions.tobytes() + one.labels.tobytes()).digest()
        if key not in self._known:
            self._known[key] = self._train(one, int.from_bytes(key[:4], "big"))
        return self._known[key]

    def _train(self, one: Labels, seed: int) -> NDArray[np.bool_]:
        items = self._items
        if not one.labels.size:
            if self.unsupervised is not None:
                return self.unsupervised
            return self._right(np.where(items.mask[items.test], 0.0, -np.inf))
        self.trained += 1
        targets = np.eye(items.mask.shape[1])[one.labels]
        scores = train_and_score(
            self._model, self._encoded(one.positions), targets, self._test, self._settings, seed
        )
        return self._right(scores.numpy())

    def _right(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        test = self._items.test
        picked = pick(scores, self._items.tie_draws[test], OF_MODELS)
        return np.asarray(picked == self._items.answers[test])

    @cached_property
    def _model(self) -> LoadedModel:
        return load_for_tuning(self._texts.source, "nf4", self._texts.task.shared_choices)

    @cached_property
    def _test(self) -> Sequence[Encoded]:
        return self._encoded(self._items.test)

    def _encoded(self, places: NDArray[np.int64]) -> Sequence[Encoded]:
        rows = self._texts.task.items.iloc[self._texts.positions[places]]
        return encode_for_tuning(
            self._model,
            rows["question"].tolist(),
            rows["choices"].tolist(),
            rows["item_id"].tolist(),
        )
