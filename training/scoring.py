"""Log-probabilities and hidden states of choices, each prompt computed once.

A prompt runs through the model once; its key-value cache is then expanded to the prompt's choices,
which run as one padded batch of suffixes. Where every choice is one token no second pass is
needed. Gradients flow through both passes, so training and evaluation share this code.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from annotation.errors import InputError
from training.models import LoadedModel
from training.prompts import choice_prompt

TOKENS_PER_BATCH = 8192


@dataclass(frozen=True)
class EncodedItem:
    """Token ids of one prompt and of its choices' texts."""

    prompt: list[int]
    choices: list[list[int]]

    @property
    def tokens(self) -> int:
        return len(self.prompt) + max(len(choice) for choice in self.choices)


@dataclass
class ScoredBatch:
    """`log_probabilities` (items, choices), -inf where an item has fewer choices.

    `states` (items, choices, layers, width): hidden states at each choice's last token, zeros
    where an item has fewer choices; None unless layers were asked for.
    """

    log_probabilities: Tensor
    states: Tensor | None


def encode_item(
    tokenizer: PreTrainedTokenizerBase, question: str, choices: Sequence[str]
) -> EncodedItem:
    """Tokenise prompt and choices as they would stand in one text.

    A tokenizer may merge across the border; then the choice is tokenised by itself.
    """
    prompt = choice_prompt(question, choices)
    prompt_ids = list(tokenizer(prompt)["input_ids"])
    if tokenizer.eos_token_id is not None and len(prompt_ids) > 1:
        # Some tokenizers close every text with the end token; the choice must follow directly.
        while prompt_ids and prompt_ids[-1] == tokenizer.eos_token_id:
            prompt_ids.pop()
    encoded = []
    for choice in choices:
        whole = list(tokenizer(f"{prompt} {choice}")["input_ids"])
        while len(whole) > len(prompt_ids) and whole[-1] == tokenizer.eos_token_id:
            whole.pop()
        ids = whole[len(prompt_ids) :]
        if whole[: len(prompt_ids)] != prompt_ids or not ids:
            ids = list(tokenizer(f" {choice}", add_special_tokens=False)["input_ids"])
        encoded.append(ids)
    return EncodedItem(prompt_ids, encoded)


def encode_items(
    loaded: LoadedModel,
    questions: Sequence[str],
    choices: Sequence[Sequence[str]],
    item_ids: Sequence[str],
) -> list[EncodedItem]:
    """Tokenise many items.

    Raises InputError, naming the item, if one does not fit the model's context.
    """
    encoded = []
    for item_id, question, texts in zip(item_ids, questions, choices, strict=True):
        item = encode_item(loaded.tokenizer, question, texts)
        if item.tokens > loaded.context_length:
            raise InputError(
                f"item '{item_id}': prompt and choice take {item.tokens} tokens, model "
                f"'{loaded.name}' reads at most {loaded.context_length}; shorten the item or "
                "use another model."
            )
        encoded.append(item)
    return encoded


def batches_by_length(
    items: Sequence[EncodedItem], tokens_per_batch: int = TOKENS_PER_BATCH
) -> Iterator[list[int]]:
    """Yield positions of items of like length, each batch within a budget of padded tokens."""
    order = sorted(range(len(items)), key=lambda index: -items[index].tokens)
    batch: list[int] = []
    for index in order:
        widest = items[batch[0]].tokens if batch else items[index].tokens
        if batch and widest * (len(batch) + 1) > tokens_per_batch:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def score_batch(
    model: PreTrainedModel,
    items: Sequence[EncodedItem],
    padding_id: int,
    layers: Sequence[int] | None = None,
) -> ScoredBatch:
    """Score all choices of a batch of items, with gradient where the model has it.

    The log-probability of a choice is the SUM over its tokens (paper, section 3: no length
    normalisation). `layers` index the model's hidden states, 0 being the embedding.
    """
    device = model.device
    counts = [len(item.choices) for item in items]
    most = max(counts)
    owner = torch.tensor([i for i, count in enumerate(counts) for _ in range(count)])
    slot = torch.tensor([k for count in counts for k in range(count)])
    flat = [choice for item in items for choice in item.choices]  # (rows)
    needs_suffix = layers is not None or any(len(choice) > 1 for choice in flat)

    # Prompts are padded on the left, so that every suffix starts at one position of the cache.
    width = max(len(item.prompt) for item in items)
    ids = torch.full((len(items), width), padding_id)
    mask = torch.zeros((len(items), width), dtype=torch.long)
    for row, item in enumerate(items):
        ids[row, width - len(item.prompt) :] = torch.tensor(item.prompt)
        mask[row, width - len(item.prompt) :] = 1
    ids, mask, owner, slot = (t.to(device) for t in (ids, mask, owner, slot))
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    prompt_pass = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        use_cache=needs_suffix,
        logits_to_keep=1,
    )
    first = prompt_pass.logits[:, -1].float().log_softmax(-1)  # (items, vocabulary)
    first_ids = torch.tensor([choice[0] for choice in flat], device=device)
    row_scores = first[owner, first_ids]  # (rows)

    states = None
    if needs_suffix:
        longest = max(len(choice) for choice in flat)
        suffix = torch.full((len(flat), longest), padding_id)
        suffix_mask = torch.zeros((len(flat), longest), dtype=torch.long)
        for row, choice in enumerate(flat):
            suffix[row, : len(choice)] = torch.tensor(choice)
            suffix_mask[row, : len(choice)] = 1
        suffix, suffix_mask = suffix.to(device), suffix_mask.to(device)
        cache = prompt_pass.past_key_values
        cache.reorder_cache(owner)
        lengths = mask.sum(1)[owner]  # (rows)
        suffix_positions = lengths[:, None] + torch.arange(longest, device=device)
        suffix_pass = model(
            input_ids=suffix,
            attention_mask=torch.cat([mask[owner], suffix_mask], dim=1),
            position_ids=suffix_positions,
            past_key_values=cache,
            use_cache=True,
            output_hidden_states=layers is not None,
        )
        if longest > 1:
            later = suffix_pass.logits[:, :-1].float().log_softmax(-1)
            gathered = later.gather(-1, suffix[:, 1:, None]).squeeze(-1)  # (rows, longest - 1)
            row_scores = row_scores + (gathered * suffix_mask[:, 1:]).sum(1)
        if layers is not None:
            last = suffix_mask.sum(1) - 1  # (rows)
            rows = torch.arange(len(flat), device=device)
            picked = torch.stack(
                [suffix_pass.hidden_states[layer][rows, last] for layer in layers], dim=1
            )  # (rows, layers, width)
            states = picked.new_zeros((len(items), most, *picked.shape[1:]))
            states[owner, slot] = picked

    scores = row_scores.new_full((len(items), most), -torch.inf)
    return ScoredBatch(scores.index_put((owner, slot), row_scores), states)


@torch.no_grad()
def score_items(
    loaded: LoadedModel,
    items: Sequence[EncodedItem],
    tokens_per_batch: int = TOKENS_PER_BATCH,
    model: PreTrainedModel | None = None,
) -> Tensor:
    """Summed log-probability of every choice: (items, most choices), -inf where there is none.

    `model` stands in for `loaded.model`, for instance one with an adapter.
    """
    model = model if model is not None else loaded.model
    padding_id = int(loaded.tokenizer.pad_token_id or 0)
    most = max(len(item.choices) for item in items)
    scores = torch.full((len(items), most), -torch.inf)
    for batch in batches_by_length(items, tokens_per_batch):
        scored = score_batch(model, [items[i] for i in batch], padding_id).log_probabilities
        scores[torch.tensor(batch), : scored.shape[1]] = scored.float().cpu()
    return scores
