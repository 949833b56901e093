from decimal import Decimal
from fractions import Fraction

import numpy as np

from annotation.terms.cost import LabelTerms
from budget.market.market import Market
from tests.markets import standing_at

TERMS = {
    "easy": LabelTerms(Decimal(1), 0.0, "redraw"),
    "hard": LabelTerms(Decimal(4), 0.0, "redraw"),
}


def at(bought: dict[str, int], money: str, capacity: int = 100) -> Market:
    left = dict.fromkeys(TERMS, capacity)
    return standing_at(("easy", "hard"), TERMS, left, bought, Decimal(money))


def test_what_shares_of_the_money_buy() -> None:
    position = at({"easy": 95}, "20")
    assert position.counts.tolist() == [95, 0]
    half = Fraction(1, 2)
    # 10 would buy 10 easy labels, but 5 are left.
    assert position.buyable({"easy": half, "hard": half}) == {"easy": 5, "hard": 2}
    assert position.buyable({"easy": Fraction(0), "hard": Fraction(1)}) == {"hard": 5}


def test_after_a_purchase() -> None:
    after = at({"easy": 1}, "20").after({"easy": 3, "hard": 2})
    assert after.bought == {"easy": 4, "hard": 2}
    assert after.money == Decimal(9)


def test_final_mixes_spend_all_none_or_shares_of_the_money() -> None:
    mixes, purchases = at({}, "8").final_mixes(2)
    assert sorted(mixes.tolist()) == [[0, 2], [4, 1], [8, 0]]  # nothing at all is no mix
    assert (mixes == purchases).all()


def test_labels_bought_may_be_left_out_where_no_more_are_bought() -> None:
    mixes, purchases = at({"easy": 3}, "8").final_mixes(1)
    pairs = sorted([*zip(mixes.tolist(), purchases.tolist(), strict=True)])
    assert pairs == [
        ([0, 2], [0, 2]),  # the easy labels left out
        ([3, 0], [0, 0]),
        ([3, 2], [0, 2]),
        ([11, 0], [8, 0]),
    ]


def test_no_mix_costs_more_than_the_money() -> None:
    position = at({"easy": 2, "hard": 1}, "7.5")
    mixes, purchases = position.final_mixes(20)
    costs = purchases @ np.array([1, 4])
    assert (costs <= 7.5).all()
    assert (mixes <= position.counts + purchases).all()


def test_where_a_stratum_is_bought_out_the_rest_goes_to_the_other() -> None:
    """Five easy labels are left: the other fifteen, in whole labels, go to hard ones."""
    mixes, _ = at({"easy": 95}, "20").final_mixes(1)
    assert sorted(mixes.tolist()) == [[0, 5], [95, 0], [95, 5], [100, 0], [100, 3]]


def test_several_strata_may_be_bought_out() -> None:
    terms = {name: LabelTerms(Decimal(1), 0.0, "redraw") for name in ("easy", "medium", "hard")}
    there = {"easy": 5, "medium": 5, "hard": 1000}
    position = standing_at(tuple(terms), terms, there, dict.fromkeys(terms, 0), Decimal(100))
    mixes = position.final_mixes(12)[0].tolist()
    assert [5, 5, 90] in mixes
