import hashlib
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.table import (
    COLUMNS,
    fingerprint,
    measures,
    shared_choices,
)
from annotation.items.validate import validate_items


def raw(**changes: object) -> pd.DataFrame:
    """Three good items; `changes` replace or (with None) remove columns."""
    table: dict[str, object] = {
        "item_id": ["a", "b", "c"],
        "question": ["One?", "Two?", "Three?"],
        "choices": [["x", "y"], ["x", "y", "z"], []],
        "answer": [0, 2, None],
        "answer_text": [None, None, "forty"],
        "steps": [1, 2, None],
    }
    for name, values in changes.items():
        if values is None:
            del table[name]
        else:
            table[name] = values
    return pd.DataFrame(
        {n: pd.Series(v, dtype=object if isinstance(v, list) else None) for n, v in table.items()}
    )


def test_columns_types_and_defaults() -> None:
    items = validate_items(raw(), "here")
    assert list(items.columns) == [*COLUMNS, "steps"]
    assert items["answer"].dtype == "Int64"
    assert items["answer"].isna().tolist() == [False, False, True]
    assert items["steps"].dtype == np.float64
    assert items["steps"].tolist()[:2] == [1.0, 2.0] and np.isnan(items["steps"][2])
    assert items["group"].tolist() == ["a", "b", "c"]
    assert items["answer_text"].tolist() == [None, None, "forty"]
    assert items["reasoning"].tolist() == [None, None, None]
    assert items["choices"].tolist() == [["x", "y"], ["x", "y", "z"], []]


def test_input_is_not_changed_and_index_is_fresh() -> None:
    frame = raw().set_index(pd.Index([7, 7, 9]))
    before = frame.copy(deep=True)
    items = validate_items(frame, "here")
    assert list(items.index) == [0, 1, 2]
    pd.testing.assert_frame_equal(frame, before)
    items["choices"][0].append("changed")
    assert frame["choices"].iloc[0] == ["x", "y"]


def test_an_item_without_group_is_its_own() -> None:
    items = validate_items(raw(group=["g", None, ""]), "here")
    assert items["group"].tolist() == ["g", "b", "c"]


def test_answer_column_may_be_absent_for_free_form_items_only() -> None:
    free = raw(choices=[[], [], []], answer=None, answer_text=["1", "2", "3"])
    assert validate_items(free, "here")["answer"].isna().all()
    with pytest.raises(InputError, match=r"row 1, column 'answer': is missing"):
        validate_items(raw(answer=None), "here")


@pytest.mark.parametrize(
    "answers",
    [pd.array([0, 2, None], dtype="Int64"), [0.0, 2.0, float("nan")], [0, np.int64(2), pd.NA]],
)
def test_answers_with_gaps_in_any_type(answers: object) -> None:
    items = validate_items(raw(answer=answers), "here")
    assert items["answer"].tolist()[:2] == [0, 2]
    assert items["answer"][2] is pd.NA


def test_choices_as_arrays_and_tuples() -> None:
    choices = [np.array(["x", "y"], dtype=object), ("x", "y", "z"), None]
    items = validate_items(raw(choices=choices), "here")
    assert items["choices"].tolist() == [["x", "y"], ["x", "y", "z"], []]


@pytest.mark.parametrize(
    "values",
    [[True, False, True], [np.float32(1), 0, 1], [Decimal("1"), 0, 1], [1, np.bool_(False), 1]],
)
def test_measures_of_any_numeric_type(values: list[object]) -> None:
    assert validate_items(raw(steps=values), "here")["steps"].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"item_id": None},
            "here: column 'item_id' is missing; the columns are: question, choices",
        ),
        ({"question": None}, "here: column 'question' is missing"),
        ({"choices": None}, "here: column 'choices' is missing"),
        ({"answer": None, "answer_text": None}, "here: column 'answer' is missing"),
        ({"item_id": ["a", "b", "a"]}, "row 3, column 'item_id': 'a' occurs already in row 1"),
        ({"item_id": ["a", " ", "c"]}, "row 2, column 'item_id': is empty"),
        ({"item_id": ["a", "b", 3]}, "row 3, column 'item_id': should be a text; got 3"),
        ({"question": ["One?", None, "Three?"]}, "row 2, column 'question': is empty"),
        ({"question": ["One?", "", "Three?"]}, "row 2, column 'question': is empty"),
        ({"question": ["One?", "\ud800", "Three?"]}, "row 2, column 'question': has a broken"),
        ({"choices": ["x|y", ["x", "y", "z"], []]}, "row 1, column 'choices': should be a list"),
        (
            {"choices": [["x", "y"], ["x", "y", "z"], ["w"]]},
            "row 3, column 'choices': has one choice",
        ),
        (
            {"choices": [["x", "y"], ["x", " ", "z"], []]},
            "row 2, column 'choices': has a choice with",
        ),
        ({"choices": [["x", "y"], ["x", None, "z"], []]}, "row 2, column 'choices': every choice"),
        (
            {"choices": [["x", "y"], ["x", "y", "x "], []]},
            "row 2, column 'choices': 'x' occurs twice",
        ),
        (
            {"answer_text": [None] * 3},
            "row 3, column 'choices': is empty, and there is no answer_text",
        ),
        (
            {"answer": [0, 3, None]},
            "row 2, column 'answer': 3 is out of range; the item has 3 choices (0-2)",
        ),
        ({"answer": [-1, 2, None]}, "row 1, column 'answer': -1 is out of range"),
        ({"answer": [0, None, None]}, "row 2, column 'answer': is missing"),
        (
            {"answer": [0, 0.5, None]},
            "row 2, column 'answer': should be the index of the gold choice; got 0.5",
        ),
        (
            {"answer": [True, 2, None]},
            "row 1, column 'answer': should be the index of the gold choice; got True",
        ),
        (
            {"answer": ["x", 2, None]},
            "row 1, column 'answer': should be the index of the gold choice; got 'x'",
        ),
        ({"answer": [0, 2, 0]}, "row 3, column 'answer': is 0, but the item has no choices"),
        (
            {"answer_text": ["y", None, "forty"]},
            "row 1, column 'answer_text': 'y' is not the gold choice 'x'",
        ),
        (
            {"steps": [1, "two", 3]},
            "row 2, column 'steps': a hardness measure should be a finite number; got 'two'",
        ),
        (
            {"steps": [1, 2, float("inf")]},
            "row 3, column 'steps': a hardness measure should be a finite",
        ),
        (
            {"steps": [1, 2, 10**400]},
            "row 3, column 'steps': a hardness measure should be a finite",
        ),
    ],
)
def test_every_problem_is_named_with_its_place(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        validate_items(raw(**changes), "here")
    assert message in str(caught.value)
    assert str(caught.value).startswith("here: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("frame", [pd.DataFrame(), raw().iloc[:0]])
def test_an_empty_table_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="here: the table has no items"):
        validate_items(frame, "here")


def test_a_column_twice_is_refused() -> None:
    frame = pd.concat([raw(), raw()[["steps"]]], axis=1)
    with pytest.raises(InputError, match="column 'steps' occurs twice"):
        validate_items(frame, "here")


@pytest.mark.parametrize("name", [0, " "])
def test_a_column_without_a_name_is_refused(name: object) -> None:
    with pytest.raises(InputError, match=r"column name .* should be a text"):
        validate_items(raw().rename(columns={"steps": name}), "here")


def test_a_correct_answer_text_of_a_choice_item_is_kept() -> None:
    items = validate_items(raw(answer_text=["x", None, "forty"]), "here")
    assert items["answer_text"].tolist() == ["x", None, "forty"]


def test_measures_are_all_other_columns() -> None:
    frame = raw(depth=[1, 2, 3], reasoning=["r", "s", "t"])
    assert measures(validate_items(frame, "here")) == ["steps", "depth"]


def test_shared_choices() -> None:
    same = raw(choices=[["x", "y"]] * 3, answer=[0, 1, 0], answer_text=None)
    assert shared_choices(validate_items(same, "here")) == ("x", "y")
    turned = raw(choices=[["x", "y"], ["y", "x"], ["x", "y"]], answer=[0, 1, 0], answer_text=None)
    assert shared_choices(validate_items(turned, "here")) is None
    free = raw(choices=[[], [], []], answer=[None] * 3, answer_text=["1", "2", "3"])
    assert shared_choices(validate_items(free, "here")) is None


def test_fingerprint_is_a_sha256_of_documented_bytes() -> None:
    # Built here by hand, so that a silent change of the fingerprint cannot pass.
    one = pd.DataFrame(
        {"item_id": ["a"], "question": ["Q?"], "choices": [["x", "y"]], "answer": [1], "steps": [2]}
    )
    parts = [
        ("item_id", b'["a"]'), ("question", b'["Q?"]'), ("answer_text", b"[null]"),
        ("group", b'["a"]'), ("reasoning", b"[null]"), ("choices", b'[["x","y"]]'),
        ("answer", (1).to_bytes(8, "little")), ("measure steps", b"\0\0\0\0\0\0\0\x40"),
    ]  # fmt: skip
    content = b"labelmix items 1\n" + b"".join(
        f'["{name}", {len(part)}]\n'.encode() + part for name, part in parts
    )
    assert fingerprint(validate_items(one, "here")) == hashlib.sha256(content).hexdigest()


def test_fingerprint_ignores_form_and_notices_content() -> None:
    items = validate_items(raw(depth=[0.0, 1.0, None]), "here")
    base = fingerprint(items)
    assert fingerprint(items[items.columns[::-1]]) == base
    assert fingerprint(items.set_index(pd.Index([5, 6, 7]))) == base
    assert fingerprint(items.drop(columns="reasoning")) == base
    assert fingerprint(items.convert_dtypes()) == base
    assert fingerprint(items.assign(depth=[-0.0, 1.0, np.nan])) == base
    changed = [
        items.iloc[::-1],
        items.iloc[:2],
        items.assign(steps=[1.0, 2.5, np.nan]),
        items.assign(steps=[1.0, 2.0, 3.0]),
        items.rename(columns={"steps": "moves"}),
        items.assign(steps=items["depth"], depth=items["steps"]),
        items.assign(question=["One?", "Two?", "Four?"]),
        items.assign(choices=[["x", "y"], ["x", "y z"], []]),
        items.assign(answer=pd.array([1, 2, None], dtype="Int64")),
        items.assign(group="g"),
        items.assign(reasoning="r"),
    ]
    prints = [fingerprint(table) for table in changed]
    assert base not in prints
    assert len(set(prints)) == len(prints)
