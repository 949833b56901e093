"""What the collection is, and what was decided about it: its state, its budget, its batches."""

from typing import Literal

from sqlalchemy import Connection, delete, insert, select

from annotation.errors import InputError, MachineError, short
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import check_text
from budget.collection.store.rows import next_number, now
from budget.collection.store.schema import about, events

CollectionState = Literal["running", "paused", "closed"]
_STATES: tuple[CollectionState, ...] = ("running", "paused", "closed")
_EventKind = Literal["budget", "state", "batch"]
# No fact that `remember` keeps has a name with a full stop.
_CURRENCY, _PLACES = "money.currency", "money.places"


def fact(connection: Connection, key: str) -> str | None:
    """What is kept under a key; None if nothing is."""
    found = connection.execute(select(about.c.value).where(about.c.key == key)).scalar()
    return found if isinstance(found, str) else None  # SQLite keeps bytes in a column of texts


def remember(connection: Connection, key: str, value: str | None) -> None:
    """Keep a text under a key; None forgets.

    Raises InputError if it cannot be kept.
    """
    if value is not None:
        check_text(value, key, may_be_empty=True)
    connection.execute(delete(about).where(about.c.key == key))
    if value is not None:
        connection.execute(insert(about).values(key=key, value=value))


def remember_unit(connection: Connection, unit: MoneyUnit) -> None:
    """Keep what all amounts are counted in."""
    remember(connection, _CURRENCY, check_text(unit.currency, "the currency"))
    remember(connection, _PLACES, str(unit.places))


def money_unit(connection: Connection) -> MoneyUnit:
    """The unit of all amounts.

    Raises MachineError if it is gone, or none.
    """
    currency, places = fact(connection, _CURRENCY), fact(connection, _PLACES)
    try:
        return MoneyUnit(currency or "", int(places or "none"))
    except ValueError:
        raise MachineError(
            "the store is damaged: it does not say what money is counted in (table about, "
            f"{_CURRENCY} {short(currency)}, {_PLACES} {short(places)}); put a copy of it back."
        ) from None


def add_event(
    connection: Connection,
    kind: _EventKind,
    value: str,
    who: str,
    why: str,
    batch: int | None = None,
) -> None:
    """Tell that somebody decided something.

    Raises InputError if a text cannot be kept.
    """
    number = next_number(connection, events.c.number)
    check_text(why, "the reason", may_be_empty=True)
    values = {"value": value, "who": check_text(who, "who decides"), "why": why}
    connection.execute(
        insert(events).values(number=number, at=now(), kind=kind, batch=batch, **values)
    )


def latest(connection: Connection, kind: _EventKind) -> str | None:
    """The value of the last event of a kind."""
    query = select(events.c.value).where(events.c.kind == kind)
    return connection.execute(query.order_by(events.c.number.desc()).limit(1)).scalar()


def budget(connection: Connection) -> int:
    """The budget, in units."""
    return int(latest(connection, "budget") or 0)


def state(connection: Connection) -> CollectionState:
    """Whether the collection is running, paused or closed."""
    found = latest(connection, "state")
    return next((each for each in _STATES if each == found), "running")


def check_running(connection: Connection, doing: str) -> None:
    """Raise InputError if the collection is paused or closed: then it orders nothing more."""
    found = state(connection)
    if found == "paused":
        raise InputError(
            "the collection is paused; set it running before "
            f"{doing}: labelmix collect resume FOLDER"
        )
    if found != "running":
        raise InputError(
            f"the collection is {found} for good: no batch is planned, approved or ordered any "
            "more; begin another by 'labelmix collect new'."
        )


def check_not_closed(now_is: CollectionState) -> None:
    """Raise InputError if the collection is closed: a change would change nothing."""
    if now_is == "closed":
        raise InputError("the collection is closed for good; neither budget nor suppliers change.")


def check_may_be(now_is: CollectionState, wanted: CollectionState) -> bool:
    """Whether the collection has still to be made `wanted`; False if it is.

    Raises InputError if it is closed, which is for good.
    """
    if now_is == wanted:
        return False
    if now_is == "closed":
        raise InputError(f"the collection is closed for good and cannot be {wanted}.")
    return True


def check_budget(total: int, used: int, unit: MoneyUnit) -> None:
    """Raise InputError if a budget is below what is promised and paid, all in units."""
    if total < used:
        raise InputError(
            f"a budget of {unit.shown(total)} is below the {unit.shown(used)} that are promised "
            "or paid; cancel batches first, or set it higher."
        )
