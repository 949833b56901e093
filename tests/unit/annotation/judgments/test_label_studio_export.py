import json
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.judgments.label_studio_export import (
    judgments_of_tasks,
    read_label_studio_export,
)


def choice(*texts: str) -> dict[str, Any]:
    return {"type": "choices", "value": {"choices": list(texts)}}


def annotation(number: int, *result: dict[str, Any], **more: object) -> dict[str, Any]:
    base = {"id": number, "completed_by": 5, "result": list(result), "was_cancelled": False}
    return {**base, "lead_time": 12.5, "created_at": "2026-01-01T10:00:00Z", **more}


def task(*annotations: dict[str, Any], **data: object) -> dict[str, Any]:
    shown = {"item_id": "a", "options": ["yes", "no"], **data}
    return {
        "id": 1,
        "project": 3,
        "data": shown,
        "annotations": list(annotations),
        "predictions": [17],
    }


def test_an_annotation_becomes_a_judgment() -> None:
    found = judgments_of_tasks([task(annotation(9, choice("yes")), stratum="hard", gold="no")], "t")
    row = found.judgments.iloc[0]
    assert found.rejected == ()
    assert (row["item_id"], row["annotator"], row["label"]) == ("a", "5", "yes")
    assert (row["stratum"], row["gold"], row["seconds"]) == ("hard", "no", 12.5)
    assert row["source_id"] == "label-studio:3:9"
    assert row["created_at"].isoformat() == "2026-01-01T10:00:00+00:00"


def test_a_cancelled_annotation_has_time_and_no_label() -> None:
    found = judgments_of_tasks([task(annotation(9, choice("yes"), was_cancelled=True))], "t")
    row = found.judgments.iloc[0]
    assert row["cancelled"]
    assert row["label"] is None
    assert row["seconds"] == 12.5


def test_free_text_is_an_answer_and_beside_a_choice_a_comment() -> None:
    text = {"type": "textarea", "value": {"text": ["sure"]}}
    found = judgments_of_tasks([task(annotation(1, text), options=None)], "t")
    assert found.judgments["label"].tolist() == ["sure"]
    found = judgments_of_tasks([task(annotation(1, text, choice("no")))], "t")
    assert found.judgments["label"].tolist() == ["no"]


def test_annotators_are_known_by_address_or_number() -> None:
    people = [{"id": 5, "email": "anna@example.org"}, {"id": 6}, 7]
    annotations = [annotation(n, choice("yes"), completed_by=who) for n, who in enumerate(people)]
    found = judgments_of_tasks([task(*annotations)], "t")
    assert found.judgments["annotator"].tolist() == ["anna@example.org", "6", "7"]


def test_an_alias_means_its_option() -> None:
    options = [{"value": "yes, always", "alias": "A"}, {"value": "no", "alias": "B"}]
    found = judgments_of_tasks([task(annotation(1, choice("A")), options=options)], "t")
    assert found.judgments["label"].tolist() == ["yes, always"]


@pytest.mark.parametrize(
    ("wrong", "column", "words"),
    [
        (annotation(1, choice("maybe")), "annotations[0].result", "none of the task's options"),
        (annotation(1, choice("yes", "no")), "annotations[0].result", "picks 2 choices at once, ["),
        (annotation(1), "annotations[0].result", "has no answer"),
        (annotation(1, result=None), "annotations[0].result", "list of answers; got None"),
        (annotation(1, choice("yes"), completed_by=None), "annotations[0].completed_by", "who"),
        (annotation(1, choice("yes"), id=" "), "annotations[0].id", "number or a text; got ' '"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_task(
    wrong: dict[str, Any], column: str, words: str
) -> None:
    good = task(annotation(2, choice("no")), item_id="b")
    found = judgments_of_tasks([good, task(wrong)], "export.json")
    assert [(each.row, each.column) for each in found.rejected] == [(2, column)]
    assert words in found.rejected[0].problem
    assert found.judgments["item_id"].tolist() == ["b"]


def test_several_choices_are_counted_and_their_remedy_told() -> None:
    picks = [["yes"], ["yes", "no"], ["yes", "yes"], ["no", "maybe", "yes"]]
    annotations = [annotation(number, choice(*own)) for number, own in enumerate(picks)]
    found = judgments_of_tasks([task(*annotations)], "t")
    assert found.judgments["label"].tolist() == ["yes", "yes"]
    assert [each.column for each in found.rejected] == [f"annotations[{n}].result" for n in (1, 3)]
    (note,) = found.notes
    assert (
        '2 annotations pick several choices at once; a label is one choice; set choice="single"'
        in (note.problem)
    )


def test_a_wrong_time_leaves_the_judgment() -> None:
    found = judgments_of_tasks([task(annotation(1, choice("yes"), lead_time=-3))], "t")
    assert found.judgments["label"].tolist() == ["yes"]
    assert "at least 0; got -3" in found.rejected[0].problem
    assert found.rejected[0].row_stays


def test_ground_truths_are_judgments_unless_told_otherwise() -> None:
    tasks = [task(annotation(1, choice("yes"), ground_truth=True), annotation(2, choice("no")))]
    kept = judgments_of_tasks(tasks, "t").judgments
    assert kept["label"].tolist() == ["yes", "no"]
    assert kept["gold"].tolist() == [None, None]
    as_gold = judgments_of_tasks(tasks, "t", ground_truth_is_gold=True).judgments
    assert as_gold["label"].tolist() == ["no"]
    assert as_gold["gold"].tolist() == ["yes"]


def test_a_task_from_elsewhere_goes_by_its_number() -> None:
    found = judgments_of_tasks([task(annotation(1, choice("yes")), item_id=None)], "t")
    assert found.judgments["item_id"].tolist() == ["task-1"]
    assert [str(note) for note in found.notes] == [
        "t: row 1, column 'item_id': is missing; the item is called 'task-1'."
    ]


def test_a_file_that_is_no_list_of_tasks_is_an_input_error(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps({"id": 1}), encoding="utf-8")
    with pytest.raises(InputError, match="should be a list of tasks"):
        read_label_studio_export(path)
    path.write_text("[", encoding="utf-8")
    with pytest.raises(InputError, match="is not JSON"):
        read_label_studio_export(path)


def test_annotation_numbers_may_be_texts() -> None:
    answers = [annotation(number, choice("yes"), id=f"{number}") for number in (1, 2)]
    found = judgments_of_tasks([task(*answers)], "t")
    assert found.judgments["source_id"].tolist() == ["label-studio:3:1", "label-studio:3:2"]
    assert not found.rejected


@pytest.mark.parametrize(
    ("kind", "value"), [("rating", {"rating": 4}), ("number", {"number": 2}), ("pairwise", {})]
)
def test_answers_of_another_kind_are_named_as_such(kind: str, value: dict[str, Any]) -> None:
    found = judgments_of_tasks([task(annotation(1, {"type": kind, "value": value}))], "t")
    (rejected,) = found.rejected
    assert rejected.problem.startswith(f"answers of kind {kind} are not read")
