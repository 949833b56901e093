"""What a chain of thought gets right, for free-form items and for choices."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.validate import validate_items
from training.generation import chain_of_thought
from training.generation.chain_of_thought import (
    ChainOfThought,
    chain_of_thought_correct,
    reasoned_texts,
)
from training.generation.generate import GeneratedAnswer, generate_answers
from training.models.load import LoadedModel
from training.prompts import Example, find_prompt

PROMPT = find_prompt("0305-mended")
EXAMPLE = Example("What is 1 + 1?", "2", reasoning="One and one.\n\nThat is two.")


def free_form(*answers: str) -> pd.DataFrame:
    rows = [
        {"item_id": f"i{k}", "question": f"sum {k}?", "choices": [], "answer_text": answer}
        for k, answer in enumerate(answers)
    ]
    return validate_items(pd.DataFrame(rows), "made")


def yes_no(*answers: int, reasoning: str | None = "It is so.") -> pd.DataFrame:
    rows = [
        {
            "item_id": f"i{k}",
            "question": f"is it {k}?",
            "choices": ["yes", "no"],
            "answer": answer,
            "reasoning": reasoning,
        }
        for k, answer in enumerate(answers)
    ]
    return validate_items(pd.DataFrame(rows), "made")


Asked = tuple[list[str], int, dict[str, Any]]


@pytest.fixture
def model_says(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Asked]]:
    """`model_says("text", ...)` scripts the answers; returns what was asked for, call by call."""

    def script(*texts: str, finished: bool = True) -> list[Asked]:
        asked: list[Asked] = []

        def answers(
            _: LoadedModel, prompts: Sequence[str], most_tokens: int, **options: Any
        ) -> list[GeneratedAnswer]:
            asked.append((list(prompts), most_tokens, options))
            return [GeneratedAnswer(text, len(text.split()), finished) for text in texts]

        monkeypatch.setattr(chain_of_thought, "generate_answers", answers)
        return asked

    return script


def with_context(loaded: LoadedModel, tokens: int) -> LoadedModel:
    copy = replace(loaded)
    copy.__dict__["context_length"] = tokens
    return copy


def test_free_form_numbers(llama: LoadedModel, model_says: Callable[..., list[Asked]]) -> None:
    asked = model_says("So the answer is 1200.", "So the answer is 5", "It is 7", "the answer is 9")
    wide = with_context(llama, 400)
    found = chain_of_thought_correct(wide, free_form("1,200", "-5", "7", "9.0"), [], PROMPT)
    assert found.correct.tolist() == [True, False, False, True]
    assert found.predicted == ["1200", "5", None, "9"]
    assert found.details == {
        "no_answer_share": 0.25,
        "cut_off_share": 0.0,
        "tokens_per_item": 4.25,
        "examples": 0.0,
        "dropped_examples": 0.0,
    }
    assert asked[0][:2] == ([f"Q: sum {k}?\nA:" for k in range(4)], 300)
    assert asked[0][2]["item_ids"] == ["i0", "i1", "i2", "i3"]


@pytest.mark.parametrize(("context", "limit"), [(313, 300), (312, 156), (40, 20), (20, 7), (13, 1)])
def test_the_default_limit_gives_way_to_a_small_context(
    llama: LoadedModel,
    model_says: Callable[..., list[Asked]],
    caplog: pytest.LogCaptureFixture,
    context: int,
    limit: int,
) -> None:
    """The longest prompt takes 13 tokens: what is left, at most half the context."""
    asked = model_says("So the answer is 1", "So the answer is 2")
    small = with_context(llama, context)
    chain_of_thought_correct(small, free_form("1", "2"), [], PROMPT)
    assert asked[0][1] == limit
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"model '{llama.name}' reads at most {context} tokens: answers are cut off at {limit} "
        "tokens, not 300."
    ] * (limit < 300)
    chain_of_thought_correct(small, free_form("1", "2"), [], PROMPT, most_tokens=300)
    assert asked[1][1] == 300  # a limit that was asked for stands, or is refused


def test_a_small_context_has_room_for_examples_too(
    llama: LoadedModel, model_says: Callable[..., list[Asked]]
) -> None:
    asked = model_says("So the answer is 1")
    found = chain_of_thought_correct(llama, free_form("1"), [EXAMPLE], PROMPT)
    assert asked[0][1] == 96
    assert found.details["examples"] == 1


def test_a_limit_that_does_not_fit_is_refused_when_asked_for(llama: LoadedModel) -> None:
    items = free_form("1")
    assert len(chain_of_thought_correct(llama, items, [], PROMPT).generated) == 1
    with pytest.raises(InputError, match=r"item 'i0': its prompt takes 13 .* lower most_tokens"):
        chain_of_thought_correct(llama, items, [], PROMPT, most_tokens=300)


def test_no_items(llama: LoadedModel) -> None:
    found = chain_of_thought_correct(llama, yes_no(0).iloc[:0], [EXAMPLE], PROMPT)
    assert found.correct.shape == (0,)


def test_free_form_texts(llama: LoadedModel, model_says: Callable[..., list[Asked]]) -> None:
    asked = model_says("So the answer is The Fox.", "So the answer is 5", finished=False)
    found = chain_of_thought_correct(llama, free_form("the fox", "6"), [], PROMPT, most_tokens=7)
    assert found.correct.tolist() == [True, False]
    assert found.details["cut_off_share"] == 1.0
    assert asked[0][1] == 7


def test_choices(llama: LoadedModel, model_says: Callable[..., list[Asked]]) -> None:
    asked = model_says("So the answer is No.", "So the answer is yes", "So the answer is maybe")
    found = chain_of_thought_correct(llama, yes_no(1, 1, 0), [EXAMPLE], PROMPT, most_tokens=80)
    assert found.correct.tolist() == [True, False, False]
    assert found.predicted == ["no", "yes", None]
    # A blank line in an example would look like its end.
    assert asked[0][0][0] == (
        "Q: What is 1 + 1?\nA: One and one.\nThat is two. So the answer is 2\n\nQ: is it 0?\nA:"
    )


def test_examples_that_do_not_fit_are_dropped_for_all_items(
    llama: LoadedModel, model_says: Callable[..., list[Asked]]
) -> None:
    """The context is 192 tokens, here one a byte."""
    items = yes_no(0, 1)
    items.loc[1, "question"] = "w" * 40
    examples = [Example("x" * 30, "a", reasoning="r"), Example("y" * 30, "b", reasoning="r")]
    longest = len(llama.tokenizer(PROMPT.text("w" * 40, (), examples))["input_ids"])
    for room, kept in ((longest, 2), (longest - 1, 1), (longest - 70, 0)):
        asked = model_says("So the answer is yes", "So the answer is yes")
        found = chain_of_thought_correct(llama, items, examples, PROMPT, most_tokens=192 - room)
        assert [prompt.count("\nA: r So") for prompt in asked[0][0]] == [kept, kept]
        assert ("x" * 30 in asked[0][0][0]) == (kept > 0)  # the last go first
        assert found.details["examples"] == kept
        assert found.details["dropped_examples"] == 2 - kept


def test_as_the_paper_reads_answers(
    llama: LoadedModel, model_says: Callable[..., list[Asked]]
) -> None:
    texts = ["So the answer is 1,200", "So the answer is 5 6-packs", "Hm", "the answer is 7\nQ: 8"]
    items = free_form("1,200", "5", "6", "7")

    def read(examples: list[Example], extraction: Literal["exact", "paper"]) -> ChainOfThought:
        return chain_of_thought_correct(
            llama, items, examples, PROMPT, most_tokens=80, extraction=extraction
        )

    asked = model_says(*texts)
    found = read([EXAMPLE], "paper")
    assert found.predicted == ["1200", "56", None, "7"]
    assert found.correct.tolist() == [False, False, False, True]
    assert read([], "paper").predicted[3] == "8"  # without examples the line's end is no end
    assert read([EXAMPLE], "exact").correct.tolist() == [True, True, False, True]
    assert [options["stop_at_answer"] for _, _, options in asked] == [False, False, True]


def test_with_a_model_in_earnest(llama: LoadedModel) -> None:
    items = yes_no(0, 1, 0)
    found = chain_of_thought_correct(llama, items, [EXAMPLE], PROMPT, most_tokens=9)
    prompts = [PROMPT.text(question, (), [EXAMPLE]) for question in items["question"]]
    prompts = [prompt.replace("one.\n\n", "one.\n") for prompt in prompts]
    assert found.generated == generate_answers(llama, prompts, 9)
    assert found.correct.shape == (3,)


def test_wrong_use(llama: LoadedModel, bert: LoadedModel) -> None:
    with pytest.raises(InputError, match="is an encoder, which generates no text"):
        chain_of_thought_correct(bert, yes_no(0), [], PROMPT)
    with pytest.raises(InputError, match="'0306-mended' shows no reasoning; take '0305-mended'"):
        chain_of_thought_correct(llama, yes_no(0), [], find_prompt("0306-mended"))
    with pytest.raises(InputError, match=r"'What\?' has none; bring items with a 'reasoning'"):
        chain_of_thought_correct(llama, yes_no(0), [Example("What?", "yes")], PROMPT)
    with pytest.raises(InputError, match="item 'i0': its prompt takes 15 tokens and its answer"):
        chain_of_thought_correct(llama, yes_no(0), [], PROMPT, most_tokens=190)


def test_texts_to_train_on() -> None:
    items = yes_no(0, 1, reasoning="First.\n\nSecond. ")
    assert reasoned_texts(items, ["yes", "yes"], PROMPT) == [
        ("Q: is it 0?\nA:", " First.\nSecond. So the answer is yes"),
        ("Q: is it 1?\nA:", " First.\nSecond. So the answer is yes"),
    ]
    apart = reasoned_texts(items, ["yes", "no"], find_prompt("0305-paper", "llama"))
    assert apart[1] == ("Q: is it 1?\nA:", "First.\nSecond. So the answer is no")
    with pytest.raises(InputError) as error:
        reasoned_texts(yes_no(0, reasoning=None), ["yes"], PROMPT)
    assert str(error.value) == (
        "item 'i0' has no reasoning to train a chain of thought on; set [qlora] objective = "
        "\"choices\", or give a column 'reasoning'."
    )
