"""What a language model said: which choice it named, and how sure it was."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

MALFORMED: Final = "malformed"
CUT_SHORT: Final = "cut short"
REFUSED: Final = "refused"
OTHER_CHOICE: Final = "a choice that the item does not have"
NO_CHOICE: Final = "names no choice"
_LEAST_LOGPROB = -1e6  # that is believed; of a token that cannot be, some send -9999
_ROUNDING = 1e-3  # above 0, the largest log-probability that there is
_MOST_TOKENS = 10**9  # that an endpoint is believed to have counted
# "B", "(B)", "B.", "**B**", "Answer: B", "B) its text"
_LETTER = re.compile(
    r"[\s*`\"'(\[]*(?:(?:the\s+)?(?:right\s+|correct\s+)?(?:answer|choice)(?:\s+is)?\s*:?\s*)?"
    r"[\s*`\"'(\[]*([A-Za-z])[\s*`\"')\].:]*",
    re.IGNORECASE,
)
_LETTER_AND_TEXT = re.compile(r"\s*\(?([A-Z])[).:]\s*(.+)", re.DOTALL)
_AROUND = " \t\r\n*`\"'()[].:"  # what stands around a letter in its token


class MalformedError(ValueError):
    """An answer of an endpoint that is none of its protocol."""


@dataclass(frozen=True)
class TokenChance:
    """A token that was said or could have been, with its log-probability."""

    token: str
    logprob: float


@dataclass(frozen=True)
class Completion:
    """An endpoint's answer to one request, as far as it is used.

    Attributes
    ----------
    text : what the model said
    declined : whether endpoint or model say that they refuse
    cut_short : whether the answer ended because it was too long
    tokens_in, tokens_out : as the endpoint counted; None where it does not say
    said : the tokens of the answer, each with itself and the likeliest others
    """

    text: str
    declined: bool
    cut_short: bool
    tokens_in: int | None
    tokens_out: int | None
    said: tuple[tuple[TokenChance, ...], ...] = ()


@dataclass(frozen=True)
class Reply:
    """What an item got: the place of its choice and how sure the model was, or why it got none.

    `confidence` is from 0 to 1 over the item's choices; None where the endpoint does not tell.
    """

    place: int | None
    confidence: float | None = None
    reason: str | None = None


def read_completion(body: str | bytes) -> Completion:
    """Read what an endpoint sent; nothing in it is trusted.

    Raises MalformedError if it is no completion.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedError("not JSON") from None
    options = found.get("choices") if isinstance(found, dict) else None
    option = options[0] if isinstance(options, list) and options else None
    message = option.get("message") if isinstance(option, dict) else None
    if not isinstance(option, dict) or not isinstance(message, dict):
        raise MalformedError("no answer in it")
    text, refusal = message.get("content"), message.get("refusal")
    ended = option.get("finish_reason")
    declined = (isinstance(refusal, str) and bool(refusal)) or ended == "content_filter"
    if text is None and (declined or ended == "length"):
        text = ""  # all of a short answer may have gone into reasoning
    if not isinstance(text, str):
        raise MalformedError("no text in it")
    usage = found.get("usage")
    return Completion(
        text=text,
        declined=declined,
        cut_short=ended == "length",
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        said=_said(option.get("logprobs")),
    )


def _count(usage: object, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if is_count else None


def _said(logprobs: object) -> tuple[tuple[TokenChance, ...], ...]:
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return ()
    said = []
    for entry in content:
        others = entry.get("top_logprobs") if isinstance(entry, dict) else None
        chances = [_chance(each) for each in (entry, *(others if isinstance(others, list) else ()))]
        if chances[0] is None:
            return ()
        said.append(tuple(dict.fromkeys(each for each in chances if each is not None)))
    return tuple(said)


def _chance(entry: object) -> TokenChance | None:
    if not isinstance(entry, Mapping):
        return None
    token, logprob = entry.get("token"), entry.get("logprob")
    if not isinstance(token, str) or isinstance(logprob, bool):
        return None
    if not isinstance(logprob, int | float) or not _LEAST_LOGPROB <= logprob <= _ROUNDING:
        return None
    return TokenChance(token, min(float(logprob), 0.0))


def read_reply(completion: Completion, choices: Sequence[str]) -> Reply:
    """Which of `choices` a completion names; only what leaves no doubt counts."""
    if completion.declined:
        return Reply(None, reason=REFUSED)
    if completion.cut_short:
        return Reply(None, reason=CUT_SHORT)
    text = completion.text.strip()
    same = [k for k, own in enumerate(choices) if own.strip().casefold() == text.casefold()]
    letter = _letter(text, choices)
    place = None if letter is None else ascii_uppercase.index(letter.upper())
    if letter is None or place is None or (same and place >= len(choices)):
        return Reply(same[0]) if len(same) == 1 else Reply(None, reason=NO_CHOICE)
    if same and same != [place]:  # choices that are letters themselves: "B" names one or another
        return Reply(None, reason=NO_CHOICE)
    if place >= len(choices):
        return Reply(None, reason=OTHER_CHOICE)
    return Reply(place, _confidence(completion.said, letter, len(choices)))


def _letter(text: str, choices: Sequence[str]) -> str | None:
    """The letter as it was said; None where the text is something else."""
    found = _LETTER.fullmatch(text)
    if found:
        return found[1]
    both = _LETTER_AND_TEXT.fullmatch(text)
    if both is None:
        return None
    place = ascii_uppercase.index(both[1])
    said = both[2].strip().rstrip(".").casefold()
    if place < len(choices) and choices[place].strip().rstrip(".").casefold() == said:
        return both[1]
    return None


def _confidence(said: Sequence[Sequence[TokenChance]], letter: str, choices: int) -> float | None:
    """The chance of `letter` among the item's letters, where it was said; None if untold."""
    for chances in said:
        if chances[0].token.strip(_AROUND) != letter:
            continue
        if len(chances) < 2:  # without the others, its own chance is not that among the choices
            return None
        letters = ascii_uppercase[:choices]
        own = letters if letter.isupper() else letters.lower()
        weights = dict.fromkeys(own, 0.0)
        seen: set[str] = set()
        for chance in chances:
            bare = chance.token.strip(_AROUND)
            if bare in weights and len(bare) == 1 and chance.token not in seen:
                seen.add(chance.token)
                weights[bare] += math.exp(chance.logprob)
        whole = math.fsum(weights.values())
        return min(1.0, weights[letter] / whole) if whole > 0 else None
    return None
