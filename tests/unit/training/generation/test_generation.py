"""Answers equal those of a plain greedy loop, and stop where they are complete."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from annotation.errors import InputError
from training.generation import generate
from training.generation.answer_extraction import answer_end
from training.generation.generate import (
    GeneratedAnswer,
    generate_answers,
    generation_budget_of,
)
from training.generation.shared_prefix import run_generation_prefix
from training.models.load import LoadedModel, load_model
from training.models.source import find_model
from training.scoring.encoding import encode_prompts
from training.scoring.prefix import LEAST_SHARED
from training.scoring.token_budget import TokenBudget, budget_of

MOST = 12
EXAMPLES = "Q: red green blue plum pear goat one two three\nA: yes so the answer is no\n\nQ: "
# Rests of very different lengths: padded by less than the examples are long, and by more.
RESTS = (
    "goat?\nA:",
    "how is one red goat?\nA:",
    "two?\nA:",
    *(f"{'word ' * n}?\nA:" for n in (10, 15, 13)),
)


def slow_answer(loaded: LoadedModel, model: PreTrainedModel, prompt: str) -> str:
    """One token after the other, each from the whole sequence, by itself and without a cache."""
    ids = list(loaded.tokenizer(prompt)["input_ids"])
    start = len(ids)
    with torch.no_grad():
        for _ in range(MOST):
            logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
            ids.append(int(logits.argmax()))
            if ids[-1] == loaded.tokenizer.eos_token_id:
                break
    return str(loaded.tokenizer.decode(ids[start:], skip_special_tokens=True))


@pytest.mark.parametrize("tokens_at_once", [1, 350, 8192])
@pytest.mark.parametrize("share_prefix", [True, False])
def test_answers_equal_the_slow_twin(
    decoder: LoadedModel, share_prefix: bool, tokens_at_once: int
) -> None:
    prompts = [EXAMPLES + rest for rest in RESTS]
    fast = generate_answers(
        decoder,
        prompts,
        MOST,
        budget=TokenBudget(tokens_at_once),
        stop_at_answer=False,
        share_prefix=share_prefix,
    )
    slow = [slow_answer(decoder, decoder.model, prompt) for prompt in prompts]
    assert [answer.text for answer in fast] == slow
    assert len(set(slow)) > 1  # the prompts make a difference


def test_the_examples_run_once(decoder: LoadedModel) -> None:
    encoded = encode_prompts(decoder.tokenizer, [EXAMPLES + rest for rest in RESTS])
    length = len(encode_prompts(decoder.tokenizer, [EXAMPLES])[0])
    prefix = run_generation_prefix(decoder.model, encoded)
    assert prefix is not None
    # The space after "Q:" joins the words "goat" and "two", but not all the others.
    assert LEAST_SHARED <= length - 1 <= prefix.length <= length
    assert max(map(len, encoded)) - min(map(len, encoded)) > prefix.length
    read: list[int] = []
    with torch.no_grad(), count_tokens(decoder.model, read):
        generate_answers(decoder, [EXAMPLES + rest for rest in RESTS], 1, stop_at_answer=False)
    assert read == [prefix.length, len(RESTS) * (max(map(len, encoded)) - prefix.length)]


def test_the_cache_is_what_a_whole_pass_would_leave(decoder: LoadedModel) -> None:
    encoded = encode_prompts(decoder.tokenizer, [EXAMPLES + rest for rest in RESTS])
    prefix = run_generation_prefix(decoder.model, encoded)
    assert prefix is not None
    width = max(map(len, encoded))
    padding = [width - len(ids) for ids in encoded]
    assert min(padding) == 0
    assert any(0 < pad < prefix.length for pad in padding)
    assert max(padding) > prefix.length
    ids = torch.tensor([[0] * pad + ids for pad, ids in zip(padding, encoded, strict=True)])
    mask = (torch.arange(width) >= torch.tensor(padding)[:, None]).long()
    places = (mask.cumsum(1) - 1).clamp(min=0)
    cache, length = prefix.cache(padding), prefix.length
    with torch.no_grad():
        whole = decoder.model(input_ids=ids, attention_mask=mask, position_ids=places)
        rest = decoder.model(
            input_ids=ids[:, length:],
            attention_mask=mask,
            position_ids=places[:, length:],
            past_key_values=cache,
        )
    own = mask[:, length:].bool()
    expected, found = whole.logits[:, length:][own], rest.logits[own]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert expected.std() > 0.1


class count_tokens:  # noqa: N801 - used as a verb
    """Notes how many tokens each pass through a model reads."""

    def __init__(self, model: PreTrainedModel, read: list[int]) -> None:
        def note(_: Any, __: Any, output: Any) -> None:
            read.append(int(output.shape[:2].numel()))

        self._embedding, self._note = model.get_input_embeddings(), note

    def __enter__(self) -> None:
        self._hook = self._embedding.register_forward_hook(self._note)

    def __exit__(self, *_: object) -> None:
        self._hook.remove()


@pytest.mark.parametrize(
    "prompts",
    [["one prompt alone " * 5], ["a b c", "a b d"], ["x" * 40, "y" * 40]],
    ids=["one", "short", "different"],
)
def test_nothing_to_share(llama: LoadedModel, prompts: list[str]) -> None:
    encoded = encode_prompts(llama.tokenizer, prompts)
    assert run_generation_prefix(llama.model, encoded) is None


def test_one_prompt_is_the_beginning_of_another(llama: LoadedModel) -> None:
    prompts = [EXAMPLES, EXAMPLES + "goat?\nA:"]
    fast = generate_answers(llama, prompts, MOST, stop_at_answer=False)
    slow = [slow_answer(llama, llama.model, prompt) for prompt in prompts]
    assert [answer.text for answer in fast] == slow


def test_a_recurrent_model_reads_prompts_whole(llama: LoadedModel) -> None:
    torch.manual_seed(4)
    config = MambaConfig(
        vocab_size=len(llama.tokenizer), hidden_size=32, num_hidden_layers=2, initializer_range=0.3
    )
    recurrent = replace(llama, model=MambaForCausalLM(config).eval())
    prompts = [EXAMPLES + rest for rest in RESTS[:2]]
    assert run_generation_prefix(recurrent.model, encode_prompts(llama.tokenizer, prompts)) is None
    fast = generate_answers(recurrent, prompts, MOST, stop_at_answer=False)
    slow = [slow_answer(recurrent, recurrent.model, prompt) for prompt in prompts]
    assert [answer.text for answer in fast] == slow


@pytest.fixture
def adapted(llama_folder: Path) -> tuple[LoadedModel, PreTrainedModel]:
    """A model of its own with an adapter that changes what it says."""
    loaded = load_model(find_model(str(llama_folder)), device="cpu")
    torch.manual_seed(5)
    adapter = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    return loaded, get_peft_model(loaded.model, adapter).eval()


def test_a_model_with_an_adapter_may_stand_in(
    llama: LoadedModel, adapted: tuple[LoadedModel, PreTrainedModel]
) -> None:
    loaded, model = adapted
    prompts = [EXAMPLES + rest for rest in RESTS]
    fast = generate_answers(loaded, prompts, MOST, model=model, stop_at_answer=False)
    slow = [slow_answer(loaded, model, prompt) for prompt in prompts]
    assert [answer.text for answer in fast] == slow
    assert slow != [slow_answer(llama, llama.model, prompt) for prompt in prompts]


# What a scripted model says after the last word of its prompt, piece by piece.
SCRIPTS = {
    " sentence": [" Two and two.", " So the answer is", " 4", ".", " More", "\n\nQ:", " and more"],
    " line": [" so", " the answer is", " 1,2", "00.5", " apples\n", "Right?", " the answer is 7"],
    # A solution in two paragraphs.
    " blank": [" No idea", ".\n", "\n", " thus the answer is 8.\n", " the answer is 9.\n"],
    " next": [" No", "\nQuestion", ": what?", " the answer is 6"],
    " end": [" the answer", " is 3", "</s>"],
    " long": [" well"],
}
STOPPED = {
    " sentence": GeneratedAnswer(" Two and two. So the answer is 4.", 5, True),
    " line": GeneratedAnswer(" so the answer is 1,200.5 apples", 5, True),
    " blank": GeneratedAnswer(" No idea.\n\n thus the answer is 8.", 4, True),
    " next": GeneratedAnswer(" No", 3, True),
    " end": GeneratedAnswer(" the answer is 3", 2, True),
    " long": GeneratedAnswer(" well" * 20, 20, False),
}


def write_scripted(folder: Path) -> Path:
    """A Llama that says, after each piece of a script, the next one, and the last for ever.

    Its layers add nothing: a token's state is its own unit vector, its successor's output weight.
    """
    pieces = ["<pad>", "<s>", "</s>", "say", *SCRIPTS]
    pieces += [piece for script in SCRIPTS.values() for piece in script if piece != "</s>"]
    ids = {piece: index for index, piece in enumerate(pieces)}
    assert len(ids) == len(pieces)
    tokenizer = Tokenizer(models.WordLevel(vocab=ids, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?\S+"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    width = -(-len(pieces) // 8) * 8
    config = LlamaConfig(
        vocab_size=len(pieces),
        hidden_size=width,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=64,
        tie_word_embeddings=False,
        eos_token_id=ids["</s>"],
        pad_token_id=ids["<pad>"],
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.model.layers[0].self_attn.o_proj.weight.zero_()
        model.model.layers[0].mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(len(pieces), width))
        model.lm_head.weight.zero_()
        for word, script in SCRIPTS.items():
            for piece, following in zip([word, *script], [*script, script[-1]], strict=True):
                model.lm_head.weight[ids[following], ids[piece]] = 1.0
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = write_scripted(tmp_path_factory.mktemp("models") / "scripted")
    return load_model(find_model(str(folder)), device="cpu")


def say(loaded: LoadedModel, words: Sequence[str], **options: Any) -> list[GeneratedAnswer]:
    prompts = [f"{'say ' * index}say{word}" for index, word in enumerate(words)]
    return generate_answers(loaded, prompts, 20, **options)


@pytest.mark.parametrize("tokens_at_once", [1, 60, 8192])
def test_every_row_stops_at_its_own_answer(scripted: LoadedModel, tokens_at_once: int) -> None:
    words = list(SCRIPTS)
    found = say(scripted, words, budget=TokenBudget(tokens_at_once))
    assert dict(zip(words, found, strict=True)) == STOPPED


def test_the_batch_ends_with_its_last_row(scripted: LoadedModel) -> None:
    read: list[int] = []
    words = [" line", " end", " sentence"]
    with count_tokens(scripted.model, read):
        assert say(scripted, words) == [STOPPED[word] for word in words]
    assert len(read) == 5  # one pass a token: the longest answer takes five, the limit is 20


def test_without_stopping_texts_come_whole(scripted: LoadedModel) -> None:
    for word, answer in zip(
        SCRIPTS, say(scripted, list(SCRIPTS), stop_at_answer=False), strict=True
    ):
        assert answer.text.startswith(STOPPED[word].text)
        assert answer.text[: answer_end(answer.text)] == STOPPED[word].text
        assert answer.finished == (word == " end")
        assert answer.tokens == (2 if word == " end" else 20)


def test_an_end_token_that_only_the_checkpoint_names(
    scripted: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    idea = scripted.tokenizer.convert_tokens_to_ids(" No idea")
    monkeypatch.setattr(scripted.model.generation_config, "eos_token_id", [2, idea])
    assert say(scripted, [" blank"]) == [GeneratedAnswer("", 0, True)]


def test_settings_of_the_checkpoint_are_set_aside(
    llama: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = [EXAMPLES + rest for rest in RESTS[:2]]
    plain = generate_answers(llama, prompts, MOST)
    own = llama.model.generation_config
    for name, value in {"repetition_penalty": 9.0, "do_sample": True, "min_new_tokens": 9}.items():
        monkeypatch.setattr(own, name, value)
    assert generate_answers(llama, prompts, MOST) == plain
    assert llama.model.generation_config is own


def test_progress(scripted: LoadedModel) -> None:
    told: list[tuple[int, int, int]] = []
    say(scripted, [" end"] * 3, budget=TokenBudget(1), progress=lambda *now: told.append(now))
    assert [now[:2] for now in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[2][2] == 3 * told[0][2] > 0
    assert generate_answers(scripted, [], 20) == []


def test_a_prompt_that_leaves_no_room(scripted: LoadedModel) -> None:
    prompts = ["say end", "say " * 50 + "say end"]
    with pytest.raises(InputError) as error:
        generate_answers(scripted, prompts, 20, item_ids=["a", "b"])
    assert str(error.value) == (
        f"item 'b': its prompt takes 52 tokens and its answer up to 20, model '{scripted.name}' "
        "reads at most 64; shorten the item, lower most_tokens, or use another model."
    )
    assert len(generate_answers(scripted, prompts, 12)) == 2


@pytest.fixture
def room_for(scripted: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """`room_for(rows)` makes larger batches run out of memory; returns the sizes tried."""

    monkeypatch.setattr(generate, "_budgets", WeakKeyDictionary())  # what is remembered ends here

    def limit(rows: int) -> list[int]:
        tried: list[int] = []
        whole_generate = scripted.model.generate

        def short_of_memory(ids: torch.Tensor, **options: Any) -> torch.Tensor:
            tried.append(len(ids))
            if len(ids) > rows:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
            answered: torch.Tensor = whole_generate(ids, **options)
            return answered

        monkeypatch.setattr(scripted.model, "generate", short_of_memory)
        return tried

    return limit


def test_smaller_batches_where_memory_runs_out(
    scripted: LoadedModel, room_for: Callable[[int], list[int]]
) -> None:
    tried = room_for(2)
    words = list(SCRIPTS)
    assert dict(zip(words, say(scripted, words), strict=True)) == STOPPED
    assert tried[0] == 6
    assert set(tried[-2:]) <= {1, 2}


def test_a_model_remembers_how_much_it_could_generate_at_once(
    scripted: LoadedModel, room_for: Callable[[int], list[int]]
) -> None:
    tried = room_for(2)
    words = list(SCRIPTS)
    say(scripted, words)
    tried.clear()
    wrapped = get_peft_model(scripted.model, LoraConfig(r=2, target_modules=["q_proj"]))
    try:
        found = say(scripted, words, model=wrapped)  # with an adapter it is the same model
    finally:
        wrapped.unload()
    assert dict(zip(words, found, strict=True)) == STOPPED
    assert max(tried) <= 2
    assert generation_budget_of(wrapped) is generation_budget_of(scripted.model)
    assert generation_budget_of(scripted.model) is not budget_of(scripted.model)


def test_no_memory_for_a_single_row(
    scripted: LoadedModel, room_for: Callable[[int], list[int]]
) -> None:
    room_for(0)
    with pytest.raises(InputError, match="does not fit into memory"):
        say(scripted, [" end", " line"])
