"""What people decide about a collection: batches, its state, its budget and suppliers."""

import getpass
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotation.errors import InputError, short
from budget.commands.collect_session import By, Folder, opened_store
from budget.commands.console import guarded
from budget.commands.options import Json
from budget.commands.printing import say

if TYPE_CHECKING:
    from budget.collection.store.history import CollectionState
    from budget.collection.store.store import CollectionStore

Batch = Annotated[int, typer.Argument(metavar="BATCH", help="Its number, as 'status' says.")]
Why = Annotated[str, typer.Option(help="The reason, which is kept.")]


@guarded
def approve(
    folder: Folder,
    batch: Batch,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Approve a batch: its money is promised, and it can be ordered.

    Example: labelmix collect approve my-collection 2
    """
    with opened_store(folder, "labelmix collect approve") as store:
        is_new = store.approve(batch, by or getpass.getuser())
        _tell_batch(store, batch, "approved", is_new, as_json)


@guarded
def cancel(
    folder: Folder,
    batch: Batch,
    why: Annotated[str, typer.Option(help="The reason, which is kept.")],
    by: By = None,
    as_json: Json = False,
) -> None:
    """Want no more of a batch; what was answered is paid, the rest of its money is free again.

    Tasks that are in Label Studio stay there: delete them, or nobody should answer them.

    Example: labelmix collect cancel my-collection 2 --why mistaken
    """
    with opened_store(folder, "labelmix collect cancel") as store:
        is_new = store.cancel(batch, by or getpass.getuser(), why)
        _tell_batch(store, batch, "cancelled", is_new, as_json)


@guarded
def pause(folder: Folder, why: Why = "", by: By = None, as_json: Json = False) -> None:
    """Plan, approve and order nothing until the collection is resumed.

    What people answer of a batch that is ordered is still fetched and paid.

    Example: labelmix collect pause my-collection --why "holidays"
    """
    _set_state(folder, "paused", why, by, as_json)


@guarded
def resume(folder: Folder, why: Why = "", by: By = None, as_json: Json = False) -> None:
    """Go on with a collection that was paused.

    Example: labelmix collect resume my-collection
    """
    _set_state(folder, "running", why, by, as_json)


@guarded
def close(folder: Folder, why: Why = "", by: By = None, as_json: Json = False) -> None:
    """End the collection for good; its batches have to be complete or cancelled.

    Example: labelmix collect close my-collection --why "enough"
    """
    _set_state(folder, "closed", why, by, as_json)


@guarded
def change(
    folder: Folder,
    budget: Annotated[str | None, typer.Option(help="The new budget, in all.")] = None,
    suppliers: Annotated[
        Path | None, typer.Option(help="A new file of suppliers, for batches to come.")
    ] = None,
    why: Why = "",
    by: By = None,
    as_json: Json = False,
) -> None:
    """Change the budget or the suppliers; what was ordered keeps its price.

    Example: labelmix collect change my-collection --budget 400
    """
    from budget.collection.beginning import change_suppliers, check_suppliers
    from budget.market.currencies import check_currency
    from budget.market.supplier_file import read_suppliers_file

    if budget is None and suppliers is None:
        raise InputError("nothing is to be changed; give --budget or --suppliers.")
    who = by or getpass.getuser()
    with opened_store(folder, "labelmix collect change") as store:
        file = None if suppliers is None else read_suppliers_file(suppliers)
        if file is not None:
            counted = store.unit.currency
            check_currency(file.currency, str(suppliers), counted, "the collection", "")
            check_suppliers(folder, store, file)
        if budget is not None:
            store.set_budget(_amount(budget), who, why)
        if file is not None:
            change_suppliers(store, file, who, why)
        left = store.balance().left
        told = f"changed; {_left(store)}"
    say(json.dumps({"left": str(left)}) if as_json else told)


def _tell_batch(
    store: "CollectionStore", batch: int, state: str, is_new: bool, as_json: bool
) -> None:
    if as_json:
        left = str(store.balance().left)
        say(json.dumps({"batch": batch, "changed": is_new, "left": left}))
    elif is_new:
        say(f"batch {batch} is {state}; {_left(store)}")
    else:
        say(f"batch {batch} was {state} already; {_left(store)}")


def _left(store: "CollectionStore") -> str:
    from budget.collection.money_unit import shown

    left = shown(store.balance().left, store.unit.currency)
    return f"{left} of the budget are neither promised nor paid"


def _amount(text: str) -> Decimal:
    """A budget as it is written.

    Raises InputError if it is no amount of money above 0.
    """
    from annotation.terms.cost import money

    try:
        found = money(text)
    except InputError as error:
        raise InputError(f"--budget: {error}") from None
    if not found:
        raise InputError(f"--budget: should be above 0; got {short(text)}.")
    return found


def _set_state(
    folder: Path, state: "CollectionState", why: str, by: str | None, as_json: bool
) -> None:
    with opened_store(folder, f"labelmix collect ({state})") as store:
        is_new = store.set_state(state, by or getpass.getuser(), why)
    if as_json:
        say(json.dumps({"state": state, "changed": is_new}))
    else:
        say(f"the collection is {state}" if is_new else f"the collection was {state} already")
