"""Processes that are killed, and processes that work on one collection at once."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from annotation.locks import FolderInUseError
from budget.collection.store.store import CollectionStore
from tests.collection_process import BATCHES, BUDGET, ITEMS, UNIT, play

ROOT = Path(__file__).resolve().parents[3]
KILLS = 25
NewDatabase = Callable[[], str | Path]


def command(*arguments: object) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "tests.collection_process", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def everything(store: CollectionStore) -> dict[str, Any]:
    """All that is kept, but for when it was written."""
    records = [
        (each.number, each.state, each.most, each.paid, each.why) for each in store.batches()
    ]
    return {
        "ledger": store.ledger().drop(columns="at").to_dict("records"),
        "events": store.events().drop(columns="at").astype(object).to_dict("records"),
        "lines": store.lines().to_dict("records"),
        "judgments": store.judgments(False).astype(str).to_dict("records"),
        "batches": records,
        "balance": store.balance(),
    }


@pytest.mark.parametrize("seed", [1])
def test_killed_at_random_moments_everything_is_as_undisturbed(
    new_database: NewDatabase, tmp_path: Path, seed: int
) -> None:
    where = new_database()
    kills = int(command("killed", where, seed, KILLS))
    play(tmp_path / "undisturbed.sqlite")
    with (
        CollectionStore.open(where) as store,
        CollectionStore.open(tmp_path / "undisturbed.sqlite") as undisturbed,
    ):
        assert everything(store) == everything(undisturbed)
        paid = store.ledger().query("kind == 'spent'")
        assert len(paid) > 2 * BATCHES * ITEMS
    assert kills >= 5  # how many there are before the end depends on the machine


def test_of_processes_at_once_one_wins(new_database: NewDatabase, tmp_path: Path) -> None:
    where, out = new_database(), tmp_path / "out"
    command("raced", where, 3, out)
    told = [line.split() for line in out.read_text(encoding="utf-8").splitlines()]
    won = Counter((what, number) for what, number, _ in told)
    assert set(won.values()) == {1}
    expected = {(what, str(n)) for what in ("approved", "pushed", "complete") for n in (1, 2, 3)}
    assert set(won) == expected
    with CollectionStore.open(where) as store:
        assert [record.state for record in store.batches()] == ["complete"] * BATCHES
        entries = store.ledger()
        spent = entries[entries["kind"] == "spent"]
        assert not spent["source_id"].isna().any()
        once = Counter(zip(spent["supplier"], spent["source_id"], strict=True))
        assert set(once.values()) == {1}
        # Two of three people of the crowd, the allowance, and one expert for every other item.
        assert len(once) == BATCHES * (2 * ITEMS + 2 + ITEMS // 2)
        assert entries["entry"].tolist() == list(range(1, len(entries) + 1))


def test_who_comes_second_is_told_who_was_first(new_database: NewDatabase) -> None:
    where = new_database()
    CollectionStore.create(where, UNIT, BUDGET, "ann").close()
    with CollectionStore.open(where) as one, CollectionStore.open(where) as two:
        with one.alone("labelmix collect run"):
            with (
                pytest.raises(FolderInUseError, match=r"is in use by .*labelmix collect run"),
                two.alone("labelmix collect step"),
            ):
                pass
            two.remember(a="b")  # the store itself is open to all
            assert one.set_budget(Decimal(1), "ann")
        with two.alone("labelmix collect step"):
            pass
        with pytest.raises(ZeroDivisionError), one.alone("labelmix collect run"):
            raise ZeroDivisionError
        with two.alone("labelmix collect step"):
            pass
