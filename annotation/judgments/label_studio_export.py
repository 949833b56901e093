"""Read judgments from Label Studio's exports.

Its JSON export is a list of tasks; each has `data` (what was shown) and `annotations` (what was
answered). Other exports are brought into that form first. labelmix reads of the data `item_id`,
`stratum`, `gold` and `options`, and of every annotation who made it, when, how long it took and
what it says. Predictions are not judgments.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from annotation.errors import InputError, short
from annotation.files import read_json, read_records
from annotation.items.table import is_missing
from annotation.judgments.annotation_ids import annotation_source_id
from annotation.judgments.columns import is_text
from annotation.judgments.controls import ONE_CHOICE, answers_of, check_control, only_choice
from annotation.judgments.label_studio_rows import tasks_of_rows
from annotation.judgments.own_choices import OwnChoices
from annotation.judgments.rejections import CheckedJudgments, Rejection
from annotation.judgments.schema import COLUMNS, is_label_studio_table
from annotation.judgments.storage_export import read_storage_file, storage_files, storage_task
from annotation.judgments.table import check_judgments


def read_label_studio_export(
    path: str | Path, ground_truth_is_gold: bool = False, control: str | None = None
) -> CheckedJudgments:
    """The judgments of an export of Label Studio, and the annotations that cannot be used.

    Parameters
    ----------
    path
        A file as exported in the format JSON, JSON-MIN or CSV; or a folder of files that Label
        Studio wrote to a storage, or one of them.
    ground_truth_is_gold
        Whether an annotation marked as ground truth is the right answer to its task instead of a
        judgment. Label Studio marks every imported annotation so unless told otherwise.
    control
        The control whose answers are the labels, where annotations answer several; in JSON-MIN and
        CSV it is always named.

    Raises
    ------
    InputError
        If the file is absent or unreadable, or is no list of tasks; if annotations answer several
        controls and none is named, or nobody answered the one that is.
    """
    path, where = Path(path), str(path)
    if path.is_dir():
        return _of_storage(path, ground_truth_is_gold, control)
    if path.suffix.lower() == ".csv":
        rows = tasks_of_rows(read_records(path), where, "CSV", control)
        return judgments_of_tasks(rows, where, ground_truth_is_gold, control)
    document = read_json(path)
    task = storage_task(document)
    tasks = document if task is None else [task]
    return judgments_of_tasks(tasks, where, ground_truth_is_gold, control)


def _of_storage(folder: Path, ground_truth_is_gold: bool, control: str | None) -> CheckedJudgments:
    files = storage_files(folder)
    tasks = [read_storage_file(path) for path in files]
    found = judgments_of_tasks(tasks, str(folder), ground_truth_is_gold, control)
    rejected, notes = (
        tuple(replace(each, where=str(files[each.row - 1]), row=1) for each in those)
        for those in (found.rejected, found.notes)
    )
    return replace(found, rejected=rejected, notes=notes)


def judgments_of_tasks(
    tasks: object, where: str, ground_truth_is_gold: bool = False, control: str | None = None
) -> CheckedJudgments:
    """The judgments of Label Studio tasks, in the form of its JSON export.

    A rejected row is named by the place of its task, from 1. What becomes of the keys:

    - item_id: `data.item_id`; "task-ID" where there is none.
    - annotator: the e-mail address of `completed_by` where it is told, else the user's number.
    - label: the one choice (of `control`, where one is named), or else the text; `options` of the
      data, where they are there, have to contain it, and an alias becomes the option's value.
      Where an annotation has both, the text is a comment.
    - seconds: `lead_time`. cancelled: `was_cancelled`; what such an annotation says is ignored.
    - source_id: see `annotation.judgments.annotation_ids`.
    - stratum, gold: of the data.

    Rows of the format JSON-MIN are taken for tasks with one annotation each.

    Raises InputError if `tasks` is no list of tasks, and where it is open or wrong which control is
    meant, see `annotation.judgments.controls.check_control`.
    """
    if not isinstance(tasks, Sequence) or isinstance(tasks, str | bytes):
        raise InputError(
            f"{where}: should be a list of tasks, as Label Studio exports it in the format JSON; "
            f"got {short(tasks)}."
        )
    if tasks and isinstance(tasks[0], Mapping) and _is_min(tasks[0]):
        tasks = tasks_of_rows(tasks, where, "JSON-MIN", control)
    named, controls = check_control(tasks, where, control)
    reader = _Reader(where, ground_truth_is_gold, named)
    for number, task in enumerate(tasks, start=1):
        reader.read_task(number, task)
    return replace(reader.checked(), controls=controls)


def _is_min(task: Mapping[str, object]) -> bool:
    return not isinstance(task.get("data"), Mapping) and is_label_studio_table(task)


class _Reader:
    def __init__(self, where: str, ground_truth_is_gold: bool, control: str | None) -> None:
        self.where = where
        self.control = control
        self.ground_truth_is_gold = ground_truth_is_gold
        self.rows: list[dict[str, object]] = []
        self.places: list[int] = []  # the task of every row
        self.rejected: list[Rejection] = []
        self.unnamed: dict[str, int] = {}  # what tasks without item_id are called, and where

    def checked(self) -> CheckedJudgments:
        columns = {
            name: pd.Series([row.get(name) for row in self.rows], dtype=object) for name in COLUMNS
        }
        checked = check_judgments(pd.DataFrame(columns), self.where)
        rejected, notes = (
            [replace(each, row=self.places[each.row - 1]) for each in those]
            for those in (checked.rejected, checked.notes)
        )
        by_row = sorted((*self.rejected, *rejected), key=lambda each: each.row)
        if self.unnamed:
            (name, number), more = next(iter(self.unnamed.items())), len(self.unnamed) - 1
            also = f"; {more:,} more are named so." if more else "."
            problem = f"is missing; the item is called '{name}'{also}"
            notes.append(Rejection(self.where, number, "item_id", "None", problem))
        several = [each for each in self.rejected if each.problem.endswith(f"{ONE_CHOICE}.")]
        if len(several) > 1:
            problem = f"{len(several):,} annotations pick several choices at once; {ONE_CHOICE}."
            notes.append(replace(several[0], problem=problem))
        return CheckedJudgments(checked.judgments, tuple(by_row), tuple(notes))

    def read_task(self, number: int, task: object) -> None:
        if not isinstance(task, Mapping) or not isinstance(task.get("data"), Mapping):
            self._reject(number, "data", task, 'should be a task {"data": {...}, ...}.')
            return
        data = task["data"]
        annotations = task.get("annotations", task.get("completions"))
        if annotations is None:
            annotations = []
        if not isinstance(annotations, list):
            self._reject(number, "annotations", annotations, "should be a list.")
            return
        item_id = data.get("item_id")
        if is_missing(item_id) or item_id == "":
            item_id = f"task-{task.get('id', number)}"
            self.unnamed.setdefault(item_id, number)
        try:
            options = _options(data.get("options"))
        except ValueError as error:
            self._reject(number, "options", data.get("options"), str(error))
            return
        base = {"item_id": item_id, "stratum": data.get("stratum"), "gold": data.get("gold")}
        rows: list[dict[str, object]] = []
        for place, annotation in enumerate(annotations):
            where = f"annotations[{place}]"
            row = self._row(number, where, annotation, options, task.get("project"))
            if row is None:
                continue
            if row.pop("ground_truth") and self.ground_truth_is_gold:
                base["gold"] = base["gold"] or row["label"]
            else:
                rows.append(row)
        self.rows += [{**base, **row} for row in rows]
        self.places += [number] * len(rows)

    def _reject(self, task: int, column: str, value: object, problem: str) -> None:
        self.rejected.append(Rejection(self.where, task, column, short(value), problem))

    def _row(
        self,
        task: int,
        place: str,
        annotation: object,
        options: OwnChoices | None,
        project: object,
    ) -> dict[str, object] | None:
        if not isinstance(annotation, Mapping):
            self._reject(
                task, place, annotation, f"should be an annotation; got {short(annotation)}."
            )
            return None
        number = annotation.get("id")  # a text in examples of Label Studio's guide
        if is_text(number):
            number = number.strip()
        elif not isinstance(number, int) or isinstance(number, bool):
            problem = f"should be a number or a text; got {short(number)}."
            self._reject(task, f"{place}.id", number, problem)
            return None
        annotator = _annotator(annotation.get("completed_by"))
        if annotator is None:
            named = annotation.get("completed_by")
            problem = f"should say who answered; got {short(named)}."
            self._reject(task, f"{place}.completed_by", named, problem)
            return None
        cancelled = annotation.get("was_cancelled") is True
        label: str | None = None
        if not cancelled:
            try:
                label = _label(answers_of(annotation.get("result"), self.control), options)
            except ValueError as error:
                self._reject(task, f"{place}.result", annotation.get("result"), str(error))
                return None
        return {
            "annotator": annotator,
            "label": label,
            "seconds": annotation.get("lead_time"),
            "created_at": annotation.get("created_at"),
            "updated_at": annotation.get("updated_at"),
            "source_id": annotation_source_id(project, number),
            "cancelled": cancelled,
            "ground_truth": annotation.get("ground_truth") is True,
        }


def _annotator(completed_by: object) -> str | None:
    if isinstance(completed_by, Mapping):
        email = completed_by.get("email")
        if isinstance(email, str) and email.strip():
            return email.strip()
        completed_by = completed_by.get("id")
    if isinstance(completed_by, int) and not isinstance(completed_by, bool):
        return str(completed_by)
    return None


def _options(options: object) -> OwnChoices | None:
    """The choices that a task has; an alias means its choice. None where it tells none."""
    if options is None:
        return None
    if not isinstance(options, list):
        raise ValueError(f"should be a list of choices; got {short(options)}.")
    meanings: dict[str, str] = {}
    for option in options:
        value = option.get("value") if isinstance(option, Mapping) else option
        if not isinstance(value, str):
            raise ValueError(f"every choice should be a text; got {short(option)}.")
        meanings[value.strip()] = value
        alias = option.get("alias") if isinstance(option, Mapping) else None
        if isinstance(alias, str):
            meanings.setdefault(alias.strip(), value)
    return OwnChoices(meanings)


def _label(result: object, options: OwnChoices | None) -> str:
    """The one answer of an annotation; raises ValueError that says what is wrong with it."""
    if not isinstance(result, list):
        raise ValueError(f"should be a list of answers; got {short(result)}.")
    choices = list(_values(result, "choices", "choices"))
    if choices:
        label = only_choice(choices)
        if options is None:
            return label
        meant = options.find(label)
        if meant is None:
            listed = ", ".join(options.texts)
            raise ValueError(f"{short(label)} is none of the task's options: {listed}.")
        return meant
    text = "\n".join(_values(result, "textarea", "text"))
    if not text.strip():
        others = {str(region.get("type")) for region in result} - {"choices", "textarea"}
        if others:
            raise ValueError(
                f"answers of kind {', '.join(sorted(others))} are not read; labelmix reads Choices "
                "and TextArea."
            )
        raise ValueError("has no answer; an annotation without one should be cancelled.")
    return text


def _values(result: Sequence[Any], kind: str, key: str) -> Iterator[str]:
    """The texts that answers of one kind hold."""
    for region in result:
        if not isinstance(region, Mapping):
            raise ValueError(f"holds {short(region)}, which is no answer.")
        value = region.get("value")
        if region.get("type") != kind:
            continue
        held = value.get(key) if isinstance(value, Mapping) else None
        held = [held] if isinstance(held, str) else held
        if not isinstance(held, list) or not all(isinstance(text, str) for text in held):
            raise ValueError(f"holds {short(region)}, which is no answer of type {kind}.")
        yield from held
