"""Chain of thought: generated reasoning and the answers it ends in, right or wrong.

Hase et al. 2024 (arXiv 2401.06751), section 3: the model is shown worked examples with their
reasoning, or an instruction, and generates greedily.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from training.generation.answer_extraction import (
    AnswerKind,
    answer_kind,
    answers_match,
    extract_answer,
    paper_answer,
)
from training.generation.generate import GeneratedAnswer, generate_answers
from training.models.load import LoadedModel
from training.progress import TokenProgress, no_token_progress
from training.prompts import Example, Prompt, reasoned_answer
from training.scoring.encoding import encode_prompts
from training.scoring.hooks import Model
from training.scoring.token_budget import TokenBudget

logger = logging.getLogger(__name__)

# Tokens generated at most: the paper's for GSM8K (300) and StrategyQA (100).
MOST_TOKENS: dict[AnswerKind, int] = {"number": 300, "choice": 100, "text": 100}


@dataclass(frozen=True)
class ChainOfThought:
    """Reasoned answers to a table of items.

    `correct` (items,); `predicted` and `generated` (items), None where no answer was found.
    `details`: shares of items without an answer and cut off at the limit, tokens generated per
    item, examples shown and left out.
    """

    correct: NDArray[np.bool_]
    predicted: list[str | None]
    generated: list[GeneratedAnswer]
    details: dict[str, float]


def chain_of_thought_correct(
    loaded: LoadedModel,
    items: pd.DataFrame,
    examples: Sequence[Example],
    prompt: Prompt,
    *,
    most_tokens: int | None = None,
    extraction: Literal["exact", "paper"] = "exact",
    budget: TokenBudget | None = None,
    model: Model | None = None,
    progress: TokenProgress = no_token_progress,
) -> ChainOfThought:
    """Let a model reason about items and compare its answers with the gold ones.

    Parameters
    ----------
    loaded, model
        The model; `model` stands in for `loaded.model`, for instance one with an adapter.
    items
        Rows of an item table, with choices or free-form.
    examples
        Worked examples, the same before every item. Where prompt and `most_tokens` do not fit the
        model's context, the last examples are dropped for all items (paper, section 3.1).
    prompt
        One that shows reasoning, such as `find_prompt("0305-mended")`.
    most_tokens
        Tokens generated per item at most. By default those of `MOST_TOKENS`; where they do not fit
        the model's context after the longest item, what fits, up to half of the context so that
        worked examples have room too (a warning tells).
    extraction
        "paper" generates up to the limit and reads answers as the paper's code does, for
        comparison.
    budget
        Tokens of a batch, generated ones included; by default by the device.
    progress
        Told items done and in all, and the tokens that were written.

    Raises
    ------
    InputError
        If the model is an encoder, the prompt or an example shows no reasoning, or an item, named,
        does not fit the context without examples.
    """
    if loaded.kind != "decoder":
        raise InputError(
            f"model '{loaded.name}' is an encoder, which generates no text: a chain of thought "
            "needs a decoder (causal) language model; use the method 'probe', or another model."
        )
    if not prompt.reasons:
        raise InputError(
            f"prompt '{prompt.version}' shows no reasoning; take '0305-mended' or '5305-mended'."
        )
    rows = items.to_dict("records")
    golds = [_gold(row) for row in rows]
    kind = answer_kind(golds, has_choices=bool(rows) and len(rows[0]["choices"]) > 0)
    asked = [(str(row["question"]), tuple(row["choices"])) for row in rows]
    longest = _longest(loaded, asked, prompt)
    limit = _default_limit(loaded, kind, longest, prompt) if most_tokens is None else most_tokens
    shown = [replace(each, reasoning=_without_blank_lines(each.reasoning)) for each in examples]
    kept = _that_fit(loaded, longest, shown, prompt, limit)
    generated = generate_answers(
        loaded,
        [prompt.text(question, choices, kept) for question, choices in asked],
        limit,
        item_ids=[str(row["item_id"]) for row in rows],
        budget=budget,
        model=model,
        stop_at_answer=extraction == "exact",
        progress=progress,
    )
    predicted: list[str | None]
    if extraction == "paper":
        predicted = [paper_answer(answer.text, kind, bool(kept)) for answer in generated]
        correct = [own == gold.lower() for own, gold in zip(predicted, golds, strict=True)]
    else:
        predicted = [
            extract_answer(answer.text, kind, choices)
            for answer, (_, choices) in zip(generated, asked, strict=True)
        ]
        pairs = zip(predicted, golds, strict=True)
        correct = [answers_match(own, gold, kind) for own, gold in pairs]
    count = max(1, len(rows))
    details = {
        "no_answer_share": sum(own is None for own in predicted) / count,
        "cut_off_share": sum(not answer.finished for answer in generated) / count,
        "tokens_per_item": sum(answer.tokens for answer in generated) / count,
        "examples": float(len(kept)),
        "dropped_examples": float(len(examples) - len(kept)),
    }
    return ChainOfThought(np.array(correct, dtype=bool), predicted, generated, details)


def reasoned_texts(
    items: pd.DataFrame, labels: Sequence[str], prompt: Prompt
) -> list[tuple[str, str]]:
    """Prompt and target of each item, to train a chain of thought on: (items).

    `labels` (items) are the texts of the labels that were bought. The target follows the prompt
    without anything between; the end token is the trainer's to add.

    Raises InputError if an item, named, has no reasoning.
    """
    texts = []
    for row, label in zip(items.to_dict("records"), labels, strict=True):
        reasoning = _without_blank_lines(str(row.get("reasoning") or ""))
        if not reasoning:
            raise InputError(
                f"item '{row['item_id']}' has no reasoning to train a chain of thought on; set "
                "[qlora] objective = \"choices\", or give a column 'reasoning'."
            )
        asked = prompt.text(str(row["question"]), tuple(row["choices"]))
        texts.append((asked, prompt.answer(reasoned_answer(reasoning, label))))
    return texts


def _gold(row: dict[str, object]) -> str:
    choices, answer = row["choices"], row["answer"]
    assert isinstance(choices, list)
    return str(choices[int(str(answer))] if choices else row["answer_text"])


def _without_blank_lines(reasoning: str) -> str:
    """Blank lines stand between worked examples; within one they would look like its end."""
    return "\n".join(line for line in reasoning.splitlines() if line.strip())


Asked = tuple[str, tuple[str, ...]]  # question and choices


def _longest(loaded: LoadedModel, asked: Sequence[Asked], prompt: Prompt) -> Asked:
    """The item whose prompt takes most tokens: the longest after any number of examples."""
    if not asked:
        return "", ()
    queries = encode_prompts(loaded.tokenizer, [prompt.text(*each) for each in asked])
    return asked[max(range(len(asked)), key=lambda index: len(queries[index]))]


def _tokens(
    loaded: LoadedModel, asked: Asked, prompt: Prompt, examples: Sequence[Example] = ()
) -> int:
    return len(encode_prompts(loaded.tokenizer, [prompt.text(*asked, examples)])[0])


def _default_limit(loaded: LoadedModel, kind: AnswerKind, longest: Asked, prompt: Prompt) -> int:
    """Tokens generated at most where none are named."""
    usual, context = MOST_TOKENS[kind], loaded.context_length
    room = context - _tokens(loaded, longest, prompt)
    if usual <= room:
        return usual
    limit = max(1, min(room, context // 2))
    logger.warning(
        "model '%s' reads at most %d tokens: answers are cut off at %d tokens, not %d.",
        loaded.name,
        context,
        limit,
        usual,
    )
    return limit


def _that_fit(
    loaded: LoadedModel,
    longest: Asked,
    examples: Sequence[Example],
    prompt: Prompt,
    most_tokens: int,
) -> list[Example]:
    """The first of the examples, as many as leave room for the longest item and its answer."""
    kept = list(examples)
    while kept and _tokens(loaded, longest, prompt, kept) + most_tokens > loaded.context_length:
        kept.pop()
    return kept
