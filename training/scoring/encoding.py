"""Items as token ids: prompts and answers tokenised in batches, examples dropped where too long."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from transformers import PreTrainedTokenizerBase

from annotation.errors import InputError
from training.models.load import LoadedModel
from training.prompts import DEFAULT_PROMPT, Example, Prompt

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncodedItem:
    """Token ids of one prompt and of its choices' texts.

    `characters` (choices,) counts those of each answer's text, as character-normalised scores
    need it.
    """

    prompt: list[int]
    choices: list[list[int]]
    characters: tuple[int, ...] = ()
    item_id: str = field(default="", compare=False)

    @property
    def tokens(self) -> int:
        """Tokens of the prompt and the longest choice."""
        return len(self.prompt) + max(len(choice) for choice in self.choices)

    @property
    def all_tokens(self) -> int:
        """Tokens of the prompt and of all choices."""
        return len(self.prompt) + sum(len(choice) for choice in self.choices)


@dataclass(frozen=True)
class Encoding:
    """`items` in order, all after the same `examples`, of which the last `dropped` did not fit."""

    items: list[EncodedItem]
    examples: tuple[Example, ...]
    dropped: int


def encode_item(
    tokenizer: PreTrainedTokenizerBase,
    question: str,
    choices: Sequence[str],
    prompt: Prompt = DEFAULT_PROMPT,
    examples: Sequence[Example] = (),
) -> EncodedItem:
    """Tokenise one item; see `encode_items`."""
    return _encode(tokenizer, [question], [choices], [""], prompt, examples)[0]


def encode_items(
    loaded: LoadedModel,
    questions: Sequence[str],
    choices: Sequence[Sequence[str]],
    item_ids: Sequence[str],
    prompt: Prompt = DEFAULT_PROMPT,
    examples: Sequence[Example] = (),
) -> list[EncodedItem]:
    """Tokenise many items; see `encode_with_examples`, whose items these are."""
    return encode_with_examples(loaded, questions, choices, item_ids, prompt, examples).items


def encode_with_examples(
    loaded: LoadedModel,
    questions: Sequence[str],
    choices: Sequence[Sequence[str]],
    item_ids: Sequence[str],
    prompt: Prompt = DEFAULT_PROMPT,
    examples: Sequence[Example] = (),
) -> Encoding:
    """Tokenise many items after the same worked examples.

    An answer is tokenised as it stands in one text with its prompt, or by itself where the
    prompt's `answers_apart` says so or the tokenizer merges across the border. Where an item does
    not fit the model's context, the last examples are dropped for all items until every one fits
    (Hase et al. 2024, section 3.1).

    Raises
    ------
    InputError
        If an item, named, does not fit the context without any example or has a choice of no
        tokens, or an encoder is given examples.
    """
    if examples and loaded.kind == "encoder":
        raise InputError(
            f"model '{loaded.name}': an encoder cannot read in-context examples; use a decoder "
            "(causal) language model, or the method 'probe'."
        )
    kept = tuple(examples)
    tokenizer, limit = loaded.tokenizer, loaded.context_length
    while True:
        items = _encode(tokenizer, questions, choices, item_ids, prompt, kept)
        for item in items:
            if not all(item.choices):
                raise InputError(
                    f"item '{item.item_id}': choice {item.choices.index([]) + 1} is empty for the "
                    f"tokenizer of model '{loaded.name}'; give every choice a text."
                )
        longest = max(range(len(items)), key=lambda index: items[index].tokens, default=None)
        if longest is None or items[longest].tokens <= limit:
            break
        if not kept:
            raise _too_long(loaded, next(item for item in items if item.tokens > limit))
        # The same examples stand before all items, so the longest item is the longest for any
        # number of them: the others wait until it fits.
        tokens = items[longest].tokens
        while kept and tokens > limit:
            kept = kept[:-1]
            alone = encode_item(tokenizer, questions[longest], choices[longest], prompt, kept)
            tokens = alone.tokens
    dropped = len(examples) - len(kept)
    if dropped:
        logger.warning(
            "model '%s' reads at most %d tokens: the last %d of %d in-context examples are left "
            "out, so that every item fits.",
            loaded.name,
            limit,
            dropped,
            len(examples),
        )
    return Encoding(items, kept, dropped)


def _too_long(loaded: LoadedModel, item: EncodedItem) -> InputError:
    limit = loaded.context_length
    answer = item.tokens - len(item.prompt)
    what = (
        f"its longest choice alone takes {answer} tokens"
        if answer > limit
        else f"prompt and choice take {item.tokens} tokens"
    )
    return InputError(
        f"item '{item.item_id}': {what}, model '{loaded.name}' reads at most {limit}; shorten the "
        "item or use another model."
    )


def _encode(
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[str],
    choices: Sequence[Sequence[str]],
    item_ids: Sequence[str],
    prompt: Prompt,
    examples: Sequence[Example],
) -> list[EncodedItem]:
    pairs = list(zip(questions, choices, strict=True))
    # Examples end in a blank line, far from the answer: the answer's tokens do not depend on them.
    queries = [prompt.text(question, own) for question, own in pairs]
    bare = encode_prompts(tokenizer, queries)
    answers = _encode_answers(tokenizer, queries, bare, choices, prompt)
    texts = [prompt.text(question, own, examples) for question, own in pairs]
    prompts = encode_prompts(tokenizer, texts) if examples else bare
    return [
        EncodedItem(ids, own_answers, tuple(len(text) for text in own), item_id)
        for ids, own_answers, own, item_id in zip(prompts, answers, choices, item_ids, strict=True)
    ]


def _encode_answers(
    tokenizer: PreTrainedTokenizerBase,
    queries: Sequence[str],
    encoded_queries: Sequence[list[int]],
    choices: Sequence[Sequence[str]],
    prompt: Prompt,
) -> list[list[list[int]]]:
    """Token ids of every answer: (items, choices, tokens)."""
    own = [[prompt.answer(choice) for choice in texts] for texts in choices]
    found: list[list[list[int]]] = [[[] for _ in texts] for texts in own]
    apart = [(i, k) for i, texts in enumerate(own) for k in range(len(texts))]
    if not prompt.answers_apart:
        wholes = encode_prompts(tokenizer, [queries[i] + own[i][k] for i, k in apart])
        for (i, k), whole in zip(apart, wholes, strict=True):
            length = len(encoded_queries[i])
            if whole[:length] == encoded_queries[i]:
                found[i][k] = whole[length:]
    apart = [(i, k) for i, k in apart if not found[i][k]]
    if apart:
        alone = tokenizer([own[i][k] for i, k in apart], add_special_tokens=False)["input_ids"]
        for (i, k), ids in zip(apart, alone, strict=True):
            found[i][k] = list(ids)
    return found


def encode_prompts(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts, an end token that closes them left out: more will follow."""
    if not texts:
        return []
    encoded = [list(ids) for ids in tokenizer(list(texts))["input_ids"]]
    for ids in encoded:
        while len(ids) > 1 and ids[-1] == tokenizer.eos_token_id:
            ids.pop()
    return encoded
