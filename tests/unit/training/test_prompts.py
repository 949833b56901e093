"""The prompts, letter for letter."""

import pytest

from annotation.errors import InputError
from training.prompts import Example, choice_prompt, find_prompt

APPLES = Example("How many?", "two", ("one apple", "two"))
SUM = Example("What is 1 + 1?", "2", reasoning="One and one make two. ")


def test_prompt() -> None:
    assert choice_prompt("How many?", ["one apple", "two"]) == (
        "Question: How many?\nA) one apple\nB) two\nAnswer:"
    )


def test_listed_choices_mended() -> None:
    prompt = find_prompt("0040-mended")
    assert prompt.text("Which?", ["this", "that"], [APPLES]) == (
        "Question: How many?\nA) one apple\nB) two\nAnswer: two\n\n"
        "Question: Which?\nA) this\nB) that\nAnswer:"
    )
    assert prompt.answer("that") == " that"


def test_listed_choices_as_in_the_paper() -> None:
    prompt = find_prompt("0040-paper", "Llama-2-7b")
    assert prompt.text("Which?", ["this", "that"], [APPLES]) == (
        "Question: How many? \nA) one apple\nB) two \nAnswer: two\n\n"
        "Question: Which? \nA) this\nB) that\nAnswer:"
    )
    assert prompt.answer("that") == "that"
    assert find_prompt("0040-paper", "Mistral-7B").query("Which?", ["this"]).endswith("Answer: ")


def test_question_alone() -> None:
    assert find_prompt("0306-mended").text("Which?", [], [APPLES]) == (
        "Q: How many?\nA: two\n\nQ: Which?\nA:"
    )
    assert find_prompt("0306-paper", "llama").text("Which?", [], [APPLES]) == (
        "Q: How many? \nA: two\n\nQ: Which?\nA:"
    )


@pytest.mark.parametrize("version", ["0305-mended", "0305-paper"])
def test_chain_of_thought(version: str) -> None:
    assert find_prompt(version, "llama").text("Which?", examples=[SUM]) == (
        "Q: What is 1 + 1?\nA: One and one make two. So the answer is 2\n\nQ: Which?\nA:"
    )


def test_instruction_comes_first() -> None:
    text = find_prompt("5305-mended").text("Which?")
    assert text.startswith("Solve the word problem below.")
    assert text.endswith("\nQ: Which?\nA:")


def test_an_example_without_reasoning_is_refused() -> None:
    with pytest.raises(InputError, match=r"'How many\?' has none"):
        find_prompt("0305-mended").example(APPLES)


def test_unknown_version() -> None:
    with pytest.raises(InputError, match="prompt '0041-mended' does not exist; choose one of 0040"):
        find_prompt("0041-mended")
