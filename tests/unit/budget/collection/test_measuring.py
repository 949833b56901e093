"""What judgments say so far: errors, times, labels; whatever order they came in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.judgments.schema import COLUMNS
from budget.collection.contents import read_contents
from budget.collection.measuring import (
    JudgmentsSoFar,
    MeasuredLabels,
    SupplierMeasured,
    no_judgments,
)
from budget.collection.suppliers import UNMEASURED, collection_suppliers
from budget.config.collection_config import parse_collection
from budget.market.supplier_file import SuppliersFile
from tests.unit.budget.collection.by_hand import (
    CROWD,
    EXPERT,
    now_and_then_wrong,
    other,
    right,
    settings,
    suppliers,
    write_tables,
)
from training.task import Task


@pytest.fixture
def task(tmp_path: Path) -> Task:
    write_tables(tmp_path)
    return read_contents(parse_collection(settings(tmp_path), "settings")).task


Says = Callable[[str, int], str | None]


def judged(
    supplier: str, items: list[str], people: int, says: Says = now_and_then_wrong, **more: Any
) -> pd.DataFrame:
    found = [
        {
            "item_id": item,
            "annotator": f"ann {who}",
            "label": says(item, who),
            "seconds": 10.0 + who,
            "source_id": f"{supplier} {item} {who}",
            "supplier": supplier,
            "cancelled": False,
            "gold": right(item) if item >= "item-900" else None,
            **more,
        }
        for item in items
        for who in range(people)
    ]
    table = pd.DataFrame(found)
    for name in COLUMNS:
        if name not in table:
            table[name] = None
    return table


POOL = [f"item-{number:03d}" for number in range(80)]
TESTED = [f"item-{number:03d}" for number in range(900, 940)]


def measured(
    so_far: JudgmentsSoFar, tmp_path: Path, file: SuppliersFile | None = None
) -> dict[tuple[str, str], SupplierMeasured]:
    file = file or suppliers()
    own = collection_suppliers(file, parse_collection(settings(tmp_path), "settings"))
    return {
        (name, stratum): so_far.of_supplier(supplier, stratum, file)
        for name, supplier in own.items()
        for stratum in supplier.prices
    }


def test_nothing_is_measured_before_anybody_judged(task: Task, tmp_path: Path) -> None:
    so_far = JudgmentsSoFar(no_judgments(), task)
    assert so_far.is_empty
    file = suppliers(
        crowd={**CROWD, "error_rate": 0.2, "error_kind": "flip"},
        expert={**EXPERT, "error_rate": 0.2, "error_kind": "redraw"},
        more=EXPERT,
    )
    found = measured(so_far, tmp_path, file)
    assert not any(own.is_measured for own in found.values())
    rates = {name: own.error_rate for (name, stratum), own in found.items() if stratum == "hard"}
    assert rates == {"crowd": 0.2, "expert": 0.1, "more": UNMEASURED}


def test_errors_times_and_gold_are_measured(task: Task, tmp_path: Path) -> None:
    table = pd.concat([judged("crowd", POOL, 2), judged("crowd", TESTED, 2)])
    own = measured(JudgmentsSoFar(table, task), tmp_path)
    crowd = own["crowd", "easy"]
    assert (crowd.judgments, crowd.gold_answers, crowd.is_measured) == (120, 40, True)
    assert crowd.seconds == pytest.approx(10.5)
    wrong = [now_and_then_wrong(i, w) != right(i) for i in POOL + TESTED for w in (0, 1)]
    assert crowd.error_rate == pytest.approx(np.mean(wrong), abs=0.08)
    assert not own["expert", "easy"].is_measured


def test_time_beyond_what_is_paid_does_not_count(task: Task, tmp_path: Path) -> None:
    file = suppliers(crowd={**CROWD, "per_hour": 9, "most_seconds": 5}, expert=EXPERT)
    so_far = JudgmentsSoFar(judged("crowd", POOL, 2), task)
    assert measured(so_far, tmp_path, file)["crowd", "hard"].seconds == 5


def labels_of(table: pd.DataFrame, task: Task, tmp_path: Path) -> MeasuredLabels:
    so_far = JudgmentsSoFar(table, task)
    return so_far.labels(measured(so_far, tmp_path), None)


def test_the_order_of_judgments_makes_no_difference(task: Task, tmp_path: Path) -> None:
    table = pd.concat(
        [
            judged("crowd", POOL[:40], 3),
            judged("crowd", TESTED[:8], 3),
            judged("expert", POOL[40:], 1),
        ]
    )
    mixed = table.sample(frac=1, random_state=7)
    one, two = (JudgmentsSoFar(own, task) for own in (table, mixed))
    assert measured(one, tmp_path) == measured(two, tmp_path)
    first, second = (labels_of(own, task, tmp_path) for own in (table, mixed))
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.clean == second.clean
    for name, own in first.labels.items():
        for value in ("positions", "judgments", "redraw_rates", "posteriors"):
            if hasattr(own, value):
                np.testing.assert_array_equal(
                    getattr(own, value), getattr(second.labels[name], value)
                )


def test_labels_are_of_items_that_are_not_tested(task: Task, tmp_path: Path) -> None:
    table = pd.concat([judged("crowd", POOL[:20], 2), judged("crowd", TESTED, 2)])
    found = labels_of(table, task, tmp_path)
    assert set(found.table["item_id"]) == set(POOL[:20])
    assert {name: len(own) for name, own in found.labels.items()} == {"easy": 10, "hard": 10}
    assert set(found.clean) == {"easy", "hard"}


def test_repeating_judgments_does_not_mend_shared_mistakes(task: Task, tmp_path: Path) -> None:
    """Five of five err on every third item, all alike: agreement and plans see nothing of it."""
    third = [*POOL[::3]]
    table = judged("crowd", POOL, 5, lambda i, _: other(right(i)) if i in third else right(i))
    found = labels_of(table, task, tmp_path)
    assert set(found.wrong) == {"easy", "hard"}
    for name, wrong in found.wrong.items():
        low, high = wrong.bounds
        assert low <= 1 - found.clean[name] < 0.1
        assert high > 0.2
    alone = labels_of(judged("expert", POOL, 1), task, tmp_path)
    assert alone.wrong == {}


def test_with_one_judgment_a_label_is_what_was_said(task: Task, tmp_path: Path) -> None:
    found = labels_of(judged("expert", POOL, 1), task, tmp_path)
    assert dict(zip(found.table["item_id"], found.table["label"], strict=True)) == {
        item: now_and_then_wrong(item, 0) for item in POOL
    }


def test_only_gold_questions_make_no_labels(task: Task, tmp_path: Path) -> None:
    found = labels_of(judged("crowd", TESTED, 2), task, tmp_path)
    assert found.table.empty
    assert {name: len(own) for name, own in found.labels.items()} == {"easy": 0, "hard": 0}
    assert found.clean == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": None},
        {"label": "neither"},
        {"label": None, "cancelled": True},
        {"item_id": "nobody's item"},
    ],
)
def test_judgments_that_say_nothing_change_nothing(
    wrong: dict[str, Any], task: Task, tmp_path: Path
) -> None:
    good = judged("crowd", POOL[:40], 2)
    bad = judged("crowd", POOL[40:60], 2).assign(**wrong)
    assert JudgmentsSoFar(bad, task).is_empty
    both = JudgmentsSoFar(pd.concat([good, bad]), task)
    assert measured(both, tmp_path) == measured(JudgmentsSoFar(good, task), tmp_path)
    found = labels_of(pd.concat([good, bad]), task, tmp_path)
    assert set(found.table["item_id"]) == set(POOL[:40])


def test_people_who_are_mostly_wrong_can_be_planned_with(task: Task, tmp_path: Path) -> None:
    table = pd.concat(
        [judged("crowd", own, 3, lambda i, _: other(right(i))) for own in (POOL, TESTED)]
    )
    so_far = JudgmentsSoFar(table, task)
    found = so_far.labels(measured(so_far, tmp_path), None)
    assert all(0 <= share <= 1 for share in found.clean.values())


def test_a_supplier_who_is_asked_no_more_is_still_measured(task: Task, tmp_path: Path) -> None:
    table = pd.concat(
        [
            *(judged("crowd", own, 3) for own in (POOL[:40], TESTED)),
            *(judged("before", own, 3) for own in (POOL[40:], TESTED)),
        ]
    )
    so_far = JudgmentsSoFar(table, task)
    found = so_far.labels(measured(so_far, tmp_path), None)
    as_known = suppliers(crowd=CROWD, expert=EXPERT, before=CROWD)
    known = so_far.labels(measured(so_far, tmp_path, as_known), None)
    assert found.clean == known.clean
