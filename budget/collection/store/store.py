"""The store of a collection: orders, judgments and the ledger, in SQLite or PostgreSQL.

Every method is one transaction: all of it, or nothing, however the process ends. Every change may
be asked for again and is done once. Processes that write at the same moment wait for each other.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
from sqlalchemy import Connection, select

from budget.collection.ledger import Balance
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import EXTRA_JUDGMENTS, BatchRecord, OrderLine, check_text
from budget.collection.store import accounts, batches, history, opening, order_rows, receiving
from budget.collection.store.accounts import Booked
from budget.collection.store.addresses import store_address
from budget.collection.store.database import Database
from budget.collection.store.history import CollectionState
from budget.collection.store.receiving import Delivered, Received
from budget.collection.store.rows import frame
from budget.collection.store.schema import events
from budget.collection.store.stamps import stamp


class CollectionStore(AbstractContextManager["CollectionStore"]):
    """A collection's database, open; also a context manager. Made by `create`, opened by `open`.

    Every method raises MachineError if the database cannot be read or written.

    Attributes
    ----------
    shown : where it is, for people; never a password
    unit : what all amounts are counted in
    """

    def __init__(self, database: Database, unit: MoneyUnit) -> None:
        self._database = database
        self.shown = database.address.shown
        self.unit = unit

    @staticmethod
    def exists(where: str | Path) -> bool:
        """Whether a collection is kept there; `where` as in `open`.

        Raises InputError if something else is there, or as `open` does.
        """
        return opening.exists(store_address(where))

    @classmethod
    def create(
        cls,
        where: str | Path,
        unit: MoneyUnit,
        budget: Decimal,
        who: str,
        about: Mapping[str, str] | None = None,
    ) -> Self:
        """Make the store of a new collection.

        Parameters
        ----------
        where
            As in `open`. A file is readable for its owner alone; a database of PostgreSQL should be
            empty.
        unit
            What money is counted in, see `MoneyUnit.fitting`.
        budget
            What may be spent at most.
        who
            Who starts it, for the events.
        about
            Facts to `remember` at once.

        Raises
        ------
        InputError
            If a collection or something else is there, or the budget is no whole number of units.
        """
        units = unit.units(budget, "the budget")

        def fill(connection: Connection) -> None:
            history.remember_unit(connection, unit)
            history.add_event(connection, "budget", str(units), who, "")
            history.add_event(connection, "state", "running", who, "")
            for key, value in (about or {}).items():
                history.remember(connection, key, value)

        opening.create(store_address(where), fill)
        return cls.open(where)

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """Open the store of a collection; one of an older labelmix is brought to this version.

        Parameters
        ----------
        where
            The path of an SQLite file, or a URL: postgresql://USER:PASSWORD@HOST:PORT/DATABASE
            or sqlite:///PATH.

        Raises
        ------
        InputError
            If no collection is there, it is of a newer labelmix or another program, or user or
            password are wrong.
        MachineError
            If it cannot be reached, is damaged, or a value in it is not what was written.
        """
        database = opening.open_database(store_address(where))
        try:
            with database.reading() as connection:
                return cls(database, opening.checked_unit(connection, database.address.shown))
        except BaseException:
            database.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def alone(self, doing: str) -> AbstractContextManager[None]:
        """Keep other processes that ask for the same out, until the block ends or this one does.

        What is done outside the database, such as sending tasks, is done by one process at a time.
        Judgments can be received, and everything read, without asking.

        Raises FolderInUseError at once, telling who came first. `doing` is told to whoever comes
        second, such as "labelmix collect step".
        """
        return self._database.alone(doing)

    def stamp(self) -> str:
        """A text that differs after every change, of whatever process; see `stamps`."""
        return stamp(self._database)

    # What the collection is

    def about(self, key: str) -> str | None:
        """A fact; None if nothing is kept under this key."""
        with self._database.reading() as connection:
            return history.fact(connection, key)

    def remember(self, **values: str | None) -> None:
        """Keep facts under their keys, all at once; None forgets.

        Raises InputError if a text holds a NUL.
        """
        with self._database.writing() as connection:
            for key, value in values.items():
                history.remember(connection, key, value)

    def state(self) -> CollectionState:
        """Whether the collection is running, paused or closed."""
        with self._database.reading() as connection:
            return history.state(connection)

    def set_state(self, wanted: CollectionState, who: str, why: str = "") -> bool:
        """Run, pause or close the collection. Paused or closed it plans and approves nothing.

        Returns False if it was in this state already.

        Raises InputError if it is closed, or to be closed while a batch is open.
        """
        with self._database.writing() as connection:
            if not history.check_may_be(history.state(connection), wanted):
                return False
            if wanted == "closed":
                batches.check_none_open(connection)
            history.add_event(connection, "state", wanted, who, why)
            return True

    def set_budget(self, total: Decimal, who: str, why: str = "") -> bool:
        """Set what may be spent at most, in all. Returns False if it was that already.

        Raises InputError if it is below what is promised and paid, no whole number of units, or the
        collection is closed.
        """
        units = self.unit.units(total, "the budget")
        with self._database.writing() as connection:
            history.check_not_closed(history.state(connection))
            if units == history.budget(connection):
                return False
            history.check_budget(units, sum(accounts.used(connection)), self.unit)
            history.add_event(connection, "budget", str(units), who, why)
            return True

    def events(self) -> pd.DataFrame:
        """Who decided what, and when: states of the collection and its batches, and budgets.

        Columns: at (datetime64[us, UTC]), kind (budget, state, batch), batch (missing but for kind
        batch), value (the new budget as a Decimal, or the new state as a text), who, why.
        """
        names = ("at", "kind", "batch", "value", "who", "why")
        with self._database.reading() as connection:
            query = select(*(events.c[name] for name in names)).order_by(events.c.number)
            rows = connection.execute(query).all()
        table = frame(names, rows, at="time", batch="Int64")
        table["value"] = pd.Series(
            [
                self.unit.amount(int(value)) if kind == "budget" else value
                for kind, value in zip(table["kind"], table["value"], strict=True)
            ],
            dtype=object,
        )
        return table

    # Batches

    def add_batch(
        self,
        lines: Sequence[OrderLine],
        decision: Mapping[str, Any],
        key: str,
        extra_judgments: Decimal = EXTRA_JUDGMENTS,
    ) -> int:
        """Plan a batch: what to ask of whom, and what that was decided on. Nothing is promised yet.

        Parameters
        ----------
        lines
            At least one; one for each item of each supplier.
        decision
            The evidence and the alternatives: what JSON can hold, decimals, numbers of NumPy; all
            finite.
        key
            Names what it was decided on, such as a hash of the state: a batch with the same key
            is made once. Then the lines given are not looked at.
        extra_judgments
            How many judgments above those ordered are paid, as a share of those ordered, rounded
            up for each supplier.

        Returns
        -------
        The number of the batch.

        Raises
        ------
        InputError
            If there is no line or an item twice, a price is finer than the unit, or the collection
            is paused or closed.
        """
        check_text(key, "the key of a batch")
        batches.check_lines(lines)
        with self._database.writing() as connection:
            return batches.add(connection, self.unit, lines, decision, key, extra_judgments)

    def approve(self, batch: int, who: str) -> bool:
        """Reserve the most that a batch may cost. Returns False if that was done.

        Raises InputError if less is left of the budget, there is no such batch, it is cancelled, or
        the collection is paused or closed.
        """
        with self._database.writing() as connection:
            return batches.approve(connection, self.unit, batch, who)

    def mark_ordered(self, batch: int) -> bool:
        """Remember that an approved batch was sent to its suppliers. Returns False if it was.

        Raises InputError if there is no such batch, or it is not approved.
        """
        with self._database.writing() as connection:
            return batches.mark_ordered(connection, batch)

    def complete(self, batch: int) -> bool:
        """Book an ordered batch and give back the rest of its reservation. False if that was done.

        Raises InputError if there is no such batch, or it was not ordered.
        """
        with self._database.writing() as connection:
            return batches.complete(connection, self.unit, batch)

    def cancel(self, batch: int, who: str, why: str) -> bool:
        """Want no more of a batch. What came is booked, the rest of its reservation given back.

        Returns False if it was cancelled already.

        Raises InputError if there is no such batch, or it is complete.
        """
        with self._database.writing() as connection:
            return batches.cancel(connection, self.unit, batch, who, why)

    def batches(self) -> tuple[BatchRecord, ...]:
        """All batches as they stand, by number."""
        with self._database.reading() as connection:
            return order_rows.records(connection, self.unit)

    def lines(self, batch: int | None = None) -> pd.DataFrame:
        """The order lines of a batch, or of all, in order.

        Raises InputError if there is no such batch.

        Columns: batch, supplier, item_id, stratum, judgments, gold (or None), per_judgment,
        per_hour, most_seconds (Decimals), pay_skipped, received (people whose labels are there).
        """
        with self._database.reading() as connection:
            if batch is not None:
                order_rows.state_of(connection, batch)
            return order_rows.line_table(connection, batch)

    def missing(self, batch: int) -> int:
        """How many judgments a batch still waits for: of every line, different people's labels.

        Raises InputError if there is no such batch.
        """
        with self._database.reading() as connection:
            order_rows.state_of(connection, batch)
            return order_rows.missing(connection, batch)

    # Judgments

    def receive(self, supplier: str, table: pd.DataFrame, whole: bool) -> Received:
        """Take judgments in: new ones, changed ones, and those that are gone.

        A judgment is known by supplier and source_id. It belongs to the oldest open batch whose
        line of its item still wants one of its annotator, else to the newest line of the item; that
        is decided once. Among themselves new judgments are taken by created_at. Nothing is booked
        yet.

        Parameters
        ----------
        supplier
            Who gave them.
        table
            A judgment table (`annotation.judgments.schema`) with the column source_id.
        whole
            Whether it holds everything that is still there: judgments that it does not hold
            are gone. They come back if a later table holds them.

        Raises
        ------
        InputError
            If the table is no judgment table, or has no column source_id.
        """
        check_text(supplier, "the name of a supplier")
        checked = receiving.checked(table, supplier)
        with self._database.writing() as connection:
            return receiving.receive(connection, supplier, checked, whole)

    def deliver(self, supplier: str, table: pd.DataFrame) -> Delivered:
        """Take in single judgments as they come: doubled, out of order, late.

        As `receive` of a table that is not whole, but for what does not fit what is known. An older
        form of a judgment changes nothing. What is said of one that is gone, or by now is another
        person's or item's, is counted as unclear and left: a whole table tells.

        Parameters and errors are those of `receive`.
        """
        check_text(supplier, "the name of a supplier")
        checked = receiving.checked(table, supplier)
        with self._database.writing() as connection:
            return receiving.deliver(connection, supplier, checked)

    def judgments(self, valid_only: bool = True) -> pd.DataFrame:
        """The judgments, in the order in which they first came.

        Columns: those of a judgment table, with stratum and gold of the order line, then supplier
        and batch (missing where the item was not ordered). All of them, not `valid_only`, are
        skipped and deleted ones as well, with a column gone.
        """
        with self._database.reading() as connection:
            return receiving.judgment_rows(connection, valid_only)

    # Money

    def book(self, batch: int | None = None) -> Booked:
        """Pay for judgments as they stand, of a batch or of all, and take back what is not due.

        Every judgment is paid at the price of its line: of every line one of each annotator, as
        many as were ordered and the allowance above, in the order in which they came. Booked
        again, nothing changes. An edited judgment is paid at its last time, a deleted one is
        refunded. A batch that is complete or cancelled pays for what comes late from what is left
        of the budget.

        Raises InputError if there is no such batch; MachineError if the ledger would not add up:
        then nothing changes.
        """
        with self._database.writing() as connection:
            if batch is not None:
                order_rows.state_of(connection, batch)
            return accounts.book(connection, self.unit, None if batch is None else [batch])

    def unpaid(self) -> pd.DataFrame:
        """Judgments that nothing, or not everything, is paid for once all is booked, and why.

        Columns as in `Booked`. Nothing is booked.
        """
        with self._database.reading() as connection:
            return accounts.unpaid(connection, self.unit)

    def balance(self) -> Balance:
        """What became of the budget, by batch, supplier, stratum and annotator; exact."""
        with self._database.reading() as connection:
            return accounts.balance(connection, self.unit)

    def ledger(self) -> pd.DataFrame:
        """All entries, in order.

        Columns: entry (from 1, without gaps), at (datetime64[us, UTC]), kind (planned, committed,
        released, spent, refunded), amount (Decimal), batch, supplier, stratum (None: for judgments
        above those ordered), annotator, source_id, why.
        """
        with self._database.reading() as connection:
            return accounts.ledger_table(connection, self.unit)
