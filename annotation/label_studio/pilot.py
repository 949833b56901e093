"""Which items a pilot asks about: drawn per stratum, some of them gold questions."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from annotation.errors import InputError
from annotation.items.table import gold_texts
from annotation.label_studio.labelling_config import OPTIONS, QUESTION, option


@dataclass(frozen=True)
class PilotTask:
    """One question of a pilot; `gold` is its right answer where it is a gold question."""

    item_id: str
    stratum: str
    question: str
    options: tuple[str, ...]
    gold: str | None

    @property
    def data(self) -> dict[str, Any]:
        """What Label Studio is told. That a question is gold stays with us."""
        data: dict[str, Any] = {
            "item_id": self.item_id,
            "stratum": self.stratum,
            QUESTION: self.question,
        }
        if self.options:
            data[OPTIONS] = [option(text) for text in self.options]
        return data


def draw_pilot(
    items: pd.DataFrame,
    strata: NDArray[np.object_],
    numbers: Mapping[str, int],
    gold_per_stratum: int = 0,
    seed: int = 0,
) -> list[PilotTask]:
    """Draw a stratified pilot.

    The same items and seed give the same order within a stratum, so that a larger pilot contains
    a smaller one. Gold questions are the first of that order whose answers are known. The tasks
    of all strata come mixed, so that nobody can tell a stratum or a gold question by its place.

    Parameters
    ----------
    items
        An item table, (items).
    strata
        The stratum of every item, (items); "" for items that have none.
    numbers
        Stratum -> how many questions to ask, gold questions included.
    gold_per_stratum
        How many of them are gold questions.
    seed
        Of the draw.

    Raises
    ------
    InputError
        If nothing is asked for; a stratum does not exist, or has too few items, or too few with
        known answers.
    """
    if not any(numbers.values()):
        raise InputError("the pilot has no tasks; give --tasks STRATUM=NUMBER.")
    # Counted among the named strata: where all items are in one, there is nothing to mix.
    there = dict.fromkeys(name for name in strata if name)
    for name in numbers:
        if name not in there:
            raise InputError(f"stratum '{name}' has no items; there are: {', '.join(there)}.")
    gold_answers = gold_texts(items)
    drawn: list[PilotTask] = []
    for name, number in numbers.items():
        rows = np.flatnonzero(strata == name)
        drawn += _draw_stratum(items, rows, name, number, gold_per_stratum, gold_answers, seed)
    order = _generator(seed, "order of tasks").permutation(len(drawn))
    return [drawn[place] for place in order]


def _draw_stratum(
    items: pd.DataFrame,
    rows: NDArray[np.intp],
    name: str,
    number: int,
    gold: int,
    gold_answers: Sequence[str | None],
    seed: int,
) -> list[PilotTask]:
    if number > len(rows):
        raise InputError(f"stratum '{name}' has {len(rows):,} items; {number:,} were asked for.")
    if gold > number:
        raise InputError(
            f"stratum '{name}': {gold} gold questions were asked for, but only {number} items."
        )
    # By name, so that the order of the file makes no difference.
    ids = items["item_id"].to_numpy()
    sorted_rows = rows[np.argsort(ids[rows])]
    order = sorted_rows[_generator(seed, name).permutation(len(rows))]
    known = [row for row in order if gold_answers[row] is not None]
    if gold > len(known):
        raise InputError(
            f"stratum '{name}' has {len(known):,} items with a known answer; {gold} gold "
            "questions were asked for."
        )
    golden = set(known[:gold])
    rest = [row for row in order if row not in golden][: number - gold]
    return [
        PilotTask(
            item_id=items["item_id"].iloc[row],
            stratum=name,
            question=items["question"].iloc[row],
            options=tuple(items["choices"].iloc[row]),
            gold=gold_answers[row] if row in golden else None,
        )
        for row in [*known[:gold], *rest]
    ]


def _generator(seed: int, purpose: str) -> np.random.Generator:
    digest = hashlib.sha256(f"labelmix pilot {seed} {purpose}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
