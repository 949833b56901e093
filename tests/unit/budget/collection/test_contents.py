"""Items for sale and test items as one task."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.errors import InputError
from budget.collection.contents import Contents, read_contents
from budget.config.collection_config import parse_collection
from tests.unit.budget.collection.by_hand import rows, settings, write_tables


def write(path: Path, table: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table), encoding="utf-8")


def read(folder: Path, **sections: Any) -> Contents:
    return read_contents(parse_collection(settings(folder, **sections), "settings"))


def test_both_tables_are_one_task(tmp_path: Path) -> None:
    write_tables(tmp_path, items=80, tested=24)
    contents = read(tmp_path)
    task = contents.task
    assert len(task.items) == 104
    assert sorted(task.test_positions.tolist()) == list(range(80, 104))
    assert {name: own.size for name, own in task.pools.items()} == {"easy": 40, "hard": 40}
    assert task.answered[80:].all() and not task.answered[:80].any()
    assert contents.place["item-000"] == 0
    hard = np.flatnonzero(task.stratum_of == "hard")
    assert set(task.items["steps"].iloc[hard]) == {3, 4}


def test_the_cut_is_of_the_items_for_sale(tmp_path: Path) -> None:
    write(tmp_path / "pool.jsonl", rows(0, 80))
    write(tmp_path / "test.jsonl", [{**row, "steps": 4} for row in rows(900, 20, answered=True)])
    task = read(tmp_path, strata={"cut": "quantiles:2"}).task
    assert set(task.stratum_of[80:]) == {"hard"}
    assert task.pools["easy"].size == 40


def answerless(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "answer"}


POOL, TEST = rows(0, 60), rows(900, 30, answered=True)
Changed = Callable[[], tuple[list[dict[str, Any]], list[dict[str, Any]]]]


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (
            lambda: (POOL, [{**row, "item_id": "item-003"} for row in TEST[:1]] + TEST[1:]),
            r"test\.jsonl: item 'item-003' is for sale too, in \S+pool\.jsonl; an item",
        ),
        (lambda: (POOL + TEST[:3], TEST), "'item-900' is for sale too.* and so are 2 others"),
        (lambda: (POOL, [answerless(row) for row in TEST]), "answer"),
        (lambda: (POOL, [*TEST[:-1], answerless(TEST[-1])]), "item-929"),
        (lambda: (POOL, TEST[:12]), "hard"),
        (lambda: ([{**row, "steps": 1} for row in POOL], TEST), "stratum 'hard' .*: has no items"),
        (
            lambda: ([{**row, "item_id": f"n{row['item_id']}"} for row in TEST], TEST),
            "stratum 'easy' .*: none of its 16 items can be bought: they are near copies",
        ),
        (
            lambda: ([{n: v for n, v in row.items() if n != "steps"} for row in POOL], TEST),
            r"pool\.jsonl: has no column 'steps'.*labelmix hardness pool\.jsonl",
        ),
        (
            lambda: (POOL, [{n: v for n, v in row.items() if n != "steps"} for row in TEST]),
            r"test\.jsonl: has no column 'steps'",
        ),
    ],
)
def test_tables_that_cannot_be_used_are_refused(tables: Changed, told: str, tmp_path: Path) -> None:
    pool, test = tables()
    write(tmp_path / "pool.jsonl", pool)
    write(tmp_path / "test.jsonl", test)
    with pytest.raises(InputError, match=told) as error:
        read(tmp_path)
    assert "\n" not in str(error.value)
