"""Labelled items of a task whose features a model computes, kept on disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budget.worlds.tunable import TunableItems
from budget.worlds.world import LabelledItems
from training.features import FeatureStore
from training.models.load import LoadedModel, load_model
from training.models.source import find_model
from training.task import Task

WorldProgress = Callable[[str, int, int], None]


@dataclass
class FeatureMaker:
    """Computes features once per task under one model, loaded only where some are absent.

    Parameters
    ----------
    model : a folder in Hugging Face format, "pico", or a hub id
    folder : where the features are kept
    layers : hidden states to take; None for the model's middle and last
    progress : told what is computed, how many items more are done, and of how many
    """

    model: str
    folder: Path
    layers: Sequence[int] | None = None
    progress: WorldProgress = lambda _what, _items, _all: None
    _loaded: LoadedModel | None = field(default=None, repr=False)

    def tunable(self, task: Task, strata: Sequence[str]) -> TunableItems:
        """The texts of the items that `labelled` has, and the model.

        Raises InputError if there is no such model.
        """
        return TunableItems(task, _wanted(task, strata), find_model(self.model))

    def labelled(self, name: str, task: Task, strata: Sequence[str]) -> LabelledItems:
        """The task's items of `strata` for sale, and its target's test items.

        Raises InputError if there is no such model or it cannot be loaded.
        """
        source = find_model(self.model)
        store = FeatureStore(self.folder, task, source, layers=self.layers)
        on_target = task.test_strata == task.target
        test = task.test_positions[on_target]
        pools = {stratum: task.pools[stratum] for stratum in strata}
        wanted = _wanted(task, strata)

        def model() -> LoadedModel:
            self._loaded = self._loaded or load_model(source, use="features")
            return self._loaded

        absent = store.absent(wanted)
        features = store.get(wanted, model, lambda items, _: self.progress(name, items, absent))
        return LabelledItems(
            name=f"{name} {source.revision}",
            features=features,
            mask=np.arange(task.choice_counts.max()) < task.choice_counts[wanted][:, None],
            answers=task.answers[wanted],
            pools={own: np.searchsorted(wanted, pool) for own, pool in pools.items()},
            target=task.target,
            test=np.searchsorted(wanted, test),
            groups=task.groups.names[wanted],
        )


def _wanted(task: Task, strata: Sequence[str]) -> NDArray[np.int64]:
    """Positions of the items for sale and the target's test items, each once, in order."""
    test = task.test_positions[task.test_strata == task.target]
    return np.asarray(np.unique(np.concatenate([test, *(task.pools[name] for name in strata)])))
