"""`labelmix collect pay`: who is owed what, from the ledger."""

import json
from pathlib import Path
from typing import Annotated

import typer

from annotation.errors import InputError
from budget.commands.collect_session import Folder, opened_store
from budget.commands.console import guarded
from budget.commands.options import Json
from budget.commands.printing import say


@guarded
def pay(
    folder: Folder,
    period: Annotated[
        str, typer.Option(help="A row for every day, week (from Monday), month, or all at once.")
    ] = "month",
    zone: Annotated[
        str, typer.Option(help="Time zone in which days begin, e.g. Europe/Berlin.")
    ] = "UTC",
    out: Annotated[
        Path | None, typer.Option(metavar="PAY.csv", help="Write the sheet as CSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What every annotator is owed for every day, week or month, and what an hour makes.

    Amounts are what the ledger booked, exactly, in the period in which it booked them: the sheet
    of a period that is over stays as it is. What is taken back later counts there.

    Example: labelmix collect pay my-collection --out pay.csv
    """
    from annotation.whole_files import not_an_input, whole_file
    from budget.collection.beginning import STORE
    from budget.collection.paying import collection_pay, pay_csv
    from budget.commands.show.collect_pay import pay_json, show_pay

    if out is not None:
        if out.suffix.lower() != ".csv" and (out.is_file() or not out.exists()):
            raise InputError(f"--out {out}: a pay sheet is written as .csv; name it so.")
        not_an_input(out, [folder / STORE])
    with opened_store(folder, "labelmix collect pay", alone=False) as store:
        sheet = collection_pay(store, period, zone)  # type: ignore[arg-type]  # it is checked there
    if out is not None:
        with whole_file(out, private=True) as unfinished:
            text = pay_csv(sheet)
            unfinished.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
    if as_json:
        say(json.dumps(pay_json(sheet), indent=2))
    else:
        show_pay(sheet)
        if out is not None:
            say(f"wrote {out}")
