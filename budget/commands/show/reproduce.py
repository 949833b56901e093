"""What `labelmix reproduce` prints for a person."""

import json
from collections.abc import Sequence

from rich.table import Table

from analysis.reproduce.experiment import Experiment
from analysis.reproduce.page import case_number, headline
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
