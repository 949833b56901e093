from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from annotation.terms.cost import LabelTerms
from budget.surface.exchange_rate import exchange_rate, next_label_rate
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]


def terms(**costs: str) -> dict[str, LabelTerms]:
    return {name: LabelTerms(Decimal(cost), 0.1, "redraw") for name, cost in costs.items()}


def test_exchange_rate_is_the_median_and_its_interval(make_surface: Surface) -> None:
    rates = np.linspace(1.0, 3.0, 1001)
    rate = exchange_rate(make_surface({"easy": rates}), "easy", terms(easy="1", hard="0.4"), {})
    assert rate.rate_resolved
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
    assert rate.rate_resolved == resolved
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
    assert not rate.rate_resolved
    assert rate.estimate is rate.low is rate.high is None
    # Two questions: of a rate of 2 at least, at a price of a half, it is known which buy is better.
    assert rate.better_buy_resolved == (other > 0)
    assert rate.probability_better_buy == (1.0 if other > 0 else None)


def test_a_rate_may_be_resolved_where_the_better_buy_is_not(make_surface: Surface) -> None:
    surface = make_surface({"easy": np.linspace(1.0, 3.0, 1001)})
    near = exchange_rate(surface, "easy", terms(easy="2", hard="1"), {})
    assert near.rate_resolved and not near.better_buy_resolved
    far = exchange_rate(surface, "easy", terms(easy="4", hard="1"), {})
    assert far.rate_resolved and far.better_buy_resolved and far.probability_better_buy == 0


def test_a_cost_ratio_of_any_size_leaves_a_rate_resolved(make_surface: Surface) -> None:
    rate = exchange_rate(make_surface({"easy": 2.0}), "easy", terms(easy="100", hard="1"), {})
    assert rate.rate_resolved
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


def test_later_labels_may_be_worth_less_than_those_of_the_pilot(make_surface: Surface) -> None:
    # At a cosine of .6 easy labels run dry: 3 / 7 over the first 100, 3 / 11 over 300.
    surface, price = make_surface({"easy": 1.0}, alignment_easy=0.6), terms(easy="1", hard="2")
    rate = exchange_rate(surface, "easy", price, {"easy": 100}, {"easy": 300, "hard": 50})
    assert rate.estimate == pytest.approx(3 / 7)
    assert rate.at_plan is not None and rate.at_plan.estimate == pytest.approx(3 / 11)
    expected = surface.marginal_rates("easy", {"easy": 300, "hard": 50}, 10)
    assert rate.next_label is not None and rate.next_label.estimate == pytest.approx(expected[0])
    assert (rate.next_label.estimate or 0.0) < 3 / 11
    none = exchange_rate(surface, "easy", price, {"easy": 100}, {"hard": 50})
    assert none.at_plan is None and none.next_label is not None
    assert exchange_rate(surface, "easy", price, {"easy": 100}).next_label is None


def test_where_target_labels_add_nothing_the_next_label_has_no_rate(
    make_surface: Surface, monkeypatch: pytest.MonkeyPatch
) -> None:
    for unknown, told in ((0.04, True), (0.06, False)):
        draws = np.where(np.arange(100) < 100 * unknown, np.nan, 0.7)
        monkeypatch.setattr(ResponseSurface, "marginal_rates", lambda *_, d=draws: d)
        found = next_label_rate(make_surface({"easy": 1.0}), "easy", {"easy": 10})
        assert found.estimate == (0.7 if told else None)
