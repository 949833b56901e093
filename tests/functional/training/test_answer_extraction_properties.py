"""Numbers are found however they are written; stopping early never changes what is read."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.sources.gsm8k import load_gsm8k
from annotation.sources.strategyqa import load_strategyqa
from training.generation.answer_extraction import (
    answer_end,
    answers_match,
    extract_answer,
    number_value,
    paper_answer,
)
from training.generation.chain_of_thought import reasoned_texts
from training.prompts import find_prompt

BEFORE = st.sampled_from(["", "about ", "that she has ", "$", "US$", "€ ", ": ", "**", "(", "\n"])
AFTER = st.sampled_from(
    [
        "",
        ".",
        "!",
        " apples.",
        "%",
        ")",
        "**",
        " 6-packs",
        "kg",
        " - done",
        ",",
        ";",
        "\n",
        ".\n\nQ:",
    ]
)
CUE = st.sampled_from(["So the answer is ", "Then 7 of 9.\nThe answer is ", "the answer is: "])


@given(
    whole=st.integers(0, 10**12),
    decimals=st.text("0123456789", max_size=4),
    sign=st.sampled_from(["", "-", "\u2212"]),
    commas=st.booleans(),
    before=BEFORE,
    after=AFTER,
    cue=CUE,
)
def test_a_number_is_found_however_it_is_written(
    whole: int, decimals: str, sign: str, commas: bool, before: str, after: str, cue: str
) -> None:
    digits = f"{whole:,}" if commas else str(whole)
    written = f"{sign}{digits}.{decimals}" if decimals else f"{sign}{digits}"
    value = Fraction(whole) + Fraction(int(decimals or 0), 10 ** len(decimals))
    value = -value if sign else value
    found = extract_answer(f"{cue}{before}{written}{after}", "number")
    assert found is not None
    assert number_value(found) == value
    # In one form: it is found again in its own, and equal numbers are the same text.
    assert extract_answer(f"the answer is {found}", "number") == found
    assert answers_match(found, written, "number")


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**4), st.sampled_from([" cups", ".", ""]))
def test_fractions(numerator: int, denominator: int, after: str) -> None:
    text = f"the answer is {numerator}/{denominator}{after}"
    assert extract_answer(text, "number") == str(Fraction(numerator, denominator))


@given(st.fractions())
def test_any_number_that_is_found_reads_back(value: Fraction) -> None:
    assert number_value(str(value)) == value


PIECES = st.sampled_from(
    [
        "the answer is", " The answer is ", "So", " ", "\n", "\n\n", "\n \n", "Q:", "Question:",
        "Q", "18", "1,200", "-5", ".", ". ", "!", "?", '"', "yes", " no", "Mr. ", "A. ", "<<1=1>>",
        ":", "A:", "the", " answer", " is", ",", "\t",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@given(TEXTS, st.data())
def test_more_text_never_moves_the_end(text: str, data: st.DataObject) -> None:
    end = answer_end(text)
    for length in range(len(text)):
        earlier = answer_end(text[:length])
        if earlier is not None:
            assert earlier == end
            break


@given(TEXTS, TEXTS)
def test_what_follows_the_end_is_not_read(text: str, more: str) -> None:
    end = answer_end(text)
    if end is None:
        return
    for kind in ("number", "text"):
        assert extract_answer(text[:end], kind) == extract_answer(text + more, kind)
    read = extract_answer(text + more, "choice", ("yes", "no"))
    assert extract_answer(text[:end], "choice", ("yes", "no")) == read


@given(TEXTS)
def test_no_text_breaks_the_reading(text: str) -> None:
    for kind in ("number", "text"):
        found = extract_answer(text, kind)
        assert found is None or found.strip() == found != ""
        assert paper_answer(text, kind) is None or "the answer is" in text.lower()
    assert extract_answer(text, "choice", ("yes", "no")) in ("yes", "no", None)


@pytest.mark.parametrize("version", ["0305-mended", "5305-mended"])
def test_every_solution_of_gsm8k_gives_its_answer(
    data_folder: Callable[[str], Path], version: str
) -> None:
    items = load_gsm8k(str(data_folder("gsm8k")))
    golds = items["answer_text"].tolist()
    texts = [target for _, target in reasoned_texts(items, golds, find_prompt(version))]
    read = [extract_answer(text, "number") for text in texts]
    right = [answers_match(own, gold, "number") for own, gold in zip(read, golds, strict=True)]
    assert sum(right) == len(items) == 8_792
    # The paper's reading misses just those with a comma (93) or a sign (5).
    missed = [
        gold
        for text, gold in zip(texts, golds, strict=True)
        if paper_answer(text, "number") != gold.lower()
    ]
    assert missed == [gold for gold in golds if "," in gold or gold.startswith("-")]
    assert len(missed) == 98


def test_every_question_of_strategyqa_gives_its_answer(
    data_folder: Callable[[str], Path],
) -> None:
    items = load_strategyqa(str(data_folder("strategyqa")))
    golds = [("yes", "no")[answer] for answer in items["answer"]]
    texts = [target for _, target in reasoned_texts(items, golds, find_prompt("0305-mended"))]
    assert [extract_answer(text, "choice", ("yes", "no")) for text in texts] == golds
    assert [paper_answer(text, "choice") for text in texts] == golds
