"""`gsm8k`: grade-school word problems with a worked solution; answers are free-form numbers.

`openai/gsm8k` (Cobbe et al. 2021, arXiv:2110.14168). Hardness is the number of steps of the
solution, as in Hase et al. 2024 (arXiv:2401.06751). Only a chain of thought can be tried on them.
"""

from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.files import TableRow
from annotation.items.hub import (
    SplitRow,
    folder_splits,
    hub_splits,
    split_rows,
)
from annotation.items.table import records_to_frame
from annotation.items.validate import validate_items

HUB_ID, CONFIG = "openai/gsm8k", "main"
SPLITS = ("train", "test")

_ANSWER_MARK = "####"  # stands between solution and answer
_MOST_STEPS = 10


def load_gsm8k(data_dir: str | None = None) -> pd.DataFrame:
    """Load GSM8K, train before test, with `reasoning` and free-form `answer_text`.

    The reasoning is the solution as it stands, with its calculations ("<<48/2=24>>24"), and the
    answer is what follows "####", with its comma where it has one ("1,200") and its sign; answers
    are compared as numbers, see `training.generation.answer_extraction`.

    Measures: num_steps, the lines of the solution, blank ones counted, at most 10; question_words
    and reasoning_words (separated by whitespace); answer_characters. An item_id is the split and
    the number of the row in it, from 1: "gsm8k-train-000001".

    Parameters
    ----------
    data_dir
        Local folder with train and test as .jsonl or Parquet files, columns question and answer;
        at least one must exist. None: the hub.

    Raises
    ------
    InputError
        If there are no files, one is malformed, or an answer has no solution before its "####".
    """
    where = data_dir or HUB_ID
    splits = folder_splits(Path(data_dir)) if data_dir is not None else hub_splits(HUB_ID, CONFIG)
    rows = list(split_rows(splits, SPLITS))
    if not rows:
        raise InputError(f"{where}: no problems; expected files such as train.jsonl.")
    frame = records_to_frame([_item(row, where) for row in rows])
    return validate_items(frame, where, rows=[row.name for row in rows])


def _item(row: SplitRow, where: str) -> TableRow:
    question, solution = row.record.get("question"), row.record.get("answer")
    for column, value in (("question", question), ("answer", solution)):
        if not isinstance(value, str):
            raise InputError(
                f"{where}: {row.name}, column '{column}': should be a text; got {value!r:.40}."
            )
    reasoning, _, answer = str(solution).partition(_ANSWER_MARK)
    reasoning, answer = reasoning.strip("\n"), answer.strip()
    if not reasoning.strip() or not answer:
        raise InputError(
            f"{where}: {row.name}, column 'answer': should be a solution, "
            f"'{_ANSWER_MARK}' and the answer; got {solution!r:.60}."
        )
    return {
        "item_id": f"gsm8k-{row.split}-{row.number:06d}",
        "question": question,
        "choices": [],
        "answer_text": answer,
        "reasoning": reasoning,
        "num_steps": min(len(reasoning.split("\n")), _MOST_STEPS),
        "question_words": len(str(question).split()),
        "reasoning_words": len(reasoning.split()),
        "answer_characters": len(answer),
    }
