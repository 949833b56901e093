"""What purchases are worth: a model trained on all labels of each, tested on the same items."""

from collections.abc import Sequence
from pathlib import Path

from annotation.arrays import Correct
from budget.collection.learning import collection_lab
from budget.collection.measuring import JudgmentsSoFar
from budget.replay.past import Past
from budget.replay.purchases import PastPurchase
from training.engines import Engine, Watcher
from training.engines.choice import EngineChoice
from training.lab import Lab
from training.models.source import ModelSource, find_model
from training.store import TrialStore
from training.trial import Trial

_LENT_ERROR = 0.0  # nothing is lent: the whole test set is scored


class Outcomes:
    """Trains on purchases.

    Parameters
    ----------
    past : items, test set and settings
    work : folder for features and trials
    engine : where trials run
    """

    def __init__(self, past: Past, work: Path, engine: EngineChoice) -> None:
        self._past, self._work, self._engine = past, work, engine
        self._source: ModelSource = find_model(past.config.model.path, past.config.model.dtype)
        self._on_target = past.task.test_strata == past.task.target

    def correct(
        self, purchases: Sequence[PastPurchase], seed: int, watcher: Watcher
    ) -> list[Correct]:
        """Which of the target's test items are answered right, (target test items,) of each.

        Every purchase holds some labels.
        """
        trials = [self._trial(own, seed) for own in purchases]
        task = self._past.task
        with (
            TrialStore(self._work / "trials.sqlite") as store,
            self._engine.start(task, self._source, self._work / "features", store) as engine,
        ):
            results = _run(engine, trials, watcher)
        return [results[trial.key][self._on_target] for trial in trials]

    def _trial(self, purchase: PastPurchase, seed: int) -> Trial:
        """All labels of a purchase, made as a collection makes them."""
        past, config = self._past, self._past.config
        so_far = JudgmentsSoFar(purchase.table, past.task)
        measured = {
            (name, stratum): so_far.of_supplier(own, stratum, past.file)
            for name, own in past.suppliers.items()
            for stratum in own.prices
        }
        labels = so_far.labels(measured, config.buying.aggregate)
        counts = {name: len(own) for name, own in labels.labels.items() if len(own)}
        lab: Lab = collection_lab(past.task, self._source, config, labels, _LENT_ERROR)
        return lab.trial(lab.recipes[config.methods.plan_with], counts, seed)


def _run(engine: Engine, trials: Sequence[Trial], watcher: Watcher) -> dict[str, Correct]:
    found = engine.run(trials, watcher, "labels of every purchase")
    return {key: result.correct for key, result in found.items()}
