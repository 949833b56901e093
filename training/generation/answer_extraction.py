"""Read the answer out of a chain of thought: where it ends, what it says, whether it is right.

A reasoned answer ends in the cue "the answer is" and the answer. The FIRST cue counts: a model that
was shown worked examples goes on after its answer to invent further questions, whose answers come
last. What is read:

- number: the number that follows the cue, or, where an equation follows, the one after its last
  "="; none where a calculation follows whose result is not written ("5*10% of"). Thousands commas,
  a sign (also "minus" or "negative"), currency signs, units, a percent sign and closing punctuation
  make no difference, nor do zeros after the point: "$1,200.00." is 1200, "-5" is -5, "5 6-packs" is
  5. Fractions ("3/4") and mixed numbers ("1 1/2") are numbers, words ("five") are not.
- choice: the text of the choice, whole and in any case. The one that the answer begins with, or
  else the only one that occurs in it; "not yes" is no occurrence of "yes".
- text: what follows the cue, without quotes and closing punctuation.

`paper_answer` has the reading of the paper's code, for comparison. It loses numbers with commas
(93 of the 8,792 gold answers of GSM8K) and negative ones (5), takes "18.00" for another number than
"18" and "5 6-packs" for 56.
"""

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from training.prompts import ANSWER_CUE

AnswerKind = Literal["number", "choice", "text"]

_CUE = re.compile(r"\b" + r"\s+".join(ANSWER_CUE.split()) + r"\b", re.IGNORECASE)
# After leading white space: the label of the next question. A blank line is none: solutions have
# paragraphs.
_NEXT_ITEM = re.compile(r"\A(?:Q|Question):|\n[^\S\n]*(?:Q|Question):")
# A point ends a sentence only before a space, so neither "18.5" nor "18." at the end of what was
# generated so far; the points of initials and titles do not.
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|St|Jr|Sr|vs|Rs))(?<!\bMrs)[.!?][\"'\u201d\u2019)\]*]*(?=\s)"
)
_LINE_END = re.compile(r"(?=\n)")
_WORD = re.compile(r"\w")

_CALCULATION = re.compile(r"<<[^<>]*>>")  # of GSM8K: "<<48/2=24>>24"
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?![0-9])|[0-9]+)"
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.])[-\u2212\u2013]|\b(?:minus|negative)\s+)?(?:[$€£¥₹]\s?)?"
    r"(?P<inner_sign>(?<!\w)[-\u2212\u2013])?"
    rf"(?P<digits>{_DIGITS}(?:\.[0-9]+)?|(?<![\w.])\.[0-9]+)",
    re.IGNORECASE,
)
# The rest of "3/4", and of "1 3/4"; not of a date.
_DENOMINATOR = re.compile(r"\s?/\s?(?P<denominator>[0-9]+)(?![0-9]|\s?/|[.,][0-9])")
_PART = re.compile(r"\s(?P<numerator>[0-9]+)" + _DENOMINATOR.pattern)
_MOST_DIGITS = 1000
# After a number: it is the first part of a calculation ("5*10% of ..."), or a share of something.
_CALCULATES = re.compile(
    r"\s?%?(?:\s?[*+x\u00d7\u00b7^\u00f7]\s?[$(\d]|\s[-\u2212\u2013/]\s[$(\d]|"
    r"\s(?:times|plus|minus|divided by|multiplied by)\s[$(\d])|\s?(?:%|percent)\s?of\b",
    re.IGNORECASE,
)
_VULGAR_FRACTION = re.compile("[¼½¾⅐-⅞]")
_EDGES = " \t\r\n\"'\u201c\u201d\u2018\u2019`*.,;:!?()[]"


def answer_end(text: str) -> int | None:
    """Where a reasoned answer is complete, as a position in `text`; None: it still goes on.

    After the cue, the answer ends with its line or its sentence. With or without an answer, the
    label of a next question ("Q:", "Question:") ends it; a blank line before the cue does not. More
    text never moves the end.
    """
    leading = len(text) - len(text.lstrip())
    boundary = _NEXT_ITEM.search(text[leading:])
    limit = leading + boundary.start() if boundary else len(text)
    started = _answer_start(text[:limit])
    if started is not None:
        ends = (pattern.search(text, started, limit + 1) for pattern in (_LINE_END, _SENTENCE_END))
        found = [end.end() for end in ends if end is not None]
        if found:
            return min(found)
    return limit if boundary else None


def _answer_start(text: str) -> int | None:
    """Position of the first letter or digit after the first cue."""
    cue = _CUE.search(text)
    content = _WORD.search(text, cue.end()) if cue else None
    return content.start() if content else None


def extract_answer(text: str, kind: AnswerKind, choices: Sequence[str] = ()) -> str | None:
    """The answer that a chain of thought ends in, or None if it gives none.

    A number comes in one form ("1200", "-5", "2.5", "3/4"), a choice as it stands in `choices`.
    """
    text = text[: answer_end(text)]
    cue = _CUE.search(text)
    if cue is None:
        return None
    answer = text[cue.end() :]
    if kind == "number":
        return _first_number(answer)
    if kind == "choice":
        return _find_choice(answer, choices)
    return answer.strip(_EDGES) or None


def answers_match(predicted: str | None, gold: str, kind: AnswerKind) -> bool:
    """Whether an extracted answer is the gold one.

    Numbers are compared by value, texts without case and closing punctuation.

    Raises ValueError if `kind` is "number" and the gold answer is none.
    """
    if kind == "number":
        value = number_value(gold)
        if value is None:
            raise ValueError(f"the gold answer should be a number; got {gold!r}.")
        return predicted is not None and number_value(predicted) == value
    if predicted is None or kind == "choice":
        return predicted == gold
    return _plain(predicted) == _plain(gold)


def answer_kind(golds: Sequence[str], has_choices: bool) -> AnswerKind:
    """How answers are read: choices, or numbers where every gold answer is one, or texts."""
    if has_choices:
        return "choice"
    return "number" if all(number_value(gold) is not None for gold in golds) else "text"


def number_value(text: str) -> Fraction | None:
    """The value of a text that is a number and nothing else; None where it is not."""
    found = _read_number(_written_out(text), 0)
    if found is None:
        return None
    number, start, end = found
    alone = not text[:start].strip() and re.fullmatch(r"\s*%?\s*\.?\s*", _written_out(text)[end:])
    return Fraction(number) if alone else None


def _first_number(text: str) -> str | None:
    text = _written_out(_CALCULATION.sub(" ", text))
    found = _read_number(text, text.rfind("=") + 1) or _read_number(text, 0)
    if found is None or _CALCULATES.match(text, found[2]):
        return None  # an equation or a calculation without its result
    return found[0]


def _written_out(text: str) -> str:
    """Signs such as "½" as " 1/2"."""
    return _VULGAR_FRACTION.sub(
        lambda sign: " " + unicodedata.normalize("NFKC", sign[0]).replace("\u2044", "/"), text
    )


def _read_number(text: str, position: int) -> tuple[str, int, int] | None:
    """The first number from `position` on in its one form, and the stretch that it takes."""
    found = _NUMBER.search(text, position)
    if found is None or len(found["digits"]) > _MOST_DIGITS:
        return None
    whole, _, decimals = found["digits"].replace(",", "").partition(".")
    end = found.end()
    value = Fraction(int(whole or "0"))
    if decimals:
        value += Fraction(int(decimals), 10 ** len(decimals))
    elif (part := _PART.match(text, end)) and int(part["denominator"]):
        value += Fraction(int(part["numerator"]), int(part["denominator"]))
        end = part.end()
    elif (part := _DENOMINATOR.match(text, end)) and int(part["denominator"]):
        value /= int(part["denominator"])
        end = part.end()
    if bool(found["sign"]) != bool(found["inner_sign"]):
        value = -value
    if not decimals or value.denominator == 1:
        return str(value), found.start(), end
    sign = "-" if value < 0 else ""
    return f"{sign}{int(whole or '0')}.{decimals.rstrip('0')}", found.start(), end


def _find_choice(answer: str, choices: Sequence[str]) -> str | None:
    if all(number_value(choice) is not None for choice in choices):
        number = _first_number(answer)
        matching = (choice for choice in choices if answers_match(number, choice, "number"))
        return next(matching, None)
    by_plain_text = {_plain(choice): choice for choice in choices}
    if len(by_plain_text) < len(choices):  # some differ in case or punctuation alone
        return next((choice for choice in choices if choice.strip() == answer.strip()), None)
    longest_first = sorted(by_plain_text, key=len, reverse=True)
    any_choice = "|".join(r"\s+".join(map(re.escape, text.split())) for text in longest_first)
    # Whole: neither within a word or a compound, nor within a number.
    whole = rf"(?<![\w-])(?<![0-9][.,])(?:{any_choice})(?![\w-]|[.,][0-9])"
    answer = answer.casefold()
    found = list(re.finditer(whole, answer))
    if found and not answer[: found[0].start()].strip(_EDGES):
        return by_plain_text[_plain(found[0][0])]
    affirmed = {
        _plain(match[0]) for match in found if not re.search(r"\bnot\s+$", answer[: match.start()])
    }
    return by_plain_text[affirmed.pop()] if len(affirmed) == 1 else None


def paper_answer(text: str, kind: AnswerKind, in_context: bool = True) -> str | None:
    """The answer as the code of Hase et al. 2024 reads it (arXiv 2401.06751, GSM8K and StrategyQA).

    In lower case, without points at the ends: what follows the first cue, after worked examples
    (`in_context`) up to the line's end; of a number, the digits and points of the last two words.
    It is right if it equals the gold answer in lower case, letter for letter. The paper generates
    up to the limit of tokens, so `text` should not have been stopped at its answer.
    """
    _, cue, answer = text.lower().strip().strip(".").partition(ANSWER_CUE)
    if not cue:
        return None
    if in_context:
        answer = answer.split("\n")[0]
    if kind == "number":
        return "".join(re.sub(r"[^0-9.]", "", word) for word in answer.split()[-2:])
    return answer.strip()


def _plain(text: str) -> str:
    joined = " ".join(text.split()).casefold()
    return joined.strip(_EDGES) or joined
