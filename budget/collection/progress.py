"""How far batches and people are, and who decided what: for a page, for machines."""

from datetime import datetime
from decimal import Decimal

import pandas as pd
from pydantic import BaseModel

from budget.collection.money_unit import MoneyUnit
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore


class OrderGroup(BaseModel):
    """What one supplier is asked about one stratum in one batch.

    Attributes
    ----------
    judgments : of each item
    gold : how many of the items are gold questions
    wanted, received : judgments ordered, and there
    per_judgment, per_hour : money for a judgment, and for an hour of work
    most : that all of it may cost, judgments above those ordered left out
    """

    batch: int
    supplier: str
    stratum: str
    items: int
    judgments: int
    gold: int
    wanted: int
    received: int
    per_judgment: Decimal
    per_hour: Decimal
    most: Decimal


class PersonProgress(BaseModel):
    """What one person has judged so far.

    Attributes
    ----------
    judgments : with a label that is still there
    skipped : items that were passed over
    seconds : median of a judgment; None where no time is known
    last : when the last one was made, ISO 8601; None where no moment is known
    """

    supplier: str
    annotator: str
    judgments: int
    skipped: int
    seconds: float | None
    last: str | None


class Decided(BaseModel):
    """Something that somebody decided.

    Attributes
    ----------
    at : ISO 8601, UTC
    kind : budget, state or batch
    value : the new budget or state
    """

    at: datetime
    kind: str
    batch: int | None
    value: str
    who: str
    why: str


def order_groups(store: CollectionStore, batch: int) -> list[OrderGroup]:
    """A batch by supplier, stratum and judgments an item, in the order of its lines.

    Raises InputError if there is no such batch.
    """
    keys = ["supplier", "stratum", "judgments", "per_judgment", "per_hour", "most_seconds"]
    groups = store.lines(batch).groupby(keys, sort=False, dropna=False)
    return [_group(batch, own, store.unit) for _, own in groups]


def _group(batch: int, lines: pd.DataFrame, unit: MoneyUnit) -> OrderGroup:
    first = lines.iloc[0]
    price = Price(first["per_judgment"], first["per_hour"], first["most_seconds"])
    wanted = int(lines["judgments"].sum())
    return OrderGroup(
        batch=batch,
        supplier=str(first["supplier"]),
        stratum=str(first["stratum"]),
        items=len(lines),
        judgments=int(first["judgments"]),
        gold=int(lines["gold"].notna().sum()),
        wanted=wanted,
        received=int(lines["received"].sum()),
        per_judgment=price.per_judgment,
        per_hour=price.per_hour,
        most=unit.amount(wanted * price.most_cost(unit)),
    )


def people(store: CollectionStore) -> list[PersonProgress]:
    """Everybody who has judged, by supplier and name."""
    rows = store.judgments(valid_only=False)
    rows = rows[~rows["gone"].to_numpy(dtype=bool)]
    return [
        _person(str(supplier), str(name), own)
        for (supplier, name), own in rows.groupby(["supplier", "annotator"], sort=True)
    ]


def _person(supplier: str, name: str, own: pd.DataFrame) -> PersonProgress:
    is_label = own["label"].notna() & ~own["cancelled"].to_numpy(dtype=bool)
    seconds, moments = own["seconds"][is_label].dropna(), own["created_at"].dropna()
    return PersonProgress(
        supplier=supplier,
        annotator=name,
        judgments=int(is_label.sum()),
        skipped=int(own["cancelled"].to_numpy(dtype=bool).sum()),
        seconds=float(seconds.median()) if len(seconds) else None,
        last=moments.max().isoformat() if len(moments) else None,
    )


def decided(store: CollectionStore) -> list[Decided]:
    """Who decided what, the latest first."""
    rows = store.events().iloc[::-1]
    return [
        Decided(
            at=row["at"].to_pydatetime(),
            kind=row["kind"],
            batch=None if pd.isna(row["batch"]) else int(row["batch"]),
            value=str(row["value"]),
            who=row["who"],
            why=row["why"],
        )
        for row in rows.to_dict("records")
    ]
