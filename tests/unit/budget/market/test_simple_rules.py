from decimal import Decimal

import pytest

from annotation.errors import InputError
from annotation.terms.cost import LabelTerms
from budget.market.simple_rules import baseline_mixes, describe, single_stratum


def terms(**costs: str) -> dict[str, LabelTerms]:
    return {name: LabelTerms(Decimal(cost), 0.1, "redraw") for name, cost in costs.items()}


PLENTY = {"easy": 10_000, "medium": 10_000, "hard": 10_000}


def test_two_strata_by_hand() -> None:
    capacity = {"easy": 300, "hard": 100}
    mixes = baseline_mixes(Decimal(120), terms(easy="1", hard="2"), capacity, ("easy", "hard"))
    assert mixes == {
        "all_easy": {"easy": 120},
        "all_hard": {"hard": 60},
        "equal_spend": {"easy": 60, "hard": 30},
        # All 300 + 100 items would cost 500; 120 buys 24 % of each: 72 + 2 * 24 = 120.
        "proportional": {"easy": 72, "hard": 24},
    }


def test_three_strata_by_hand() -> None:
    mixes = baseline_mixes(
        Decimal(90),
        terms(easy="1", medium="1.5", hard="2"),
        {"easy": 100, "medium": 100, "hard": 100},
        ("easy", "medium", "hard"),
    )
    assert mixes == {
        "all_easy": {"easy": 90},
        "all_medium": {"medium": 60},
        "all_hard": {"hard": 45},
        "equal_spend": {"easy": 30, "medium": 20, "hard": 15},
        "proportional": {"easy": 20, "medium": 20, "hard": 20},
    }


def test_a_third_of_a_cent_is_not_overspent() -> None:
    # 1 / 0.333 = 3.003: three labels for 0.999.
    mix = single_stratum("easy", Decimal(1), terms(easy="0.333"), {"easy": 10})
    assert mix == {"easy": 3}
    # 0.30 / 0.10 is 2.9999... in floats.
    assert single_stratum("easy", Decimal("0.3"), terms(easy="0.1"), {"easy": 10}) == {"easy": 3}


def test_amounts_of_30_digits_are_not_overspent() -> None:
    # Rounded to 28 digits, a third of the budget is three labels; exactly it is a hair less.
    budget, cost = Decimal("0.9999999999999999999999999999"), "0.111111111111111111111111111114"
    costs = terms(easy=cost, medium=cost, hard=cost)
    mixes = baseline_mixes(budget, costs, PLENTY, ("easy", "medium", "hard"))
    assert mixes["equal_spend"] == {"easy": 2, "medium": 2, "hard": 2}
    assert mixes["proportional"] == {"easy": 2, "medium": 2, "hard": 2}
    assert mixes["all_easy"] == {"easy": 8}


def test_the_largest_amounts_are_no_overflow() -> None:
    most = "1000000000000000"
    mixes = baseline_mixes(Decimal(most), terms(easy=most, hard="1"), PLENTY, ("easy", "hard"))
    assert mixes == {
        "all_easy": {"easy": 1},
        "all_hard": {"hard": 10_000},
        "equal_spend": {"easy": 0, "hard": 10_000},
        "proportional": {"easy": 0, "hard": 0},
    }


def test_no_more_than_there_is() -> None:
    mixes = baseline_mixes(
        Decimal(1000), terms(easy="1", hard="2"), {"easy": 7, "hard": 0}, ("easy", "hard")
    )
    assert mixes["all_easy"] == {"easy": 7}
    assert mixes["all_hard"] == {"hard": 0}
    assert mixes["equal_spend"] == {"easy": 7, "hard": 0}
    assert mixes["proportional"] == {"easy": 7}


def test_nothing_to_buy_at_all() -> None:
    mixes = baseline_mixes(
        Decimal(10), terms(easy="1", hard="2"), {"easy": 0, "hard": 0}, ("easy", "hard")
    )
    assert all(sum(mix.values()) == 0 for mix in mixes.values())


def test_no_money_buys_nothing() -> None:
    mixes = baseline_mixes(Decimal(0), terms(easy="1", hard="2"), PLENTY, ("easy", "hard"))
    assert all(sum(mix.values()) == 0 for mix in mixes.values())


def test_free_labels_are_refused() -> None:
    with pytest.raises(InputError, match="cost per label is 0"):
        baseline_mixes(Decimal(5), terms(easy="0", hard="2"), PLENTY, ("easy", "hard"))


@pytest.mark.parametrize(
    ("policy", "phrase"),
    [
        ("all_hard", "all money on hard labels"),
        ("equal_spend", "the same money on every stratum"),
        ("proportional", "labels in proportion to the items left to label"),
    ],
)
def test_every_policy_has_a_phrase(policy: str, phrase: str) -> None:
    assert describe(policy) == phrase
