"""Items of a batch: none asked twice, gold questions mixed in, never more than the money pays."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from budget.collection.batching import Batching, asked_lines, fitting, fitting_least, no_lines
from budget.collection.choosing import WantedLabels
from budget.collection.contents import read_contents
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import BatchRecord, OrderLine, most_cost
from budget.collection.price import Price
from budget.collection.suppliers import collection_suppliers
from budget.config.collection_config import parse_collection
from budget.market.offers import Offer
from tests.unit.budget.collection.by_hand import right, settings, suppliers, write_tables

CENTS = MoneyUnit("EUR", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tables(tmp_path)
    return tmp_path


def batching(
    folder: Path, asked: pd.DataFrame | None = None, number: int = 1, **buying: Any
) -> Batching:
    config = parse_collection(settings(folder, buying=buying), "settings")
    task = read_contents(config).task
    own = collection_suppliers(suppliers(), config)
    return Batching(task, own, config.buying, no_lines() if asked is None else asked, number)


def wanted(supplier: str, stratum: str, labels: int, judgments: int = 2) -> WantedLabels:
    return WantedLabels(Offer(stratum, supplier, judgments, Decimal("0.05"), 0.2), labels)


BOTH = [wanted(who, name, 10) for who in ("crowd", "expert") for name in ("easy", "hard")]


def table(lines: list[OrderLine], batch: int = 1, received: int = 2) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (batch, own.supplier, own.item_id, own.stratum, own.judgments, own.gold, received)
            for own in lines
        ],
        columns=["batch", "supplier", "item_id", "stratum", "judgments", "gold", "received"],
    )


def test_suppliers_of_one_stratum_never_ask_about_the_same_item(folder: Path) -> None:
    lines = batching(folder).lines(BOTH)
    training = [line for line in lines if line.gold is None]
    assert len(training) == 40
    assert len({line.item_id for line in training}) == 40
    assert Counter((line.supplier, line.stratum) for line in training) == {
        (own.offer.supplier, own.offer.stratum): 10 for own in BOTH
    }


def test_no_item_is_asked_again_in_a_later_batch(folder: Path) -> None:
    asked, seen = no_lines(), set[str]()
    for number in range(1, 4):
        lines = batching(folder, asked, number).lines(BOTH)
        training = {line.item_id for line in lines if line.gold is None}
        assert not training & seen
        seen |= training
        asked = pd.concat([asked, table(lines, number)], ignore_index=True)
    last = batching(folder, asked, 4)
    assert last.left() == {"easy": 0, "hard": 0}
    assert last.asked_of("crowd", "hard") == 30
    assert [line for line in last.lines(BOTH) if line.gold is None] == []


def test_gold_questions_are_new_to_their_supplier_and_have_the_right_answer(folder: Path) -> None:
    first = batching(folder, gold=3).lines(BOTH)
    gold = [line for line in first if line.gold is not None]
    assert Counter((line.supplier, line.stratum) for line in gold) == {
        (own.offer.supplier, own.offer.stratum): 3 for own in BOTH
    }
    assert all(line.gold == right(line.item_id) for line in gold)
    second = batching(folder, table(first), 2, gold=3).lines(BOTH)
    again = {(line.supplier, line.item_id) for line in second if line.gold is not None}
    assert not again & {(line.supplier, line.item_id) for line in gold}


def test_a_supplier_wanted_twice_in_a_stratum_gets_its_gold_questions_once(folder: Path) -> None:
    twice = [wanted("crowd", "hard", 5, judgments=2), wanted("crowd", "hard", 5, judgments=1)]
    lines = batching(folder, gold=3).lines(twice)
    assert max(Counter((own.supplier, own.item_id) for own in lines).values()) == 1
    assert sum(own.gold is not None for own in lines) == 3


def test_gold_questions_are_no_more_than_labels_and_may_run_out(folder: Path) -> None:
    assert len(batching(folder, gold=5).lines([wanted("crowd", "hard", 2)])) == 4
    assert len(batching(folder, gold=0).lines([wanted("crowd", "hard", 2)])) == 2
    every = batching(folder, gold=100).lines([wanted("crowd", "hard", 60)])
    assert sum(line.gold is not None for line in every) == 20  # test items of the stratum


def test_the_same_batch_is_drawn_again_and_another_number_draws_others(folder: Path) -> None:
    assert batching(folder).lines(BOTH) == batching(folder).lines(BOTH)
    assert batching(folder).lines(BOTH) != batching(folder, number=2).lines(BOTH)


def record(number: int, state: Any) -> BatchRecord:
    zero = Decimal(0)
    moment = pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime()
    return BatchRecord(number, state, moment, None, None, None, None, {}, zero, zero, zero, 0, 0)


def test_what_a_cancelled_batch_had_no_answer_to_is_free_again(folder: Path) -> None:
    first = batching(folder).lines([wanted("crowd", "hard", 10)])
    lines = table(first, received=0)
    lines.loc[:2, "received"] = 1
    asked = asked_lines(lines, [record(1, "cancelled")])
    assert asked["item_id"].tolist() == [line.item_id for line in first[:3]]
    assert batching(folder, asked, 2).left()["hard"] == 57
    assert len(asked_lines(lines, [record(1, "complete")])) == len(lines)


PRICES = {"crowd": Price(Decimal("0.05")), "expert": Price(Decimal("0.40"))}


@pytest.mark.parametrize("money", [0, 5, 39, 40, 41, 300, 777, 5_000])
@pytest.mark.parametrize("share", [Decimal(0), Decimal("0.05"), Decimal(1)])
def test_what_fits_never_costs_more_than_the_money(money: int, share: Decimal) -> None:
    lines = [
        OrderLine(who, f"{who} {stratum} {n}", stratum, 1 + n % 3, None if n % 4 else "odd", price)
        for who, price in PRICES.items()
        for stratum in ("easy", "hard")
        for n in range(20)
    ]

    def cost(own: Any) -> int:
        return sum(most_cost(own, share, CENTS).values())

    kept = fitting(lines, cost, money)
    assert cost(kept) <= money or not kept
    assert [line for line in lines if line in kept] == kept  # in order
    if cost(lines) <= money:
        assert kept == lines
    for who in PRICES:  # first of each kind
        own = [line for line in lines if line.supplier == who and line.stratum == "easy"]
        plain = [line for line in own if line.gold is None]
        assert [line for line in plain if line in kept] == plain[: sum(p in kept for p in plain)]


@pytest.mark.parametrize("money", [100, 250, 400, 800, 1_600, 5_000])
def test_a_supplier_who_takes_no_so_small_a_batch_leaves_its_money_to_others(money: int) -> None:
    lines = [
        OrderLine(who, f"{who} {n}", "easy", 1, None, price)
        for who, price in PRICES.items()
        for n in range(40)
    ]

    def cost(own: Any) -> int:
        return sum(most_cost(own, Decimal(0), CENTS).values())

    kept, refused = fitting_least(lines, cost, money, {("expert", "easy"): 30})
    counts = Counter(line.supplier for line in kept)
    assert cost(kept) <= money
    assert counts["expert"] == 0 or counts["expert"] >= 30
    assert [(own.supplier, own.least) for own in refused] == (
        [] if counts["expert"] else [("expert", 30)]
    )
    if refused:
        assert counts["crowd"] == min(40, money // 5)
        assert refused[0].most < 30
