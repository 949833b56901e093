"""What a collection can buy next."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from budget.collection.batching import Batching, no_lines
from budget.collection.contents import read_contents
from budget.collection.market import collection_market, expected_cost
from budget.collection.measuring import JudgmentsSoFar, SupplierMeasured, no_judgments
from budget.collection.price import Price
from budget.collection.suppliers import collection_suppliers
from budget.config.collection_config import parse_collection
from budget.market.market import Market
from tests.unit.budget.collection.by_hand import (
    CROWD,
    EXPERT,
    settings,
    suppliers,
    write_tables,
)


def market(folder: Path, asked: pd.DataFrame | None = None, **own: Any) -> Market:
    write_tables(folder)
    config = parse_collection(settings(folder), "settings")
    file = suppliers(**own)
    found, task = collection_suppliers(file, config), read_contents(config).task
    nothing = JudgmentsSoFar(no_judgments(), task)
    measured: dict[tuple[str, str], SupplierMeasured] = {
        (name, stratum): nothing.of_supplier(supplier, stratum, file)
        for name, supplier in found.items()
        for stratum in supplier.prices
    }
    batching = Batching(task, found, config.buying, no_lines() if asked is None else asked, 1)
    names = config.strata.buy
    return collection_market(task, names, found, file, measured, batching, {}, {}, Decimal(30))


def test_every_number_of_judgments_is_an_offer(tmp_path: Path) -> None:
    found = market(tmp_path, crowd={**CROWD, "judgments": [1, 3]}, expert=EXPERT)
    assert [(o.stratum, o.supplier, o.judgments) for o in found.offers] == [
        *(("easy", "crowd", 1), ("easy", "crowd", 3), ("easy", "expert", 1)),
        *(("hard", "crowd", 1), ("hard", "crowd", 3), ("hard", "expert", 1)),
    ]
    one, three, *_ = found.offers
    assert one.cost == three.cost == Decimal("0.05")
    assert three.redraw_rate < one.redraw_rate == 0.5  # one in four wrong of two choices
    assert found.items == {"easy": 60, "hard": 60}


def asked(count: int) -> pd.DataFrame:
    rows = [("expert", f"item-{4 * n:03d}", "easy", None) for n in range(count)]
    return pd.DataFrame(rows, columns=["supplier", "item_id", "stratum", "gold"])


@pytest.mark.parametrize(("before", "left"), [(0, 10), (4, 6), (12, 0)])
def test_capacity_is_of_the_whole_collection(before: int, left: int, tmp_path: Path) -> None:
    found = market(tmp_path, asked(before), crowd=CROWD, expert={**EXPERT, "capacity": 10})
    [expert] = [o for o in found.of_stratum("easy") if o.supplier == "expert"]
    assert expert.capacity == left
    assert found.items["easy"] == 60 - before


def test_work_by_the_hour_costs_what_its_time_does() -> None:
    price = Price(Decimal("0.1"), Decimal(36), Decimal(50))
    assert expected_cost(price, 10.0) == Decimal("0.2")
    assert expected_cost(price, 500.0) == Decimal("0.6")  # no more than is paid
    assert expected_cost(price, None) == Decimal("0.6")
    assert expected_cost(Price(Decimal("0.1")), 10.0) == Decimal("0.1")
