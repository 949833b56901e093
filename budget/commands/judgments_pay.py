"""`labelmix judgments pay`: who is owed what."""

import json
from pathlib import Path
from typing import Annotated

import typer

from annotation.errors import InputError
from budget.commands.console import guarded
from budget.commands.options import (
    Control,
    DifferentServers,
    HourlyPay,
    Json,
    JudgmentFiles,
    PiecePay,
    Roles,
    Strict,
)
from budget.commands.printing import say


@guarded
def pay(
    files: JudgmentFiles,
    rate: HourlyPay = None,
    fee: PiecePay = None,
    role: Roles = None,
    period: Annotated[
        str, typer.Option(help="A row for every day, week (from Monday), month, or all at once.")
    ] = "month",
    zone: Annotated[
        str, typer.Option(help="Time zone in which days begin, e.g. Europe/Berlin.")
    ] = "UTC",
    asked: Annotated[
        int | None,
        typer.Option(
            min=1, help="Judgments asked for of every item; what came later is told apart."
        ),
    ] = None,
    over_asked_unpaid: Annotated[
        bool,
        typer.Option(
            "--over-asked-unpaid",
            help="Judgments beyond --asked earn no fee; their time is paid all the same.",
        ),
    ] = False,
    idle_cap: Annotated[
        float, typer.Option(help="Minutes that a judgment is paid for at most.")
    ] = 10,
    decimals: Annotated[
        int, typer.Option(min=0, max=6, help="Decimal places of the currency, 0 for yen.")
    ] = 2,
    out: Annotated[
        Path | None, typer.Option(metavar="PAY.csv", help="Write the sheet as CSV.")
    ] = None,
    different_servers: DifferentServers = False,
    control: Control = None,
    strict: Strict = False,
    currency: Annotated[str, typer.Option(help="For people.")] = "$",
    as_json: Json = False,
) -> None:
    """What every annotator is owed for every day, week or month, and what an hour makes.

    Amounts are exact and rounded up to the cent, row by row.

    Example: labelmix judgments pay export.json --fee .05 --out pay.csv
    """
    from annotation.judgments.read_files import read_judgment_files
    from annotation.team.pay import pay_csv, pay_sheet
    from annotation.whole_files import not_an_input, whole_file
    from budget.commands.name_value import minutes_to_seconds, read_paid_people
    from budget.commands.show.pay import pay_json, show_pay

    if over_asked_unpaid and asked is None:
        raise InputError("--over-asked-unpaid goes with --asked, which says how many are asked.")
    if out is not None:
        if out.suffix.lower() != ".csv" and (out.is_file() or not out.exists()):
            raise InputError(f"--out {out}: a pay sheet is written as .csv; name it so.")
        not_an_input(out, files)
    terms, roles = read_paid_people(rate, fee, role)
    if terms is None:
        raise InputError("what is paid is missing; give --fee, --rate or both.")
    cap = minutes_to_seconds(idle_cap, "--idle-cap")
    reading = read_judgment_files(files, False, different_servers, control).usable(strict)
    sheet = pay_sheet(
        reading.judgments,
        terms,
        period=period,  # type: ignore[arg-type]  # it is checked there
        zone=zone,
        asked=asked,
        pay_over_asked=not over_asked_unpaid,
        roles=roles,
        idle_cap=cap,
        decimals=decimals,
    )
    if out is not None:
        with whole_file(out, private=True) as unfinished:
            text = pay_csv(sheet, currency)
            unfinished.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
    if as_json:
        say(json.dumps(pay_json(sheet, reading, currency), indent=2))
    else:
        show_pay(sheet, reading, currency)
        if out is not None:
            say(f"wrote {out}")
