"""Greedy generation of reasoned answers that stops where the answer is complete.

The code of Hase et al. 2024 (arXiv 2401.06751) always generates up to the limit of tokens, and
runs the worked examples once per item; here every row stops by itself, and what all prompts begin
with runs once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import (
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    StoppingCriteria,
    StoppingCriteriaList,
)

from annotation.errors import InputError
from training.generation.answer_extraction import answer_end
from training.generation.shared_prefix import GenerationPrefix, run_generation_prefix
from training.models.load import LoadedModel, input_device
from training.progress import TokenProgress, no_token_progress
from training.scoring.encoding import encode_prompts
from training.scoring.hooks import Model, base_model
from training.scoring.token_budget import TokenBudget

_TOKENS_AT_ONCE = {"cuda": 65536}  # of prompts and answers, in the cache; halved if it runs short
_TOKENS_ELSEWHERE = 8192
_budgets: WeakKeyDictionary[nn.Module, TokenBudget] = WeakKeyDictionary()


@dataclass(frozen=True)
class GeneratedAnswer:
    """What a model generated: its text up to the answer's end, and the tokens that it took.

    `finished` is False where the limit of tokens cut it off.
    """

    text: str
    tokens: int
    finished: bool


@torch.no_grad()
def generate_answers(
    loaded: LoadedModel,
    prompts: Sequence[str],
    most_tokens: int,
    *,
    item_ids: Sequence[str] | None = None,
    budget: TokenBudget | None = None,
    model: Model | None = None,
    stop_at_answer: bool = True,
    share_prefix: bool = True,
    progress: TokenProgress = no_token_progress,
) -> list[GeneratedAnswer]:
    """Generate the likeliest token after the other until the answer is complete.

    A row stops where `answer_end` says so, at the model's end token, or at `most_tokens`; without
    `stop_at_answer` its text is left as it came. What all prompts begin with runs once, unless
    `share_prefix` is False. The settings of a checkpoint's generation_config (sampling, penalties)
    are set aside.

    Returns one answer per prompt, in their order; `item_ids` name them in errors. `progress` is
    told answers done and in all, and the tokens that were written.

    Raises InputError if a prompt with `most_tokens` after it does not fit the model's context, or
    one row alone does not fit into memory.
    """
    encoded = encode_prompts(loaded.tokenizer, prompts)
    for index, ids in enumerate(encoded):
        if len(ids) + most_tokens > loaded.context_length:
            name = item_ids[index] if item_ids else str(index + 1)
            raise InputError(
                f"item '{name}': its prompt takes {len(ids)} tokens and its answer up to "
                f"{most_tokens}, model '{loaded.name}' reads at most {loaded.context_length}; "
                "shorten the item, lower most_tokens, or use another model."
            )
    base = base_model(model if model is not None else loaded.model)
    budget = generation_budget_of(base) if budget is None else budget
    prefix = run_generation_prefix(base, encoded) if share_prefix else None
    order = sorted(range(len(encoded)), key=lambda index: -len(encoded[index]))

    def take(start: int, tokens: int) -> tuple[int, int]:
        row = len(encoded[order[start]]) + most_tokens
        size = max(1, min(tokens // row, len(order) - start))
        return size, size * row

    def run(start: int, end: int) -> list[GeneratedAnswer]:
        batch = [encoded[index] for index in order[start:end]]
        return _generate(base, loaded.tokenizer, batch, prefix, most_tokens, stop_at_answer)

    found: dict[int, GeneratedAnswer] = {}
    written = 0
    for places, answers in budget.run(len(order), take, run):
        found.update(zip([order[place] for place in places], answers, strict=True))
        written += sum(answer.tokens for answer in answers)
        progress(len(found), len(order), written)
    return [found[index] for index in range(len(encoded))]


def generation_budget_of(model: Model) -> TokenBudget:
    """The budget of a model for generation, which remembers what did not fit.

    It is not the one for scoring: a token in the cache takes less than one whose logits are read.
    """
    base = base_model(model)
    if base not in _budgets:
        tokens = _TOKENS_AT_ONCE.get(input_device(base).type, _TOKENS_ELSEWHERE)
        _budgets[base] = TokenBudget(tokens)
    return _budgets[base]


def _generate(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[list[int]],
    prefix: GenerationPrefix | None,
    most_tokens: int,
    stop_at_answer: bool,
) -> list[GeneratedAnswer]:
    """Generate for one batch, padded on the left."""
    width = max(len(ids) for ids in prompts)
    padding = [width - len(ids) for ids in prompts]
    padding_id = int(tokenizer.pad_token_id or 0)
    rows = [[padding_id] * pad + ids for pad, ids in zip(padding, prompts, strict=True)]
    mask = torch.ones((len(rows), width), dtype=torch.long)
    for row, pad in enumerate(padding):
        mask[row, :pad] = 0
    ends = _end_tokens(base, tokenizer)
    settings = GenerationConfig(
        do_sample=False,
        max_new_tokens=most_tokens,
        pad_token_id=padding_id,
        eos_token_id=sorted(ends) or None,
    )
    complete = _AnswerComplete(tokenizer, width, len(rows))
    device = input_device(base)
    with _settings_of_the_checkpoint_aside(base):
        output: Tensor = base.generate(
            torch.tensor(rows, device=device),
            attention_mask=mask.to(device),
            generation_config=settings,
            stopping_criteria=StoppingCriteriaList([complete] if stop_at_answer else []),
            past_key_values=prefix.cache(padding) if prefix else None,
        )
    answers = []
    for ids, stopped in zip(output[:, width:].tolist(), complete.stopped, strict=True):
        ended = next((place for place, token in enumerate(ids) if token in ends), None)
        places = [place for place in (ended, stopped) if place is not None]
        ids = ids[: min(places)] if places else ids
        text = str(tokenizer.decode(ids, skip_special_tokens=True))
        end = answer_end(text) if stop_at_answer else None
        finished = bool(places) or end is not None
        answers.append(GeneratedAnswer(text[:end], len(ids), finished))
    return answers


def _end_tokens(base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Tokens that end a text: the tokenizer's, and those that the checkpoint names beside it."""
    named = getattr(base.generation_config, "eos_token_id", None)
    several = named if isinstance(named, list) else [named]
    return {int(token) for token in (*several, tokenizer.eos_token_id) if token is not None}


@contextmanager
def _settings_of_the_checkpoint_aside(base: PreTrainedModel) -> Iterator[None]:
    # They fill in whatever is not set, and a repetition penalty would change what is likeliest.
    kept = base.generation_config
    base.generation_config = GenerationConfig()
    try:
        yield
    finally:
        base.generation_config = kept


class _AnswerComplete(StoppingCriteria):  # type: ignore[misc]
    """Stops each row when its answer is complete; `stopped` (rows) are the tokens it took."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, width: int, rows: int) -> None:
        self.stopped: list[int | None] = [None] * rows
        self._tokenizer = tokenizer
        self._width = width
        self._may_end: dict[int, bool] = {}

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: object) -> Tensor:
        produced = input_ids[:, self._width :]
        latest = produced[:, -2:].tolist()
        for row, tokens in enumerate(latest):
            if self.stopped[row] is None and any(self._may(token) for token in tokens):
                text = self._tokenizer.decode(produced[row], skip_special_tokens=True)
                if answer_end(text) is not None:
                    self.stopped[row] = produced.shape[1]
        done = [stopped is not None for stopped in self.stopped]
        return torch.tensor(done, device=input_ids.device)

    def _may(self, token: int) -> bool:
        """Whether an answer may be complete after this token or the next: else none is decoded."""
        if token not in self._may_end:
            text = self._tokenizer.decode([token])
            self._may_end[token] = any(sign in text for sign in "\n:.!?\"'\u201d\u2019)]*")
        return self._may_end[token]
