import pytest

from annotation.items.choices import LabelledChoices, choices_in


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
        ({"A": "x", "B": 2}, ("x", "2"), ("A", "B")),
        ({"A": "x", "B": "y", "C": None}, ("x", "y"), ("A", "B")),
        ([{"label": "A", "text": " x"}, {"label": "B", "text": 2}], ("x", "2"), ("A", "B")),
        ([{"text": "x"}, {"text": "y"}], ("x", "y"), ()),
        ('[{"label": 1, "text": "x"}, {"label": 2, "text": "y"}]', ("x", "y"), ("1", "2")),
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
        ([{"text": "x", "label": "A"}, {"text": "y"}], "has 2 texts and 1 labels"),
    ],
)
def test_choices_that_cannot_be_read(value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        choices_in(value)
