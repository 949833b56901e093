import json
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.judgments.label_studio_export import judgments_of_tasks
from annotation.judgments.read_files import read_judgment_files

Part = tuple[str, str, str]  # control, kind, answer


def tasks(*answers: list[Part], cancelled: bool = False) -> list[dict[str, Any]]:
    """One task with one annotation of each answer."""
    keys = {"choices": "choices", "textarea": "text", "rating": "rating"}
    annotations = [
        {
            "id": number,
            "completed_by": number,
            "was_cancelled": cancelled,
            "result": [
                {"from_name": name, "type": kind, "value": {keys[kind]: [text]}}
                for name, kind, text in parts
            ],
        }
        for number, parts in enumerate(answers)
    ]
    return [{"id": 1, "data": {"item_id": "a"}, "annotations": annotations}]


BOTH = [("mood", "choices", "good"), ("sure", "choices", "very")]


def test_several_controls_are_a_question() -> None:
    with pytest.raises(InputError, match=r"e: annotations answer .*'mood', 'sure'; .*--control"):
        judgments_of_tasks(tasks(BOTH), "e")


@pytest.mark.parametrize(("control", "label"), [("mood", "good"), ("sure", "very")])
def test_the_named_control_gives_the_labels(control: str, label: str) -> None:
    found = judgments_of_tasks(tasks(BOTH, BOTH[::-1]), "e", control=control)
    assert found.judgments["label"].tolist() == [label, label]


def test_an_annotation_without_the_control_is_told() -> None:
    found = judgments_of_tasks(tasks(BOTH, BOTH[:1]), "e", control="sure")
    assert found.judgments["label"].tolist() == ["very"]
    assert [each.problem for each in found.rejected] == ["has no answer by the control 'sure'."]


def test_a_control_that_nobody_answered_is_refused() -> None:
    with pytest.raises(InputError, match=r"a control 'mode'; .* answered: 'mood', 'sure'"):
        judgments_of_tasks(tasks(BOTH), "e", control="mode")


def test_a_text_beside_a_choice_is_a_comment() -> None:
    parts = [("mood", "choices", "good"), ("why", "textarea", "I say so")]
    assert judgments_of_tasks(tasks(parts), "e").judgments["label"].tolist() == ["good"]
    named = judgments_of_tasks(tasks(parts), "e", control="why")
    assert named.judgments["label"].tolist() == ["I say so"]


def test_several_texts_are_a_question() -> None:
    parts = [("one", "textarea", "a"), ("two", "textarea", "b")]
    with pytest.raises(InputError, match="'one', 'two'"):
        judgments_of_tasks(tasks(parts), "e")


@pytest.mark.parametrize("other", [("sure", "choices", "very"), ("why", "textarea", "I say so")])
def test_another_control_in_another_annotation_is_a_question(other: Part) -> None:
    whole = tasks(BOTH[:1], [other])
    apart = [task | {"id": 2} for task in tasks([other])]
    for both in (whole, tasks(BOTH[:1]) + apart):
        with pytest.raises(InputError, match=rf"'mood', '{other[0]}'; .*--control mood"):
            judgments_of_tasks(both, "e")
    found = judgments_of_tasks(whole, "e", control="mood")
    assert found.judgments["label"].tolist() == ["good"]
    assert len(found.rejected) == 1


def test_a_comment_on_some_choices_is_no_question() -> None:
    parts = [*BOTH[:1], ("why", "textarea", "I say so")]
    found = judgments_of_tasks(tasks(parts, BOTH[:1]), "e")
    assert found.judgments["label"].tolist() == ["good", "good"]


def test_what_was_cancelled_asks_nothing() -> None:
    assert judgments_of_tasks(tasks(BOTH, cancelled=True), "e").judgments["cancelled"].all()


def test_tables_have_no_controls(tmp_path: Path) -> None:
    table = tmp_path / "j.csv"
    table.write_text("item_id,annotator,label\na,x,yes\n")
    with pytest.raises(InputError, match=r"j\.csv: has no controls.*'mood'"):
        read_judgment_files([table], False, control="mood")
    export = tmp_path / "e.json"
    export.write_text(json.dumps(tasks(BOTH)))
    both = read_judgment_files([table, export], False, control="mood")
    assert sorted(both.judgments["label"]) == ["good", "yes"]
