"""No group of items stands on both sides of any split."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from annotation.errors import InputError
from annotation.groups import group_folds
from annotation.items.near_copies import group_items
from annotation.items.validate import validate_items
from annotation.labelling.simulated import SimulatedAnnotators
from annotation.strata.bands import Strata
from annotation.terms.cost import LabelTerms
from training.hardness.code_length import _whole_blocks
from training.task import Task, TestSizes
from training.unlabelled.lending import Lender


@st.composite
def grouped_items(draw: st.DrawFn) -> pd.DataFrame:
    """Items of given groups, some of which ask what others ask."""
    count = draw(st.integers(40, 90))
    rows: list[dict[str, Any]] = []
    groups = st.none() | st.integers(0, draw(st.integers(1, 40)))
    for number in range(count):
        own = draw(groups)
        asks = draw(st.integers(0, 200))
        rows.append(
            {
                "item_id": f"i{number}",
                "question": f"Question {asks}" + draw(st.sampled_from(["", "?", " ?!"])),
                "choices": ["a", "b", "c"][: draw(st.integers(2, 3))],
                "answer": draw(st.integers(0, 1)),
                "group": None if own is None else f"g{own}",
                "steps": float(draw(st.integers(1, 6))),
            }
        )
    return validate_items(pd.DataFrame(rows), "made")


@given(grouped_items(), st.integers(10, 16), st.integers(1, 6), st.integers(0, 99), st.data())
def test_test_sets_pools_and_what_is_lent(
    items: pd.DataFrame, target: int, others: int, seed: int, data: st.DataObject
) -> None:
    names = group_items(items).names
    for column in (items["group"].to_numpy(), names):  # given groups are never parted either
        assert all(len(set(names[column == own])) == 1 for own in set(column.tolist()))
    strata = Strata.easy_medium_hard("steps", 2, 5)
    try:
        task = Task(items, strata, "hard", TestSizes(target, others), seed)
    except InputError:
        return  # too few items, or groups, for such a test set
    tested = set(names[task.test_positions])
    for_sale = np.concatenate(list(task.pools.values()))
    assert tested.isdisjoint(names[for_sale])
    assert (task.test_strata == "hard").sum() == target
    assert sum(task.split.left_out.values()) == len(items) - for_sale.size - len(task.test_strata)
    lent = data.draw(st.integers(0, target - 1))
    borrowed = task.lent(lent, seed)
    scored = task.test_positions[task.scored(lent, seed)]
    assert set(names[borrowed]).isdisjoint(names[scored])
    assert task.lent(lent // 2, seed).tolist() == borrowed[: lent // 2].tolist()


@given(st.lists(st.integers(0, 8), min_size=4, max_size=60), st.integers(0, 99), st.data())
def test_lenders_folds_and_blocks(own: list[int], seed: int, data: st.DataObject) -> None:
    groups = np.array(own)
    test, answers = np.arange(groups.size), np.zeros(groups.size, dtype=np.int64)
    terms = {"hard": LabelTerms(Decimal(1), 0.0, "redraw")}
    annotators = SimulatedAnnotators(answers, answers + 2, {"hard": test}, terms)
    lender = Lender(test, answers, annotators, "hard", groups=groups)
    count = data.draw(st.integers(0, groups.size))
    assert set(groups[lender.places(count, seed)]).isdisjoint(groups[lender.scored(count, seed)])
    if len(set(own)) > 1:
        fold_of = group_folds(own, 2, seed)
        assert set(groups[fold_of == 0]).isdisjoint(groups[fold_of == 1])
    order = np.argsort(groups, kind="stable")
    for end in _whole_blocks(order, groups)[:-1]:
        assert set(groups[order[:end]]).isdisjoint(groups[order[end:]])
