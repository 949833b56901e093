"""`labelmix judgments alarms`: whose work changed, since when, and what that has cost."""

import json
from pathlib import Path
from typing import Annotated

import typer

from budget.commands.console import guarded
from budget.commands.judgments import MOST_CHOICES
from budget.commands.options import (
    Control,
    DifferentServers,
    GroundTruthIsGold,
    HourlyPay,
    Json,
    JudgmentFiles,
    PiecePay,
    Roles,
    Strict,
)
from budget.commands.printing import say


@guarded
def alarms(
    files: JudgmentFiles,
    false_alarms: Annotated[
        float | None,
        typer.Option(
            help="How many per 1,000 judgments, if nothing ever changes, e.g. --false-alarms 1; "
            "default: as in --suppliers, else 3."
        ),
    ] = None,
    suppliers: Annotated[
        Path | None,
        typer.Option(
            help="A file of suppliers, whose false_alarms under [alarms] counts here as it does in "
            "a collection, e.g. --suppliers suppliers.toml."
        ),
    ] = None,
    rate: HourlyPay = None,
    fee: PiecePay = None,
    role: Roles = None,
    ground_truth_is_gold: GroundTruthIsGold = False,
    choices: Annotated[
        int | None, typer.Option(min=2, max=MOST_CHOICES, help="Choices per item.")
    ] = None,
    different_servers: DifferentServers = False,
    control: Control = None,
    strict: Strict = False,
    currency: Annotated[str, typer.Option(help="For people.")] = "$",
    as_json: Json = False,
) -> None:
    """Annotators who begin to err more, or to work faster or slower, and since when.

    Every annotator is watched in every stratum, in order of time. Errors are told by gold answers,
    elsewhere by the other annotators' judgments. With --rate or --fee it says what a fault has
    cost.

    Example: labelmix judgments alarms export.json --fee .05
    """
    from annotation.judgments.read_files import read_judgment_files
    from annotation.monitoring.alarms import FALSE_ALARMS, AlarmSettings, quality_alarms
    from annotation.team.pay import check_paid
    from budget.commands.name_value import read_paid_people
    from budget.commands.show.alarms import alarms_json, show_alarms
    from budget.market.supplier_file import read_suppliers_file

    pay, roles = read_paid_people(rate, fee, role)
    if false_alarms is None and suppliers is not None:
        false_alarms = read_suppliers_file(suppliers).alarms.false_alarms
    settings = AlarmSettings(FALSE_ALARMS if false_alarms is None else false_alarms, pay, roles)
    reading = read_judgment_files(files, ground_truth_is_gold, different_servers, control)
    reading = reading.usable(strict)
    if pay is not None:
        check_paid(reading.judgments, pay, roles)
    report = quality_alarms(reading.judgments, settings, choices)
    if as_json:
        say(json.dumps(alarms_json(report, reading), indent=2))
    else:
        show_alarms(report, reading, currency)
