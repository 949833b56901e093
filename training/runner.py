"""Run one trial: buy the labels, train, test."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from annotation.cost import LabelTerms, money
from annotation.noise import ErrorKind
from training import qlora
from training.features import FeatureStore, mean_pooled
from training.models import LoadedModel, ModelSource, Quantisation, load_model, set_threads
from training.probe import PENALTIES, fit_probe
from training.scoring import EncodedItem, encode_items, score_items
from training.task import Positions, Purchase, Task
from training.trials import Trial, TrialResult

Progress = Callable[[int, int], None]


class TrialRunner:
    """Runs trials of one task with one model, loaded when first needed and then kept."""

    def __init__(self, task: Task, source: ModelSource, folder: Path) -> None:
        set_threads()
        self.task = task
        self.source = source
        self.features = FeatureStore(folder, task, source)
        self._models: dict[Quantisation, LoadedModel] = {}
        self._encoded: dict[int, EncodedItem] = {}

    def model(self, quantisation: Quantisation = "none") -> LoadedModel:
        if quantisation not in self._models:
            loaded = load_model(self.source, quantisation)
            if quantisation == "nf4":
                qlora.prepare(loaded)
            self._models[quantisation] = loaded
        return self._models[quantisation]

    def purchase(self, trial: Trial) -> Purchase:
        """The labels this trial trains on."""
        terms = {name: _terms(rate, kind) for name, rate, kind in trial.terms}
        return self.task.purchase(trial.labels(), terms, trial.seed, trial.pilot)

    def run(self, trial: Trial, progress: Progress = lambda _done, _total: None) -> TrialResult:
        """Train and test; the same trial gives the same `correct` on the same machine."""
        started = time.perf_counter()
        purchase = self.purchase(trial)
        settings = dict(trial.settings)
        details: dict[str, float] = {}
        if trial.method == "zero_shot":
            scores = self._zero_shot(trial.quantisation)
        elif trial.method == "probe":
            scores, details = self._probe(purchase, settings)
        else:
            scores = self._qlora(purchase, settings, trial, progress)
        correct = np.asarray(scores.argmax(1) == self.task.answers[self.task.test_positions])
        if purchase.labels.size:
            wrong = purchase.labels != self.task.answers[purchase.positions]
            details["wrong_label_share"] = float(wrong.mean())
        seconds = time.perf_counter() - started
        return TrialResult(correct, seconds, _peak_memory_bytes(), _device_name(), details)

    def prepare_features(self, trials: list[Trial], progress: Callable[[int], None]) -> None:
        """Compute at once the features that these trials' probes will ask for."""
        self.features.get(self.feature_positions(trials), self.model, progress)

    def feature_positions(self, trials: list[Trial]) -> Positions:
        """Items that these trials read: the test set and what they buy, each once."""
        bought = [self.purchase(trial).positions for trial in trials]
        return np.asarray(np.unique(np.concatenate([self.task.test_positions, *bought])))

    def _zero_shot(self, quantisation: Quantisation) -> NDArray[np.float64]:
        loaded = self.model(quantisation)
        if loaded.kind == "encoder":
            return self._cosines(loaded)
        encoded = self._encode(self.task.test_positions, loaded)
        return _as_array(score_items(loaded, encoded))

    def _cosines(self, loaded: LoadedModel) -> NDArray[np.float64]:
        """Cosine of the question's and each choice's mean-pooled last states."""
        rows = self.task.items.iloc[self.task.test_positions]
        last = [int(loaded.model.config.num_hidden_layers)]
        questions = torch.from_numpy(mean_pooled(loaded, rows["question"].tolist(), last))
        own = rows["choices"].tolist()
        texts = list(dict.fromkeys(text for choices in own for text in choices))
        states = torch.from_numpy(mean_pooled(loaded, texts, last))
        place = {text: index for index, text in enumerate(texts)}
        scores = np.full((len(own), int(self.task.choice_counts.max())), -np.inf)
        for row, choices in enumerate(own):
            of_choices = states[[place[text] for text in choices]]
            cosines = F.cosine_similarity(questions[row][None], of_choices)
            scores[row, : len(choices)] = cosines.numpy()
        return scores

    def _probe(
        self, purchase: Purchase, settings: Mapping[str, Any]
    ) -> tuple[NDArray[np.float64], dict[str, float]]:
        penalty = settings.get("penalty")
        penalties = PENALTIES if penalty is None else (float(penalty),)
        fitted = fit_probe(
            self.features.get(purchase.positions, self.model),
            purchase.labels,
            self._mask(purchase.positions),
            penalties,
        )
        test = self.task.test_positions
        scores = fitted.scores(self.features.get(test, self.model), self._mask(test))
        return scores, {"penalty": fitted.penalty}

    def _qlora(
        self, purchase: Purchase, settings: Mapping[str, Any], trial: Trial, progress: Progress
    ) -> NDArray[np.float64]:
        loaded = self.model(trial.quantisation)
        scores = qlora.train_and_score(
            loaded,
            self._encode(purchase.positions, loaded),
            purchase.labels.tolist(),
            self._encode(self.task.test_positions, loaded),
            qlora.QloraSettings(**settings),
            trial.seed,
            progress,
        )
        return _as_array(scores)

    def _mask(self, positions: Positions) -> NDArray[np.bool_]:
        """Which choices each item has: (positions, most choices)."""
        counts = self.task.choice_counts
        mask: NDArray[np.bool_] = np.arange(counts.max())[None, :] < counts[positions][:, None]
        return mask

    def _encode(self, positions: Positions, loaded: LoadedModel) -> list[EncodedItem]:
        absent = [p for p in positions.tolist() if p not in self._encoded]
        rows = self.task.items.iloc[absent]
        encoded = encode_items(
            loaded, rows["question"].tolist(), rows["choices"].tolist(), rows["item_id"].tolist()
        )
        self._encoded.update(zip(absent, encoded, strict=True))
        return [self._encoded[p] for p in positions.tolist()]


def _terms(error_rate: float, kind: str) -> LabelTerms:
    # A trial does not know prices: they cannot change its result.
    error_kind: ErrorKind = "redraw" if kind == "redraw" else "flip"
    return LabelTerms(money(0), error_rate, error_kind)


def _as_array(scores: torch.Tensor) -> NDArray[np.float64]:
    return scores.double().numpy()


def _peak_memory_bytes() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _device_name() -> str:
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
