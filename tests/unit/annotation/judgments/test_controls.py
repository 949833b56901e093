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


def exports(folder: Path, *answers: list[Part]) -> list[Path]:
    """One export of each."""
    files = [folder / f"e{number}.json" for number in range(len(answers))]
    for number, (path, parts) in enumerate(zip(files, answers, strict=True)):
        found = [task | {"id": number} for task in tasks(parts)]
        for task in found:
            task["data"] = {"item_id": f"item {number}"}
            task["annotations"][0] |= {"id": number, "completed_by": number}
        path.write_text(json.dumps(found))
    return files


def test_files_that_answer_different_controls_are_a_question(tmp_path: Path) -> None:
    files = exports(tmp_path, BOTH[:1], BOTH[:1], BOTH[1:])
    with pytest.raises(InputError) as error:
        read_judgment_files(files, False)
    told = str(error.value)
    assert told.count("\n") == 0
    assert f"'mood' ({files[0]}), 'sure' ({files[2]})" in told
    assert "--control mood, or --control mood,sure if they are one question" in told
    with pytest.raises(InputError, match=r"e2\.json: nobody answered.*or leave this file out"):
        read_judgment_files(files, False, control="mood")
    found = read_judgment_files(files, False, control="mood, sure")
    assert found.judgments["label"].tolist() == ["good", "good", "very"]


def test_files_with_one_control_are_none(tmp_path: Path) -> None:
    files = exports(tmp_path, BOTH[:1], [("mood", "choices", "bad")])
    table = tmp_path / "j.csv"
    table.write_text("item_id,annotator,label\na,x,yes\n")
    found = read_judgment_files([*files, table], False)
    assert found.judgments["label"].tolist() == ["good", "bad", "yes"]


def test_several_named_controls_in_one_file_are_a_question(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="several of the controls that are named: 'mood', 'sure'"):
        read_judgment_files(exports(tmp_path, BOTH), False, control="mood,sure")


def test_rows_of_a_csv_export_have_one_of_the_named_controls(tmp_path: Path) -> None:
    export = tmp_path / "e.csv"
    export.write_text(
        "id,item_id,feeling,annotator,annotation_id,created_at,lead_time\n"
        "1,a,good,1,11,2024-01-01T00:00:00Z,3\n"
    )
    (more,) = exports(tmp_path, BOTH[:1])
    found = read_judgment_files([export, more], False, control="mood,feeling")
    assert found.judgments["label"].tolist() == ["good", "good"]
