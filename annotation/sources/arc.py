"""`arc`: ARC science questions with the human hardness annotations of Hase et al. 2024.

Questions: `allenai/ai2_arc`, ARC-Easy and ARC-Challenge, all splits pooled. Annotations (grade,
difficulty, Bloom skill, depth of knowledge): arXiv:2401.06751, in the repository
allenai/easy-to-hard-generalization. Unlike the paper, whose items are row numbers, items keep
their own ids.
"""

from pathlib import Path

import pandas as pd

from annotation.errors import InputError, short
from annotation.files import TableRow, read_json
from annotation.items.choices import choices_in
from annotation.items.hub import folder_splits, hub_splits, split_rows
from annotation.items.table import LEFT_OUT, records_to_frame
from annotation.items.validate import validate_items

HUB_ID = "allenai/ai2_arc"
CONFIGS = ("ARC-Easy", "ARC-Challenge")
SPLITS = ("train", "validation", "test")

_KEY_PREFIX = len("ARCEZ_")  # or ARCCH_; what follows is the id of the question
_SCALES = {
    "difficulty": ("Low", "Medium", "High"),
    "bloom": ("Remembering", "Understanding", "Applying", "Analyzing", "Evaluating"),
    "depth_of_knowledge": ("I", "II", "III"),
}


def load_arc(data_dir: str | None = None, annotations: str | None = None) -> pd.DataFrame:
    """Load the ARC questions that have a human-annotated school grade.

    Measures: grade (3-8), difficulty (1-3), bloom (1-5), depth_of_knowledge (1-3; all four by
    annotators), question_words (separated by whitespace), answer_characters (of the gold choice).
    Questions that are annotated for a subject instead of a grade are left out, as are repeated
    ids after the first; `attrs` of the table say how many. The group is the exam: the id up to the
    first "_". Where that is the same for all, as in the published annotations (all of the question
    bank "Mercury"), it says nothing, and one cluster allows no interval: then every question is a
    group of its own.

    Parameters
    ----------
    data_dir
        Local folder with ARC-Easy/ and ARC-Challenge/, each with train, validation and test as
        .jsonl or Parquet files; at least one must exist. None: the hub.
    annotations
        The annotation file; by default annotations.json in `data_dir`. Required with the hub.

    Raises
    ------
    InputError
        If the annotation file or all questions are missing, a file is malformed, or no question
        is annotated.
    """
    if annotations is None:
        if data_dir is None:
            raise InputError(
                "arc: the human annotations are not on the hub; give their file as 'annotations' "
                "(from the repository allenai/easy-to-hard-generalization: "
                "data/arc-challenge-easy-annotations.json)."
            )
        annotations = str(Path(data_dir) / "annotations.json")
    # Before the questions: those may take a download.
    measures = _read_annotations(Path(annotations))
    where = data_dir or HUB_ID
    items: dict[str, TableRow] = {}
    places: list[str] = []
    seen: set[str] = set()
    for place, record in _questions(data_dir):
        question_id = str(record.get("id"))
        if question_id in measures and question_id not in items:
            items[question_id] = _item(record, f"{where}: {place}") | measures[question_id]
            places.append(place)
        seen.add(question_id)
    if not items:
        raise InputError(f"{where}: none of its questions is annotated in {annotations}.")
    frame = records_to_frame(list(items.values()))
    if frame["group"].nunique() == 1:
        frame = frame.drop(columns="group")
    table = validate_items(frame, where, rows=places)
    if len(seen) > len(table):
        table.attrs[LEFT_OUT] = f"{len(seen) - len(table):,} questions without a school grade"
    return table


def _questions(data_dir: str | None) -> list[tuple[str, TableRow]]:
    """All questions with their places: ARC-Easy first, each train, validation, test."""
    records: list[tuple[str, TableRow]] = []
    for config in CONFIGS:
        if data_dir is None:
            splits = hub_splits(HUB_ID, config)
        elif (folder := Path(data_dir) / config).is_dir():
            splits = folder_splits(folder)
        else:
            splits = {}
        rows = split_rows(splits, SPLITS)
        records += [(f"{config} {row.name}", row.record) for row in rows]
    if not records:
        raise InputError(
            f"{data_dir or HUB_ID}: no ARC questions; expected files such as "
            "ARC-Easy/train.jsonl and ARC-Challenge/test.jsonl."
        )
    return records


def _read_annotations(path: Path) -> dict[str, dict[str, float]]:
    """Question id -> measures, for the questions with a grade."""
    document = read_json(path)
    if not isinstance(document, dict):
        raise InputError(f"{path}: should be a JSON object of question ids; it is none.")
    measures: dict[str, dict[str, float]] = {}
    for key, entry in document.items():
        if not isinstance(entry, dict):
            raise InputError(f"{path}: '{key}' should be a JSON object; got {short(entry)}.")
        grade = str(entry.get("grade") or "").split()[-1:]  # "Grade 08"; a subject has no digits
        if not grade or not grade[0].isdecimal():
            continue
        measures[key[_KEY_PREFIX:]] = {"grade": float(grade[0])} | {
            name: _level(path, key, name, entry.get(name)) for name in _SCALES
        }
    return measures


def _level(path: Path, key: str, name: str, value: object) -> float:
    """Position on the scale from 1; NaN where there is no annotation."""
    if value is None:
        return float("nan")
    if value not in _SCALES[name]:
        raise InputError(
            f"{path}: '{key}': {name} should be one of {', '.join(_SCALES[name])}; "
            f"got {short(value)}."
        )
    return float(_SCALES[name].index(str(value)) + 1)


def _item(record: TableRow, where: str) -> TableRow:
    question_id, question = str(record["id"]), str(record.get("question") or "")
    try:
        options = choices_in(record.get("choices"))
    except ValueError as error:
        raise InputError(f"{where} ('{question_id}'), column 'choices': {error}.") from None
    # Labels are A-E or 1-5. Never by text: "2" may be the text of another choice.
    key = str(record.get("answerKey"))
    if key not in options.labels:
        raise InputError(
            f"{where} ('{question_id}'), column 'answerKey': should be one of "
            f"{', '.join(options.labels)}; got {short(key)}."
        )
    answer = options.labels.index(key)
    return {
        "item_id": question_id,
        "question": question,
        "choices": list(options.texts),
        "answer": answer,
        "group": question_id.partition("_")[0],
        "question_words": len(question.split()),
        "answer_characters": len(str(options.texts[answer])),
    }
