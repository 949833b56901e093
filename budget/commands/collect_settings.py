"""The settings of a new collection, as a file and options of `labelmix collect new` say them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annotation.files import read_records, readable

_OF_ANSWERS = ("answer", "answer_text")  # items that are to be labelled need none


def collection_settings(
    folder: Path,
    config: Path | None,
    given: Mapping[tuple[str, str], str | None],
    columns: Mapping[str, str],
    choices: list[str] | None,
    answers: str | None,
    instructions: Path | None,
    deadline: str | None,
) -> dict[str, Any]:
    """The settings, not checked yet; options win over the file.

    Parameters
    ----------
    folder
        The collection's, after which it is named unless the file names it.
    config
        The file of settings.
    given
        (section, key) -> what an option says; None where it was not given.
    columns, choices, answers
        How both tables are read: name in the item table -> name in them, and so on.
    instructions
        A file with what annotators read first.
    deadline
        The last day.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    from budget.config.collection_config import with_absolute_paths
    from budget.config.toml import read_toml

    raw: dict[str, Any] = {}
    if config is not None:
        raw = with_absolute_paths(read_toml(config), config.parent)
    for (section, key), value in given.items():
        if value is not None:
            raw[section] = {**_section(raw, section), key: value}
    for name in ("items", "test"):
        own = _section(raw, name)
        if own.get("path") is None:
            continue  # it is missed when the settings are checked
        mapped = _of_table(columns, Path(str(own["path"])), is_answered=name == "test")
        reading = {"choices": choices, "answers": answers}
        raw[name] = own | {key: value for key, value in reading.items() if value is not None}
        if mapped:
            raw[name]["columns"] = {**_section(own, "columns"), **mapped}
    if instructions is not None:
        with readable(instructions):
            raw["instructions"] = instructions.read_text(encoding="utf-8-sig")
    if deadline is not None:
        raw["deadline"] = deadline
    raw.setdefault("name", folder.resolve().name)
    return raw


def with_currency(raw: dict[str, Any], prices: str | None) -> dict[str, Any]:
    """The settings in the currency of the prices, where neither file nor options name one."""
    budget = raw.get("budget")
    if prices is None or not isinstance(budget, dict) or "currency" in budget:
        return raw
    return {**raw, "budget": {**budget, "currency": prices}}


def _section(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    own = raw.get(name)
    return dict(own) if isinstance(own, dict) else {}


def _of_table(columns: Mapping[str, str], path: Path, is_answered: bool) -> dict[str, str]:
    """The columns that one of the two tables has: items to be labelled may have no answers."""
    if is_answered or not any(name in columns for name in _OF_ANSWERS):
        return dict(columns)
    there = {column for record in read_records(path) for column in record}
    return {
        name: column
        for name, column in columns.items()
        if name not in _OF_ANSWERS or column in there
    }
