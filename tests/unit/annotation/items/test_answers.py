import pytest

from annotation.errors import InputError
from annotation.items.answer_forms import AnswerReading
from annotation.items.answers import AnswersError, answer_reading, read_answers
from annotation.items.choices import LabelledChoices

PAIR = LabelledChoices(("x", "y"))
METALS = LabelledChoices(("iron", "gold", "tin", "lead"))
LETTERED = LabelledChoices(("cat", "dog", "B"), ("A", "B", "C"))
NUMBERS = LabelledChoices(("2", "0", "1"))
COUNTED = LabelledChoices(("1", "2", "3", "4"))


@pytest.mark.parametrize(
    ("answers", "options", "places", "reading"),
    [
        (["cat", " dog "], [LETTERED] * 2, [0, 1], "texts of choices"),
        # "A" is no text, so that "B" is the label of the second choice, not the third choice.
        (["B", "A"], [LETTERED] * 2, [1, 0], "labels of choices"),
        (["B", "a"], [PAIR] * 2, [1, 0], "letters"),
        (["0", "1", "1.0"], [PAIR] * 3, [0, 1, 1], "numbers counted from 0"),
        ([1, 2.0], [PAIR] * 2, [0, 1], "numbers counted from 1"),
        # Labels of the table settle how numbers count.
        (["1", "2"], [LabelledChoices(("x", "y", "z"), ("1", "2", "3"))] * 2, [0, 1],
         "labels of choices"),
        ([1, 2.0], [LabelledChoices(("x", "y"), ("1", "2"))] * 2, [0, 1], "labels of choices"),
        (["2", "0"], [NUMBERS, LabelledChoices(("5", "6"))], [2, 0], "numbers counted from 0"),
        # What is counted from 1 and the text are the same choice: the last one tells it.
        ([1, 2, 4], [COUNTED] * 3, [0, 1, 3], "texts of choices"),
        ([0.5, "1.50", 2], [LabelledChoices((".5", "1.5", "2.0"))] * 3, [0, 1, 2],
         "texts of choices"),
        # Of choices that are equal numbers, the one that is written so.
        (["20.0", "20"], [LabelledChoices(("20", "20.0", "9"))] * 2, [1, 0], "texts of choices"),
        ([True, False], [LabelledChoices(("false", "true"))] * 2, [1, 0], "texts of choices"),
        (["True", "False"], [LabelledChoices(("false", "true"))] * 2, [1, 0], "texts of choices"),
        (["(B)", "B.", "B)", "b", "[B]", "Answer: B"], [METALS] * 6, [1] * 6, "letters"),
        (["B) gold", "C: tin", "(A) iron", "D. lead"], [METALS] * 4, [1, 2, 0, 3], "letters"),
        (["(b)"], [LabelledChoices(("x", "y", "z"), ("A", "C", "B"))], [2], "letters"),
        (["x", None, "", float("nan")], [PAIR] * 4, [0, None, None, None], "texts of choices"),
        ([], [], [], ""),
        # Only counting from 1 fits the numbers beside the letters.
        (["A", 4, "B"], [METALS] * 3, [0, 3, 1], "letters, and in 1 row as numbers counted from 1"),
    ],
)  # fmt: skip
def test_a_column_has_one_reading(
    answers: list[object],
    options: list[LabelledChoices],
    places: list[int | None],
    reading: str,
) -> None:
    found = read_answers(answers, options)
    assert found.places == places
    assert found.reading == reading
    assert found.unknown == 0


@pytest.mark.parametrize(
    ("answers", "option", "row", "choices", "readings"),
    [
        ([1, 2, 3], METALS, 0, "'gold' or 'iron'", ("index0", "index1")),
        ([None, "2", "1"], METALS, 1, "'tin' or 'gold'", ("index0", "index1")),
        ([1, 2, 3], COUNTED, 0, "'1' or '2'", ("text", "index0")),
        (["1", "2", "3"], COUNTED, 0, "'1' or '2'", ("text", "index0")),
        ([2, 0], NUMBERS, 0, "'2' or '1'", ("text", "index0")),
        (["B"], LETTERED, 0, "'B' or 'dog'", ("text", "letter")),
    ],
)
def test_two_readings_that_fit_are_a_question(
    answers: list[object],
    option: LabelledChoices,
    row: int,
    choices: str,
    readings: tuple[AnswerReading, ...],
) -> None:
    options = [option] * len(answers)
    with pytest.raises(AnswersError, match="all answers can be read as") as caught:
        read_answers(answers, options)
    assert (caught.value.row, caught.value.options) == (row, readings)
    assert choices in str(caught.value)
    found = [read_answers(answers, options, reading).places for reading in readings]
    named = choices.split(" or ")
    assert [repr(option.texts[places[row] or 0]) for places in found] == named


def test_letters_beside_numbers_are_a_question_that_the_user_settles() -> None:
    answers, options = ["A", "2", "D", 3, "1"], [METALS] * 5
    with pytest.raises(AnswersError, match=r"row 1 has the letter 'A'.* 'tin' or 'gold'") as caught:
        read_answers(answers, options)
    assert (caught.value.row, caught.value.options) == (1, ("index0", "index1"))
    assert read_answers(answers, options, "index1").places == [0, 1, 3, 2, 0]
    assert read_answers(answers, options, "index0").places == [0, 2, 3, 3, 1]
    labels = [("A", "B", "C", "D") if str(a).isalpha() else ("1", "2", "3", "4") for a in answers]
    labelled = [LabelledChoices(METALS.texts, own) for own in labels]
    assert read_answers(answers, labelled).places == [0, 1, 3, 2, 0]


@pytest.mark.parametrize("unknown", [-1, "-1", -1.0])
def test_minus_one_is_an_answer_that_is_not_known(unknown: object) -> None:
    found = read_answers([0, unknown, 1], [PAIR] * 3)
    assert found.places == [0, None, 1]
    assert found.unknown == 1
    assert read_answers([unknown] * 2, [PAIR] * 2).places == [None, None]
    signed = LabelledChoices(("-1", "1"))
    assert read_answers([unknown, "1"], [signed] * 2).places == [0, 1]


@pytest.mark.parametrize(
    ("answers", "options", "row", "problem"),
    [
        (["cat", "cow"], [LETTERED] * 2, 1, "'cow' is no text, label, letter or index of ['cat'"),
        ([0, 3], [LETTERED] * 2, 1, "3 is no text"),
        ([1.5], [LETTERED], 0, "1.5 is no text"),
        ([-2], [LETTERED], 0, "-2 is no text"),
        ([True], [LabelledChoices(("no", "yes"))], 0, "True is no text"),
        ([1.0, True], [PAIR] * 2, 1, "True is no text"),
        ([["x"]], [PAIR], 0, "['x'] is no text"),
        (["x"], [LabelledChoices(())], 0, "letter or index (the item has no choices)"),
        (["A", "cat", "B"], [LETTERED] * 3, 0, "row 2 has 'cat', row 1 has 'A'"),
        (["gold", "iron", "0"], [METALS] * 3, 2, "row 1 has 'gold', row 3 has '0'"),
        (["B) tin"], [METALS], 0, "names the choice B, which is 'gold', and the text 'tin'"),
    ],
)  # fmt: skip
def test_answers_that_match_nothing_or_mix_ways(
    answers: list[object], options: list[LabelledChoices], row: int, problem: str
) -> None:
    with pytest.raises(AnswersError) as caught:
        read_answers(answers, options)
    assert caught.value.row == row
    assert problem in str(caught.value)


def test_a_reading_that_does_not_fit_names_the_row() -> None:
    with pytest.raises(AnswersError, match="4 is none of the numbers counted from 0") as caught:
        read_answers([1, 4], [METALS] * 2, "index0")
    assert caught.value.row == 1


def test_names_of_readings() -> None:
    assert answer_reading("index1") == "index1"
    with pytest.raises(InputError, match="choose one of text, letter, index0, index1"):
        answer_reading("from one")
