import pytest

from annotation.items.choices import LabelledChoices, choices_in, resolve_answers


@pytest.mark.parametrize(
    ("value", "texts", "labels"),
    [
        (["x", " y "], ("x", "y"), ()),
        (("x", "y"), ("x", "y"), ()),
        ([3, 2.5], ("3", "2.5"), ()),
        ("x | y|z", ("x", "y", "z"), ()),
        ('["x", "y|z"]', ("x", "y|z"), ()),
        ("[x]|[y]", ("[x]", "[y]"), ()),
        ({"text": ["x", "y"], "label": ["A", "B"]}, ("x", "y"), ("A", "B")),
        ({"text": ["x", "y"], "label": [1, 2]}, ("x", "y"), ("1", "2")),
        ({"text": ["x", "y"]}, ("x", "y"), ()),
        ('{"text": ["x", "y"], "label": ["A", "B"]}', ("x", "y"), ("A", "B")),
        (None, (), ()),
        (" ", (), ()),
        ([], (), ()),
    ],
)
def test_ways_to_write_choices(value: object, texts: tuple[str], labels: tuple[str]) -> None:
    assert choices_in(value) == LabelledChoices(texts, labels)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("['x' 'y']", "is neither a JSON list nor separated by '|'"),
        (7, "should be a list of texts; got 7"),
        ('{"a": 1}', "a dict of choices should be"),
        ({"text": ["x", "y"], "label": ["A"]}, "has 2 texts and 1 labels"),
    ],
)
def test_choices_that_cannot_be_read(value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        choices_in(value)


LETTERED = LabelledChoices(("cat", "dog", "B"), ("A", "B", "C"))
NUMBERS = LabelledChoices(("2", "0", "1"))


@pytest.mark.parametrize(
    ("answers", "options", "expected"),
    [
        (["cat", " dog "], [LETTERED, LETTERED], [0, 1]),
        # Text before label: the text "B" is the third choice.
        (["B"], [LETTERED], [2]),
        # But not where the text reading does not fit the whole column.
        (["B", "A"], [LETTERED, LETTERED], [1, 0]),
        (["B", "a"], [LabelledChoices(("x", "y"))] * 2, [1, 0]),
        (["0", "1", "1.0"], [LabelledChoices(("x", "y"))] * 3, [0, 1, 1]),
        # Labels from 1 before indices from 0.
        (["1", "2"], [LabelledChoices(("x", "y"), ("1", "2"))] * 2, [0, 1]),
        ([1, 2.0], [LabelledChoices(("x", "y"), ("1", "2"))] * 2, [0, 1]),
        # A number is an index, never a text: index 2 is the choice "1".
        ([2, 0], [NUMBERS, NUMBERS], [2, 0]),
        # A text that is a number: text first, and the index where text does not fit all.
        (["2", "0"], [NUMBERS, NUMBERS], [0, 1]),
        (["2", "0"], [NUMBERS, LabelledChoices(("5", "6"))], [2, 0]),
        ([True, False], [LabelledChoices(("false", "true"))] * 2, [1, 0]),
        ([True, False], [LabelledChoices(("False", "True"))] * 2, [1, 0]),
        # Mixed ways, each with one meaning.
        (["cat", "B"], [LabelledChoices(("cat", "dog"))] * 2, [0, 1]),
        (["x", None, "", float("nan")], [LabelledChoices(("x", "y"))] * 4, [0, None, None, None]),
        ([], [], []),
    ],
)  # fmt: skip
def test_answers_by_hand(
    answers: list[object], options: list[LabelledChoices], expected: list[int | None]
) -> None:
    assert resolve_answers(answers, options) == (expected, None)


@pytest.mark.parametrize(
    ("answers", "options", "row", "problem"),
    [
        (["cat", "cow"], [LETTERED] * 2, 1, "'cow' is no text, label, letter or index of ['cat'"),
        ([0, 3], [LETTERED] * 2, 1, "3 is no text"),
        ([-1], [LETTERED], 0, "-1 is no text"),
        (["-1"], [LETTERED], 0, "'-1' is no text"),
        ([1.5], [LETTERED], 0, "1.5 is no text"),
        ([True], [LabelledChoices(("no", "yes"))], 0, "True is no text"),
        (["x"], [LabelledChoices(())], 0, "letter or index (the item has no choices)"),
        # "A" is no text and "cat" no label: no reading fits all, and "B" may be either.
        (["A", "cat", "B"], [LETTERED] * 3, 2, "'B' can mean 'dog' or 'B'"),
    ],
)  # fmt: skip
def test_answers_that_match_nothing_or_too_much(
    answers: list[object], options: list[LabelledChoices], row: int, problem: str
) -> None:
    _, found = resolve_answers(answers, options)
    assert found is not None
    assert found[0] == row
    assert problem in found[1]
