"""Prompts, by the version that enters a trial's key."""

from collections.abc import Iterator, Sequence
from itertools import count, islice, product
from string import ascii_uppercase

# The paper's prompt 0040: choices are listed by letter, the answer is a choice's TEXT. Its
# spacing is mended: no space before a line break, and none after "Answer:".
PROMPT_VERSION = "0040-mended"


def choice_prompt(question: str, choices: Sequence[str]) -> str:
    """The prompt of one item; the answer follows after one space."""
    letters = islice(_letters(), len(choices))
    listed = "\n".join(f"{letter}) {text}" for letter, text in zip(letters, choices, strict=True))
    return f"Question: {question}\n{listed}\nAnswer:"


def _letters() -> Iterator[str]:
    """A to Z, then AA, AB and so on."""
    for length in count(1):
        for letters in product(ascii_uppercase, repeat=length):
            yield "".join(letters)
