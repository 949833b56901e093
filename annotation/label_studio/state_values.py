"""Are the values of a pilot's state what a state holds? Asked where no digest speaks for them."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from annotation.errors import short

_Check = Callable[[object], bool]
_LARGEST = 1 << 53  # of numbers that a server gives to tasks, annotations and people


def wrong_value(connection: sqlite3.Connection) -> str | None:
    """The first value that is none, and where it stands; None where all can be used."""
    for table, checks in _COLUMNS.items():
        for row in connection.execute(f"SELECT {', '.join(checks)} FROM {table}"):
            for (name, is_right), value in zip(checks.items(), row, strict=True):
                if not is_right(value):
                    return f"{table}, column {name}: {short(value)} cannot be"
    for key, value in connection.execute("SELECT key, value FROM about"):
        if not _ABOUT.get(key, _is_text)(value):
            return f"about, {short(key)}: {short(value)} cannot be"
    return None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= _LARGEST


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < float("inf")


def _is_time(value: object) -> bool:
    with suppress(ValueError):
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    return False


def _is_digits(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 17


def _is_list_of_texts(value: object) -> bool:
    with suppress(ValueError, RecursionError):
        found = json.loads(value) if isinstance(value, str) else None
        return isinstance(found, list) and all(isinstance(own, str) for own in found)
    return False


def _or_none(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


def _or_empty(check: _Check) -> _Check:
    return lambda value: value == "" or check(value)


_COLUMNS: Mapping[str, Mapping[str, _Check]] = {
    "pilot": {"item_id": _is_text, "stratum": _is_text, "gold": _or_none(_is_text)},
    "tasks": {
        "task_id": _is_number,
        "item_id": _or_none(_is_text),
        "stratum": _or_none(_is_text),
        "updated_at": _is_time,
        "pass": _is_number,
    },
    "annotations": {
        "annotation_id": _is_number,
        "task_id": _is_number,
        "annotator": _or_none(_is_number),
        "label": _or_none(_is_text),
        "seconds": _or_none(_is_seconds),
        "created_at": _is_time,
        "updated_at": _is_time,
        "cancelled": lambda value: value in (0, 1),
        "problem": _or_none(_is_text),
    },
    "users": {"user_id": _is_number, "name": _is_text},
    "about": {"key": _is_text, "value": _is_text},
}
_ABOUT: Mapping[str, _Check] = {
    "version": _is_digits,
    "project_id": _is_digits,
    "seed": _is_digits,
    "pass_number": _is_digits,
    "pass_after_id": _is_digits,
    "pass_since": _or_empty(_is_time),
    "pass_until": _or_empty(_is_time),
    "watermark": _or_empty(_is_time),
    "adopted_items": _is_list_of_texts,
}
