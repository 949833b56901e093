"""Label Studio's exports as JSON-MIN and CSV: a row per annotation, its controls as columns.

Nothing in them says which columns are the task's data and which its answers, so the control is
named by the user. Annotations that were cancelled are not in these exports.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.errors import InputError, short
from annotation.judgments.controls import named_control

# What Label Studio adds to every row, and what labelmix reads of the data.
_OWN = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement")
_READ = ("item_id", "stratum", "gold", "options")
_NOBODY = "None"  # what its CSV says where nobody is named


def tasks_of_rows(
    rows: Sequence[Any], where: str, kind: str, control: str | None
) -> list[dict[str, Any]]:
    """The rows as tasks in the form of the JSON export, each with its one annotation.

    Parameters
    ----------
    rows
        Column -> value, of every row; in a CSV all values are texts.
    where, kind
        The file and its format, for messages.
    control
        The column that holds the labels.

    Raises
    ------
    InputError
        If no control is named, there is no such column, or nothing says which rows are of one task.
    """
    columns = dict.fromkeys(name for row in rows if isinstance(row, Mapping) for name in row)
    answers = [name for name in columns if name not in (*_OWN, *_READ, "history")]
    listed = ", ".join(map(short, answers)) or "none"
    if control is None:
        raise InputError(
            f"{where}: is Label Studio's export as {kind}, which does not say which column is the "
            f"answer: {listed}; name it by --control (in a configuration: control under "
            "[annotators]), or export in the format JSON."
        )
    named = named_control(where, control, answers)
    if named is None:
        raise InputError(
            f"{where}: has no column {short(control)} of answers; the columns are: {listed}."
        )
    return [_task(row, where, number, named) for number, row in enumerate(rows, start=1)]


def _task(row: object, where: str, number: int, control: str) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        return {"data": row}  # named as what it is by who reads tasks
    data = {name: row.get(name) for name in _READ if row.get(name) not in (None, "")}
    if "item_id" not in data and row.get("id") in (None, ""):
        raise InputError(
            f"{where}: row {number} has neither an item_id nor the id of its task; export in the "
            "format JSON and give that file."
        )
    if "options" in data:
        data["options"] = _document(data["options"])
    annotation = {
        "id": row.get("annotation_id"),
        "completed_by": _annotator(row.get("annotator")),
        "result": _result(row.get(control), control),
        **{name: row.get(name) for name in ("created_at", "updated_at", "lead_time")},
    }
    return {"id": row.get("id"), "data": data, "annotations": [annotation]}


def _annotator(value: object) -> object:
    """As `completed_by` of the JSON export says it: a number, or a person with an address."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text in ("", _NOBODY):
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else {"email": text}


def _result(value: object, control: str) -> list[dict[str, Any]]:
    """The answers of an annotation in the form of the JSON export."""
    if value is None or value == "":
        return []
    document = _document(value)
    found = document if isinstance(document, list) else [document]
    return [_part(each, control) for each in found]


def _part(value: object, control: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {"from_name": control, "type": "choices", "value": {"choices": [str(value)]}}
    for key, kind in (("choices", "choices"), ("text", "textarea")):
        if key in value and len(value) == 1:
            return {"from_name": control, "type": kind, "value": dict(value)}
    return {"from_name": control, "type": next(iter(map(str, value)), "nothing"), "value": value}


def _document(value: object) -> object:
    """What a cell of the CSV says: its answers and lists are JSON where they are more than a text.

    A text that only looks like JSON stays the text that it is.
    """
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        return value
    parts = document if isinstance(document, list) else [document]
    return document if all(isinstance(part, Mapping | str) for part in parts) else value
