"""What is read out of a reasoned answer, case by case."""

from fractions import Fraction

import pytest

from training.generation.answer_extraction import (
    answer_end,
    answer_kind,
    answers_match,
    extract_answer,
    number_value,
    paper_answer,
)

YES_NO = ("yes", "no")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("So the answer is 18", "18"),
        ("One and one. The answer is 2.", "2"),
        ("the answer is 1,200", "1200"),
        ("the answer is 1,00,000 rupees", "100000"),
        ("the answer is $1,234,567.50.", "1234567.5"),
        ("the answer is 18.00", "18"),
        ("the answer is .5", "0.5"),
        ("the answer is 007", "7"),
        ("the answer is 3,4", "3"),  # a list: no group of thousands has one digit
        ("the answer is -5", "-5"),
        ("the answer is \u22125", "-5"),
        ("the answer is -$5.50", "-5.5"),
        ("the answer is $-5", "-5"),
        ("the answer is minus 5", "-5"),
        ("the answer is 5-6", "5"),
        ("the answer is between 5-6", "5"),
        ("the answer is 0", "0"),
        ("the answer is -0", "0"),
        ("the answer is 75%", "75"),
        ("the answer is Rs. 5", "5"),
        ("the answer is 5kg", "5"),
        ("the answer is that she has 5 apples", "5"),
        ("the answer is 5 6-packs", "5"),
        ("the answer is: **18**", "18"),
        ("the answer is\n18\nand more 3", "18"),
        ("the answer is... 18", "18"),
        ("the answer is 3/4", "3/4"),
        ("the answer is 8/4", "2"),
        ("the answer is 1 1/2 cups", "3/2"),
        ("the answer is -1 1/2", "-3/2"),
        ("the answer is 3½", "7/2"),
        ("the answer is 3/4/2020", "3"),
        ("the answer is 3/0", "3"),
        ("the answer is 48+24 = 72 clips", "72"),
        ("the answer is 5 (= five)", "5"),
        ("the answer is <<48+24=72>>72", "72"),
        ("THE  Answer\nis 4", "4"),
        ("the answer isn't 4, the answer is 5", "5"),
        # The first cue counts: what follows was made up by the model.
        ("the answer is 5\nQ: And then?\nA: So the answer is 6", "5"),
        ("the answer is 5. No, the answer is 6.", "5"),
        # A calculation that was cut off, or whose result is not written, is no number.
        ("The answer is 5*10% of ", None),
        ("The answer is 5*10% of 200 = 100", "100"),
        ("the answer is 5 * 10 =", None),
        ("the answer is 48+24", None),
        ("the answer is 5 x 3", None),
        ("the answer is $5 - $3", None),
        ("the answer is 5 times 3", None),
        ("the answer is 10% of 50", None),
        ("the answer is 10% of 50 = 5", "5"),
        ("the answer is 5 times as many", "5"),
        ("the answer is 5 - that is all", "5"),
        ("the answer is five", None),
        ("five is right: 5", None),
        ("the answer is", None),
        ("", None),
        ("I am not sure.\n\nQ: And then?\nA: So the answer is 6", None),
        # A solution may have paragraphs.
        ("First there are 3.\n\nThen 2 more come.\n\nSo the answer is 5.", "5"),
        ("- 3 apples\n\n- 2 pears\n \nThe answer is 5\n\nThe answer is 6", "5"),
        ("Q: And then?\nA: So the answer is 6", None),
        ("the answer is " + "9" * 1001, None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert extract_answer(text, "number") == number


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("So the answer is yes", "yes"),
        ("So the answer is No.", "no"),
        ('the answer is: "YES".', "yes"),
        ("the answer is yes, because no fish can fly", "yes"),
        ("the answer is no. Yes would be wrong.", "no"),
        ("the answer is definitely yes, not no", "yes"),
        ("the answer is not yes", None),
        ("the answer is not known", None),
        ("the answer is yes or no", "yes"),  # begins with it
        ("the answer is either yes or no", None),
        ("the answer is nobody", None),
        ("the answer is no-one", None),
        ("the answer is 5", None),
    ],
)
def test_yes_or_no(text: str, choice: str | None) -> None:
    assert extract_answer(text, "choice", YES_NO) == choice


def test_choices_of_several_words_and_of_numbers() -> None:
    choices = ["a red  fox", "a red fox cub", "Dr. A. B. Fox", "1.5 m"]
    for choice in choices:
        assert extract_answer(f"the answer is {choice}.", "choice", choices) == choice
    assert extract_answer("the answer is A RED FOX", "choice", choices) == "a red  fox"
    assert extract_answer("the answer is 11.5 m", "choice", choices) is None
    numbers = ["5", "1,500", "-5", "18"]
    assert extract_answer("the answer is 1500.", "choice", numbers) == "1,500"
    assert extract_answer("the answer is -5", "choice", numbers) == "-5"
    assert extract_answer("the answer is $18.00", "choice", numbers) == "18"
    assert extract_answer("the answer is 500", "choice", numbers) is None


def test_choices_that_differ_in_case_or_signs_alone() -> None:
    assert extract_answer("the answer is tT", "choice", ("tt", "tT", "TT")) == "tT"
    assert extract_answer("the answer is Tt", "choice", ("tt", "tT", "TT")) is None
    assert extract_answer("the answer is ?", "choice", ("?", "!")) == "?"


def test_texts() -> None:
    assert extract_answer('So the answer is "J. K. Rowling". She wrote it.', "text") == (
        "J. K. Rowling"
    )
    assert extract_answer("the answer is Mr. Smith\n", "text") == "Mr. Smith"
    assert extract_answer("the answer is ...", "text") is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("the answer is 18.", None),
        ("the answer is 18.5", None),
        ("the answer is 1,200 and so", None),
        ("the answer is Mr. Smith", None),
        ("the answer is J. Smith", None),
        ("No cue yet. Just text.\nIn two lines", None),
        ("\n\n the answer is", None),
        ("the answer is... 18", None),
        ("the answer is 18. And", "the answer is 18."),
        ("the answer is 18.5! And", "the answer is 18.5!"),
        ('the answer is "18." And', 'the answer is "18."'),
        ("the answer is 18\n", "the answer is 18"),
        ("the answer is\n18\n", "the answer is\n18"),
        ("Nothing.\n \nQ", None),
        ("Nothing.\n \nQ:", "Nothing.\n "),
        ("Nothing.\nQ:", "Nothing."),
        ("Nothing.\n  Question:", "Nothing."),
        ("  Q: What?", "  "),
        ("the answer is\n\n18", None),
        ("the answer is\n\n18\n", "the answer is\n\n18"),
    ],
)
def test_where_an_answer_ends(text: str, kept: str | None) -> None:
    end = answer_end(text)
    assert (None if end is None else text[:end]) == kept


def test_matches() -> None:
    assert answers_match("1200", "1,200", "number")
    assert answers_match("3/4", "0.75", "number")
    assert not answers_match("-5", "5", "number")
    assert not answers_match(None, "5", "number")
    assert answers_match("yes", "yes", "choice")
    assert not answers_match("Yes", "yes", "choice")  # it is another choice
    assert answers_match("the  Red Fox", "The red fox.", "text")
    assert not answers_match(None, "fox", "text")
    with pytest.raises(ValueError, match="should be a number; got 'many'"):
        answers_match("5", "many", "number")


def test_kinds_of_answers() -> None:
    assert answer_kind(["yes", "no"], has_choices=True) == "choice"
    assert answer_kind(["1,200", "-5", "$3.", "50 %"], has_choices=False) == "number"
    assert answer_kind(["1,200", "5 apples"], has_choices=False) == "text"


def test_a_number_and_nothing_else() -> None:
    assert number_value(" 1,200.50 ") == Fraction(2401, 2)
    assert number_value("-1 1/2") == Fraction(-3, 2)
    for text in ("", "5 apples", "x5", "5-6", "1,20", "five"):
        assert number_value(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("So the answer is 72.", "72"),
        ("So the answer is 1,200", "1200"),  # and the gold answer keeps its comma
        ("So the answer is -5", "5"),
        ("So the answer is 18.00", "18.00"),
        ("So the answer is 5 6-packs", "56"),
        ("So the answer is 5\n\nQ: And then? So the answer is 6", "5"),
        ("No cue: 5", None),
    ],
)
def test_numbers_as_the_paper_reads_them(text: str, number: str | None) -> None:
    assert paper_answer(text, "number") == number


def test_texts_as_the_paper_reads_them() -> None:
    assert paper_answer("So the answer is YES.", "choice") == "yes"
    assert paper_answer("So the answer is yes. It is.\nQ:", "choice") == "yes. it is."
    assert paper_answer("So the answer is\nyes", "choice") == ""
    assert paper_answer("So the answer is\nyes", "choice", in_context=False) == "yes"
