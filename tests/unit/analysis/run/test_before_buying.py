"""What test set and unlabelled items told, in a page of tests/golden."""

from typing import Any

from analysis.run import before_buying
from analysis.run.result import LentPoint, Pull, Rehearsals, RehearsedPurchase, RunResult
from tests import golden_pages


def test_what_was_learnt_before_buying(
    resolved_result: RunResult, collected_result: RunResult
) -> None:
    method = resolved_result.methods[resolved_result.planning_method]
    lent = LentPoint(labels=64, cost=128.0, accuracy=0.5, fitted=0.51, seeds=16)
    crossed = method.model_copy(update={"lent_curve": [lent]})

    def scoring(**own: float) -> list[str]:
        pull = Pull.model_validate(own)
        return before_buying.scoring(method.model_copy(update={"pulls": {"easy": pull}}), "hard")

    def guessed(**changes: Any) -> list[str]:
        own: dict[str, Any] = {"missed": -0.012, "overconfidence": 0.02, "sound": True}
        own |= {"purchases": []} | changes
        told = method.model_copy(update={"rehearsals": Rehearsals(**own)})
        return before_buying.guessed_labels(told, ("easy", "hard"), "hard")

    purchases = [
        RehearsedPurchase(labels={"easy": 400}, accuracy=0.641, deviation=0.023, fitted=0.65),
        RehearsedPurchase(
            labels={"easy": 200, "hard": 50}, accuracy=0.66, deviation=0.03, fitted=0.65
        ),
    ]
    golden_pages.check(
        "run_before_buying",
        golden_pages.page(
            {
                "cross-validation, for the figure: not done": before_buying.cross_validation(
                    resolved_result, method
                ),
                "cross-validation: simulated": before_buying.cross_validation(
                    resolved_result, crossed
                ),
                "cross-validation: collected": before_buying.cross_validation(
                    collected_result, crossed
                ),
                "scoring unlabelled items: not asked": before_buying.scoring(method, "hard"),
                "scoring unlabelled items: clear": scoring(
                    estimate=1.34, low=0.9, high=1.66, items=2000
                ),
                "scoring unlabelled items: vague": scoring(
                    estimate=0.8, low=0.0, high=2.2, items=300
                ),
                "guessed labels: not tried": before_buying.guessed_labels(
                    method, ("easy", "hard"), "hard"
                ),
                "guessed labels: sound": guessed(purchases=purchases),
                "guessed labels: sound, nothing to guess from": guessed(),
                "guessed labels: sound, higher than known labels": guessed(missed=0.012),
                "guessed labels: not sound": guessed(sound=False, overconfidence=0.17),
                "guessed labels: nothing can be told": guessed(sound=False, telling=False),
            }
        ),
    )
