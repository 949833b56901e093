"""Every method of a trial, through the runner: in context, chain of thought, targets, batches."""

import gc
import weakref
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax

from annotation.errors import InputError
from annotation.terms.cost import LabelTerms
from tests.trials import flat_trial
from training.models import number_types
from training.models.load import LoadedModel
from training.models.source import ModelSource, find_model
from training.probes.paper_probe import fit_paper_probe
from training.probes.probe import ProbeJob, fit_probes
from training.progress import Passed
from training.prompts import Example, find_prompt
from training.running.runner import TrialRunner
from training.scoring.choices import encode_items, score_pairs
from training.targets.make import UncertaintyMap, entropy_uncertainty, make_targets
from training.task import Task
from training.trial import FAILED, RESTARTS, Trial
from training.tuning.qlora import QloraSettings

TERMS = {name: LabelTerms(Decimal(1), 0.4, "redraw") for name in ("easy", "medium", "hard")}
CERTAIN = {name: LabelTerms(Decimal(1), 0.0, "redraw") for name in ("easy", "medium", "hard")}
SHORT = asdict(QloraSettings(rank=2, alpha=4, batch=4, epochs=1, least_updates=3))


@pytest.fixture(autouse=True)
def encoders_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_types, "_multiplies_bfloat16", lambda: False)


@pytest.fixture
def task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    return make_task(make_items(150), target=12, others=6)


def trial_of(task: Task, source: ModelSource, method: str, **changes: Any) -> Trial:
    arguments: dict[str, Any] = {
        "settings": {},
        "mix": {"easy": 4, "hard": 5},
        "terms": TERMS,
        "seed": 1,
    }
    return flat_trial(task, source, method, **(arguments | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "what", "prompt"),
    [
        ("in_context", "testing", "0040-mended"),
        ("chain_of_thought", "writing answers", "0305-mended"),
    ],
)
def test_how_far_a_trial_is_is_told(
    tmp_path: Path, task: Task, llama_source: ModelSource, method: str, what: str, prompt: str
) -> None:
    told: list[Passed] = []
    mix = {"hard": 2} if method == "in_context" else {}
    trial = trial_of(task, llama_source, method, mix=mix, prompt=prompt)
    TrialRunner(task, llama_source, tmp_path).run(trial, told.append)
    last = told[-1]
    tested = task.test_positions.size
    assert (last.what, last.unit, last.done, last.total) == (what, "items", tested, tested)
    assert last.tokens > 0 and last.of_trial == 1.0


def test_a_training_that_never_trains_is_told_in_the_result(
    tmp_path: Path, task: Task, llama_source: ModelSource
) -> None:
    """A learning rate of next to nothing leaves the model as it was."""
    settings = {**SHORT, "learning_rate": 1e-12, "restarts": 1}
    trial = trial_of(task, llama_source, "qlora", settings=settings, quantisation="nf4")
    details = TrialRunner(task, llama_source, tmp_path).run(trial).details
    assert (details[RESTARTS], details[FAILED]) == (1.0, 1.0)


def test_in_context_shows_the_bought_labels_in_one_order(
    tmp_path: Path, task: Task, llama: LoadedModel, llama_source: ModelSource
) -> None:
    runner = TrialRunner(task, llama_source, tmp_path)
    trial = trial_of(task, llama_source, "in_context", mix={"hard": 2}, prompt="0306-mended")
    result = runner.run(trial)
    purchase = runner.labels(trial)
    prompt = find_prompt("0306-mended")
    test = task.items.iloc[task.test_positions]

    def correct_after(order: list[int]) -> Any:
        shown = []
        for index in order:
            row = task.items.iloc[purchase.positions[index]]
            shown.append(Example(row["question"], row["choices"][purchase.labels[index]]))
        encoded = encode_items(
            llama,
            test["question"].tolist(),
            test["choices"].tolist(),
            test["item_id"].tolist(),
            prompt,
            shown,
        )
        scores = score_pairs(llama.model, encoded, 0).log_probabilities.detach().numpy()
        return scores.argmax(1) == task.answers[task.test_positions]

    either = [correct_after([0, 1]), correct_after([1, 0])]
    assert any((result.correct == own).all() for own in either)
    assert (either[0] != either[1]).any()
    assert result.details["examples"] == 2
    assert result.details["dropped_examples"] == 0
    seeds = [
        runner.run(trial_of(task, llama_source, "in_context", mix={"hard": 2}, seed=seed)).correct
        for seed in (2, 3, 4)
    ]
    assert any((seeds[0] != other).any() for other in seeds[1:])


def test_examples_that_do_not_fit_are_left_out_and_counted(
    tmp_path: Path, task: Task, llama_source: ModelSource
) -> None:
    runner = TrialRunner(task, llama_source, tmp_path)
    result = runner.run(trial_of(task, llama_source, "in_context", mix={"hard": 9}))
    assert result.details["dropped_examples"] > 0
    assert result.details["examples"] + result.details["dropped_examples"] == 9


def test_an_encoder_is_refused_as_a_reader_of_examples(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    for method in ("in_context", "chain_of_thought"):
        prompt = "0305-mended" if method == "chain_of_thought" else "0040-mended"
        trial = trial_of(task, bert_source, method, mix={"hard": 2}, prompt=prompt)
        with pytest.raises(InputError, match="encoder"):
            TrialRunner(task, bert_source, tmp_path).run(trial)


def test_unknown_normalisation_is_refused(
    tmp_path: Path, task: Task, llama_source: ModelSource
) -> None:
    trial = trial_of(task, llama_source, "zero_shot", mix={}, settings={"normalisation": "mean"})
    with pytest.raises(InputError, match="normalisation 'mean' is unknown; choose one of sum"):
        TrialRunner(task, llama_source, tmp_path).run(trial)


def free_form_task(make_items: Callable[..., pd.DataFrame], make_task: Callable[..., Task]) -> Task:
    items = make_items(60).assign(reasoning="One and one make two.")
    items["answer_text"] = [str(index % 3) for index in range(len(items))]
    items["choices"] = [[] for _ in range(len(items))]
    items["answer"] = pd.array([pd.NA] * len(items), dtype="Int64")
    return make_task(items, target=4, others=2)


@pytest.mark.parametrize("mix", [{}, {"hard": 1}], ids=["no examples", "one example"])
def test_a_chain_of_thought_answers_free_form_items(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    llama_source: ModelSource,
    mix: dict[str, int],
) -> None:
    task = free_form_task(make_items, make_task)
    trial = trial_of(
        task,
        llama_source,
        "chain_of_thought",
        mix=mix,
        terms=CERTAIN,
        settings={"most_tokens": 6},
        prompt="0305-mended",
    )
    result = TrialRunner(task, llama_source, tmp_path).run(trial)
    assert result.correct.shape == (8,)
    assert result.details["examples"] == len(mix)
    assert 0 < result.details["tokens_per_item"] <= 6


def test_qlora_learns_to_write_reasoning(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    llama_source: ModelSource,
) -> None:
    task = free_form_task(make_items, make_task)
    trial = trial_of(
        task,
        llama_source,
        "qlora",
        terms=CERTAIN,
        settings={**SHORT, "objective": "reasoning", "most_tokens": 4},
        prompt="0305-mended",
        quantisation="nf4",
    )
    result = TrialRunner(task, llama_source, tmp_path).run(trial)
    assert result.correct.shape == (8,)
    assert result.details["tokens_per_item"] <= 4


@pytest.mark.parametrize("method", ["zero_shot", "in_context", "probe", "qlora"])
def test_other_methods_need_choices(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    llama_source: ModelSource,
    method: str,
) -> None:
    task = free_form_task(make_items, make_task)
    changes: dict[str, Any] = {"terms": CERTAIN}
    if method == "qlora":
        changes |= {"settings": SHORT, "quantisation": "nf4"}
    if method == "zero_shot":
        changes["mix"] = {}
    if method == "probe":  # an engine asks for the features first
        free = trial_of(task, llama_source, method, **changes)
        with pytest.raises(InputError, match="which the method 'probe' needs"):
            TrialRunner(task, llama_source, tmp_path).absent_features([free])
    with pytest.raises(InputError, match=f"which the method '{method}' needs"):
        TrialRunner(task, llama_source, tmp_path).run(
            trial_of(task, llama_source, method, **changes)
        )


@pytest.mark.parametrize("shared", [None, ("no", "yes", "red plum")])
def test_an_encoder_is_tuned_with_a_head_of_its_own(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    bert_source: ModelSource,
    shared: tuple[str, ...] | None,
) -> None:
    task = make_task(make_items(150, shared), target=12, others=6)
    runner = TrialRunner(task, bert_source, tmp_path)
    changes: dict[str, Any] = {
        "settings": {**SHORT, "least_updates": 60, "learning_rate": 1e-2},
        "mix": {"easy": 30, "hard": 30},
        "quantisation": "nf4",
    }
    trial = trial_of(task, bert_source, "qlora", **changes)
    first = runner.run(trial)
    other = runner.run(trial_of(task, bert_source, "qlora", **changes, seed=5))
    np.testing.assert_array_equal(runner.run(trial).correct, first.correct)
    assert (first.correct != other.correct).any()


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("smoothed", {}),
        ("forward", {}),
        ("posterior", {}),
        ("uncertainty", {"slope": 0.5, "source": "judgments"}),
        ("soft_labels", {}),
    ],
)
def test_probes_are_fitted_to_the_trials_targets(
    tmp_path: Path,
    task: Task,
    bert_source: ModelSource,
    kind: Any,
    settings: dict[str, Any],
) -> None:
    runner = TrialRunner(task, bert_source, tmp_path)
    trial = trial_of(
        task,
        bert_source,
        "probe",
        mix={"easy": 20, "hard": 20},
        settings={"penalty": 0.02},
        target_kind=kind,
        target_settings=settings,
        judgments=3,
    )
    purchase = runner.labels(trial)
    assert purchase.judgments.shape == (40, 3)
    counts = task.choice_counts[purchase.positions]
    targets = make_targets(
        kind,
        purchase.judgments,
        counts,
        np.full(40, 0.4),
        uncertainty_map=UncertaintyMap(slope=0.5),
        most_choices=4,
    )
    everything = runner.features(trial.recipe.prompt).get(np.arange(150), runner.reader)
    mask = np.arange(4) < task.choice_counts[:, None]
    job = ProbeJob(purchase.positions, targets.probabilities, targets.redraw_rates)
    fitted = fit_probes(everything, mask, [job], [0.02])[0]
    scores = fitted.scores(everything[task.test_positions], mask[task.test_positions])
    expected = scores.argmax(1) == task.answers[task.test_positions]
    np.testing.assert_array_equal(runner.run(trial).correct, expected)


def test_the_models_uncertainty_is_that_of_its_zero_shot_answers(
    tmp_path: Path, task: Task, llama: LoadedModel, llama_source: ModelSource
) -> None:
    """Under the trial's own prompt."""
    settings = {"source": "model", "slope": 0.9}
    trial = trial_of(
        task,
        llama_source,
        "probe",
        mix={"easy": 20, "hard": 20},
        settings={"penalty": 0.001},
        target_kind="uncertainty",
        target_settings=settings,
        prompt="0306-mended",
    )
    runner = TrialRunner(task, llama_source, tmp_path)
    purchase = runner.labels(trial)
    rows = task.items.iloc[purchase.positions]
    encoded = encode_items(
        llama,
        rows["question"].tolist(),
        rows["choices"].tolist(),
        rows["item_id"].tolist(),
        find_prompt("0306-mended"),
    )
    scores = score_pairs(llama.model, encoded, 0).log_probabilities.detach().double().numpy()
    counts = task.choice_counts[purchase.positions]
    uncertainties = entropy_uncertainty(softmax(scores, axis=1), counts)
    assert uncertainties.std() > 0.05
    targets = make_targets(
        "uncertainty",
        purchase.judgments,
        counts,
        uncertainties=uncertainties,
        uncertainty_map=UncertaintyMap(slope=0.9),
        most_choices=4,
    )
    everything = runner.features("0306-mended").get(np.arange(150), runner.reader)
    mask = np.arange(4) < task.choice_counts[:, None]
    job = ProbeJob(purchase.positions, targets.probabilities)
    fitted = fit_probes(everything, mask, [job], [0.001])[0]
    test = task.test_positions
    expected = fitted.scores(everything[test], mask[test]).argmax(1) == task.answers[test]
    np.testing.assert_array_equal(runner.run(trial).correct, expected)


def test_an_encoder_has_no_uncertainty_of_its_own(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    trial = trial_of(
        task,
        bert_source,
        "probe",
        target_kind="uncertainty",
        target_settings={"source": "model"},
    )
    with pytest.raises(InputError, match=r"\[uncertainty\] source = .judgments."):
        TrialRunner(task, bert_source, tmp_path).run(trial)


def test_wrong_target_settings_are_named(
    tmp_path: Path, task: Task, bert_source: ModelSource
) -> None:
    trial = trial_of(
        task, bert_source, "probe", target_kind="uncertainty", target_settings={"slop": 1.0}
    )
    with pytest.raises(InputError, match="target setting 'slop'"):
        TrialRunner(task, bert_source, tmp_path).run(trial)


def test_the_papers_probe(tmp_path: Path, task: Task, bert_source: ModelSource) -> None:
    runner = TrialRunner(task, bert_source, tmp_path)
    trial = trial_of(task, bert_source, "probe", settings={"optimiser": "paper"})
    purchase = runner.labels(trial)
    everything = runner.features(trial.recipe.prompt).get(np.arange(150), runner.reader)
    mask = np.arange(4) < task.choice_counts[:, None]
    fitted = fit_paper_probe(
        everything[purchase.positions], purchase.labels, mask[purchase.positions]
    )
    scores = fitted.scores(everything[task.test_positions], mask[task.test_positions])
    expected = scores.argmax(1) == task.answers[task.test_positions]
    np.testing.assert_array_equal(runner.run(trial).correct, expected)


def test_probes_of_many_trials_come_out_as_one_by_one(
    tmp_path: Path, task: Task, bert_source: ModelSource, llama_source: ModelSource
) -> None:
    runner = TrialRunner(task, llama_source, tmp_path)
    trials = [
        trial_of(task, llama_source, "probe", mix={"easy": size}, seed=seed, prompt=prompt)
        for size in (8, 12)
        for seed in (0, 1)
        for prompt in ("0040-mended", "0306-mended")
    ]
    trials += [trial_of(task, llama_source, "probe", settings={"optimiser": "paper"})]
    together = {trial.key: result for trial, result in runner.run_probes(trials)}
    assert together.keys() == {trial.key for trial in trials}
    for trial in trials:
        alone = TrialRunner(task, llama_source, tmp_path).run(trial)
        np.testing.assert_array_equal(together[trial.key].correct, alone.correct)
        assert together[trial.key].details == alone.details


@pytest.mark.parametrize("method", ["qlora", "in_context"])
def test_trials_under_the_papers_prompt_come_out_the_same_in_any_order(
    tmp_path: Path, task: Task, save_llama: Callable[..., Path], method: str
) -> None:
    """The paper's spacing depends on the model's name; a folder's place is not part of it."""
    source = find_model(str(save_llama(tmp_path / "llama-zoo" / "other")))
    changes: dict[str, Any] = {"prompt": "0306-paper", "mix": {"hard": 2}}
    if method == "qlora":
        changes |= {"settings": SHORT, "quantisation": "nf4"}
    one = trial_of(task, source, method, **changes)
    other = trial_of(
        task, source, "zero_shot", mix={}, prompt="0306-paper", quantisation=one.recipe.quantisation
    )
    runner = TrialRunner(task, source, tmp_path / "first")
    first = runner.run(one).correct, runner.run(other).correct
    runner = TrialRunner(task, source, tmp_path / "second")
    second = runner.run(other).correct, runner.run(one).correct
    np.testing.assert_array_equal(first[0], second[1])
    np.testing.assert_array_equal(first[1], second[0])


def test_the_papers_probe_scores_every_choice_also_where_items_share_them(
    tmp_path: Path,
    make_items: Callable[..., pd.DataFrame],
    make_task: Callable[..., Task],
    llama_source: ModelSource,
) -> None:
    task = make_task(make_items(150, ("no", "yes")), target=12, others=6)
    runner = TrialRunner(task, llama_source, tmp_path)
    trial = trial_of(task, llama_source, "probe", settings={"optimiser": "paper"})
    assert runner.features(trial.recipe.prompt).get(np.arange(4), runner.reader).shape[1] == 1
    everything = runner.features(trial.recipe.prompt, per_choice=True).get(
        np.arange(150), runner.reader
    )
    assert everything.shape[1] == 2
    purchase = runner.labels(trial)
    mask = np.ones((150, 2), dtype=bool)
    fitted = fit_paper_probe(
        everything[purchase.positions], purchase.labels, mask[purchase.positions]
    )
    test = task.test_positions
    expected = fitted.scores(everything[test], mask[test]).argmax(1) == task.answers[test]
    np.testing.assert_array_equal(runner.run(trial).correct, expected)


@pytest.mark.parametrize("method", ["zero_shot", "probe"])
def test_a_model_whose_values_overflow_is_refused_by_item(
    tmp_path: Path, task: Task, llama_source: ModelSource, method: str
) -> None:
    runner = TrialRunner(task, llama_source, tmp_path)
    with torch.no_grad():
        runner.model().model.model.norm.weight.fill_(torch.inf)
    trial = trial_of(task, llama_source, method, mix={} if method == "zero_shot" else {"easy": 4})
    for _ in range(2):  # nothing of it is kept
        with pytest.raises(InputError, match=r"^item 'item-\d+'.* overflow"):
            runner.run(trial)


def test_one_model_is_held_at_a_time(tmp_path: Path, task: Task, llama_source: ModelSource) -> None:
    runner = TrialRunner(task, llama_source, tmp_path)
    whole = weakref.ref(runner.model().model)
    runner.run(trial_of(task, llama_source, "zero_shot", mix={}))
    runner.model("nf4")
    gc.collect()
    assert whole() is None


def test_what_a_method_does_not_do_cannot_be_described(
    task: Task, llama_source: ModelSource
) -> None:
    with pytest.raises(ValueError, match="buys nothing"):
        trial_of(task, llama_source, "zero_shot")
    with pytest.raises(ValueError, match="reads the whole model"):
        trial_of(task, llama_source, "probe", quantisation="nf4")
    with pytest.raises(ValueError, match="trained as labelled"):
        trial_of(
            task,
            llama_source,
            "qlora",
            settings={"objective": "reasoning"},
            target_kind="smoothed",
        )
