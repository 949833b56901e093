"""Run trials: buy the labels, train, test."""

import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax

from annotation.arrays import Array, Positions
from annotation.labelling.labels import Labels
from annotation.ties import OF_PROBES, all_tied_share, pick
from training.features import FeatureStore
from training.generation.chain_of_thought import chain_of_thought_correct, reasoned_texts
from training.models.load import (
    LoadedModel,
    load_model,
    set_threads,
)
from training.models.number_types import Quantisation, Use, compute_type
from training.models.source import ModelSource
from training.probes.fit import fit_with
from training.probes.probe import LinearProbe, ProbeJob, score_probes
from training.progress import ReadProgress, Tell, nobody, telling
from training.prompts import Prompt, find_prompt
from training.running.answering import Answering, likeliest, normalisation_of
from training.running.class_shares import share_corrections
from training.running.labels_of_trial import labels_of, terms_of
from training.running.targets_of_labels import purchase_targets
from training.scoring.encoding import encode_prompts
from training.targets.make import Targets
from training.targets.posteriors import choice_mask
from training.task import Task
from training.trial import INDISTINCT, Trial, TrialResult
from training.tuning import qlora
from training.unlabelled.halves import Bench, RehearsalTrials, TaughtHalf, bench_of
from training.unlabelled.reading import MOST_READ, Reading

_PROBES_AT_ONCE = 256  # memory for their scores: probes x test items x choices


class TrialRunner:
    """Runs trials of one task with one model, loaded when first needed and then kept."""

    def __init__(self, task: Task, source: ModelSource, folder: Path) -> None:
        set_threads()
        self.task = task
        self.source = source
        self._folder = folder
        self._features: dict[tuple[str, bool], FeatureStore] = {}
        self._loaded: dict[tuple[Quantisation, bool, str], LoadedModel] = {}  # at most one
        self._answering: Answering | None = None

    def model(
        self, quantisation: Quantisation = "none", with_head: bool = False, use: Use = "scores"
    ) -> LoadedModel:
        """The model, in place of any other that was loaded: memory holds one.

        A 4-bit decoder takes adapters as well; an encoder does so `with_head` only.
        """
        computes = compute_type(self.source, quantisation, "tuning" if with_head else use)
        kind = quantisation, with_head, computes
        if kind not in self._loaded:
            self._loaded.clear()
            self._answering = None
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._loaded[kind] = self._load(quantisation, with_head, use)
        return self._loaded[kind]

    def reader(self) -> LoadedModel:
        """The model that features are read with."""
        return self.model(use="features")

    def _load(self, quantisation: Quantisation, with_head: bool, use: Use) -> LoadedModel:
        if with_head:
            return qlora.load_for_tuning(self.source, quantisation, self.task.shared_choices)
        loaded = load_model(self.source, quantisation, use=use)
        if quantisation == "nf4" and loaded.kind == "decoder":
            qlora.prepare(loaded)
        return loaded

    def labels(self, trial: Trial) -> Labels:
        """The labels this trial trains on."""
        return labels_of(trial, self.task)

    def run(self, trial: Trial, tell: Tell = nobody) -> TrialResult:
        """Train and test; the same trial gives the same `correct` on the same machine.

        `tell` is told how far the long passes are: training, testing, writing answers.
        """
        if trial.method == "probe":
            return next(self.run_probes([trial]))[1]
        started = time.perf_counter()
        purchase = self.labels(trial)
        if trial.method == "qlora":
            correct, details = self._qlora(trial, purchase, tell)
        elif keeps_scores(trial, self.source):
            correct, details = self._zero_shot(trial)
        else:
            correct, details = self._answers(trial.recipe.quantisation).run(trial, purchase, tell)
        return self._result(correct, purchase, details, time.perf_counter() - started)

    def run_probes(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, TrialResult]]:
        """Train and test probe trials, many at a time; yields each with its result."""
        # Fits share their work where they share their settings and the rows that they bought.
        ordered = sorted(trials, key=lambda trial: (_alike(trial), trial.mix, trial.seed))
        for _, group in groupby(ordered, key=_alike):
            alike = list(group)
            for start in range(0, len(alike), _PROBES_AT_ONCE):
                yield from self._probes(alike[start : start + _PROBES_AT_ONCE])

    def absent_scores(self, trials: Sequence[Trial]) -> int:
        """How many test items these zero-shot trials will ask for that have no scores yet."""
        stores = self._stores_of(trials)
        return sum(store.absent_scores(self.task.test_positions) for store in stores)

    def prepare_scores(self, trials: Sequence[Trial], progress: ReadProgress) -> None:
        """Compute at once the scores that these zero-shot trials will ask for."""
        for store in self._stores_of(trials):
            store.scores(self.task.test_positions, self.model, progress)

    def absent_features(self, trials: Sequence[Trial]) -> int:
        """How many items these trials' probes will ask for that have no features yet."""
        return sum(items.size for _, items in self.unread(trials))

    def prepare_features(self, trials: Sequence[Trial], progress: ReadProgress) -> None:
        """Compute at once the features that these trials' probes will ask for."""
        for store, items in self._features_of(trials):
            store.get(items, self.reader, progress)

    def unread(self, trials: Sequence[Trial]) -> list[tuple[FeatureStore, Positions]]:
        """The items that these trials' probes will ask for and that have no features yet.

        With the store that each will be in.
        """
        found = [(store, store.without_features(own)) for store, own in self._features_of(trials)]
        return [(store, own) for store, own in found if own.size]

    def features(self, prompt: str, per_choice: bool = False) -> FeatureStore:
        """The features of items put by a prompt of this version; see FeatureStore."""
        if (prompt, per_choice) not in self._features:
            found = find_prompt(prompt, self.source.label)
            self._features[prompt, per_choice] = FeatureStore(
                self._folder, self.task, self.source, found, per_choice=per_choice
            )
        return self._features[prompt, per_choice]

    def feature_positions(self, trials: Sequence[Trial]) -> Positions:
        """Items whose features these trials use, each once."""
        return self._needed(trials, [self.labels(trial) for trial in trials])

    def _needed(self, trials: Sequence[Trial], purchases: Sequence[Labels]) -> Positions:
        """The test set, what was bought and what is read, each item once, in order."""
        bought = [purchase.positions for purchase in purchases]
        looked_at = dict.fromkeys(own for trial in trials for own in trial.reads)
        looked_at |= dict.fromkeys(
            (name, MOST_READ)
            for trial in trials
            if trial.rehearses
            for name in (self.task.target, *dict(trial.rehearses))
        )
        items = [*bought, *(self.task.unlabelled(*own) for own in looked_at)]
        return np.asarray(np.unique(np.concatenate([self.task.test_positions, *items])))

    def _features_of(self, trials: Sequence[Trial]) -> list[tuple[FeatureStore, Positions]]:
        self.task.require_choices("probe")
        kinds = dict.fromkeys(_feature_kind(trial) for trial in trials)
        return [
            (
                self.features(*kind),
                self.feature_positions([trial for trial in trials if _feature_kind(trial) == kind]),
            )
            for kind in kinds
        ]

    def _stores_of(self, trials: Sequence[Trial]) -> list[FeatureStore]:
        self.task.require_choices("zero_shot")
        return [self.features(name) for name in dict.fromkeys(t.recipe.prompt for t in trials)]

    def _zero_shot(self, trial: Trial) -> tuple[NDArray[np.bool_], dict[str, float]]:
        """The likeliest choice, by scores that are kept beside features."""
        test = self.task.test_positions
        [store] = self._stores_of([trial])
        scores = store.scores(test, self.model).by(normalisation_of(trial))
        picked, indistinct = likeliest(scores, self.task, test)
        return picked == self.task.answers[test], {INDISTINCT: indistinct} if indistinct else {}

    def _answers(self, quantisation: Quantisation) -> Answering:
        loaded = self.model(quantisation)
        if self._answering is None:
            self._answering = Answering(self.task, loaded)
        return self._answering

    def _probes(self, trials: Sequence[Trial]) -> Iterator[tuple[Trial, TrialResult]]:
        self.task.require_choices("probe")
        started = time.perf_counter()
        purchases = [self.labels(trial) for trial in trials]
        positions = self._needed(trials, purchases)
        features = self.features(*_feature_kind(trials[0])).get(positions, self.reader)
        mask = choice_mask(self.task.choice_counts[positions], int(self.task.choice_counts.max()))
        bench = bench_of(self.task, positions, features, mask)
        if trials[0].rehearses:
            rehearsals = RehearsalTrials(self.task, positions, bench)
            for trial, purchase in zip(trials, purchases, strict=True):
                started = time.perf_counter()
                correct, details = rehearsals.run(trial, purchase, terms_of(trial))
                seconds = time.perf_counter() - started
                yield trial, self._result(correct, purchase, details, seconds)
            return
        all_targets = [self._targets(*own) for own in zip(trials, purchases, strict=True)]
        jobs = []
        for targets, purchase in zip(all_targets, purchases, strict=True):
            rows = np.searchsorted(positions, purchase.positions)
            jobs.append(ProbeJob(rows, targets.probabilities, targets.redraw_rates))
        probes = fit_with(
            dict(trials[0].recipe.settings), features, mask, jobs, self.task.groups.codes[positions]
        )
        tested = np.searchsorted(positions, self.task.test_positions)
        scores = score_probes(probes, features[tested], mask[tested])  # (probes, items, choices)
        corrections = share_corrections(trials[0].recipe, all_targets)
        seconds = (time.perf_counter() - started) / len(trials)
        gold = self.task.answers[self.task.test_positions]
        draws = self.task.tie_draws[self.task.test_positions]
        answers = scores if corrections is None else scores + corrections[:, None]
        for trial, purchase, probe, read, own in zip(
            trials, purchases, probes, scores, answers, strict=True
        ):
            details = {"penalty": probe.penalty}
            if trial.reads:
                details |= self._reading(trial, probe, positions, bench).as_details()
            if indistinct := all_tied_share(read, OF_PROBES):
                details[INDISTINCT] = indistinct
            correct = np.asarray(pick(own, draws, OF_PROBES) == gold)
            yield trial, self._result(correct, purchase, details, seconds)

    def _reading(
        self, trial: Trial, probe: LinearProbe, positions: Positions, bench: Bench
    ) -> Reading:
        """What a probe sees in unlabelled items; it was trained on a part of the test items."""
        task = self.task
        taught = np.searchsorted(positions, task.lent(trial.borrowed, trial.seed))
        others = np.searchsorted(positions, task.target_others(trial.borrowed, trial.seed))
        unlabelled = {
            name: np.searchsorted(positions, task.unlabelled(name, count))
            for name, count in trial.reads
        }
        return TaughtHalf(bench, probe, taught, others).read(unlabelled)

    def _qlora(
        self, trial: Trial, purchase: Labels, tell: Tell
    ) -> tuple[NDArray[np.bool_], dict[str, float]]:
        settings = dict(trial.recipe.settings)
        objective = settings.pop("objective", "choices")
        if objective == "reasoning":
            return self._qlora_reasoning(trial, purchase, settings, tell)
        self.task.require_choices("qlora")
        settings.pop("normalisation", None)
        loaded = self.model(trial.recipe.quantisation, with_head=self.source.kind == "encoder")
        prompt = find_prompt(trial.recipe.prompt, trial.model)
        targets = self._targets(trial, purchase)
        train = self.encoded(purchase.positions, loaded, prompt)
        tested = self.encoded(self.task.test_positions, loaded, prompt)
        chosen = qlora.QloraSettings(**settings)
        share = qlora.share_of_training(train, tested, chosen)
        scores = qlora.train_and_score(
            loaded,
            train,
            targets.probabilities,
            tested,
            chosen,
            trial.seed,
            telling(tell, "training", "updates", share=share),
            redraw_rates=targets.redraw_rates,
            normalisation=normalisation_of(trial),
            testing=lambda: telling(tell, "testing", "items", share, 1 - share),
        )
        test = self.task.test_positions
        best, indistinct = likeliest(scores.double().numpy(), self.task, test)
        return best == self.task.answers[test], {INDISTINCT: indistinct} if indistinct else {}

    def _qlora_reasoning(
        self, trial: Trial, purchase: Labels, settings: dict[str, Any], tell: Tell
    ) -> tuple[NDArray[np.bool_], dict[str, float]]:
        """Train on reasoning and answers, then let the model reason about the test items."""
        loaded = self.model(trial.recipe.quantisation)
        prompt = find_prompt(trial.recipe.prompt, trial.model)
        most_tokens = settings.pop("most_tokens", None)
        rows = self.task.items.iloc[purchase.positions]
        labels = self.task.label_texts(purchase.positions, purchase.labels)
        prompts, targets = zip(*reasoned_texts(rows, labels, prompt), strict=True)
        training = qlora.train_on_sequences(
            loaded,
            encode_prompts(loaded.tokenizer, prompts),
            [loaded.tokenizer(text, add_special_tokens=False)["input_ids"] for text in targets],
            qlora.QloraSettings(**settings),
            trial.seed,
            telling(tell, "training", "updates", share=0.5),  # how much is written, nobody knows
            names=rows["item_id"].tolist(),
        )
        test = self.task.items.iloc[self.task.test_positions]
        with training as model:
            found = chain_of_thought_correct(
                loaded,
                test,
                [],
                prompt,
                most_tokens=most_tokens,
                model=model,
                progress=telling(tell, "writing answers", "items", 0.5, 0.5),
            )
        return found.correct, found.details

    def encoded(
        self, positions: Positions, loaded: LoadedModel, prompt: Prompt
    ) -> Sequence[qlora.Encoded]:
        """Items as token ids, as the model reads them for adapters."""
        if loaded.kind == "decoder":
            return self._answers(loaded.quantisation).encoded(positions, prompt)
        rows = self.task.items.iloc[positions]
        return qlora.encode_for_tuning(
            loaded, rows["question"].tolist(), rows["choices"].tolist(), rows["item_id"].tolist()
        )

    def _targets(self, trial: Trial, purchase: Labels) -> Targets:
        return purchase_targets(
            trial,
            purchase,
            self.task,
            lambda: self._probabilities(trial, purchase.positions),
        )

    def _probabilities(self, trial: Trial, positions: Positions) -> Array:
        """Zero-shot probability of every choice of these items, (items, most choices)."""
        prompt, quantisation = trial.recipe.prompt, trial.recipe.quantisation
        if quantisation == "none" and self.source.kind == "decoder":
            scores = self.features(prompt).scores(positions, self.model).by("sum")
            return np.asarray(softmax(scores, axis=1))
        asked = find_prompt(prompt, trial.model)
        return self._answers(quantisation).probabilities(positions, asked)

    def _result(
        self,
        correct: NDArray[np.bool_],
        purchase: Labels,
        details: Mapping[str, float],
        seconds: float,
    ) -> TrialResult:
        details = dict(details)
        if purchase.positions.size:
            known = self.task.answered[purchase.positions]
            wrong = purchase.labels != self.task.answers[purchase.positions]
            if known.any():
                details["wrong_label_share"] = float(wrong[known].mean())
        return TrialResult(correct, seconds, _peak_memory_bytes(), _device_name(), details)


def keeps_scores(trial: Trial, source: ModelSource) -> bool:
    """Whether a trial's answers are read off scores that are kept beside features.

    So it is where a whole decoder is shown no example.
    """
    whole = trial.recipe.quantisation == "none"
    return trial.method == "zero_shot" and whole and source.kind == "decoder"


def _feature_kind(trial: Trial) -> tuple[str, bool]:
    """Prompt, and whether every choice has features: the paper's probe knows no other kind."""
    return trial.recipe.prompt, dict(trial.recipe.settings).get("optimiser") == "paper"


def _alike(trial: Trial) -> tuple[str, str, bool]:
    """What probes must have in common to be fitted together."""
    return trial.recipe.prompt, repr(trial.recipe.settings), bool(trial.rehearses)


def _peak_memory_bytes() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _device_name() -> str:
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
