"""Encoders with a head: questions paired with choices, or classified into shared ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from training.models.load import LoadedModel
from training.progress import TokenProgress, no_token_progress
from training.scoring.token_budget import TokenBudget, budget_of


@dataclass(frozen=True)
class EncodedText:
    """What an encoder reads of one item: a row per choice, or one row for shared choices.

    A row holds the tokenizer's fields, such as `input_ids`, each (tokens,).
    """

    rows: list[dict[str, list[int]]]
    choices: int

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(len(row["input_ids"]) for row in self.rows)

    @property
    def tokens(self) -> int:
        """Tokens that the item takes in a pass, padding counted."""
        return len(self.rows) * self.longest


def encode_texts(
    loaded: LoadedModel, questions: Sequence[str], choices: Sequence[Sequence[str]]
) -> list[EncodedText]:
    """Tokenise items: (question, choice) pairs under "multiple_choice", else questions alone.

    What is longer than the model's context is cut, the longer text of a pair first.
    """
    if loaded.head == "classification":
        rows = _tokenise(loaded, list(questions))
        return [EncodedText([row], len(own)) for row, own in zip(rows, choices, strict=True)]
    firsts = [q for q, own in zip(questions, choices, strict=True) for _ in own]
    rows = _tokenise(loaded, firsts, [text for own in choices for text in own])
    encoded, start = [], 0
    for own in choices:
        encoded.append(EncodedText(rows[start : start + len(own)], len(own)))
        start += len(own)
    return encoded


def _tokenise(
    loaded: LoadedModel, firsts: list[str], seconds: list[str] | None = None
) -> list[dict[str, list[int]]]:
    fields = loaded.tokenizer(
        firsts,
        seconds,
        truncation=True,
        max_length=loaded.context_length,
        return_attention_mask=False,
    )
    return [{name: fields[name][row] for name in fields} for row in range(len(firsts))]


def score_text_batch(
    loaded: LoadedModel, items: Sequence[EncodedText], model: PreTrainedModel | PeftModel
) -> Tensor:
    """Logits of the choices (items, most choices), -inf where an item has fewer; with gradient."""
    rows = [row for item in items for row in item.rows]
    fields = {name: [row[name] for row in rows] for name in rows[0]}
    padded = loaded.tokenizer.pad(fields, return_tensors="pt").to(loaded.device)
    if loaded.head == "classification":
        answers: Tensor = model(**padded).logits.float()
        return answers
    # Every row is given as an item of one choice, so that items may have different numbers.
    fields_of_one = {name: field[:, None] for name, field in padded.items()}
    logits: Tensor = model(**fields_of_one).logits.float()  # (rows, 1)
    counts = [item.choices for item in items]
    owner = torch.tensor([i for i, count in enumerate(counts) for _ in range(count)])
    slot = torch.tensor([k for count in counts for k in range(count)])
    scores = logits.new_full((len(items), max(counts)), -torch.inf)
    return scores.index_put((owner.to(logits.device), slot.to(logits.device)), logits[:, 0])


@torch.no_grad()
def score_texts(
    loaded: LoadedModel,
    items: Sequence[EncodedText],
    model: PreTrainedModel | PeftModel | None = None,
    budget: TokenBudget | None = None,
    progress: TokenProgress = no_token_progress,
) -> Tensor:
    """Log-probabilities of the choices (items, most choices), -inf where an item has fewer.

    `model` stands in for `loaded.model`, for instance one with an adapter. Batches are of the
    model's own `budget` of tokens unless another is given. `progress` is told items done and in
    all, and their tokens.

    Raises InputError if one item alone does not fit into memory.
    """
    model = loaded.model if model is None else model
    budget = budget_of(model) if budget is None else budget
    scores = torch.full((len(items), max(item.choices for item in items)), -torch.inf)
    order = sorted(range(len(items)), key=lambda index: -items[index].longest)

    def take(start: int, tokens: int) -> tuple[int, int]:
        # All rows of a batch are padded to the longest, which is the first item's.
        longest, rows, size = items[order[start]].longest, 0, 0
        for index in order[start:]:
            more = rows + len(items[index].rows)
            if size and more * longest > tokens:
                break
            rows, size = more, size + 1
        return size, rows * longest

    def run(start: int, end: int) -> Tensor:
        logits = score_text_batch(loaded, [items[index] for index in order[start:end]], model)
        return logits.log_softmax(1).cpu()

    tokens = 0
    for places, found in budget.run(len(order), take, run):
        batch = torch.tensor([order[place] for place in places])
        scores[batch, : found.shape[1]] = found
        tokens += sum(items[index].tokens for index in batch.tolist())
        progress(places.stop, len(items), tokens)
    return scores
