"""What was done and what simple rules buy: never for more than the money, and in pairs."""

import pandas as pd
import pytest

from budget.replay.past import Past
from budget.replay.purchases import PastPurchase, done, simple_rules


def rules(past: Past, money: int, seed: int = 0) -> dict[tuple[str, int | None], PastPurchase]:
    return {(own.name, own.judgments): own for own in simple_rules(past, money, seed)}


@pytest.mark.parametrize("money", [0, 10, 95, 430, 900, 5000])
def test_no_purchase_costs_more_than_the_money(past: Past, money: int) -> None:
    for own in (done(past, money, 1), *simple_rules(past, money, 1)):
        assert own.spent == own.table["cost"].sum() <= money
        assert not own.table["source_id"].duplicated().any()
        assert set(own.table["item_id"]) <= set(past.for_sale["item_id"])


def test_what_was_done_is_taken_in_the_order_of_time(past: Past) -> None:
    bought = done(past, 300, 0).table
    assert len(bought) == 30  # 3.00 at 0.10
    rest = past.for_sale[~past.for_sale["source_id"].isin(bought["source_id"])]
    assert bought["created_at"].max() < rest["created_at"].min()
    assert done(past, 300, 1).table.equals(bought)


def test_without_times_items_come_whole_and_each_replay_in_another_order(past: Past) -> None:
    from dataclasses import replace

    untimed = replace(past, judgments=past.judgments.assign(created_at=pd.NaT))
    first, second = (done(untimed, 300, seed).table for seed in (0, 1))
    assert set(first.groupby("item_id").size()) == {3}
    assert set(first["item_id"]) != set(second["item_id"])


def test_a_rule_buys_what_it_says(past: Past) -> None:
    found = rules(past, 300)
    assert set(found) == {
        (name, number)
        for name in ("all_easy", "all_hard", "equal_spend", "proportional")
        for number in (1, 3)
    }
    assert set(found["all_hard", 3].table["stratum"]) == {"hard"}
    sizes = found["all_hard", 3].table.groupby("item_id").size()
    assert (len(sizes), set(sizes)) == (10, {3})
    assert set(found["all_hard", 1].table.groupby("item_id").size()) == {1}
    spent = found["equal_spend", 3].table.groupby("stratum")["cost"].sum()
    assert spent.to_dict() == {"easy": 150, "hard": 150}


def test_rules_of_one_replay_ask_about_the_same_items(past: Past) -> None:
    few, many = rules(past, 60)["all_hard", 1].table, rules(past, 90)["all_hard", 1].table
    assert set(few["source_id"]) < set(many["source_id"])
    another = rules(past, 60, seed=1)["all_hard", 1].table
    assert set(another["item_id"]) != set(few["item_id"])
