"""Predictions of a model, shown to annotators as a first answer."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from annotation.errors import InputError
from annotation.files import TableRow, read_records
from annotation.judgments.columns import is_text
from annotation.label_studio.labelling_config import CONTROL, QUESTION
from annotation.label_studio.pilot import PilotTask


@dataclass(frozen=True)
class Prediction:
    """What a model would answer; `score` is from 0 to 1 where the model gives one."""

    item_id: str
    choice: str
    score: float | None

    def request(self, task_id: int, has_options: bool, model_version: str) -> dict[str, Any]:
        """The pre-annotation as Label Studio takes it."""
        kind, value = ("choices", "choices") if has_options else ("textarea", "text")
        result = {
            "from_name": CONTROL,
            "to_name": QUESTION,
            "type": kind,
            "value": {value: [self.choice]},
        }
        request = {"task": task_id, "result": [result], "model_version": model_version}
        return request if self.score is None else request | {"score": self.score}


def read_predictions(
    path: Path,
    tasks: Sequence[PilotTask],
    given_choices: Mapping[str, Sequence[str]] | None = None,
) -> list[Prediction]:
    """Read predictions for the tasks of a pilot from a JSONL, CSV or Parquet file.

    Columns: `item_id`; `choice`, the text of a choice, or else its index from 0, or the answer
    where it is free-form; `score`, which may be absent. Rows about other items are passed over.
    An index counts the choices as the file of items has them: `given_choices`, item_id -> choices,
    where tasks show them in another order.

    Raises InputError if the file cannot be read, a column is missing, an item occurs twice, a
    choice is none of the item's or a score is not from 0 to 1.
    """
    by_item = {task.item_id: task for task in tasks}
    found: dict[str, Prediction] = {}
    for number, record in enumerate(read_records(path), start=1):

        def fail(problem: str, number: int = number) -> NoReturn:
            raise InputError(f"{path}: row {number}: {problem}")

        for column in ("item_id", "choice"):
            if record.get(column) in (None, ""):
                fail(f"column '{column}' is missing or empty; give item_id, choice and score.")
        item_id = str(record["item_id"])
        task = by_item.get(item_id)
        if task is None:
            continue
        if item_id in found:
            fail(f"item '{item_id}' occurs twice; keep one prediction of each item.")
        choice = _choice(record["choice"], (given_choices or {}).get(item_id, task.options))
        if choice is None and not task.options:
            fail(f"choice {record['choice']!r:.60} should be a text, the answer.")
        if choice is None:
            fail(
                f"choice {record['choice']!r:.60} is none of the choices of item '{item_id}' "
                f"({' | '.join(task.options)})."
            )
        score, is_score = _score(record)
        if not is_score:
            fail(f"score should be from 0 to 1; got {record['score']!r:.60}.")
        found[item_id] = Prediction(item_id, choice, score)
    if not found:
        raise InputError(f"{path}: has no prediction for any item of the pilot.")
    return list(found.values())


def version_of(predictions: Sequence[Prediction]) -> str:
    """A name for these predictions, told by their content."""
    content = json.dumps(
        sorted([p.item_id, p.choice, "" if p.score is None else repr(p.score)] for p in predictions)
    )
    return f"labelmix-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _choice(value: object, options: Sequence[str]) -> str | None:
    text = value if isinstance(value, str) else str(value)
    if not options:
        is_answer = isinstance(value, str | int | float) and value == value  # NaN is none
        return text if is_answer and is_text(text) else None
    for option in options:
        if option.strip() == text.strip():
            return option
    is_index = text.strip().isascii() and text.strip().isdecimal() and len(text) < 10
    return options[int(text)] if is_index and int(text) < len(options) else None


def _score(record: TableRow) -> tuple[float | None, bool]:
    """The score, None where there is none; and whether that is one."""
    value = record.get("score")
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None, True
    if isinstance(value, bool):
        return None, False
    try:
        score = float(value)
    except (TypeError, ValueError, OverflowError):
        return None, False
    return score, 0 <= score <= 1
