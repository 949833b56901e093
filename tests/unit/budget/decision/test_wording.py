"""What is said of a decision, in pages of tests/golden: one heading for each situation."""

from typing import Any

from analysis.estimates import Estimate
from analysis.label_words import words_for
from analysis.run.result import MixSummary
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
from tests import golden_pages

PILOT = {"easy": 20, "hard": 20}


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(estimate=value, low=low, high=high)


def line(**changes: Any) -> PurchaseLine:
    given = {
        "stratum": "easy", "supplier": "as before", "labels": 140, "judgments": 1, "cost": 140.0,
        "hours": 0.0, "role": None, "clean_share": 0.9,
    }  # fmt: skip
    return PurchaseLine.model_validate(given | changes)


def purchase(*lines: PurchaseLine, **changes: Any) -> PlannedPurchase:
    labels = {"easy": 0, "hard": 0}
    for own in lines:
        labels[own.stratum] += own.labels
    given = {
        "lines": list(lines), "labels": labels, "trained_on": {"easy": 160, "hard": 20},
        "cost": float(sum(own.cost for own in lines)), "training_cost": 0.0, "money_left": 0.0,
        "hours": {}, "expected_accuracy": estimate(0.62, 0.55, 0.68),
    }  # fmt: skip
    return PlannedPurchase.model_validate(given | changes)


def decision(
    plan: PlannedPurchase, *others: OtherPurchase, target: Target | None = None
) -> Decision:
    return Decision(
        plan=plan, left_because=None, now=estimate(0.4, 0.3, 0.5), others=list(others), sides=[],
        rates=[], next_round=None, worth=None, target=target,
    )  # fmt: skip


TARGET = Target(accuracy=0.6, probability_asked=0.8, probability=0.83)


def test_what_to_buy_and_what_it_gives() -> None:
    several = purchase(
        line(supplier="crowd", judgments=3),
        line(stratum="hard", supplier="expert", labels=1, cost=4.0),
        cost=150.0,
        training_cost=6.0,
        trained_on={"easy": 140, "hard": 1},
    )
    decisions = {
        "at the terms of the run": decision(purchase(line())),
        "from several suppliers, with training": decision(several),
        "from the only supplier of a file": decision(purchase(line(supplier="us"))),
        "hard labels are left out of training": decision(
            purchase(line(), trained_on={"easy": 160, "hard": 0})
        ),
        "nothing more": decision(purchase()),
        "nothing more, as what is there reaches the target": decision(purchase(), target=TARGET),
    }
    golden_pages.check(
        "decision_purchase",
        golden_pages.page(
            {
                name: [
                    sentences.what_to_buy(own, "$", PILOT),
                    sentences.what_it_gives(own, "hard", 0.95),
                ]
                for name, own in decisions.items()
            }
            | {"how the target is reached": sentences.what_reaches(TARGET)}
        ),
    )


def test_what_the_run_behind_a_plan_trained_on() -> None:
    """A simulated pilot is to buy like the plan; people's judgments were drawn, not bought."""
    pilot = MixSummary(labels=PILOT, cost=60.0)
    found = estimate(0.6, 0.55, 0.65)
    golden_pages.check(
        "decision_evidence",
        golden_pages.page(
            {
                name: [
                    sentences.pilot_of(pilot, words_for(collected), "$"),
                    sentences.what_was_measured(found, "hard", 0.95, words_for(collected)),
                ]
                for name, collected in (("simulated", False), ("collected", True))
            }
            | {
                "one purchase with guessed labels": sentences.what_was_guessed(1),
                "several": sentences.what_was_guessed(3),
            }
        ),
    )


def test_the_runner_up() -> None:
    def runner_up(difference: Estimate, probability: float, buys: bool = True) -> str:
        own = purchase(line(stratum="hard", labels=70), expected_accuracy=estimate(0.6, 0.5, 0.7))
        other = OtherPurchase(
            **own.model_dump(),
            kind="only hard labels",
            plan_minus_this=difference,
            probability_plan_better=probability,
        )
        if not buys:
            other = other.model_copy(update={"lines": []})
        return sentences.runner_up(decision(purchase(line()), other), "$")

    golden_pages.check(
        "decision_runner_up",
        golden_pages.page(
            {
                "clearly worse": runner_up(estimate(0.02, 0.01, 0.03), 0.998),
                "worse, but not settled": runner_up(estimate(0.02, -0.01, 0.05), 0.87),
                "worse on average, better more often": runner_up(estimate(0.02, -0.01, 0.05), 0.4),
                "as good": runner_up(estimate(0.0002, -0.001, 0.002), 0.37),
                "none that buys anything": runner_up(estimate(0.1, 0.05, 0.2), 0.99, buys=False),
            }
        ),
    )


def test_probabilities_are_never_certain() -> None:
    assert sentences.probability(1.0) == "over 99 %"
    assert sentences.probability(0.0) == "under 1 %"
    assert sentences.probability(0.5) == "50 %"


def test_which_stratum_is_the_better_buy_and_what_would_change_that() -> None:
    def told(**changes: Any) -> list[str]:
        given = {
            "stratum": "easy", "target": "hard", "probability_better": 0.75,
            "difference": estimate(0.017, -0.02, 0.06),
            "cost": 1.0,
            "cost_ratio": Flip(now=0.5, at=0.58, low=0.01, high=25),
            "redraw_rate": Flip(now=0.1, at=0.17, low=0, high=0.98),
            "target_redraw_rate": Flip(now=0.2, at=None, low=0, high=0.98),
            "noise_ratio": 0.84,
            "transfer": Flip(now=0.9, at=None, low=0, high=1),
        }  # fmt: skip
        return sentences.sides(SideComparison.model_validate(given | changes), "$")

    golden_pages.check(
        "decision_sides",
        golden_pages.page(
            {
                "easy is ahead": told(),
                "hard is ahead": told(
                    difference=estimate(-0.02, -0.04, -0.01),
                    probability_better=0.02,
                    cost_ratio=Flip(now=0.5, at=0.3, low=0.01, high=25),
                ),
                "easy is ahead on average, hard more often": told(probability_better=0.45),
            }
        ),
    )


def test_the_next_step() -> None:
    def told(**changes: Any) -> str:
        given = {
            "rounds_left": 3, "labels": {"easy": 20}, "cost": 20.0, "gain": 0.012,
            "gain_value": None,
        }  # fmt: skip
        return sentences.next_step(NextRound.model_validate(given | changes), "$")

    golden_pages.check(
        "decision_next_step",
        golden_pages.page(
            {
                "a part first": told(),
                "a part first, worth more than its training": told(gain_value=7.126),
                "a part first would not pay for its training": told(gain_value=-4.0),
                "no part would teach enough": told(labels={}),
                "the last round": told(labels={}, rounds_left=1),
            }
        ),
    )


def test_what_the_purchase_is_worth() -> None:
    def told(**changes: Any) -> str:
        given = {
            "value_per_point": 10.0, "plan_value": 155.0901, "plan_cost": 140.0, "best_cost": 70.0,
            "best_value": 94.26, "best_accuracy": 0.498, "stop": False, "best": purchase(line()),
        }  # fmt: skip
        return sentences.worth(Worth.model_validate(given | changes), "$")

    golden_pages.check(
        "decision_worth",
        golden_pages.page(
            {
                "the plan is, to the last of its money": told(best_cost=140.0),
                "half of it is": told(),
                "nothing is": told(stop=True),
            }
        ),
    )
