import pandas as pd
import pytest

from annotation.items.validate import validate_items
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.label_studio_export import judgments_of_tasks
from annotation.judgments.own_choices import OwnChoices
from annotation.judgments.table import check_judgments


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        (" caf\u00e9", "caf\u00e9"),
        ("cafe\u0301\u200b", "caf\u00e9"),
        ("2.0", "2"),
        ("\uff12", "2"),
        ("3.0", "3.0"),
        ("3", "3"),
        ("3.00", None),  # two choices are this number
        ("Caf\u00e9", None),
        ("x\u00b2", None),
    ],
)
def test_find(answer: str, choice: str | None) -> None:
    texts = ["caf\u00e9", "2", "3", "3.0", "x2"]
    assert OwnChoices({text: text for text in texts}).find(answer) == choice


def test_labels_and_gold_become_the_choices_own_text() -> None:
    items = validate_items(
        pd.DataFrame({"item_id": ["a"], "question": ["?"], "choices": [["1", "2"]], "answer": [0]}),
        "t",
    )
    table = {"item_id": ["a"] * 3, "annotator": list("xyz"), "label": ["2.0", "1", "3.0"]}
    checked = check_judgments(pd.DataFrame({**table, "gold": ["1.0"] * 3}, dtype=object), "t")
    found = check_against_items(checked, items)
    assert found.judgments["label"].tolist() == ["2", "1"]
    assert found.judgments["gold"].tolist() == ["1", "1"]
    (rejected,) = found.rejected
    assert rejected.problem == "'3.0' is none of the item's choices: 1, 2."


def test_options_of_a_task_are_compared_by_look() -> None:
    answer = {"type": "choices", "value": {"choices": ["cafe\u0301"]}}
    annotation = {"id": 1, "completed_by": 1, "result": [answer]}
    data = {"item_id": "a", "options": ["caf\u00e9", {"value": "tea", "alias": "t"}]}
    found = judgments_of_tasks([{"data": data, "annotations": [annotation]}], "t")
    assert found.judgments["label"].tolist() == ["caf\u00e9"]
