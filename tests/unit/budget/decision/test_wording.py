import pytest

from analysis.estimates import Estimate
from budget.decision import wording as sentences
from budget.decision.result import (
    Decision,
    Flip,
    NextRound,
    OtherPurchase,
    PlannedPurchase,
    PurchaseLine,
    SideComparison,
    Target,
    Worth,
)


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(estimate=value, low=low, high=high)


def line(**changes: object) -> PurchaseLine:
    given = {
        "stratum": "easy", "supplier": "as before", "labels": 140, "judgments": 1, "cost": 140.0,
        "hours": 0.0, "role": None, "clean_share": 0.9,
    } | changes  # fmt: skip
    return PurchaseLine(**given)  # type: ignore[arg-type]


def purchase(*lines: PurchaseLine, **changes: object) -> PlannedPurchase:
    labels = {"easy": 0, "hard": 0}
    for own in lines:
        labels[own.stratum] += own.labels
    given = {
        "lines": list(lines), "labels": labels, "trained_on": {"easy": 160, "hard": 20},
        "cost": float(sum(own.cost for own in lines)), "training_cost": 0.0, "money_left": 0.0,
        "hours": {}, "expected_accuracy": estimate(0.62, 0.55, 0.68),
    } | changes  # fmt: skip
    return PlannedPurchase(**given)  # type: ignore[arg-type]


def other(difference: Estimate, probability: float) -> OtherPurchase:
    own = purchase(line(stratum="hard", labels=70), expected_accuracy=estimate(0.6, 0.5, 0.7))
    return OtherPurchase(
        **own.model_dump(),
        kind="only hard labels",
        plan_minus_this=difference,
        probability_plan_better=probability,
    )


def decision(plan: PlannedPurchase, *others: OtherPurchase) -> Decision:
    return Decision(
        plan=plan, left_because=None, now=estimate(0.4, 0.3, 0.5), others=list(others), sides=[],
        rates=[], next_round=None, worth=None, target=None,
    )  # fmt: skip


PILOT = {"easy": 20, "hard": 20}


def test_one_purchase_at_the_terms_of_the_run() -> None:
    said = sentences.what_to_buy(decision(purchase(line())), "$", PILOT)
    assert said == "Buy 140 easy labels for $140."


def test_purchases_from_several_suppliers_with_training() -> None:
    plan = purchase(
        line(supplier="crowd", judgments=3),
        line(stratum="hard", supplier="expert", labels=1, cost=4.0),
        cost=150.0,
        training_cost=6.0,
        trained_on={"easy": 140, "hard": 1},
    )
    assert sentences.what_to_buy(decision(plan), "$", PILOT) == (
        "Buy 140 easy labels from crowd (3 judgments each) for $140 and 1 hard label from expert "
        "for $4; $150 in all, $6 of it for training."
    )


def test_the_only_supplier_of_a_file_is_named() -> None:
    said = sentences.what_to_buy(decision(purchase(line(supplier="us"))), "$", PILOT)
    assert said == "Buy 140 easy labels from us for $140."


def test_labels_left_out_of_training() -> None:
    plan = purchase(line(), trained_on={"easy": 160, "hard": 0})
    said = sentences.what_to_buy(decision(plan), "$", PILOT)
    assert said.endswith(
        "Leave the pilot's hard labels out of training: they are expected to do harm."
    )


def test_nothing_more() -> None:
    own = decision(purchase())
    said = sentences.what_to_buy(own, "$", PILOT)
    assert said.startswith(
        "Buy nothing more: no purchase that can be made is expected to do better"
    )
    target = Target(accuracy=0.6, probability_asked=0.8, probability=0.83)
    said = sentences.what_to_buy(own.model_copy(update={"target": target}), "$", PILOT)
    assert said.startswith("Buy nothing more: the") and said.endswith("bought already will do.")
    assert "without buying more" not in sentences.what_it_gives(own, "hard", 0.95)


def test_what_it_gives() -> None:
    assert sentences.what_it_gives(decision(purchase(line())), "hard", 0.95) == (
        "Expected: 62.0 % right on hard items (95 % interval 55.0 to 68.0 for one purchase); "
        "without buying more, 40.0 %."
    )


def test_the_target() -> None:
    said = sentences.what_reaches(Target(accuracy=0.6, probability_asked=0.8, probability=0.83))
    assert "reaches 60.0 % with a probability of at least 80 % (it does with 83 %)" in said


def test_a_runner_up_that_is_clearly_worse_and_one_that_is_not() -> None:
    clear = other(estimate(0.02, 0.01, 0.03), 0.998)
    said = sentences.runner_up(decision(purchase(line()), clear), "$")
    assert said == (
        "Runner-up, only hard labels: 70 hard labels for $140, expected 60.0 %. "
        "The plan is better (+2.0 points, 1.0 to 3.0; probability over 99 %)."
    )
    open_ = other(estimate(0.02, -0.01, 0.05), 0.87)
    said = sentences.runner_up(decision(purchase(line()), open_), "$")
    assert "better with a probability of 87 % (+2.0 points" in said
    assert "does not settle which" in said


def test_a_runner_up_that_is_as_good_and_none_that_buys() -> None:
    same = other(estimate(0.0002, -0.001, 0.002), 0.37)
    said = sentences.runner_up(decision(purchase(line()), same), "$")
    assert said.endswith(
        "It is as good as the plan (\u22120.1 to 0.2 points more or less): take whichever is "
        "simpler."
    )
    nothing = other(estimate(0.1, 0.05, 0.2), 0.99).model_copy(update={"lines": []})
    said = sentences.runner_up(decision(purchase(line()), nothing), "$")
    assert said == "There is no other kind of purchase that is worth comparing with the plan."


def test_probabilities_are_never_certain() -> None:
    assert sentences.probability(1.0) == "over 99 %"
    assert sentences.probability(0.0) == "under 1 %"
    assert sentences.probability(0.5) == "50 %"


def side(**changes: object) -> SideComparison:
    given = {
        "stratum": "easy", "target": "hard", "probability_better": 0.75,
        "difference": estimate(0.017, -0.02, 0.06),
        "cost": 1.0,
        "cost_ratio": Flip(now=0.5, at=0.58, low=0.01, high=25),
        "redraw_rate": Flip(now=0.1, at=0.17, low=0, high=0.98),
        "target_redraw_rate": Flip(now=0.2, at=None, low=0, high=0.98),
        "noise_ratio": 0.84,
        "transfer": Flip(now=0.9, at=None, low=0, high=1),
    } | changes  # fmt: skip
    return SideComparison(**given)  # type: ignore[arg-type]


def test_what_would_change_the_decision() -> None:
    said = sentences.sides(side(), "$")
    assert said[0].startswith("Easy labels are the better buy than hard ones")
    assert "probability 75 %; +1.7 points" in said[0]
    assert said[1].endswith(
        "costs $1, 0.5 times a hard one; hard labels become the better buy above $1.16 "
        "(0.58 times)."
    )
    assert said[2].endswith("better buy above 17 % (0.84 times that of hard labels).")
    assert said[3] == (
        "Errors: 20 % of hard labels are as good as random; this decides nothing: the better buy "
        "stays the same at every rate of hard labels from 0 % to 98 %."
    )
    assert said[4].endswith("the better buy stays the same whatever the transfer.")


def test_the_other_side() -> None:
    behind = side(
        difference=estimate(-0.02, -0.04, -0.01),
        probability_better=0.02,
        cost_ratio=Flip(now=0.5, at=0.3, low=0.01, high=25),
    )
    said = sentences.sides(behind, "$")
    assert said[0].startswith("Hard labels are the better buy than easy ones")
    assert "probability 98 %; +2.0 points" in said[0]
    assert said[1].endswith("easy labels become the better buy below $0.60 (0.3 times).")


def next_round(**changes: object) -> NextRound:
    given = {
        "rounds_left": 3,
        "labels": {"easy": 20},
        "cost": 20.0,
        "gain": 0.012,
        "gain_value": None,
    }
    return NextRound(**(given | changes))  # type: ignore[arg-type]


def test_the_next_step() -> None:
    said = sentences.next_step(next_round(), "$")
    assert said.startswith("With 3 rounds left, buy 20 easy labels ($20) first, train, and plan")
    assert said.endswith("worth +1.2 points on average.")
    assert sentences.next_step(next_round(gain_value=7.126), "$").endswith(
        "or $7.13 after what a training costs."
    )
    assert "not worth the $4 more" in sentences.next_step(next_round(gain_value=-4.0), "$")
    assert sentences.next_step(next_round(labels={}), "$").startswith("Buy the plan in one go: no")
    assert "this is the last round" in sentences.next_step(
        next_round(labels={}, rounds_left=1), "$"
    )


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"best_cost": 140.0}, "for $140: it is worth its money, to the last of it."),
        ({}, "; best buy 140 easy labels for $70 only, which adds $94.26 (49.8 % expected)."),
        ({"stop": True}, "the plan would add $155.09 for $140."),
    ],
)
def test_what_the_purchase_is_worth(changes: dict[str, object], end: str) -> None:
    given = {
        "value_per_point": 10.0, "plan_value": 155.0901, "plan_cost": 140.0, "best_cost": 70.0,
        "best_value": 94.26, "best_accuracy": 0.498, "stop": False, "best": purchase(line()),
    } | changes  # fmt: skip
    said = sentences.worth(Worth(**given), "$")  # type: ignore[arg-type]
    assert "$10 a point" in said and said.endswith(end)
    assert said.startswith("Stop") == bool(changes.get("stop"))
