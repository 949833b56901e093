"""What it takes a model to read items, told before it is done: tokens, and operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from training.prompts import Prompt

if TYPE_CHECKING:
    from torch import nn

    from training.models.load import LoadedModel


@dataclass(frozen=True)
class ReadingCost:
    """Tokens, and floating-point operations of one pass over them."""

    tokens: int = 0
    flops: float = 0.0

    def __add__(self, other: "ReadingCost") -> "ReadingCost":
        return ReadingCost(self.tokens + other.tokens, self.flops + other.flops)


def reading_cost(
    rows: pd.DataFrame, most: int, loaded: "LoadedModel", prompt: Prompt
) -> ReadingCost:
    """What the features of these items cost, see `training.features`; no weight is looked at.

    A token takes two operations for every weight but those of the embedding (Kaplan et al. 2020,
    arXiv:2001.08361, section 2.1); what attention takes over the tokens before it is left out,
    which is little for items of a few hundred tokens.

    Parameters
    ----------
    rows
        Of the item table.
    most
        Choices that have features of their own; 1 where the item alone has them.
    loaded
        The model, or its outline.
    prompt
        How a decoder is asked.

    Raises
    ------
    InputError
        If an item is too long for a decoder.
    """
    from training.scoring.encoding import encode_items

    questions, choices = rows["question"].tolist(), rows["choices"].tolist()
    if loaded.kind == "encoder":
        texts = (
            questions
            if most == 1
            else [f"{q} {c}" for q, own in zip(questions, choices, strict=True) for c in own]
        )
        tokens = _tokens(loaded, texts)
    else:
        encoded = encode_items(loaded, questions, choices, rows["item_id"].tolist(), prompt)
        tokens = sum(
            len(own.prompt) + (0 if most == 1 else sum(map(len, own.choices))) for own in encoded
        )
    return ReadingCost(tokens, 2.0 * weights_of_a_token(loaded.model) * tokens)


def _tokens(loaded: "LoadedModel", texts: Sequence[str]) -> int:
    ids = loaded.tokenizer(list(texts), truncation=True, max_length=loaded.context_length)
    return sum(map(len, ids["input_ids"]))


def weights_of_a_token(model: "nn.Module") -> int:
    """Weights that every token is multiplied with: all but the tables that it is looked up in."""
    from torch import nn

    looked_up = {id(table.weight) for table in model.modules() if isinstance(table, nn.Embedding)}
    return sum(own.numel() for own in model.parameters() if id(own) not in looked_up)
