"""How common classes are among test items and labels, and what a probe is told of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.judgments.schema import COLUMNS
from budget.collection.class_shares import commonest_of_tested, shares_of_tested
from budget.collection.contents import read_contents
from budget.collection.learning import collection_lab, commonest_class, without_labels
from budget.collection.measuring import JudgmentsSoFar, MeasuredLabels
from budget.collection.suppliers import collection_suppliers
from budget.config.collection_config import parse_collection
from tests.unit.budget.collection.by_hand import settings, suppliers
from training.models.source import find_model
from training.running.class_shares import CLASS_SHARES
from training.task import Task

POOL, TESTED = 240, 120
OVERLOOKED = 0.6  # of "yes", in hard items


def answer(number: int) -> str:
    """Of every four hard items three are "yes", of easy ones two; every other item is hard."""
    return "yes" if number // 2 % 4 < (3 if number % 2 else 2) else "no"


def write(folder: Path, tested: int = TESTED) -> Task:
    def row(number: int, **more: str) -> str:
        row = {"item_id": f"item-{number}", "question": f"{number}?", "choices": ["no", "yes"]}
        return json.dumps({**row, "steps": 1 if number % 2 == 0 else 3, **more}) + "\n"

    (folder / "pool.jsonl").write_text("".join(row(n) for n in range(POOL)))
    test = (row(n, answer=answer(n)) for n in range(POOL, POOL + tested))
    (folder / "test.jsonl").write_text("".join(test))
    return read_contents(parse_collection(settings(folder), "settings")).task


def judged(people: int, gold: int, overlooked: float = OVERLOOKED, of_gold: bool = True) -> Any:
    """Judgments of all items for sale and some gold questions; a hard "yes" may be overlooked.

    `of_gold` says whether it is overlooked in gold questions as well.
    """
    rng = np.random.default_rng(1)
    rows = []
    for number in [*range(POOL), *range(POOL, POOL + gold)]:
        for who in range(people):
            label, is_gold = answer(number), number >= POOL
            if number % 2 and label == "yes" and (of_gold or not is_gold):
                label = "no" if rng.random() < overlooked else "yes"
            rows.append(
                (f"item-{number}", f"ann {who}", label, answer(number) if is_gold else None)
            )
    table = pd.DataFrame(rows, columns=["item_id", "annotator", "label", "gold"])
    table["source_id"] = [str(row) for row in range(len(table))]
    table = table.assign(supplier="crowd", cancelled=False, seconds=10.0)
    return table.assign(**{name: None for name in COLUMNS if name not in table})


def labels(task: Task, table: pd.DataFrame, folder: Path) -> MeasuredLabels:
    file = suppliers(crowd={"cost": "0.05", "judgments": [1, 3]})
    so_far = JudgmentsSoFar(table, task)
    own = collection_suppliers(file, parse_collection(settings(folder), "settings"))
    measured = {
        (name, stratum): so_far.of_supplier(supplier, stratum, file)
        for name, supplier in own.items()
        for stratum in supplier.prices
    }
    return so_far.labels(measured, None)


@pytest.mark.parametrize("people", [1, 3])
def test_a_class_that_people_overlook_is_told(people: int, tmp_path: Path) -> None:
    found = labels(write(tmp_path), judged(people, gold=40), tmp_path)
    (own,) = found.shares
    assert (own.stratum, own.reason, own.classes) == ("hard", "overlooked", ("no", "yes"))
    assert own.tested == (0.25, 0.75)
    assert own.labelled[1] < 0.5
    assert (own.labels, own.test_items) == (120, 60)
    share = round(100 * own.labelled[1])
    assert own.sentence() == (
        f"Of the hard test items 75 % are 'yes', and {share} % of the hard labels say so: people "
        "overlook it."
    )
    assert json.loads(json.dumps(own.facts()))["tested"] == [0.25, 0.75]


def test_people_who_overlook_nothing_are_not_accused(tmp_path: Path) -> None:
    assert labels(write(tmp_path), judged(3, gold=40, overlooked=0), tmp_path).shares == ()


def test_test_items_that_people_answer_otherwise_are_not_like_those_for_sale(
    tmp_path: Path,
) -> None:
    (own,) = labels(write(tmp_path), judged(3, gold=100, of_gold=False), tmp_path).shares
    assert own.reason in ("answered otherwise", "seldom wrong")
    assert "not like those for sale" in own.sentence()


def test_few_test_items_say_nothing(tmp_path: Path) -> None:
    task = write(tmp_path, tested=36)
    assert labels(task, judged(3, gold=0), tmp_path).shares == ()
    assert shares_of_tested(task) is None
    assert commonest_of_tested(task) == pytest.approx(14 / 18)


def test_a_probe_is_told_how_common_classes_are_among_test_items(tmp_path: Path) -> None:
    task = write(tmp_path)
    shares = shares_of_tested(task)
    assert shares == pytest.approx((15.5 / 61, 45.5 / 61))
    bought = labels(task, judged(1, gold=0), tmp_path)
    told = {
        way: collection_lab(
            task,
            find_model("pico"),
            parse_collection(settings(tmp_path, buying={"class_shares": way}), "settings"),
            bought,
            0.0,
        )
        for way in ("tested", "labelled")
    }
    configs = {
        way: parse_collection(settings(tmp_path, buying={"class_shares": way}), "settings")
        for way in told
    }
    assert without_labels(told["tested"], configs["tested"]) == max(shares or ())
    assert without_labels(told["labelled"], configs["labelled"]) == 0.5
    # Most hard labels are "no" though most hard items are "yes".
    assert commonest_class(told["tested"], configs["tested"]) == 0.75
    assert commonest_class(told["labelled"], configs["labelled"]) == 0.25
    assert dict(told["tested"].recipes["probe"].settings)[CLASS_SHARES] == shares
    assert CLASS_SHARES not in dict(told["labelled"].recipes["probe"].settings)


def test_items_that_were_chosen_for_their_doubt_say_nothing_of_how_common_classes_are(
    tmp_path: Path,
) -> None:
    """Every right answer is given; only "no" items were chosen, so most labels are "no"."""
    task = write(tmp_path)
    table = judged(3, gold=0, overlooked=0.0)
    numbers = table["item_id"].str.removeprefix("item-").astype(int)
    at_random = numbers < 80
    chosen = ~at_random & np.array([answer(number) == "no" for number in numbers])
    table = table[at_random | chosen].assign(batch=1).reset_index(drop=True)
    drawn = {
        ("crowd", item): 3
        for item in table["item_id"][
            table["item_id"].isin([f"item-{number}" for number in range(80)])
        ]
    }
    file = suppliers(crowd={"cost": "0.05", "judgments": [1, 3]})
    own = collection_suppliers(file, parse_collection(settings(tmp_path), "settings"))["crowd"]

    def shares(so_far: JudgmentsSoFar) -> list[str]:
        measured = {("crowd", n): so_far.of_supplier(own, n, file) for n in ("easy", "hard")}
        return [one.stratum for one in so_far.labels(measured, None).shares]

    assert shares(JudgmentsSoFar(table, task)) == ["easy", "hard"]
    assert shares(JudgmentsSoFar(table, task, drawn)) == []


def test_a_class_that_is_overlooked_is_told_where_items_are_chosen(tmp_path: Path) -> None:
    task, table = write(tmp_path), judged(3, gold=40).assign(batch=1)
    drawn = {("crowd", f"item-{number}"): 3 for number in range(120)}
    file = suppliers(crowd={"cost": "0.05", "judgments": [1, 3]})
    own = collection_suppliers(file, parse_collection(settings(tmp_path), "settings"))["crowd"]
    so_far = JudgmentsSoFar(table, task, drawn)
    measured = {("crowd", n): so_far.of_supplier(own, n, file) for n in ("easy", "hard")}
    (found,) = so_far.labels(measured, None).shares
    assert (found.stratum, found.labels) == ("hard", 60)
