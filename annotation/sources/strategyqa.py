"""`strategyqa`: yes-or-no questions that take several steps to answer.

StrategyQA (Geva et al. 2021, arXiv:2101.02235). Hardness is the number of steps into which
annotators decomposed the question, as in Hase et al. 2024 (arXiv:2401.06751). The hub's
`wics/strategy-qa`, which that paper reads, is a script, and remote code is never run;
`tasksource/strategy-qa` holds the same questions as data.
"""

from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.files import TableRow
from annotation.items.hub import folder_splits, hub_splits, split_rows
from annotation.items.table import records_to_frame
from annotation.items.validate import validate_items

HUB_ID = "tasksource/strategy-qa"
SPLITS = ("train", "validation", "test")
CHOICES = ("yes", "no")


def load_strategyqa(data_dir: str | None = None) -> pd.DataFrame:
    """Load StrategyQA with the choices yes and no; all splits pooled, train first.

    The reasoning is the question's facts in one line. Measures: num_steps, the questions of the
    decomposition; question_words and reasoning_words (separated by whitespace). An item_id is the
    question's own id.

    Parameters
    ----------
    data_dir
        Local folder with train, validation (or dev) and test as .jsonl or Parquet files, columns
        qid, question, answer (true or false), facts and decomposition; at least one must exist.
        None: the hub.

    Raises
    ------
    InputError
        If there are no files, one is malformed, or a question lacks its id, answer, facts or
        decomposition.
    """
    where = data_dir or HUB_ID
    splits = folder_splits(Path(data_dir)) if data_dir is not None else hub_splits(HUB_ID)
    rows = list(split_rows(splits, SPLITS))
    if not rows:
        raise InputError(f"{where}: no questions; expected files such as train.jsonl.")
    frame = records_to_frame([_item(row.record, f"{where}: {row.name}") for row in rows])
    return validate_items(frame, where, rows=[row.name for row in rows])


def _item(record: TableRow, where: str) -> TableRow:
    for column in ("qid", "question"):
        if not isinstance(record.get(column), str):
            raise _wrong(where, column, "a text", record)
    if not isinstance(record.get("answer"), bool):
        raise _wrong(where, "answer", "true or false", record)
    for column in ("facts", "decomposition"):
        texts = record.get(column)
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise _wrong(where, column, "a list of texts", record)
    reasoning = " ".join(record["facts"])
    return {
        "item_id": record["qid"],
        "question": record["question"],
        "choices": list(CHOICES),
        "answer": 0 if record["answer"] else 1,
        "reasoning": reasoning or None,
        "num_steps": len(record["decomposition"]),
        "question_words": len(record["question"].split()),
        "reasoning_words": len(reasoning.split()),
    }


def _wrong(where: str, column: str, expected: str, record: TableRow) -> InputError:
    return InputError(
        f"{where}, column '{column}': should be {expected}; got {record.get(column)!r:.40}."
    )
