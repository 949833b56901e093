"""What a model makes of items in one pass: hidden states, and log-probabilities of choices."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch

from annotation.arrays import Array, Features
from training.models.load import LoadedModel
from training.progress import ReadProgress
from training.prompts import Prompt
from training.scoring.choice_scores import score_rows
from training.scoring.choices import EncodedItem, encode_items, scored_batches
from training.scoring.token_budget import TokenBudget, budget_of, take_padded


def probe_layers(loaded: LoadedModel) -> list[int]:
    """Middle and last hidden state, of L + 1 with the embedding (paper, section 3)."""
    count = int(loaded.model.config.num_hidden_layers)
    return sorted({min(math.ceil((count + 1) / 2), count), count})


@dataclass(frozen=True)
class DecoderReader:
    """One pass of a decoder over items.

    Attributes
    ----------
    loaded, prompt : the model, and how it is asked
    most : choices of the item that has most
    layers : hidden states to take
    progress : told of every batch, its items and their tokens
    """

    loaded: LoadedModel
    prompt: Prompt
    most: int
    layers: Sequence[int]
    progress: ReadProgress

    def choices(self, rows: pd.DataFrame) -> tuple[Features, Features]:
        """States at the end of every choice, and rows of `ChoiceScores`."""
        encoded = self._encode(rows)
        features, log_probabilities = self._run(encoded, self.layers)
        return features, score_rows(encoded, log_probabilities, self.most)

    def prompts(self, rows: pd.DataFrame) -> Features:
        """The state at the end of every prompt ("Answer:"), read as the item's only choice."""
        ends = [EncodedItem(i.prompt[:-1], [i.prompt[-1:]]) for i in self._encode(rows)]
        return self._run(ends, self.layers, 1)[0]

    def prompts_and_choices(self, rows: pd.DataFrame) -> tuple[Features, Features]:
        """Both in one pass: the prompt's last token stands before every choice, and alone."""
        encoded = self._encode(rows)
        beside = [
            EncodedItem(i.prompt[:-1], [i.prompt[-1:], *(i.prompt[-1:] + c for c in i.choices)])
            for i in encoded
        ]
        features, sums = self._run(beside, self.layers, self.most + 1)
        own = sums[:, 1:] - sums[:, :1]  # less the token that all have in common
        return features[:, :1], score_rows(encoded, own, self.most)

    def scores(self, rows: pd.DataFrame) -> Features:
        """Rows of `ChoiceScores` alone."""
        encoded = self._encode(rows)
        return score_rows(encoded, self._run(encoded, None)[1], self.most)

    def _encode(self, rows: pd.DataFrame) -> list[EncodedItem]:
        questions, choices = rows["question"].tolist(), rows["choices"].tolist()
        return encode_items(self.loaded, questions, choices, rows["item_id"].tolist(), self.prompt)

    def _run(
        self, encoded: Sequence[EncodedItem], layers: Sequence[int] | None, most: int | None = None
    ) -> tuple[Features, Array]:
        """States (items, choices, layers x width) and log-probabilities (items, choices)."""
        most = self.most if most is None else most
        width = len(layers or ()) * int(self.loaded.model.config.hidden_size)
        features = np.zeros((len(encoded), most, width), dtype=np.float32)
        sums = np.full((len(encoded), most), -np.inf)
        for batch, scored in scored_batches(self.loaded, encoded, layers):
            found = scored.log_probabilities.float().cpu().numpy()
            sums[batch, : found.shape[1]] = found
            if layers is not None:
                assert scored.states is not None
                flat = scored.states.flatten(2).float().cpu().numpy()
                features[batch, : flat.shape[1]] = flat
            self.progress(len(batch), sum(encoded[index].all_tokens for index in batch))
        return features, sums


def encoder_features(
    rows: pd.DataFrame, most: int, loaded: LoadedModel, layers: Sequence[int]
) -> Features:
    """Mean-pooled states of question + choice; of the question for `most` 1."""
    questions, choices = rows["question"].tolist(), rows["choices"].tolist()
    if most == 1:
        return mean_pooled(loaded, questions, layers)[:, None, :]
    texts = [f"{q} {c}" for q, own in zip(questions, choices, strict=True) for c in own]
    states = mean_pooled(loaded, texts, layers)
    owner = np.repeat(np.arange(len(questions)), [len(own) for own in choices])
    slot = np.concatenate([np.arange(len(own)) for own in choices])
    features = np.zeros((len(rows), most, states.shape[1]), dtype=np.float32)
    features[owner, slot] = states
    return features


@torch.no_grad()
def mean_pooled(
    loaded: LoadedModel,
    texts: Sequence[str],
    layers: Sequence[int],
    budget: TokenBudget | None = None,
) -> Features:
    """Mean over the tokens of each text of the chosen hidden states: (texts, layers x width).

    Texts longer than the model's context are cut, as is usual for sentence encoders. Batches are
    of the model's own `budget` of tokens unless another is given.

    Raises InputError if one text alone does not fit into memory.
    """
    ids = loaded.tokenizer(list(texts), truncation=True, max_length=loaded.context_length)
    sequences = ids["input_ids"]
    order = sorted(range(len(texts)), key=lambda index: -len(sequences[index]))
    lengths = [max(1, len(sequences[index])) for index in order]

    def pool(start: int, end: int) -> Features:
        padded = loaded.tokenizer.pad(
            {"input_ids": [sequences[index] for index in order[start:end]]}, return_tensors="pt"
        ).to(loaded.device)
        states = loaded.model(**padded, output_hidden_states=True).hidden_states
        mask = padded["attention_mask"][:, :, None].float()
        pooled = torch.cat(
            [(states[layer].float() * mask).sum(1) / mask.sum(1) for layer in layers], dim=1
        )
        return np.asarray(pooled.cpu().numpy(), dtype=np.float32)

    width = len(layers) * int(loaded.model.config.hidden_size)
    out = np.zeros((len(texts), width), dtype=np.float32)
    budget = budget or budget_of(loaded.model)
    for places, pooled in budget.run(len(order), partial(take_padded, lengths), pool):
        out[[order[place] for place in places]] = pooled
    return out
