"""Answers of a model whose weights stay as they are: zero-shot, in-context, chain of thought."""

from collections.abc import Sequence
from hashlib import sha256
from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import softmax

from annotation.arrays import Array, Positions
from annotation.errors import InputError
from annotation.labelling.labels import Labels
from annotation.ties import OF_MODELS, all_tied_share, pick
from training.generation.chain_of_thought import chain_of_thought_correct
from training.item_states import mean_pooled
from training.models.load import LoadedModel
from training.progress import Tell, TokenProgress, nobody, telling
from training.prompts import DEFAULT_PROMPT, Example, Prompt, find_prompt
from training.scoring.choices import EncodedItem, Normalisation, encode_with_examples, score_items
from training.task import Task
from training.trial import INDISTINCT, Trial


class Answering:
    """One model's answers to a task's items; token ids are kept between trials."""

    def __init__(self, task: Task, loaded: LoadedModel) -> None:
        self._task = task
        self._loaded = loaded
        self._encoded: dict[tuple[Prompt, int], EncodedItem] = {}

    def run(
        self, trial: Trial, purchase: Labels, tell: Tell = nobody
    ) -> tuple[NDArray[np.bool_], dict[str, float]]:
        """Correctness on the test items, (test items,), and what else there is to tell.

        `tell` is told how far the passes are.

        Raises InputError if the model cannot do what the trial's method asks for.
        """
        test = self._task.test_positions
        prompt = find_prompt(trial.recipe.prompt, trial.model)
        details: dict[str, float] = {}
        if trial.method == "chain_of_thought":
            return self._reason(trial, purchase, prompt, tell)
        self._task.require_choices(trial.method)
        if self._loaded.kind == "encoder" and trial.method == "zero_shot":
            scores = self._cosines(test)
        else:
            examples = self._examples(purchase, trial.seed, prompt)
            scores, details = self._likelihoods(
                test, prompt, normalisation_of(trial), examples, telling(tell, "testing", "items")
            )
        picked, indistinct = likeliest(scores, self._task, test)
        if indistinct:
            details[INDISTINCT] = indistinct
        return picked == self._task.answers[test], details

    def encoded(self, positions: Positions, prompt: Prompt = DEFAULT_PROMPT) -> list[EncodedItem]:
        """Items as token ids, without examples before them."""
        absent = [p for p in positions.tolist() if (prompt, p) not in self._encoded]
        items = encode_with_examples(self._loaded, *self._rows(absent), prompt).items
        self._encoded.update({(prompt, p): item for p, item in zip(absent, items, strict=True)})
        return [self._encoded[prompt, p] for p in positions.tolist()]

    def probabilities(self, positions: Positions, prompt: Prompt = DEFAULT_PROMPT) -> Array:
        """Zero-shot probability of every choice of these items, (items, most choices).

        Raises InputError for an encoder, whose cosines are no probabilities.
        """
        if self._loaded.kind == "encoder":
            raise InputError(
                f"model '{self._loaded.name}' is an encoder and gives no probability of a choice; "
                'take the uncertainty of judgments ([uncertainty] source = "judgments"), or name a '
                "decoder."
            )
        scores = _as_array(score_items(self._loaded, self.encoded(positions, prompt)))
        all_choices = np.full((len(scores), int(self._task.choice_counts.max())), -np.inf)
        all_choices[:, : scores.shape[1]] = scores
        return np.asarray(softmax(all_choices, axis=1))

    def _likelihoods(
        self,
        positions: Positions,
        prompt: Prompt,
        normalisation: Normalisation,
        examples: Sequence[Example],
        progress: TokenProgress,
    ) -> tuple[Array, dict[str, float]]:
        if not examples:
            encoded, details = self.encoded(positions, prompt), {}
        else:
            encoding = encode_with_examples(
                self._loaded, *self._rows(positions.tolist()), prompt, examples
            )
            encoded = encoding.items
            details = {"examples": float(len(encoding.examples))}
            details["dropped_examples"] = float(encoding.dropped)
        scores = score_items(self._loaded, encoded, normalisation=normalisation, progress=progress)
        return _as_array(scores), details

    def _examples(self, purchase: Labels, seed: int, prompt: Prompt) -> list[Example]:
        """The purchase as worked examples with the labels that were bought, in random order.

        One order per seed, the same for all test items (Hase et al. 2024, section 3).
        """
        digest = sha256(b"order of examples").digest()
        rng = np.random.default_rng([seed, int.from_bytes(digest[:8], "big")])
        order = rng.permutation(purchase.positions.size)
        rows = self._task.items.iloc[purchase.positions[order]]
        answers = self._task.label_texts(purchase.positions[order], purchase.labels[order])
        return [
            Example(row["question"], answer, tuple(row["choices"]), str(row["reasoning"] or ""))
            for row, answer in zip(rows.to_dict("records"), answers, strict=True)
        ]

    def _reason(
        self, trial: Trial, purchase: Labels, prompt: Prompt, tell: Tell
    ) -> tuple[NDArray[np.bool_], dict[str, float]]:
        examples = self._examples(purchase, trial.seed, prompt)
        found = chain_of_thought_correct(
            self._loaded,
            self._task.items.iloc[self._task.test_positions],
            examples,
            prompt,
            most_tokens=dict(trial.recipe.settings).get("most_tokens"),
            progress=telling(tell, "writing answers", "items"),
        )
        return found.correct, found.details

    def _cosines(self, positions: Positions) -> Array:
        """Cosine of the question's and each choice's mean-pooled last states."""
        questions, own, _ = self._rows(positions.tolist())
        last = [int(self._loaded.model.config.num_hidden_layers)]
        of_questions = torch.from_numpy(mean_pooled(self._loaded, questions, last))
        texts = list(dict.fromkeys(text for choices in own for text in choices))
        states = torch.from_numpy(mean_pooled(self._loaded, texts, last))
        place = {text: index for index, text in enumerate(texts)}
        scores = np.full((len(own), int(self._task.choice_counts.max())), -np.inf)
        for row, choices in enumerate(own):
            of_choices = states[[place[text] for text in choices]]
            cosines = F.cosine_similarity(of_questions[row][None], of_choices)
            scores[row, : len(choices)] = cosines.numpy()
        return scores

    def _rows(self, positions: Sequence[int]) -> tuple[list[str], list[list[str]], list[str]]:
        """Question, choices and id of these items."""
        rows = self._task.items.iloc[list(positions)]
        return rows["question"].tolist(), rows["choices"].tolist(), rows["item_id"].tolist()


def likeliest(scores: Array, task: Task, positions: Positions) -> tuple[NDArray[np.int64], float]:
    """The choice with the largest score, (items,), drawn where several tie.

    `scores` (items, most choices of them). Beside it the share of items whose choices all tie.

    Raises InputError, naming the item, if a score is not a number or no choice has one: the model's
    own numbers overflow then.
    """
    real = np.arange(scores.shape[1]) < task.choice_counts[positions][:, None]
    among = np.where(real, scores, -np.inf)
    bad = np.flatnonzero(
        np.isnan(among).any(1) | np.isneginf(among).all(1) | np.isposinf(among).any(1)
    )
    if bad.size:
        item = task.items["item_id"].iloc[int(positions[bad[0]])]
        raise InputError(
            f"item '{item}' and {bad.size - 1} others: the model gives no number for a choice: its "
            "values overflow; use another model."
        )
    return pick(among, task.tie_draws[positions], OF_MODELS), all_tied_share(among, OF_MODELS)


def normalisation_of(trial: Trial) -> Normalisation:
    """How a trial's scores are divided. Raises InputError if its recipe names no such way."""
    name = dict(trial.recipe.settings).get("normalisation", "sum")
    for known in get_args(Normalisation):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise InputError(
        f"normalisation '{name}' is unknown; choose one of {', '.join(get_args(Normalisation))}."
    )


def _as_array(scores: torch.Tensor) -> Array:
    return scores.double().numpy()
