"""Prompts, by the version that enters a trial's key."""

from collections.abc import Sequence
from string import ascii_uppercase

# The paper's prompt 0040: choices are listed by letter, the answer is a choice's TEXT. Its
# spacing is mended: no space before a line break, and none after "Answer:".
PROMPT_VERSION = "0040-mended"


def choice_prompt(question: str, choices: Sequence[str]) -> str:
    """The prompt of one item; the answer follows after one space."""
    listed = "\n".join(f"{ascii_uppercase[k]}) {text}" for k, text in enumerate(choices))
    return f"Question: {question}\n{listed}\nAnswer:"
