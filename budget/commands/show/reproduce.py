"""What `labelmix reproduce` prints for a person."""

import json
from collections.abc import Sequence

from rich.table import Table

from analysis.numbers import count, money
from analysis.reproduce.experiment import Experiment
from analysis.reproduce.page import case_number, headline
from analysis.reproduce.plan import ReproductionPlan
from analysis.reproduce.result import Reproduction
from budget.commands.printing import say
from budget.commands.screen import Screen


def show_reproduction(result: Reproduction) -> None:
    """Every claim with its verdict, and what was left out."""
    console = Screen()
    claims = [claim for experiment in result.experiments for claim in experiment.claims]
    console.print(headline(claims), style="bold")
    table = Table("experiment", "claim", "verdict", "why")
    for experiment in result.experiments:
        for claim in experiment.claims:
            reason = claim.reason
            if len(claim.cases) == 1:
                reason = f"{claim.cases[0].name}: {case_number(claim.cases[0])}"
            table.add_row(experiment.name, claim.statement, claim.verdict, reason)
        if not experiment.claims and experiment.why:
            table.add_row(experiment.name, "", experiment.status, experiment.why)
    console.print(table)


def show_plan(plan: ReproductionPlan) -> None:
    """What every experiment takes, all together, and what that rests on."""
    console = Screen()
    heads = ("experiment", "trials", "kept", "shared", "tokens", "FLOPs", "hours")
    table = Table(*heads, *([] if plan.price is None else ["money"]), title=plan.data)
    for own in plan.experiments:
        if own.why is not None:
            continue
        cells = [count(own.trials), count(own.kept), count(own.shared), count(own.tokens)]
        cells += [f"{own.operations:.2g}", _hours(own.hours)]
        if plan.price is not None:
            cells.append(money(own.money, plan.currency) if own.money else "")
        table.add_row(own.name, *cells)
    table.add_section()
    hours = sum(own.hours for own in plan.experiments)
    total = ["all", *(count(sum(getattr(own, name) for own in plan.experiments)) for name in
             ("trials", "kept", "shared", "tokens"))]  # fmt: skip
    total += [f"{sum(own.operations for own in plan.experiments):.2g}", _hours(hours)]
    paid = [] if plan.price is None else [money(round(hours * plan.price, 2), plan.currency)]
    table.add_row(*total, *paid)
    console.print(table)
    rate = f"{plan.operations_per_second:.3g} operations a second, {plan.rate}"
    console.print(
        f"{plan.models[0]}: {count(plan.parameters)} weights a token goes through; tokens counted "
        f"by {plan.tokens_counted_by}; {rate}; a probe's fit takes "
        f"{1000 * plan.seconds_per_probe:.0f} ms here."
    )
    if plan.price is None:
        console.print("money: give what an hour of the machine costs, e.g. --price 2.5.")
    for own in plan.experiments:
        if own.why is not None:
            console.print(f"{own.name} is not applicable: {own.why}")
    for note in plan.notes:
        console.print(f"note: {note}", style="yellow")


def _hours(hours: float) -> str:
    return f"{60 * hours:.1f} min" if hours < 1 else f"{hours:.1f} h"


def show_experiments(experiments: Sequence[Experiment], as_json: bool) -> None:
    """Every experiment: what it measures, and the claims that it puts to the test."""
    if as_json:
        document = [
            {
                "name": own.name,
                "title": own.title,
                "measures": own.measures,
                "claims": [vars(claim) for claim in own.claims],
            }
            for own in experiments
        ]
        say(json.dumps(document, indent=2))
        return
    console = Screen()
    for own in experiments:
        console.print(f"{own.name}: {own.title}", style="bold")
        console.print(f"  {own.measures}")
        for claim in own.claims:
            console.print(f"  - {claim.statement} ({claim.source})")
        console.print()
