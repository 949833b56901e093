from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from annotation.errors import InputError
from budget.decision.alternatives import compared
from budget.decision.decide import Question, decide
from budget.decision.result import Decision
from budget.decision.wording import error_doubt
from budget.market.market import Market, TrainingCost
from budget.market.offers import Discount, ErrorRange, Offer
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]


def offers(
    suppliers: tuple[str, ...] = ("crowd",), judgments: tuple[int, ...] = (1,)
) -> tuple[Offer, ...]:
    return tuple(
        Offer(stratum, supplier, number, Decimal(cost) * (k + 1), 0.1 / number)
        for stratum, cost in (("easy", 1), ("hard", 2))
        for k, supplier in enumerate(suppliers)
        for number in judgments
    )


def supply(own: tuple[Offer, ...], **more: object) -> Market:
    items = {"easy": 1000, "hard": 1000}
    bought = {"easy": 20, "hard": 20}
    return Market(("easy", "hard"), own, items, **({"bought": bought} | more))  # type: ignore[arg-type]


@pytest.fixture
def surface(make_surface: Surface) -> ResponseSurface:
    rng = np.random.default_rng(0)
    return replace(
        make_surface({"easy": rng.uniform(0.4, 0.8, 200)}), item_deviation=0.01, luck=0.3
    )


def test_the_plan_and_what_it_was_chosen_from(surface: ResponseSurface) -> None:
    decision = decide(surface, supply(offers()), Question(Decimal(140)))
    assert decision.plan.labels == {"easy": 140, "hard": 0}
    assert [own.kind for own in decision.others] == ["only hard labels", "nothing more"]
    hard, nothing = decision.others
    assert hard.labels == {"easy": 0, "hard": 70}
    estimate = hard.plan_minus_this.estimate
    assert estimate is not None
    expected = decision.plan.expected_accuracy.estimate
    assert expected is not None and hard.expected_accuracy.estimate is not None
    assert estimate == pytest.approx(expected - hard.expected_accuracy.estimate)
    # .4 to .8 is above half the price for three draws in four.
    assert hard.probability_plan_better == pytest.approx(0.75, abs=0.06)
    assert nothing.expected_accuracy == decision.now
    assert nothing.probability_plan_better == 1


def test_other_kinds_leave_out_suppliers_and_change_judgments(surface: ResponseSurface) -> None:
    own = supply(offers(("crowd", "expert"), (1, 3)))
    decision = decide(surface, own, Question(Decimal(140)))
    assert {line.supplier for line in decision.plan.lines} == {"crowd"}
    assert {line.judgments for line in decision.plan.lines} == {1}
    kinds = {other.kind: other for other in decision.others}
    assert set(kinds) == {
        "only hard labels",
        "without crowd",
        "3 judgments per label",
        "nothing more",
    }
    assert {line.supplier for line in kinds["without crowd"].lines} == {"expert"}
    assert {line.judgments for line in kinds["3 judgments per label"].lines} == {3}
    gains = [other.plan_minus_this.estimate or 0.0 for other in decision.others]
    assert gains == sorted(gains) and gains[0] >= 0


def test_exchange_rates_along_the_plan(surface: ResponseSurface) -> None:
    decision = decide(surface, supply(offers()), Question(Decimal(100)))
    assert [point.share for point in decision.rates] == [0.0, 0.25, 0.5, 1.0]
    assert [point.cost for point in decision.rates] == [0.0, 25.0, 50.0, 100.0]
    for point in decision.rates:
        assert point.estimate is not None and point.low is not None and point.high is not None
        assert 0 < point.low < point.estimate < point.high
    here = surface.marginal_rates("easy", {"easy": 20, "hard": 20}, 10)
    assert decision.rates[0].estimate == pytest.approx(float(np.median(here)))


def test_a_target_accuracy(surface: ResponseSurface) -> None:
    decision = decide(
        surface, supply(offers()), Question(None, target_accuracy=0.6, probability=0.8)
    )
    assert decision.target is not None
    assert 0.8 <= decision.target.probability < 0.9
    assert decision.plan.money_left == 0


def test_a_smaller_risk_costs_more(surface: ResponseSurface) -> None:
    """Each price is that of asking for the target with so much probability."""
    asked = Question(None, target_accuracy=0.6, probability=0.8)
    decision = decide(surface, supply(offers()), asked)
    risks = {own.risk: own for own in decision.insurance}
    assert list(risks) == [0.5, 0.2, 0.1, 0.05]
    costs = [own.cost for own in decision.insurance if own.cost is not None]
    assert costs == sorted(costs) and len(costs) >= 2
    assert risks[0.2].cost == decision.plan.cost and risks[0.2].more == 0
    assert risks[0.2].labels == decision.plan.labels
    assert risks[0.5].more is not None and risks[0.5].more < 0
    assert decide(surface, supply(offers()), Question(Decimal(140))).insurance == []


def test_a_risk_that_nothing_for_sale_lowers(surface: ResponseSurface) -> None:
    most = decide(surface, supply(offers()), Question(Decimal(10**9))).plan.expected_accuracy
    assert most.estimate is not None
    asked = Question(None, target_accuracy=most.estimate, probability=0.3)
    last = decide(surface, supply(offers()), asked).insurance[-1]
    assert (last.cost, last.more, last.labels) == (None, None, {})


def test_a_question_without_money_or_target(surface: ResponseSurface) -> None:
    with pytest.raises(ValueError, match="should have money, or a target accuracy"):
        decide(surface, supply(offers()), Question(None))


def test_the_last_round_buys_all(surface: ResponseSurface) -> None:
    found = decide(surface, supply(offers()), Question(Decimal(140), rounds_left=1)).next_round
    assert found is not None
    assert (found.labels, found.gain) == ({}, 0.0)
    with pytest.raises(InputError, match="rounds left should be at least 1; got 0"):
        decide(surface, supply(offers()), Question(Decimal(140), rounds_left=0))


def test_a_round_to_learn_from_where_the_side_is_open(make_surface: Surface) -> None:
    """Easy labels are worth nothing or much more than hard ones: worth finding out first."""
    surface = replace(
        make_surface({"easy": 1.0}, alignment_easy=np.tile([0.02, 0.999], 150)),
        item_deviation=0.006,
    )
    own = supply(offers(), bought={"easy": 0, "hard": 0})
    question = Question(Decimal(400), rounds_left=2, value_per_point=Decimal(10))
    found = decide(surface, own, question).next_round
    assert found is not None
    assert found.gain > 0.02
    assert found.labels.get("easy", 0) > 0 and found.cost < 400
    assert found.gain_value == pytest.approx(1000 * found.gain)
    dear = replace(own, training=TrainingCost(Decimal(50)))
    less = decide(surface, dear, replace(question, money=Decimal(450))).next_round
    assert less is not None and less.gain_value is not None
    assert less.gain_value == pytest.approx(1000 * less.gain - 50)


def worth_at(surface: ResponseSurface, value: str) -> Decision:
    return decide(surface, supply(offers()), Question(Decimal(140), value_per_point=Decimal(value)))


def test_whether_the_purchase_is_worth_its_money(surface: ResponseSurface) -> None:
    much, some, little = (worth_at(surface, value).worth for value in ("100", "7", "0.1"))
    assert much is not None and some is not None and little is not None
    assert much.best_cost == much.plan_cost == 140
    assert not much.stop
    assert 0 < some.best_cost < 140
    assert some.best_value - some.best_cost > some.plan_value - some.plan_cost
    assert little.stop and little.best_cost == 0 and little.best_value == 0
    with pytest.raises(InputError, match="a point of accuracy should be worth something; got 0"):
        worth_at(surface, "0")


def test_compared_draws() -> None:
    difference, probability = compared(np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.6, 0.9]))
    assert probability == 0.5
    assert difference.estimate == pytest.approx(-1 / 30)


def learning(make_surface: Surface) -> ResponseSurface:
    """Worth finding out whether easy labels are good for anything."""
    return replace(
        make_surface({"easy": 1.0}, alignment_easy=np.tile([0.02, 0.999], 150)),
        item_deviation=0.006,
    )


@pytest.mark.parametrize(
    "terms",
    [
        {"capacity": 15},
        {"role": "crowd", "seconds": Decimal(60)},  # half an hour: 30 labels of both together
        {"fixed_cost": Decimal(40), "least": 25},
        {"fixed_cost": Decimal(7), "judgments": 2, "discounts": (Discount(5, Decimal("0.6")),)},
        {"cost": Decimal(0), "capacity": 12},
    ],
)
def test_what_to_buy_first_is_for_sale(make_surface: Surface, terms: dict[str, object]) -> None:
    easy, hard = offers()
    own = (replace(easy, **terms), replace(hard, **{**terms, "discounts": ()}))  # type: ignore[arg-type]
    money = Decimal(200)
    market = supply(own, bought={"easy": 0, "hard": 0}, hours={"crowd": Decimal("0.5")})
    found = decide(learning(make_surface), market, Question(money, rounds_left=2)).next_round
    assert found is not None and found.labels
    of_stratum = {offer.stratum: offer for offer in own}
    for name, count in found.labels.items():
        assert of_stratum[name].least <= count <= (of_stratum[name].capacity or 1000)
    price = sum(of_stratum[name].price(count) for name, count in found.labels.items())
    assert found.cost == pytest.approx(float(price))
    assert price <= money
    if own[0].role:
        assert sum(found.labels.values()) <= 30


def test_whether_the_plan_depends_on_an_error_rate_is_told(surface: ResponseSurface) -> None:
    own = offers()
    doubted = ErrorRange(0.05, 0.7, 0.05, 0.9, shared_mistakes=True, gold_items=60)
    market = supply(
        tuple(replace(o, error_range=doubted) if o.stratum == "easy" else o for o in own)
    )
    (doubt,) = decide(surface, market, Question(Decimal(140))).error_doubts
    assert doubt.at_low is None  # all easy, as planned
    assert doubt.at_high is not None
    worse = tuple(replace(o, redraw_rate=0.9) if o.stratum == "easy" else o for o in own)
    assert doubt.at_high == decide(surface, supply(worse), Question(Decimal(140))).plan.labels
    told = error_doubt(doubt)
    assert "may be 5.0 % to 70.0 %" in told
    assert "The plan depends on it" in told
    assert "Ask for gold first: about 60 more easy items" in told


def test_an_error_rate_that_changes_nothing_asks_for_nothing(surface: ResponseSurface) -> None:
    own = offers()
    sure = ErrorRange(0.09, 0.11, 0.09, 0.11)
    market = supply(tuple(replace(o, error_range=sure) if o.stratum == "hard" else o for o in own))
    (doubt,) = decide(surface, market, Question(Decimal(140))).error_doubts
    assert (doubt.at_low, doubt.at_high) == (None, None)
    assert "gold" not in error_doubt(doubt)
    assert decide(surface, supply(own), Question(Decimal(140))).error_doubts == []
