"""`mmlu_stem`: science and mathematics questions from high school (easy) and college (hard).

`cais/mmlu` (Hendrycks et al. 2021, arXiv:2009.03300), the ten subjects that Hase et al. 2024
(arXiv:2401.06751) call MMLU-STEM-5. As there, validation and test are pooled; dev, which holds
worked examples, and the auxiliary training data are not read.
"""

from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.files import TableRow
from annotation.items.choices import LabelledChoices, choices_in
from annotation.items.hub import folder_splits, hub_splits, split_rows
from annotation.items.table import records_to_frame
from annotation.items.validate import validate_items

HUB_ID = "cais/mmlu"
LEVELS = ("high_school", "college")
SUBJECTS = ("biology", "chemistry", "computer_science", "mathematics", "physics")
SPLITS = ("validation", "test")

_FILES = {"validation": ("validation", "val"), "test": ("test",)}


def load_mmlu_stem(data_dir: str | None = None) -> pd.DataFrame:
    """Load MMLU-STEM-5, high school before college, subjects by name, validation before test.

    Measures: level, 0 for high school and 1 for college; question_words (separated by whitespace);
    answer_characters (of the gold choice). An item_id is the configuration, the split and the row
    number in it, from 1: "mmlu-college_physics-test-000001". A choice that occurs twice counts
    once, so an item can have fewer than four. Every question is a group of its own: the subjects
    are all there are, not a sample that an interval could speak for.

    Parameters
    ----------
    data_dir
        Local folder with a folder for each level and subject, such as college_physics/, with
        validation (or val) and test as .jsonl or Parquet files, columns question, choices and
        answer (an index from 0); at least one must exist. None: the hub.

    Raises
    ------
    InputError
        If there are no files, one is malformed, or a row lacks its question, choices or answer.
    """
    where = data_dir or HUB_ID
    if data_dir is not None and not Path(data_dir).is_dir():
        raise InputError(f"{data_dir}: no such folder.")
    items: list[TableRow] = []
    places: list[str] = []
    for level, name in enumerate(LEVELS):
        for subject in SUBJECTS:
            config = f"{name}_{subject}"
            for row in split_rows(_splits(data_dir, config), SPLITS):
                places.append(f"{config} {row.name}")
                item_id = f"mmlu-{config}-{row.split}-{row.number:06d}"
                item = _item(row.record, f"{where}: {places[-1]}")
                items.append({"item_id": item_id, "level": level} | item)
    if not items:
        raise InputError(
            f"{where}: no questions; expected files such as college_physics/test.jsonl."
        )
    return validate_items(records_to_frame(items), where, rows=places)


def _splits(data_dir: str | None, config: str) -> dict[str, list[TableRow]]:
    if data_dir is None:
        return hub_splits(HUB_ID, config)
    folder = Path(data_dir) / config
    return folder_splits(folder, _FILES) if folder.is_dir() else {}


def _item(record: TableRow, where: str) -> TableRow:
    question, answer = record.get("question"), record.get("answer")
    if not isinstance(question, str):
        raise InputError(f"{where}, column 'question': should be a text; got {question!r:.40}.")
    try:
        options = choices_in(record.get("choices"))
    except ValueError as error:
        raise InputError(f"{where}, column 'choices': {error}.") from None
    texts = options.texts
    if not texts:
        raise InputError(f"{where}, column 'choices': is empty.")
    if not isinstance(answer, int) or isinstance(answer, bool) or not 0 <= answer < len(texts):
        raise InputError(
            f"{where}, column 'answer': should be the index of a choice, 0 to {len(texts) - 1}; "
            f"got {answer!r:.40}."
        )
    kept = _distinct(options)
    gold = texts[answer]
    return {
        "question": question,
        "choices": kept,
        "answer": kept.index(gold),
        "question_words": len(question.split()),
        "answer_characters": len(str(gold)),
    }


def _distinct(options: LabelledChoices) -> list[object]:
    """The choices, each where it first occurs."""
    kept: list[object] = []
    for text in options.texts:
        if text not in kept:
            kept.append(text)
    return kept
