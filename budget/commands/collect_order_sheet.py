"""`labelmix collect order-sheet`: one page to sign and send to a supplier."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from annotation.errors import InputError, short
from budget.commands.collect_session import Folder, opened_collection
from budget.commands.console import guarded
from budget.commands.options import Json
from budget.commands.printing import say


@guarded
def order_sheet(
    folder: Folder,
    batch: Annotated[int, typer.Argument(metavar="BATCH", help="Its number, as 'status' says.")],
    out: Annotated[
        Path, typer.Option(metavar="ORDER.html", help="Write the sheet as an HTML page.")
    ],
    supplier: Annotated[
        str | None,
        typer.Option(help="Whose sheet, where the batch has several suppliers, e.g. crowd."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM-DD", help="The last day; default: the collection's deadline."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """One page to sign and send: what, from whom, at which price, until when.

    Every supplier has a sheet of its own, which tells nothing of the others and does not say which
    items are gold questions.

    Example: labelmix collect order-sheet treat 2 --out order.html
    """
    from annotation.whole_files import not_an_input, whole_file
    from budget.collection.beginning import STORE
    from budget.collection.money_unit import shown
    from budget.collection.order_sheet import order_page
    from budget.collection.order_sheet import order_sheet as sheet_of

    if out.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--out {out}: an order sheet is written as .html; name it so.")
    not_an_input(out, [folder / STORE])
    day = None if until is None else _day(until)
    with opened_collection(folder, None, None, alone=False) as collection:
        sheet = sheet_of(
            collection.store,
            collection.config.name,
            batch,
            dict(collection.suppliers),
            supplier,
            day or collection.config.deadline,
            collection.contents.task.items,
        )
    with whole_file(out, private=True) as unfinished:
        unfinished.write_text(order_page(sheet), encoding="utf-8", errors="backslashreplace")
    if as_json:
        told = {"out": str(out), "supplier": sheet.supplier, "most": f"{sheet.most:f}"}
        say(json.dumps({**told, "until": None if sheet.until is None else str(sheet.until)}))
    else:
        say(f"wrote {out}: {sheet.supplier}, {shown(sheet.most, sheet.currency)} at most")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"--until {short(text)}: a day should be written as YYYY-MM-DD, e.g. 2026-03-31."
        ) from None
