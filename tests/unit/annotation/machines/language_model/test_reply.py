"""What an answer names, how sure it is, and what is no answer."""

import json
import math
from typing import Any

import pytest

from annotation.machines.language_model.reply import (
    CUT_SHORT,
    NO_CHOICE,
    OTHER_CHOICE,
    REFUSED,
    Completion,
    MalformedError,
    Reply,
    read_completion,
    read_reply,
)
from tests.language_model_server import completion

CHOICES = ["no", "yes", "perhaps"]


def reply(text: str, choices: list[str] = CHOICES, **how: Any) -> Reply:
    return read_reply(read_completion(completion(text, **how).body), choices)


@pytest.mark.parametrize(
    "text",
    ["B", " B\n", "b", "(B)", "B.", "**B**", "Answer: B", "The answer is B.", "B) yes", "yes"],
)
def test_texts_that_name_the_second_choice(text: str) -> None:
    assert reply(text) == Reply(1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("D", OTHER_CHOICE),
        ("", NO_CHOICE),
        ("I'm sorry, I can't help with that.", NO_CHOICE),
        ("A or B", NO_CHOICE),
        ("B) no", NO_CHOICE),
        ("a dog", NO_CHOICE),
        ("<html>", NO_CHOICE),
    ],
)
def test_texts_that_name_none(text: str, reason: str) -> None:
    assert reply(text) == Reply(None, reason=reason)


def test_letters_that_are_choices_in_another_order_leave_doubt() -> None:
    assert reply("B", ["B", "A"]).place is None
    assert reply("B", ["A", "B"]).place == 1
    assert reply("I", ["I", "II"]).place == 0  # no letter of this item


def test_refused_and_cut_short() -> None:
    assert reply("B", refusal="No.").reason == REFUSED
    assert reply("B", ended="content_filter").reason == REFUSED
    assert reply("B", ended="length").reason == CUT_SHORT
    nothing = read_completion(completion(None, ended="length").body)
    assert read_reply(nothing, CHOICES).reason == CUT_SHORT


def test_confidence_is_over_the_letters_of_the_item_alone() -> None:
    chances = {"B": 0.5, " B": 0.1, "A": 0.2, "D": 0.1, "Both": 0.1}
    logs = {token: math.log(chance) for token, chance in chances.items()}
    assert reply("B", logprobs=logs).confidence == pytest.approx(0.6 / 0.8)


def test_confidence_is_where_the_letter_was_said() -> None:
    body = json.loads(completion("Answer: B").body)
    spoken = [("Answer", [("Answer", -0.1), ("A", -3.0)]), (":", [(":", -0.1), ("A", -4.0)])]
    spoken.append((" B", [(" B", math.log(0.9)), (" A", math.log(0.1))]))
    body["choices"][0]["logprobs"] = {
        "content": [
            {
                "token": token,
                "logprob": others[0][1],
                "top_logprobs": [{"token": own, "logprob": value} for own, value in others],
            }
            for token, others in spoken
        ]
    }
    found = read_reply(read_completion(json.dumps(body)), CHOICES)
    assert found.place == 1
    assert found.confidence == pytest.approx(0.9)


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {"content": None},
        {"content": [{"token": "B", "logprob": "high", "top_logprobs": []}]},
        {"content": [{"token": "B", "logprob": 5.0, "top_logprobs": []}]},
        {"content": [{"token": "B", "logprob": -0.1, "top_logprobs": [7]}]},
        {"content": [{"token": "B", "logprob": -(10**400), "top_logprobs": []}]},
        {"content": [7]},
        7,
    ],
)
def test_log_probabilities_that_are_none_leave_confidence_empty(logprobs: object) -> None:
    body = json.loads(completion("B").body)
    body["choices"][0]["logprobs"] = logprobs
    assert read_reply(read_completion(json.dumps(body)), CHOICES) == Reply(1)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "{",
        "[]",
        "7",
        "{}",
        '{"choices": []}',
        '{"choices": [7]}',
        '{"choices": [{"message": {"content": 7}}]}',
        '{"choices": [{"message": {}}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_completion(body: str) -> None:
    with pytest.raises(MalformedError):
        read_completion(body)


@pytest.mark.parametrize("usage", [None, 7, {}, {"prompt_tokens": -1}, {"prompt_tokens": True}])
def test_counts_that_are_none_are_unknown(usage: object) -> None:
    body = json.loads(completion("B").body) | {"usage": usage}
    found = read_completion(json.dumps(body))
    assert found == Completion("B", False, False, None, None)
