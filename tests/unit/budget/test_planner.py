from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from annotation.cost import LabelTerms, mix_cost
from annotation.errors import InputError
from budget.planner import candidate_mixes, exchange_rate, expected_accuracy, plan_purchase
from budget.surface.response import ResponseSurface

PLENTY = {"easy": 100_000, "medium": 100_000, "hard": 100_000}
TWO = ("easy", "hard")
Surface = Callable[..., ResponseSurface]


def terms(**costs: str) -> dict[str, LabelTerms]:
    return {name: LabelTerms(Decimal(cost), 0.1, "redraw") for name, cost in costs.items()}


def test_easy_labels_worth_three_at_half_the_cost_get_all_the_money(make_surface: Surface) -> None:
    plan = plan_purchase(
        make_surface({"easy": 3.0}),
        terms(easy="1", hard="2"),
        Decimal(100),
        PLENTY,
        {"easy": 10, "hard": 10},
    )
    assert plan.mix == {"easy": 80, "hard": 10}
    assert plan.after_pilot == {"easy": 70, "hard": 0}
    assert (plan.cost, plan.money_left) == (Decimal(100), Decimal(0))
    # n = (10 + sqrt(3) * 80)^2 / 90 = 245.24; .3 + .6 * n / (n + 100) = .7262
    assert plan.expected_accuracy.estimate == pytest.approx(0.3 + 0.6 * 245.24 / 345.24, abs=1e-5)


def test_easy_labels_worth_a_fifth_at_half_the_cost_get_none(make_surface: Surface) -> None:
    plan = plan_purchase(
        make_surface({"easy": 0.2}),
        terms(easy="1", hard="2"),
        Decimal(100),
        PLENTY,
        {"easy": 10, "hard": 10},
    )
    assert plan.mix == {"easy": 10, "hard": 45}
    assert plan.after_pilot == {"easy": 0, "hard": 35}


def test_the_turning_point_is_the_cost_ratio(make_surface: Surface) -> None:
    costs = terms(easy="1", hard="2")
    for rate, better in [(0.45, "hard"), (0.55, "easy")]:
        plan = plan_purchase(
            make_surface({"easy": rate}), costs, Decimal(1000), PLENTY, {"easy": 8, "hard": 8}
        )
        assert plan.after_pilot[better] > 0, rate
        assert sum(plan.after_pilot.values()) == plan.after_pilot[better], rate


def test_of_three_strata_the_best_value_wins(make_surface: Surface) -> None:
    # Per unit of money: easy 1.2, medium 2 / 1.5 = 1.33, hard 1 / 2.
    plan = plan_purchase(
        make_surface({"easy": 1.2, "medium": 2.0}),
        terms(easy="1", medium="1.5", hard="2"),
        Decimal(99),
        PLENTY,
        {"easy": 4, "medium": 4, "hard": 4},
    )
    assert plan.after_pilot == {"easy": 0, "medium": 54, "hard": 0}  # 99 - 18 = 54 * 1.5


def test_what_cannot_be_had_goes_to_the_next_best(make_surface: Surface) -> None:
    plan = plan_purchase(
        make_surface({"easy": 3.0}),
        terms(easy="1", hard="2"),
        Decimal(100),
        {"easy": 30, "hard": 1000},
        {"easy": 10, "hard": 10},
    )
    assert plan.mix == {"easy": 30, "hard": 35}


def test_a_stratum_with_nothing_to_buy(make_surface: Surface) -> None:
    plan = plan_purchase(
        make_surface({"easy": 3.0}),
        terms(easy="1", hard="2"),
        Decimal(50),
        {"easy": 0, "hard": 1000},
        {"hard": 10},
    )
    assert plan.mix == {"easy": 0, "hard": 25}


def test_a_budget_of_exactly_the_pilot_buys_the_pilot(make_surface: Surface) -> None:
    pilot = {"easy": 10, "hard": 10}
    costs = terms(easy="0.333", hard="1.07")
    plan = plan_purchase(make_surface({"easy": 1.0}), costs, Decimal("14.03"), PLENTY, pilot)
    assert plan.mix == pilot
    assert plan.after_pilot == {"easy": 0, "hard": 0}
    assert plan.money_left == 0


def test_a_cent_less_than_the_pilot_is_refused(make_surface: Surface) -> None:
    with pytest.raises(InputError) as caught:
        plan_purchase(
            make_surface({"easy": 1.0}),
            terms(easy="0.333", hard="1.07"),
            Decimal("14.02"),
            PLENTY,
            {"easy": 10, "hard": 10},
        )
    assert str(caught.value) == (
        "the budget of 14.02 is too small for the pilot, which costs 14.030; give at least 14.030."
    )


def test_amounts_of_30_digits_are_not_overspent(make_surface: Surface) -> None:
    # Rounded to 28 digits, the pilot costs the budget and 9 easy labels cost it too.
    budget, cost = Decimal("0.9999999999999999999999999999"), "0.111111111111111111111111111114"
    costs, surface = terms(easy=cost, hard=cost), make_surface({"easy": 3.0})
    plan = plan_purchase(surface, costs, budget, PLENTY, {})
    assert plan.mix == {"easy": 8, "hard": 0}
    assert plan.cost == Decimal("0.888888888888888888888888888912")
    assert plan.money_left == Decimal("0.111111111111111111111111110988")
    with pytest.raises(InputError, match=r"the budget of 0\.9{28} is too small for the pilot"):
        plan_purchase(surface, costs, budget, PLENTY, {"easy": 5, "hard": 4})


def test_the_largest_amounts_are_no_overflow(make_surface: Surface) -> None:
    most = "1000000000000000"
    costs = terms(easy=most, hard="1e-30")
    plan = plan_purchase(make_surface({"easy": 1.0}), costs, Decimal(most), PLENTY, {})
    assert plan.mix == {"easy": 0, "hard": 100_000}


def test_of_equally_good_mixes_the_cheapest(make_surface: Surface) -> None:
    # Labels of no use beyond the pilot: the ceiling is the floor.
    surface = make_surface({"easy": 1.0}, ceiling=0.3)
    pilot = {"easy": 10, "hard": 10}
    plan = plan_purchase(surface, terms(easy="1", hard="2"), Decimal(1000), PLENTY, pilot)
    assert plan.mix == pilot
    assert plan.money_left == 970


def test_a_nearly_sure_thing_is_weighed_by_its_mean(make_surface: Surface) -> None:
    """The plan maximises expected accuracy, not accuracy at the median rate."""
    rates = np.full(100, 0.45)  # just below the cost ratio ...
    rates[:30] = 5.0  # ... but with a fair chance to be far above
    plan = plan_purchase(
        make_surface({"easy": rates}),
        terms(easy="1", hard="2"),
        Decimal(200),
        PLENTY,
        {"easy": 10, "hard": 10},
    )
    assert plan.after_pilot["easy"] > 100


def test_candidates_by_hand() -> None:
    # 10 beyond the pilot of 1 + 2: 5 steps of 10 % buy an easy label each two, ...
    mixes = list(
        candidate_mixes(
            TWO, terms(easy="5", hard="10"), Decimal(25), PLENTY, {"easy": 1, "hard": 1}
        )
    )
    assert {tuple(mix.values()) for mix in mixes} == {(1, 1), (3, 1), (1, 2)}


def test_candidates_spend_what_rounding_leaves() -> None:
    # 11 money: half on each buys 5 easy (1) and 2 hard (2); the rest of 2 buys another hard.
    mixes = [
        (mix["easy"], mix["hard"])
        for mix in candidate_mixes(TWO, terms(easy="1", hard="2"), Decimal(11), PLENTY, {})
    ]
    for easy, hard in mixes[1:]:
        left = 11 - easy - 2 * hard
        assert left < 1 or (easy == 0 and left < 2)
    assert len(set(mixes)) == len(mixes)


def test_what_rounding_leaves_goes_to_the_mix_first_and_then_to_any_other() -> None:
    # 11 money at 2 and 3: the rest of all money on easy buys no further easy label, ...
    costs = terms(easy="2", hard="3")
    mixes = [(m["easy"], m["hard"]) for m in candidate_mixes(TWO, costs, Decimal(11), PLENTY, {})]
    assert mixes[0] == (0, 0)  # buying nothing more
    # ... and 1 is too little for a hard one; of all money on hard, 2 are left, for an easy one or
    # for nothing, should easy ones do harm.
    assert set(mixes[1:]) == {(0, 3), (1, 3), (2, 2), (4, 1), (5, 0)}
    # Six hard labels are all there are: the money goes to easy ones instead, or is kept.
    scarce = candidate_mixes(TWO, costs, Decimal(30), {"easy": 4, "hard": 6}, {})
    assert {(m["easy"], m["hard"]) for m in scarce} == {(0, 0), (0, 6), (4, 0), (4, 6)}


def test_candidates_leave_no_money_that_could_buy_a_label_of_what_they_buy() -> None:
    strata = ("easy", "medium", "hard")
    costs = terms(easy="0.7", medium="1.1", hard="1.9")
    capacity = {"easy": 9, "medium": 30, "hard": 5}
    mixes = list(candidate_mixes(strata, costs, Decimal(25), capacity, {"easy": 2}))
    assert len(mixes) > 20
    for mix in mixes[1:]:
        left = 25 - mix_cost(mix, costs)
        for name in strata:
            if mix[name] > (2 if name == "easy" else 0):
                assert costs[name].cost > left or mix[name] == capacity[name], mix


def test_exchange_rate_is_the_median_and_its_interval(make_surface: Surface) -> None:
    rates = np.linspace(1.0, 3.0, 1001)
    rate = exchange_rate(make_surface({"easy": rates}), "easy", terms(easy="1", hard="0.4"), {})
    assert rate.resolved
    assert (rate.estimate, rate.low, rate.high) == pytest.approx((2.0, 1.05, 2.95))
    assert rate.cost_ratio == 2.5
    assert rate.probability_better_buy == pytest.approx(0.25, abs=0.001)
    assert (rate.stratum, rate.target) == ("easy", "hard")


@pytest.mark.parametrize(("spread", "resolved"), [(29.0, True), (31.0, False)])
def test_a_rate_known_to_no_better_than_a_factor_of_30_is_not_resolved(
    make_surface: Surface, spread: float, resolved: bool
) -> None:
    half = np.log(spread) / 2
    rates = np.exp(np.repeat([-half, 0.0, half], 100))
    rate = exchange_rate(make_surface({"easy": rates}), "easy", terms(easy="1", hard="2"), {})
    assert rate.resolved == resolved
    numbers = (rate.estimate, rate.low, rate.high, rate.probability_better_buy)
    assert all((number is not None) == resolved for number in numbers)
    assert rate.cost_ratio == 0.5  # what is known is told in any case


@pytest.mark.parametrize("other", [0.0, np.inf])
def test_a_rate_that_may_be_nothing_or_without_end_is_not_resolved(
    make_surface: Surface, monkeypatch: pytest.MonkeyPatch, other: float
) -> None:
    rates = np.repeat([2.0, other], [90, 10])
    monkeypatch.setattr(ResponseSurface, "rates", lambda *_: rates)
    rate = exchange_rate(make_surface({"easy": 1.0}), "easy", terms(easy="1", hard="2"), {})
    assert not rate.resolved
    assert rate.estimate is rate.low is rate.high is rate.probability_better_buy is None


def test_a_cost_ratio_of_any_size_leaves_a_rate_resolved(make_surface: Surface) -> None:
    rate = exchange_rate(make_surface({"easy": 2.0}), "easy", terms(easy="100", hard="1"), {})
    assert rate.resolved
    assert (rate.cost_ratio, rate.probability_better_buy) == (100, 0)


def test_a_rate_is_the_mean_over_the_labels_bought(make_surface: Surface) -> None:
    # 100 easy labels learn half of what there is to learn, at a cosine of .6 to what is wanted:
    # .3 of the way, where hard labels are after n / (n + 100) = .3, so n = 42.857.
    surface = make_surface({"easy": 1.0}, alignment_easy=0.6)
    rate = exchange_rate(surface, "easy", terms(easy="1", hard="2"), {"easy": 100, "hard": 7})
    assert rate.estimate == pytest.approx(3 / 7)
    # 300 learn 3 / 4 of it: .45, and n = 81.82.
    rate = exchange_rate(surface, "easy", terms(easy="1", hard="2"), {"easy": 300, "hard": 7})
    assert rate.estimate == pytest.approx(3 / 11)


def test_labels_that_point_elsewhere_leave_money_for_the_others(make_surface: Surface) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=0.6)
    plan = plan_purchase(surface, terms(easy="1", hard="4"), Decimal(400), PLENTY, {})
    best, found = 0.0, (0, 0)
    for hard in range(101):
        easy = 400 - 4 * hard
        along, beside = hard + 0.6 * easy, 0.8 * easy  # easy labels, split into two directions
        length = np.hypot(along, beside)
        learnt = along / length * length**2 / (length**2 + 100 * (easy + hard))
        if learnt > best:
            best, found = learnt, (easy, hard)
    assert 30 < found[1] < 80  # neither all easy nor all hard
    assert plan.mix["hard"] == pytest.approx(found[1], abs=2)  # steps of one hard label or so
    assert plan.expected_accuracy.estimate == pytest.approx(0.3 + 0.6 * best, abs=1e-5)
    assert plan.money_left == 0


def test_harmful_labels_are_not_bought_at_any_price(make_surface: Surface) -> None:
    # They pull away from what is wanted: 100 hard labels alone are better than with any of them.
    surface = make_surface({"easy": 1.0}, alignment_easy=-0.5)
    costs = terms(easy="0.001", hard="1")
    plan = plan_purchase(surface, costs, Decimal(110), {"easy": 100_000, "hard": 100}, {})
    assert plan.mix == {"easy": 0, "hard": 100}


def test_expected_accuracy_is_mean_and_percentiles(make_surface: Surface) -> None:
    surface = make_surface({"easy": [1.0, 2.0]})
    # n = 100 or 200: .3 + .6 * 1/2 = .6, .3 + .6 * 2/3 = .7
    expected = expected_accuracy(surface, {"easy": 100})
    assert expected.estimate == pytest.approx(0.65)
    assert expected.low == pytest.approx(0.6 + 0.1 * 0.025)
    assert expected.high == pytest.approx(0.7 - 0.1 * 0.025)
