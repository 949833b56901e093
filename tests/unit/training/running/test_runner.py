"""What a trial reports equals buying, training and testing by hand."""

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from annotation.arrays import generator
from annotation.labelling.labels import Labels
from annotation.terms.cost import LabelTerms
from tests.trials import flat_trial
from training.models import number_types
from training.models.load import LoadedModel, load_model
from training.models.source import ModelSource
from training.probes.probe import fit_probe
from training.prompts import PROMPT_VERSION, choice_prompt
from training.running.labels_of_trial import simulated_labels
from training.running.runner import TrialRunner
from training.scoring.choices import encode_items
from training.task import Task
from training.trial import Trial
from training.tuning.qlora import QloraSettings, prepare, train_and_score
from training.unlabelled.reading import read, reading_of
from training.unlabelled.rehearsal import Guesser, Known, imagined_purchase

TERMS = {name: LabelTerms(Decimal(1), 0.4, "flip") for name in ("easy", "medium", "hard")}
MIX = {"easy": 9, "hard": 14}
SHORT = QloraSettings(rank=4, alpha=8, batch=8, epochs=1, least_updates=6, learning_rate=3e-3)


@pytest.fixture(autouse=True)
def encoders_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_types, "_multiplies_bfloat16", lambda: False)


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(150), target=20, others=10)


def trial_of(task: Task, source: ModelSource, method: str, **changes: Any) -> Trial:
    arguments: dict[str, Any] = {"settings": {}, "mix": MIX, "terms": TERMS, "seed": 1}
    if method == "zero_shot":
        arguments["mix"] = {}
    if method == "qlora":
        arguments |= {"settings": asdict(SHORT), "quantisation": "nf4"}
    return flat_trial(task, source, method, **(arguments | changes))  # type: ignore[arg-type]


def gold(task: Task) -> NDArray[np.int64]:
    return task.answers[task.test_positions]


def picked(scores: list[list[float]]) -> NDArray[np.int64]:
    """The largest of each row, where no two come close."""
    for row in scores:
        best, second = sorted(row, reverse=True)[:2]
        assert best - second > 1e-5
    return np.array([int(np.argmax(row)) for row in scores])


@torch.no_grad()
def slow_embedding(loaded: LoadedModel, text: str) -> NDArray[np.float64]:
    """Mean of the last states of one text by itself."""
    ids = torch.tensor([loaded.tokenizer(text)["input_ids"]])
    return np.asarray(loaded.model(input_ids=ids).last_hidden_state[0].double().mean(0).numpy())


def slow_cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


@pytest.mark.parametrize("shared", [None, ("no", "yes", "red plum")])
def test_zero_shot_of_an_encoder_is_the_cosine(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    bert: LoadedModel,
    bert_source: ModelSource,
    shared: tuple[str, ...] | None,
) -> None:
    task = make_task(make_items(150, shared), target=20, others=10)
    result = TrialRunner(task, bert_source, tmp_path).run(trial_of(task, bert_source, "zero_shot"))
    scores = []
    for position in task.test_positions:
        item = task.items.iloc[position]
        question = slow_embedding(bert, item["question"])
        scores.append([slow_cosine(question, slow_embedding(bert, c)) for c in item["choices"]])
    np.testing.assert_array_equal(result.correct, picked(scores) == gold(task))
    assert len(set(picked(scores).tolist())) > 1


def test_zero_shot_of_a_decoder_is_the_likeliest_text(
    tmp_path: Path, task: Task, llama: LoadedModel, llama_source: ModelSource
) -> None:
    result = TrialRunner(task, llama_source, tmp_path).run(
        trial_of(task, llama_source, "zero_shot")
    )
    scores = []
    for position in task.test_positions:
        item = task.items.iloc[position]
        prompt = choice_prompt(item["question"], item["choices"])
        start = len(llama.tokenizer(prompt)["input_ids"])
        row = []
        for choice in item["choices"]:
            ids = torch.tensor(llama.tokenizer(f"{prompt} {choice}")["input_ids"])
            with torch.no_grad():
                logits = llama.model(input_ids=ids[None], use_cache=False).logits[0]
            steps = logits.log_softmax(-1)[torch.arange(start, len(ids)) - 1, ids[start:]]
            row.append(float(steps.sum()))
        scores.append(row)
    np.testing.assert_array_equal(result.correct, picked(scores) == gold(task))
    assert result.correct.shape == (40,)
    assert result.correct.dtype == bool
    assert result.details == {}


def bought(task: Task, trial: Trial) -> Labels:
    return simulated_labels(task, MIX, TERMS, trial.seed)


@pytest.mark.parametrize("shared", [None, ("no", "yes", "red plum")])
def test_probe_is_trained_on_the_bought_labels(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    bert_source: ModelSource,
    shared: tuple[str, ...] | None,
) -> None:
    task = make_task(make_items(150, shared), target=20, others=10)
    runner = TrialRunner(task, bert_source, tmp_path)
    trial = trial_of(task, bert_source, "probe", settings={"penalty": 0.02})
    result = runner.run(trial)
    purchase = bought(task, trial)
    counts = task.choice_counts
    mask = np.array([[slot < count for slot in range(counts.max())] for count in counts])
    everything = runner.features(PROMPT_VERSION).get(np.arange(150), runner.reader)
    fitted = fit_probe(
        everything[purchase.positions], purchase.labels, mask[purchase.positions], [0.02]
    )
    test = task.test_positions
    scores = fitted.scores(everything[test], mask[test])
    np.testing.assert_array_equal(result.correct, scores.argmax(1) == gold(task))
    wrong = (purchase.labels != task.answers[purchase.positions]).mean()
    assert result.details == {"penalty": 0.02, "wrong_label_share": wrong}
    assert 0.1 < wrong < 0.7


def test_a_probe_reads_unlabelled_items(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    """What it reads is what the same probe, fitted by hand, sees in the same items."""
    clean = {"hard": LabelTerms(Decimal(0), 0.0, "redraw")}
    runner = TrialRunner(task, bert_source, tmp_path)
    settings: dict[str, Any] = {"settings": {"penalty": 0.5}, "mix": {}, "terms": clean}
    trial = trial_of(task, bert_source, "probe", **settings, borrowed=10, reads={"easy": 12})
    details = runner.run(trial).details
    taught, read_items = task.lent(10, trial.seed), task.unlabelled("easy", 12)
    counts = task.choice_counts
    mask = np.array([[slot < count for slot in range(counts.max())] for count in counts])
    everything = runner.features(PROMPT_VERSION).get(np.arange(150), runner.reader)
    fitted = fit_probe(everything[taught], task.answers[taught], mask[taught], [0.5])
    hard = task.test_positions[task.test_strata == "hard"]
    others = np.setdiff1d(hard, taught)
    assert others.size == 10
    seen = {"easy": (fitted.scores(everything[read_items], mask[read_items]), mask[read_items])}
    expected = read(
        fitted.scores(everything[others], mask[others]),
        mask[others],
        task.answers[others],
        seen,
        shared_classes=False,
    )
    assert reading_of(details) == expected
    assert details["penalty"] == 0.5 and details["wrong_label_share"] == 0.0


def test_a_rehearsal_is_trained_on_guessed_labels(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    """What it scores is what guessing, drawing and fitting by hand give."""
    runner = TrialRunner(task, bert_source, tmp_path)
    settings: dict[str, Any] = {"settings": {"penalty": 0.5}, "mix": {"easy": 16}}
    rehearses = {"easy": 20, "hard": 5}
    trial = trial_of(task, bert_source, "probe", **settings, borrowed=10, rehearses=rehearses)
    plain = trial_of(task, bert_source, "probe", **settings)
    result, bought_alone = runner.run(trial), runner.run(plain)
    taught, purchase = (
        task.lent(10, trial.seed),
        simulated_labels(task, {"easy": 16}, TERMS, trial.seed),
    )
    counts = task.choice_counts
    mask = np.array([[slot < count for slot in range(counts.max())] for count in counts])
    everything = runner.features(PROMPT_VERSION).get(np.arange(150), runner.reader)
    pool = {name: task.unlabelled(name, 1000) for name in rehearses}
    fitted = fit_probe(everything[taught], task.answers[taught], mask[taught], [0.5])
    guesser = Guesser(everything, mask, taught, task.answers[taught], fitted, pool["hard"])
    order = np.argsort(purchase.positions)
    known = Known(purchase.positions[order], purchase.labels[order], purchase.redraw_rates[order])
    none = Known(known.rows[:0], known.labels[:0], known.redraw_rates[:0])
    guessed = {
        "easy": guesser.guess(pool["easy"], known),
        "hard": guesser.guess(pool["hard"], none),
    }
    rows, labels = imagined_purchase(
        guessed, rehearses, TERMS, counts, lambda name: generator("rehearse", trial.seed, name)
    )
    probe = fit_probe(everything[rows], labels, mask[rows], [0.5])
    test = task.test_positions
    expected = probe.scores(everything[test], mask[test]).argmax(1) == gold(task)
    np.testing.assert_array_equal(result.correct, expected)
    hard = test[task.test_strata == "hard"]
    others = np.setdiff1d(hard, taught)
    assert result.details["surprise"] == pytest.approx(guessed["easy"].surprise)
    assert result.details["overconfidence"] == pytest.approx(
        guesser.overconfidence(guessed["hard"], others, task.answers[others])
    )
    assert (result.correct != bought_alone.correct).any()


def test_probe_chooses_its_penalty_where_none_is_set(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    from training.probes.probe import PENALTIES

    runner = TrialRunner(task, bert_source, tmp_path)
    assert runner.run(trial_of(task, bert_source, "probe")).details["penalty"] in PENALTIES


def test_qlora_is_trained_on_the_bought_labels(
    tmp_path: Path, task: Task, llama_source: ModelSource
) -> None:
    trial = trial_of(task, llama_source, "qlora")
    result = TrialRunner(task, llama_source, tmp_path).run(trial)
    loaded = load_model(llama_source, "nf4", device="cpu")
    prepare(loaded)
    purchase = bought(task, trial)

    def encoded(positions: NDArray[np.int64]) -> Any:
        rows = task.items.iloc[positions]
        return encode_items(
            loaded, rows["question"].tolist(), rows["choices"].tolist(), rows["item_id"].tolist()
        )

    scores = train_and_score(
        loaded,
        encoded(purchase.positions),
        purchase.labels.tolist(),
        encoded(task.test_positions),
        SHORT,
        trial.seed,
    )
    np.testing.assert_array_equal(result.correct, scores.argmax(1).numpy() == gold(task))
    untrained = TrialRunner(task, llama_source, tmp_path).run(
        trial_of(task, llama_source, "zero_shot", quantisation="nf4")
    )
    assert (result.correct != untrained.correct).any()


def test_a_trial_comes_out_the_same_whatever_ran_before(
    tmp_path: Path, task: Task, llama_source: ModelSource
) -> None:
    trials = [
        trial_of(task, llama_source, "qlora"),
        trial_of(task, llama_source, "zero_shot", quantisation="nf4"),
        trial_of(task, llama_source, "probe"),
        trial_of(task, llama_source, "qlora", seed=2),
    ]
    runner = TrialRunner(task, llama_source, tmp_path / "one")
    forwards = [runner.run(trial).correct for trial in trials]
    runner = TrialRunner(task, llama_source, tmp_path / "other")
    backwards = [runner.run(trial).correct for trial in reversed(trials)][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (forwards[0] != forwards[3]).any()


def test_features_are_prepared_for_all_probes_at_once(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    runner = TrialRunner(task, bert_source, tmp_path)
    trials = [trial_of(task, bert_source, "probe", seed=seed) for seed in (1, 2)]
    positions = runner.feature_positions(trials)
    expected = {*task.test_positions.tolist()}
    for trial in trials:
        expected |= set(bought(task, trial).positions.tolist())
    assert positions.tolist() == sorted(expected)
    steps: list[int] = []
    runner.prepare_features(trials, lambda items, _tokens: steps.append(items))
    assert sum(steps) == len(expected)
    assert runner.features(PROMPT_VERSION).absent(positions) == 0
    assert runner.absent_features(trials) == 0
