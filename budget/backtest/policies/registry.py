"""All policies by name: one place to add one."""

from collections.abc import Sequence

from annotation.errors import InputError
from budget.backtest.policies import simple
from budget.backtest.policies.learn_optimize_collect import LearnOptimizeCollect
from budget.backtest.policies.mix_regression import MixRegression
from budget.backtest.policies.power_law import PowerLaw
from budget.backtest.policies.simple import SimpleRule
from budget.campaign.planner import Planner, run_planner
from budget.campaign.play import Policy
from budget.config.sections import USUAL_ROUNDS, PilotSection

REFERENCE = "planner"  # all others are compared with it
RUN_DEFAULTS = "run_defaults"  # what `labelmix run` does, all its settings left as they are

_ALL: tuple[Policy, ...] = (
    Planner(),
    run_planner(PilotSection(), USUAL_ROUNDS["probe"], name=RUN_DEFAULTS),
    Planner(rounds=2, name="planner_one_shot"),
    Planner(rehearse=False, name="planner_not_rehearsing"),
    Planner(read=False, rehearse=False, name="planner_not_reading"),
    Planner(borrow=False, read=False, rehearse=False, name="planner_not_borrowing"),
    SimpleRule("all_easy", simple.all_easy),
    SimpleRule("all_hard", simple.all_hard),
    SimpleRule("equal_spend", simple.equal_spend),
    SimpleRule("equal_counts", simple.equal_counts),
    SimpleRule("proportional", simple.proportional),
    SimpleRule("paper_rule", simple.paper_rule),
    PowerLaw(),
    LearnOptimizeCollect(),
    MixRegression(),
    PowerLaw(borrow=True, name="power_law_borrowing"),
    LearnOptimizeCollect(borrow=True, name="learn_optimize_collect_borrowing"),
    MixRegression(borrow=True, name="mix_regression_borrowing"),
)
POLICIES: dict[str, Policy] = {policy.name: policy for policy in _ALL}


def find_policies(names: Sequence[str]) -> list[Policy]:
    """Policies by name, in the order of the registry; all for no names.

    Raises InputError if there is no such policy.
    """
    for name in names:
        if name not in POLICIES:
            raise InputError(f"policy '{name}' is unknown; choose from {', '.join(POLICIES)}.")
    return [policy for policy in POLICIES.values() if not names or policy.name in names]
