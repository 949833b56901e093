"""Labels whose classes are as common as test items have them, where people overlook one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from annotation.judgments.schema import COLUMNS
from budget.collection.class_shares import shares_sentence
from budget.collection.contents import read_contents
from budget.collection.measuring import JudgmentsSoFar, MeasuredLabels
from budget.collection.suppliers import collection_suppliers
from budget.config.collection_config import SharesOfClasses, parse_collection
from tests.unit.budget.collection.by_hand import settings, suppliers
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


def labels(
    task: Task, table: pd.DataFrame, folder: Path, shares: SharesOfClasses = "tested"
) -> MeasuredLabels:
    file, so_far = (
        suppliers(crowd={"cost": "0.05", "judgments": [1, 3]}),
        JudgmentsSoFar(table, task),
    )
    own = collection_suppliers(file, parse_collection(settings(folder), "settings"))
    measured = {
        (name, stratum): so_far.of_supplier(supplier, stratum, file)
        for name, supplier in own.items()
        for stratum in supplier.prices
    }
    return so_far.labels(measured, None, shares)


def right_share(found: MeasuredLabels, stratum: str) -> float:
    own = found.table[found.table["stratum"] == stratum]
    right = [answer(int(item.removeprefix("item-"))) for item in own["item_id"]]
    return float((own["label"] == right).mean())


def mean_yes(found: MeasuredLabels, stratum: str) -> float:
    own = found.table[found.table["stratum"] == stratum]
    return float(
        np.mean(
            [p[list(c).index("yes")] for p, c in zip(own["posterior"], own["choices"], strict=True)]
        )
    )


@pytest.mark.parametrize("people", [1, 3])
def test_a_class_that_people_overlook_is_as_common_as_test_items_have_it(
    people: int, tmp_path: Path
) -> None:
    task, table = write(tmp_path), judged(people, gold=40)
    found = labels(task, table, tmp_path)
    assert [(own.stratum, own.corrected) for own in found.shares] == [("hard", True)]
    assert mean_yes(found, "hard") == pytest.approx(0.75, abs=1e-6)
    as_judged = labels(task, table, tmp_path, "judged")
    assert mean_yes(as_judged, "hard") < 0.6
    assert right_share(found, "hard") > right_share(as_judged, "hard") + 0.1
    # What is not shifted stays as it was.
    easy, same = (own.labels["easy"].posteriors for own in (found, as_judged))
    assert easy is not None and same is not None
    np.testing.assert_array_equal(easy, same)
    assert as_judged.shares == ()
    assert shares_sentence(found.shares[0]).startswith("Of the hard test items 75 % are 'yes', and")


def test_people_who_overlook_nothing_change_nothing(tmp_path: Path) -> None:
    task, table = write(tmp_path), judged(3, gold=40, overlooked=0)
    found, as_judged = (labels(task, table, tmp_path, way) for way in ("tested", "judged"))
    assert found.shares == ()
    pd.testing.assert_frame_equal(found.table, as_judged.table)


def test_test_items_that_people_answer_otherwise_are_not_like_those_for_sale(
    tmp_path: Path,
) -> None:
    task, table = write(tmp_path), judged(3, gold=100, of_gold=False)
    found = labels(task, table, tmp_path)
    assert [(own.stratum, own.corrected) for own in found.shares] == [("hard", False)]
    assert mean_yes(found, "hard") == mean_yes(labels(task, table, tmp_path, "judged"), "hard")
    assert "labels stay as judged" in shares_sentence(found.shares[0])


def test_few_test_items_say_nothing(tmp_path: Path) -> None:
    task = write(tmp_path, tested=36)
    found = labels(task, judged(3, gold=0), tmp_path)
    assert found.shares == ()


def test_what_is_told_is_json(tmp_path: Path) -> None:
    found = labels(write(tmp_path), judged(3, gold=40), tmp_path)
    told = json.loads(json.dumps(found.shares[0].facts()))
    assert told["classes"] == ["no", "yes"]
    assert told["tested"] == [0.25, 0.75]
    assert (told["labels"], told["test_items"], told["corrected"]) == (120, 60, True)
