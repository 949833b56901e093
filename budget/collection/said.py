"""What judgments say of every item, before any model is asked."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.arrays import Array, IntArray, Positions
from budget.collection.measuring import JudgmentsSoFar, SupplierMeasured, codes_of_choices
from budget.collection.suppliers import UNMEASURED
from training.targets.posteriors import choice_mask, posterior_from_judgments
from training.task import Task

_RATES = 0.01, 0.99  # limits of redraw rates: no judgment is certain, and none says nothing


@dataclass(frozen=True)
class Said:
    """What judgments say of the items of a task.

    Attributes
    ----------
    posteriors : (items, choices), before a uniform prior; each judgment errs as its supplier does
    given : (items,), judgments that are there
    """

    posteriors: Array
    given: IntArray

    @property
    def judged(self) -> Positions:
        """Items with a judgment."""
        return np.flatnonzero(self.given)


def said_of(
    so_far: JudgmentsSoFar,
    measured: Mapping[tuple[str, str], SupplierMeasured],
    task: Task,
    of_test_items: bool = False,
) -> Said:
    """What the judgments say; `measured` tells how (supplier, stratum) errs.

    Gold questions are left as nobody had judged them: they are test items. `of_test_items` asks for
    what is said of those, and of no others.
    """
    counts = task.choice_counts
    mask = choice_mask(counts)
    found = mask / counts[:, None]
    given = np.zeros(counts.size, dtype=np.int64)
    if so_far.is_empty:
        return Said(found, given)
    table = so_far.table.iloc[so_far.coded.row]  # one of each person
    codes = codes_of_choices(task, set(table["item_id"]))
    place = {item: number for number, item in enumerate(task.items["item_id"])}
    tested = set(task.test_positions.tolist())
    said: dict[int, list[tuple[int, float]]] = {}
    for item, supplier, stratum, label in zip(
        table["item_id"], table["supplier"], table["stratum"], table["label"], strict=True
    ):
        position = place[item]
        if (position in tested) != of_test_items:
            continue
        own = measured.get((supplier, stratum))
        wrong = UNMEASURED if own is None else own.error_rate
        choices = int(counts[position])
        redraw = wrong * choices / max(choices - 1, 1)
        rate = float(np.clip(redraw, *_RATES))
        said.setdefault(position, []).append((codes[item][label.strip()], rate))
    if not said:
        return Said(found, given)
    rows = np.array(sorted(said), dtype=np.int64)
    given[rows] = [len(said[row]) for row in rows.tolist()]
    judgments = np.full((rows.size, int(given.max())), -1, dtype=np.int64)
    rates = np.zeros(judgments.shape)
    for number, row in enumerate(rows.tolist()):
        for turn, (code, rate) in enumerate(said[row]):
            judgments[number, turn], rates[number, turn] = code, rate
    found[rows] = posterior_from_judgments(judgments, counts[rows], rates, mask.shape[1])
    return Said(found, given)
