"""Prompts, by the version that enters a trial's key.

The four templates are those of Hase et al. 2024 under their own numbers:

- 0040: choices are listed by letter, the answer is a choice's TEXT;
- 0306: question and answer alone;
- 0305: question, reasoning, answer (chain of thought);
- 5305: 0305 after an instruction, for a zero-shot chain of thought.

Each comes in two modes. "mended" is ours: no space before a line break, and the answer follows
"Answer:" after one space as in running text. "paper" keeps the released code's spacing for
comparison: worked examples have a space before the line of the answer where the tested item has
none, models whose name lacks "llama" are given a space after "Answer:", and answers are tokenised
apart from their prompt. The instruction of 5305 is worded by us in both modes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice, product
from string import ascii_uppercase

from annotation.errors import InputError

# How a reasoned answer introduces its result; the extraction of answers looks for it.
ANSWER_CUE = "the answer is"

_WORKSHEET = (
    "Solve the word problem below. Write down your reasoning step by step, and end with a "
    f"sentence that gives the result, such as: So {ANSWER_CUE} 12"
)


@dataclass(frozen=True)
class Example:
    """A worked example for in-context learning; `answer` is the text of its label."""

    question: str
    answer: str
    choices: tuple[str, ...] = ()
    reasoning: str = ""


@dataclass(frozen=True)
class Prompt:
    """How an item is put to a model.

    `answers_apart` says that an answer is tokenised by itself, without the space that otherwise
    stands between prompt and answer.
    """

    version: str
    question_label: str
    answer_label: str
    lists_choices: bool = False
    reasons: bool = False
    instruction: str = ""
    question_ends_in_space: bool = False
    example_ends_in_space: bool = False
    query_ends_in_space: bool = False
    answers_apart: bool = False

    def query(self, question: str, choices: Sequence[str] = ()) -> str:
        """The tested item, up to the place where its answer follows."""
        text = self._asked(question, choices) + f"\n{self.answer_label}"
        return text + " " if self.query_ends_in_space else text

    def example(self, example: Example) -> str:
        """A worked example, its answer included.

        Raises InputError if the prompt shows reasoning and the example has none.
        """
        answer = example.answer
        if self.reasons:
            if not example.reasoning.strip():
                raise InputError(
                    f"prompt {self.version} shows reasoning, but the example "
                    f"'{example.question[:60]}' has none; bring items with a 'reasoning' column."
                )
            answer = reasoned_answer(example.reasoning, answer)
        asked = self._asked(example.question, example.choices)
        space = " " if self.example_ends_in_space else ""
        return f"{asked}{space}\n{self.answer_label} {answer}"

    def text(
        self, question: str, choices: Sequence[str] = (), examples: Sequence[Example] = ()
    ) -> str:
        """Instruction, worked examples and the tested item, apart by one blank line."""
        query = self.query(question, choices)
        if self.instruction:
            query = f"{self.instruction}\n{query}"
        return "\n\n".join([*(self.example(example) for example in examples), query])

    def answer(self, text: str) -> str:
        """An answer as it follows the prompt."""
        return text if self.answers_apart else f" {text}"

    def _asked(self, question: str, choices: Sequence[str]) -> str:
        text = f"{self.question_label} {question}"
        if not self.lists_choices:
            return text
        space = " " if self.question_ends_in_space else ""
        letters = islice(_letters(), len(choices))
        listed = (f"{letter}) {choice}" for letter, choice in zip(letters, choices, strict=True))
        return "\n".join([text + space, *listed])


def reasoned_answer(reasoning: str, answer: str) -> str:
    """Reasoning and the answer it ends in, as worked examples and training targets have it."""
    return f"{reasoning.strip()} So {ANSWER_CUE} {answer}"


_MENDED = {
    "0040": Prompt("0040-mended", "Question:", "Answer:", lists_choices=True),
    "0306": Prompt("0306-mended", "Q:", "A:"),
    "0305": Prompt("0305-mended", "Q:", "A:", reasons=True),
    "5305": Prompt("5305-mended", "Q:", "A:", reasons=True, instruction=_WORKSHEET),
}
DEFAULT_PROMPT = _MENDED["0040"]
PROMPT_VERSION = DEFAULT_PROMPT.version
PROMPT_VERSIONS = tuple(f"{number}-{mode}" for number in _MENDED for mode in ("mended", "paper"))


def find_prompt(version: str, model: str = "") -> Prompt:
    """The prompt of a version such as "0040-mended" or "0306-paper".

    `model` is the model's name, on which the paper's spacing depends.

    Raises InputError if there is no such version.
    """
    if version not in PROMPT_VERSIONS:
        raise InputError(
            f"prompt '{version}' does not exist; choose one of {', '.join(PROMPT_VERSIONS)}."
        )
    number, _, mode = version.partition("-")
    prompt = _MENDED[number]
    if mode == "mended":
        return prompt
    return replace(
        prompt,
        version=version,
        question_ends_in_space=prompt.lists_choices,
        example_ends_in_space=not prompt.reasons,
        query_ends_in_space="llama" not in model.lower(),
        answers_apart=True,
    )


def choice_prompt(question: str, choices: Sequence[str]) -> str:
    """The default prompt of one item; the answer follows after one space."""
    return DEFAULT_PROMPT.text(question, choices)


def _letters() -> Iterator[str]:
    """A to Z, then AA, AB and so on."""
    for length in count(1):
        for letters in product(ascii_uppercase, repeat=length):
            yield "".join(letters)
