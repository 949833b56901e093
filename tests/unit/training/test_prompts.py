"""The prompt, letter for letter."""

from training.prompts import choice_prompt


def test_prompt() -> None:
    assert choice_prompt("How many?", ["one apple", "two"]) == (
        "Question: How many?\nA) one apple\nB) two\nAnswer:"
    )
