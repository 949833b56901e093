"""`labelmix plan`: decide again from a finished run, at other prices, budgets and suppliers."""

from pathlib import Path
from typing import Annotated

import typer

from budget.commands.console import guarded, tell
from budget.commands.options import Json, RunFolder


@guarded
def plan(
    run_folder: RunFolder,
    budget: Annotated[
        str | None,
        typer.Option(help="For everything, the pilot included; default: the run's own."),
    ] = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRATUM=COST",
            help="Another cost per label (all of its judgments) of those to buy, e.g. hard=3.",
        ),
    ] = None,
    error_rate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRATUM=RATE",
            help="Another error rate of judgments of labels to buy, e.g. hard=.1.",
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Plan on another method's evidence: probe or qlora.")
    ] = None,
    suppliers: Annotated[
        Path | None,
        typer.Option(
            metavar="SUPPLIERS.toml",
            help="Who labels at which price and error rate (docs/guide/suppliers.md; labelmix "
            "judgments report --suppliers-out writes one); default: the terms of the run.",
        ),
    ] = None,
    target_accuracy: Annotated[
        float | None,
        typer.Option(help="Least cost for this accuracy, e.g. .75, instead of most accuracy."),
    ] = None,
    probability: Annotated[
        float, typer.Option(help="With which the target accuracy should be reached.")
    ] = 0.9,
    deadline_days: Annotated[
        float | None,
        typer.Option(help="Working days; the suppliers' file says how many people work in each."),
    ] = None,
    hours: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=HOURS", help="Hours of work that a role has at most."),
    ] = None,
    rounds_left: Annotated[
        int | None, typer.Option(min=1, help="Purchases still to make: tells what to buy first.")
    ] = None,
    value_per_point: Annotated[
        str | None,
        typer.Option(
            metavar="MONEY", help="Worth of a percentage point of accuracy: tells when to stop."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Decide what to buy next from a finished run; trains nothing.

    Other prices, error rates, budgets, suppliers, a target accuracy or a deadline. The pilot's own
    labels stay as they were.

    Example: labelmix plan runs/demo --budget 900 --cost hard=3
    """
    from budget.commands.name_value import read_costs, read_hours, read_numbers
    from budget.commands.show.plan import show_replan
    from budget.decision.question import PlanOptions
    from budget.decision.replan import replan

    options = PlanOptions(
        budget=budget,
        costs=read_costs(cost, "--cost", "STRATUM=COST, e.g. hard=3"),
        error_rates=read_numbers(error_rate, "--error-rate", "STRATUM=RATE, e.g. hard=.1"),
        method=method,
        suppliers=suppliers,
        target_accuracy=target_accuracy,
        probability=probability,
        deadline_days=deadline_days,
        hours=read_hours(hours, "--hours", "ROLE=HOURS, e.g. expert=40"),
        rounds_left=rounds_left,
        value_per_point=value_per_point,
    )
    tell(replan(run_folder, options), as_json, show_replan)
