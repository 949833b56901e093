import json
from pathlib import Path
from typing import Any

import pytest

from annotation.errors import InputError
from annotation.items.table import measures
from annotation.sources.arc import load_arc


def question(question_id: str, key: str = "B", labels: str = "ABCD") -> dict[str, Any]:
    texts = ["3", "two words", "1", "4", "5"][: len(labels)]
    return {
        "id": question_id,
        "question": "How  many are there?",
        "choices": {"text": texts, "label": list(labels)},
        "answerKey": key,
    }


def entry(grade: str = "Grade 08", **changes: str) -> dict[str, str]:
    levels = {"bloom": "Applying", "depth_of_knowledge": "II", "difficulty": "High"}
    return {"grade": grade, **levels, **changes}


ANNOTATIONS = {
    "ARCEZ_Mercury_1": entry("Grade 03", bloom="Remembering", difficulty="Low"),
    "ARCEZ_MCAS_2": entry(),
    "ARCCH_Mercury_3": entry(bloom="Evaluating", depth_of_knowledge="III"),
    "ARCCH_Mercury_4": entry("Biology"),
    "ARCCH_Mercury_9": entry(),
}
QUESTIONS = {
    "ARC-Easy/train": [question("Mercury_1"), question("Mercury_8")],
    "ARC-Easy/test": [question("MCAS_2", key="3", labels="12345")],
    "ARC-Challenge/validation": [
        question("Mercury_3", key="C", labels="ABC"),
        question("Mercury_4"),
        question("Mercury_1", key="A"),
    ],
}


def folder(
    path: Path, questions: dict[str, Any] = QUESTIONS, annotations: Any = ANNOTATIONS
) -> str:
    for name, records in questions.items():
        file = path / f"{name}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    (path / "annotations.json").write_text(json.dumps(annotations))
    return str(path)


def test_annotated_questions_of_all_splits(tmp_path: Path) -> None:
    items = load_arc(folder(tmp_path))
    # Without annotation: Mercury_8; without a grade: Mercury_4; repeated: Mercury_1.
    assert items["item_id"].tolist() == ["Mercury_1", "MCAS_2", "Mercury_3"]
    assert items["group"].tolist() == ["Mercury", "MCAS", "Mercury"]
    # MCAS_2: the label "3" is the third choice, "1", although the first choice is the text "3".
    assert items["answer"].tolist() == [1, 2, 2]
    assert items["choices"].map(len).tolist() == [4, 5, 3]
    assert items["grade"].tolist() == [3, 8, 8]
    assert items["difficulty"].tolist() == [1, 3, 3]
    assert items["bloom"].tolist() == [1, 3, 5]
    assert items["depth_of_knowledge"].tolist() == [2, 2, 3]
    assert items["question_words"].tolist() == [4, 4, 4]
    assert items["answer_characters"].tolist() == [9, 1, 1]
    assert len(measures(items)) == 6
    assert items.attrs == {"left_out": "2 questions without a school grade"}


def test_one_exam_only_says_nothing_about_clusters(tmp_path: Path) -> None:
    items = load_arc(
        folder(tmp_path, {"ARC-Easy/train": [question("Mercury_1"), question("Mercury_9")]})
    )
    assert items["group"].tolist() == ["Mercury_1", "Mercury_9"]


def test_annotations_from_elsewhere(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    folder(data)
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"ARCEZ_Mercury_8": entry("Grade 05")}))
    assert load_arc(str(data), str(other))["item_id"].tolist() == ["Mercury_8"]


def test_the_hub_needs_the_annotation_file() -> None:
    with pytest.raises(
        InputError, match=r"easy-to-hard-generalization: data/arc-challenge-easy-ann"
    ):
        load_arc()


@pytest.mark.parametrize(
    ("questions", "annotations", "message"),
    [
        ({}, ANNOTATIONS, "no ARC questions; expected files such as ARC-Easy/train.jsonl"),
        (
            {"ARC-Easy/train": [question("Mercury_8")]},
            ANNOTATIONS,
            "none of its questions is annotated",
        ),
        (QUESTIONS, [], "annotations.json: should be a JSON object of question ids"),
        (QUESTIONS, {"ARCEZ_x": "Grade 08"}, "'ARCEZ_x' should be a JSON object; got 'Grade 08'"),
        (
            QUESTIONS,
            {"ARCEZ_Mercury_1": entry(bloom="Creating")},
            "'ARCEZ_Mercury_1': bloom should be one of Remembering",
        ),
        (
            {"ARC-Easy/test": [question("MCAS_2"), question("Mercury_1", key="E")]},
            ANNOTATIONS,
            "ARC-Easy test row 2 ('Mercury_1'), column 'answerKey': should be one of A, B, C, D",
        ),
        (
            {"ARC-Easy/test": [question("Mercury_1") | {"choices": 3}]},
            ANNOTATIONS,
            "ARC-Easy test row 1 ('Mercury_1'), column 'choices': should be a list",
        ),
        (
            {"ARC-Easy/test": [question("Mercury_1") | {"question": None}]},
            ANNOTATIONS,
            "column 'question': is empty",
        ),
    ],
)
def test_problems_are_named(
    tmp_path: Path, questions: dict[str, Any], annotations: Any, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_arc(folder(tmp_path, questions, annotations))
    assert message in str(caught.value)


def test_absent_annotations(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"annotations\.json: no such file"):
        load_arc(str(tmp_path))
