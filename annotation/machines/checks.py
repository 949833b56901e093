"""What people are asked about a machine's items, and what they answered: files both ways."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from annotation.arrays import IntArray
from annotation.errors import InputError, short
from annotation.files import TableRow, read_records
from annotation.items.answers import AnswersError, answer_reading, read_answers
from annotation.items.choices import LabelledChoices
from annotation.items.table import is_missing
from annotation.items.write import write_rows
from annotation.machines.labels import MachineLabels
from annotation.machines.routing import Route


def with_checks(labels: MachineLabels, path: Path, answers: str | None = None) -> MachineLabels:
    """The same with the answers of a file of people: columns item_id and label, one row an item.

    It is what `write_to_check` writes, filled in, or the labels that `labelmix judgments report
    --labels-out` makes of several judgments. Rows without a label are skipped. An answer that was
    there before should be the same.

    Raises InputError if a column is missing, an item is not in the table or has two answers, or a
    label is no choice of its item.
    """
    names = {name: row for row, name in enumerate(labels.items["item_id"].astype(str))}
    said: list[object] = [None] * len(labels)
    rows: dict[int, int] = {}
    for number, record in enumerate(read_records(path), start=1):
        for column in ("item_id", "label"):
            if column not in record:
                raise InputError(
                    f"{path}: row {number}, column '{column}' is missing; checks have item_id and "
                    "label."
                )
        label, name = record["label"], str(record["item_id"]).strip()
        if _is_empty(label):
            continue
        if name not in names:
            raise InputError(f"{path}: row {number}, item_id {short(name)} is not in the items.")
        place = names[name]
        if place in rows and said[place] != label:
            raise InputError(
                f"{path}: row {number}, item_id {short(name)} has another label in row "
                f"{rows[place]}; make one label of several judgments first: labelmix judgments "
                "report FILE --labels-out labels.jsonl."
            )
        said[place], rows[place] = label, number
    given = _places(labels, said, rows, path, answers)
    differ = np.flatnonzero((given >= 0) & (labels.people >= 0) & (given != labels.people))
    if differ.size:
        first = int(differ[0])
        raise InputError(
            f"{path}: row {rows[first]}, item_id {short(labels.items['item_id'].iloc[first])} has "
            "another answer of people in the items; keep one of them."
        )
    return replace(labels, people=np.where(given >= 0, given, labels.people))


def _places(
    labels: MachineLabels,
    said: Sequence[object],
    rows: dict[int, int],
    path: Path,
    answers: str | None,
) -> IntArray:
    options = [LabelledChoices(tuple(choices)) for choices in labels.items["choices"]]
    wanted = None if answers is None else answer_reading(answers)
    try:
        found = read_answers(said, options, wanted)
    except AnswersError as error:
        ways = f"; say how: --answers {' or '.join(error.options)}" if error.options else ""
        raise InputError(f"{path}: row {rows.get(error.row, 0)}, label: {error}{ways}") from None
    return np.array([-1 if own is None else own for own in found.places], dtype=np.int64)


def write_to_check(labels: MachineLabels, ask: IntArray, path: Path) -> None:
    """Write the items that people are to answer, without what the machine said of them.

    Columns: item_id, question, choices, label (empty). The order is that of the table, so that it
    does not tell why an item is asked.

    Raises InputError if the file cannot be written, or holds answers of people that would be lost.
    """
    _check_nothing_is_lost(labels, path)
    rows: list[TableRow] = []
    for row in np.sort(ask).tolist():
        item = labels.items.iloc[row]
        rows.append(
            {
                "item_id": str(item["item_id"]),
                "question": str(item["question"]),
                "choices": [str(choice) for choice in item["choices"]],
                "label": "",
            }
        )
    write_rows(rows, path)


def _is_empty(label: object) -> bool:
    return label is None or is_missing(label) or str(label).strip() == ""


def _check_nothing_is_lost(labels: MachineLabels, path: Path) -> None:
    """Raise InputError if the file is there and holds an answer that `labels` knows nothing of."""
    if not path.is_file() or not path.stat().st_size:
        return
    known = set(labels.items["item_id"].astype(str).to_numpy()[labels.people >= 0])
    unknown = [
        record
        for record in read_records(path)
        if not _is_empty(record.get("label")) and str(record.get("item_id")).strip() not in known
    ]
    if unknown:
        raise InputError(
            f"{path}: holds answers of people to {len(unknown):,} items that were not given by "
            "--checked and would be lost; give them by --checked, and name another file for what "
            "is asked next."
        )


def write_routed(labels: MachineLabels, route: Route, path: Path) -> None:
    """Write every item's label and whose it is: item_id, label, source ("machine" or "people").

    Where people answered they are believed, whether they were asked or not.

    Raises InputError if not all is decided, or the file cannot be written.
    """
    if not route.is_decided:
        raise InputError(f"{path}: {route.ask.size} items have to be answered by people first.")
    by_people = labels.people >= 0
    texts = labels.texts(np.where(by_people, labels.people, labels.said))
    columns = zip(labels.items["item_id"], texts, by_people.tolist(), strict=True)
    write_rows(
        [
            {"item_id": str(name), "label": text, "source": "people" if own else "machine"}
            for name, text, own in columns
        ],
        path,
    )
