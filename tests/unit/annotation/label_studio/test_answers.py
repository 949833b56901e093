from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.label_studio.answers import read_answer
from annotation.label_studio.labelling_config import AnswerControl

PICK = AnswerControl("answer", "question", "Choices", options_key="options")
WRITE = AnswerControl("answer", "question", "TextArea")
DATA = {"options": ["red", " green", "7"]}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "text", "value", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def result(value: Any, name: str = "answer") -> dict[str, Any]:
    return {"from_name": name, "to_name": "question", "type": "choices", "value": value}


@pytest.mark.parametrize(
    ("chosen", "label"),
    [
        ("red", "red"),
        (" green", " green"),
        ("green", " green"),
        ("7 ", "7"),
        ("red\u200b", "red"),
        ("7.0", "7"),
    ],
)
def test_choice_is_one_of_the_options(chosen: str, label: str) -> None:
    assert read_answer([result({"choices": [chosen]})], PICK, DATA) == (label, None)


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([], "it has no answer"),
        (
            [result({"choices": ["red"]}, name="other")],
            "it has no answer by the control 'answer', only by 'other'",
        ),
        ([result({"choices": ["red"]})] * 2, "it has 2 answers"),
        ([result({"choices": []})], "it has no answer"),
        ([result({"text": ["red"]})], "its answer has no choices"),
        ([result({"choices": [7]})], "its answer has no choices"),
        ([result(None)], "its answer has no choices"),
        ([result({"choices": ["Red"]})], "'Red' is none of the choices (red |  green | 7)"),
    ],
)
def test_what_is_wrong_with_an_answer(parts: list[dict[str, Any]], problem: str) -> None:
    assert read_answer(parts, PICK, DATA) == (None, problem)


def test_several_choices_are_no_label() -> None:
    label, problem = read_answer([result({"choices": ["red", "7"]})], PICK, DATA)
    assert label is None
    assert problem is not None
    assert problem.startswith(
        "it picks 2 choices at once, ['red', '7']; a label is one choice; set"
    )
    assert read_answer([result({"choices": ["red", "red"]})], PICK, DATA) == ("red", None)


def test_free_answers_are_kept_as_given() -> None:
    assert read_answer([result({"text": [" a\nb "]})], WRITE, {}) == (" a\nb ", None)
    assert read_answer([result({"text": "a"})], WRITE, {}) == ("a", None)
    assert read_answer([result({"text": [" \n"]})], WRITE, {}) == (None, "its answer is empty")


def test_an_alias_means_its_option() -> None:
    data = {"options": [{"value": "Yes, it does", "alias": "1"}]}
    assert read_answer([result({"choices": ["1"]})], PICK, data) == ("Yes, it does", None)


@given(st.lists(st.dictionaries(st.sampled_from(["from_name", "value"]), anything), max_size=3))
def test_no_result_is_a_traceback(parts: list[dict[str, Any]]) -> None:
    for part in parts:
        part["from_name"] = "answer"
    for control in (PICK, WRITE):
        label, problem = read_answer(parts, control, DATA)
        assert (label is None) != (problem is None)
        assert label is None or control is WRITE or label in DATA["options"]
