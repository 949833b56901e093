"""From one annotation to one judgment: the answer is read and checked against the options."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation.errors import short
from annotation.judgments.columns import is_text
from annotation.judgments.controls import only_choice
from annotation.judgments.own_choices import OwnChoices
from annotation.label_studio.labelling_config import AnswerControl
from annotation.label_studio.records import AnnotationRecord, TaskRecord


@dataclass(frozen=True)
class Judgment:
    """One annotation as we keep it.

    `label` is None where the annotator skipped the task, and where `problem` says why the answer
    cannot be used. `seconds` is None where unknown. `annotator` is the user's number.
    """

    annotation_id: int
    annotator: int | None
    label: str | None
    seconds: float | None
    created_at: datetime
    updated_at: datetime
    cancelled: bool
    problem: str | None = None


def read_judgment(
    annotation: AnnotationRecord, task: TaskRecord, control: AnswerControl
) -> Judgment:
    """Read an annotation; what is wrong with it becomes its `problem`, never an exception."""
    label, problem = None, None
    if task.item_id is None:
        problem = f"task {task.id} has no item_id, so labelmix did not send it"
    elif annotation.completed_by is None:
        problem = "nobody is named as its author"
    elif not annotation.was_cancelled:
        label, problem = read_answer(annotation.result, control, task.data)
    if label is not None and not is_text(label):
        label, problem = None, "its answer has a broken character"
    return Judgment(
        annotation_id=annotation.id,
        annotator=annotation.completed_by,
        label=label,
        seconds=_seconds(annotation.lead_time),
        created_at=annotation.created_at,
        updated_at=annotation.updated_at,
        cancelled=annotation.was_cancelled,
        problem=problem and problem.encode(errors="backslashreplace").decode(),
    )


def read_answer(
    result: list[dict[str, Any]], control: AnswerControl, data: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    """The answer of a result, or what is wrong with it; one of the two is None.

    Label Studio takes any text as a choice, so an answer counts only if it is one of the task's.
    """
    answers = [part for part in result if part.get("from_name") == control.name]
    if not answers:
        others = dict.fromkeys(str(part.get("from_name")) for part in result)
        if not others:
            return None, "it has no answer"
        told = ", ".join(map(short, others))
        return None, f"it has no answer by the control {short(control.name)}, only by {told}"
    if len(answers) > 1:
        return None, f"it has {len(answers)} answers"
    value = answers[0].get("value")
    key = "choices" if control.tag == "Choices" else "text"
    given = value.get(key) if isinstance(value, dict) else None
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return None, f"its answer has no {key}"
    if not texts:
        return None, "it has no answer"
    if control.tag == "Choices":
        try:
            text = only_choice(texts)
        except ValueError as error:
            return None, f"it {error}".rstrip(".")
    elif len(texts) > 1:
        return None, f"it has {len(texts)} answers"
    else:
        text = texts[0]
    if control.tag == "TextArea":
        return (text, None) if text.strip() else (None, "its answer is empty")
    return _option(text, control.options(data))


def _option(text: str, options: Mapping[str, str]) -> tuple[str | None, str | None]:
    if text in options:
        return options[text], None
    # The page may take off spaces around a choice; other programs compose letters otherwise.
    meant = OwnChoices(options).find(text)
    if meant is not None:
        return meant, None
    listed = " | ".join(dict.fromkeys(options.values()))
    return None, f"{short(text)} is none of the choices ({_cut(listed, 120)})"


def _seconds(lead_time: float | None) -> float | None:
    known = lead_time is not None and math.isfinite(lead_time) and lead_time >= 0
    return lead_time if known else None


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
