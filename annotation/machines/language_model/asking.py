"""Ask a language model about every item of a table, within a sum of money."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Protocol

import pandas as pd

from annotation.errors import InputError
from annotation.machines.language_model.answer_file import KeptAnswers
from annotation.machines.language_model.failures import AttemptError, Patience
from annotation.machines.language_model.question import Message, messages, request_name
from annotation.machines.language_model.reply import Completion, Reply, read_reply
from annotation.machines.language_model.tariff import Tariff, about_tokens, most_tokens

NO_MONEY: Final = "not asked: the money is used up"
_FAILURES_IN_A_ROW = 3  # items, after which the server is taken to be down


class AsksModel(Protocol):
    """What answers one request; `endpoint.Endpoint`, or what a test has in its place."""

    def ask(self, asked: Sequence[Message]) -> Completion:
        """Raises AttemptError if there is no answer."""
        ...


@dataclass(frozen=True)
class Questions:
    """What is asked of which model.

    Attributes
    ----------
    items : the item table, (items)
    url, model, instructions, longest_answer : as they are sent; the last in tokens
    """

    items: pd.DataFrame
    url: str
    model: str
    instructions: str
    longest_answer: int

    def __len__(self) -> int:
        return len(self.items)

    def requests(self) -> Iterator[tuple[str, list[Message], list[str]]]:
        """Of every item the request's name, the request, and the item's choices."""
        pairs = zip(self.items["question"], self.items["choices"], strict=True)
        for question, own in pairs:
            choices = [str(choice) for choice in own]
            asked = messages(self.instructions, str(question), choices)
            yield request_name(self.url, self.model, self.longest_answer, asked), asked, choices


@dataclass
class ModelAnswers:
    """What came of it.

    Attributes
    ----------
    labels, confidences : (items,); None where the model gave none
    reasons : why items have no answer, and how many
    kept : how many items had been answered before
    """

    labels: list[str | None] = field(default_factory=list)
    confidences: list[float | None] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    kept: int = 0

    def add(self, reply: Reply, choices: Sequence[str]) -> None:
        """Add what the next item got."""
        self.labels.append(None if reply.place is None else choices[reply.place])
        self.confidences.append(reply.confidence)
        if reply.place is None:
            self.reasons[reply.reason or ""] += 1


@dataclass(frozen=True)
class AskingForecast:
    """What asking would take, before anything is sent.

    Attributes
    ----------
    items, to_ask : of the table; of these, those that were not answered before, each request once
    tokens_in, tokens_out : about, of what is to be asked
    cost, most : about, and at the very most
    spent : by earlier runs
    """

    items: int
    to_ask: int
    tokens_in: int
    tokens_out: int
    cost: Fraction
    most: Fraction
    spent: Fraction


def forecast(questions: Questions, tariff: Tariff, kept: KeptAnswers | None) -> AskingForecast:
    """What asking would take; nothing is sent."""
    seen: set[str] = set()
    tokens_in = 0
    most = Fraction(0)
    for name, asked, choices in questions.requests():
        if name in seen or (kept is not None and kept.reply(name, len(choices)) is not None):
            continue
        seen.add(name)
        tokens_in += about_tokens(asked)
        most += tariff.cost(most_tokens(asked), questions.longest_answer)
    tokens_out = 2 * len(seen)  # a letter and the end
    each = Fraction(0) if tariff.per_item is None else Fraction(tariff.per_item)
    return AskingForecast(
        items=len(questions),
        to_ask=len(seen),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost=len(seen) * each
        if tariff.per_item is not None
        else tariff.cost(tokens_in, tokens_out),
        most=most,
        spent=Fraction(0) if kept is None else kept.spent,
    )


def ask_items(
    questions: Questions,
    model: AsksModel,
    kept: KeptAnswers,
    tariff: Tariff,
    most: Fraction | None,
    patience: Patience,
    advance: Callable[[], None],
) -> ModelAnswers:
    """Ask about every item that was not answered before, and keep each answer at once.

    Parameters
    ----------
    most
        Money that all runs with `kept` may spend together; None: no bound. No request is sent
        that could go beyond it.
    advance
        Told of every item.

    Raises
    ------
    InputError
        If the server refuses all requests, or answers none of three items in a row. What was
        answered is kept.
    """
    found = ModelAnswers()
    in_a_row = 0
    for name, asked, choices in questions.requests():
        reply = kept.reply(name, len(choices))
        if reply is not None:
            found.kept += 1
        elif NO_MONEY in found.reasons:  # a shorter item later on would be chosen by its length
            reply = Reply(None, reason=NO_MONEY)
        else:
            try:
                reply = _ask(questions, name, asked, choices, model, kept, tariff, most, patience)
                in_a_row = 0
            except AttemptError as error:
                in_a_row += 1
                if error.ends_all or in_a_row == _FAILURES_IN_A_ROW:
                    raise InputError(_sentence(questions, error)) from None
                reply = Reply(None, reason=error.reason)
        found.add(reply, choices)
        advance()
    return found


def _ask(
    questions: Questions,
    name: str,
    asked: Sequence[Message],
    choices: Sequence[str],
    model: AsksModel,
    kept: KeptAnswers,
    tariff: Tariff,
    most: Fraction | None,
    patience: Patience,
) -> Reply:
    """Ask about one item until it is answered, patience ends, or the money does."""
    at_most = tariff.cost(most_tokens(asked), questions.longest_answer)
    failures, first = 0, 0.0
    while True:
        if most is not None and kept.spent + at_most > most:
            return Reply(None, reason=NO_MONEY)
        number = kept.begin(name, at_most)
        try:
            completion = model.ask(asked)
        except AttemptError as error:
            if not error.may_have_cost:
                kept.not_charged(number)
            failures += 1
            now = patience.clock()
            first = now if failures == 1 else first
            if error.at_once:
                continue
            wait = patience.wait(failures, error.retry_after)
            if not error.may_pass or now + wait - first > patience.longest:
                raise
            patience.sleep(wait)
            continue
        reply = read_reply(completion, choices)
        tokens = completion.tokens_in, completion.tokens_out
        kept.answered(number, _cost(tariff, *tokens), tokens, reply)
        return reply


def _cost(tariff: Tariff, tokens_in: int | None, tokens_out: int | None) -> Fraction | None:
    if tokens_in is None or tokens_out is None:
        return tariff.cost(0, 0) if tariff.per_item is not None or not tariff.is_known else None
    return tariff.cost(tokens_in, tokens_out)


def _sentence(questions: Questions, error: AttemptError) -> str:
    return (
        f"{questions.url}: {error.reason} ({error.detail}); see to address, key and model "
        f"'{questions.model}'. What was answered is kept: the same command goes on from there."
    )
