"""The order sheet: one page to sign and send, of what one supplier is asked for in one batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pandas as pd

from analysis.html_page import filled_template
from analysis.numbers import count
from annotation.errors import InputError, short
from budget.collection.kinds import EXISTING
from budget.collection.money_unit import MoneyUnit, shown
from budget.collection.orders import BatchRecord
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore
from budget.collection.suppliers import Supplier

_KEYS = ["stratum", "judgments", "per_judgment", "per_hour", "most_seconds", "pay_skipped"]


@dataclass(frozen=True)
class OrderRow:
    """Items of one stratum at one price; `most` is what their judgments cost at most."""

    stratum: str
    items: int
    judgments: int
    price: Price
    most: Decimal


@dataclass(frozen=True)
class OrderSheet:
    """What is asked of one supplier in one batch.

    Gold questions are among the items and not told apart: who knows them answers them better.

    Attributes
    ----------
    collection, batch, supplier : what it is about
    approved_by, approved_on : who approved the batch, and the day (UTC); None where nobody has
    until : the last day; None where none is told
    rows : in order of strata
    above : what judgments above those ordered cost at most
    most : what all of it costs at most
    choices : of all items alike; None where every item has its own
    by_file : whether tasks go out in a file, else in Label Studio
    """

    collection: str
    batch: int
    supplier: str
    approved_by: str | None
    approved_on: date | None
    until: date | None
    rows: tuple[OrderRow, ...]
    above: Decimal
    most: Decimal
    currency: str
    choices: tuple[str, ...] | None
    by_file: bool


def order_sheet(
    store: CollectionStore,
    name: str,
    batch: int,
    suppliers: dict[str, Supplier],
    supplier: str | None,
    until: date | None,
    items: pd.DataFrame,
) -> OrderSheet:
    """The order sheet of a batch.

    Parameters
    ----------
    store, name
        Of the collection.
    suppliers
        By name, for how tasks reach them.
    supplier
        Whose sheet; None where the batch has one supplier.
    until
        The last day.
    items
        The item table.

    Raises
    ------
    InputError
        If there is no such batch, it is cancelled or was bought before, or the supplier is missing
        or has no part in it.
    """
    lines = store.lines(batch)
    record = next(own for own in store.batches() if own.number == batch)
    own = _chosen(lines, record, supplier)
    whose = str(own["supplier"].iloc[0])
    unit, planned = store.unit, _planned(store, batch, whose)
    asked = items[items["item_id"].isin(own["item_id"])]["choices"].map(tuple)
    channel = suppliers[whose].channel if whose in suppliers else "file"
    return OrderSheet(
        collection=name,
        batch=batch,
        supplier=whose,
        approved_by=record.approved_by,
        approved_on=None if record.approved_at is None else record.approved_at.date(),
        until=until,
        rows=tuple(_rows(own, unit)),
        above=planned.get(None, Decimal(0)),
        most=sum(planned.values(), Decimal(0)),
        currency=unit.currency,
        choices=asked.iloc[0] if len(asked) and asked.nunique() == 1 else None,
        by_file=channel == "file",
    )


def _chosen(lines: pd.DataFrame, record: BatchRecord, supplier: str | None) -> pd.DataFrame:
    names = list(dict.fromkeys(lines["supplier"]))
    if record.state == "cancelled":
        raise InputError(f"batch {record.number} is cancelled; nothing of it is ordered.")
    if names == [EXISTING]:
        raise InputError(
            f"batch {record.number} holds the labels that were there before; nobody was asked for "
            "them."
        )
    if supplier is None and len(names) > 1:
        raise InputError(
            f"batch {record.number} is of several suppliers, and each gets a sheet of its own; "
            f"name one with --supplier: {', '.join(names)}."
        )
    chosen = names[0] if supplier is None else supplier
    if chosen not in names:
        raise InputError(
            f"--supplier {short(chosen)}: is asked for nothing in batch {record.number}; its "
            f"suppliers are: {', '.join(names)}."
        )
    return lines[lines["supplier"] == chosen]


def _planned(store: CollectionStore, batch: int, supplier: str) -> dict[str | None, Decimal]:
    """Stratum -> the most that it costs, as the ledger has it; None: judgments above those."""
    ledger = store.ledger()
    chosen = (
        (ledger["kind"] == "planned")
        & (ledger["batch"] == batch)
        & (ledger["supplier"] == supplier)
    )
    own = ledger[chosen]
    return {
        stratum if isinstance(stratum, str) else None: amount
        for stratum, amount in zip(own["stratum"], own["amount"], strict=True)
    }


def _rows(lines: pd.DataFrame, unit: MoneyUnit) -> Sequence[OrderRow]:
    rows = []
    for key, own in lines.groupby(_KEYS, sort=False):
        stratum, judgments, piece, hour, longest, skipped = key
        price = Price(piece, hour, longest, bool(skipped))
        wanted = int(judgments) * len(own)
        most = unit.amount(wanted * price.most_cost(unit))
        rows.append(OrderRow(str(stratum), len(own), int(judgments), price, most))
    return rows


def order_page(sheet: OrderSheet) -> str:
    """The sheet as one self-contained HTML page, which prints on one page of paper."""
    currency = sheet.currency
    return filled_template(
        "budget.collection",
        "order_sheet_template.html",
        sheet=sheet,
        batch=str(sheet.batch),
        is_approved=sheet.approved_by is not None,
        approved=f"{sheet.approved_by}, {sheet.approved_on}",
        until="" if sheet.until is None else sheet.until.isoformat(),
        judgments=count(sum(row.items * row.judgments for row in sheet.rows)),
        rows=[
            (
                row.stratum,
                count(row.items),
                count(row.judgments),
                count(row.items * row.judgments),
                _price_words(row.price, currency),
                shown(row.most, currency),
            )
            for row in sheet.rows
        ],
        above=shown(sheet.above, currency) if sheet.above else "",
        most=shown(sheet.most, currency),
        choices=", ".join(sheet.choices or ()),
        pays_skipped=any(row.price.pay_skipped for row in sheet.rows),
        pays_hours=any(row.price.per_hour for row in sheet.rows),
    )


def _price_words(price: Price, currency: str) -> str:
    parts = []
    if price.per_judgment or not price.per_hour:
        parts.append(shown(price.per_judgment, currency))
    if price.per_hour:
        longest = f"{price.most_seconds.normalize():f}"
        parts.append(f"{shown(price.per_hour, currency)} an hour, {longest} s of each at most")
    return " and ".join(parts)
