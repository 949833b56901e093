"""A small collection that is over: 60 items, three people on each, at 0.10 a judgment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.judgments.read_files import read_judgment_files
from annotation.team.pay import PayTerms
from annotation.terms.cost import money
from budget.replay.past import Past, assemble, replay_config
from budget.replay.suppliers import priced_suppliers, suppliers_of
from budget.replay.tables import ItemFiles, StrataAsked, read_past

ITEMS = 60
WHO = ("ann", "bob", "cem")


def item(number: int) -> dict[str, Any]:
    return {
        "item_id": f"item-{number}",
        "question": f"What is {number}?",
        "choices": ["odd", "even"],
        "answer": number % 2,
        "steps": number % 2 + 1,
    }


def judgment(number: int, who: int) -> list[str]:
    """The later an item's number, the later it was judged; each errs on items of its own."""
    wrong = number % 4 == who
    label = ("odd", "even")[(number + wrong) % 2]
    at = f"2024-03-{1 + number // 10:02d}T1{who}:{number % 60:02d}:00Z"
    return [f"item-{number}", WHO[who], label, f"{5 + who}", at]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [json.dumps(item(number)) for number in range(ITEMS)]
    (tmp_path / "items.jsonl").write_text("\n".join(rows), encoding="utf-8")
    head = "item_id,annotator,label,seconds,created_at"
    judged = [",".join(judgment(number, who)) for number in range(ITEMS) for who in range(3)]
    (tmp_path / "judgments.csv").write_text("\n".join([head, *judged]), encoding="utf-8")
    return tmp_path


Make = Callable[..., Past]


@pytest.fixture
def make(folder: Path) -> Make:
    """Read what is in the folder, by the piece or as `pay` says."""

    def made(pay: PayTerms | None = None, **strata: Any) -> Past:
        asked = StrataAsked(**({"measure": "steps", "cut": "edges:1"} | strata))
        reading = read_judgment_files([folder / "judgments.csv"], False)
        tables = read_past(ItemFiles(folder / "items.jsonl"), reading, asked)
        judgments = tables.judgments.assign(supplier=suppliers_of(tables.judgments))
        tables = type(tables)(**{**tables.__dict__, "judgments": judgments})
        pay = pay or PayTerms(usual_per_judgment=money("0.10"))
        file = priced_suppliers(judgments, pay, None)
        return assemble(tables, replay_config({}, tables, "EUR", "here"), file, 30)

    return made


@pytest.fixture
def past(make: Make) -> Past:
    return make()
