"""Labels that exist already: they come in as a purchase that is complete, and nobody is asked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel

from annotation.databases import damaged
from annotation.errors import InputError, short
from annotation.files import read_records
from annotation.items.table import gold_texts, is_missing
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.table import check_judgments
from annotation.terms.cost import money
from budget.collection.contents import Contents
from budget.collection.kinds import EXISTING, TEST_SET, TEST_SET_KNOWN
from budget.collection.measuring import JudgmentsSoFar, SupplierMeasured
from budget.collection.money_unit import MoneyUnit, shown
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.receiving import check_no_nul
from budget.collection.store.store import CollectionStore
from budget.collection.suppliers import Supplier
from budget.market.supplier_file import SupplierSection, SuppliersFile

KEY = "existing_labels"  # of the fact that holds them until they are in
TEST_KEY = "known_test_answers"
"""Key of the fact that holds answers of test items which were paid for, until they are in."""
_COLUMNS = ("item_id", "label", "annotator", "seconds", "created_at")
_NEEDED = ("item_id", "label")


@dataclass(frozen=True)
class ExistingLabel:
    """One label that is there, and what it cost; None where nothing is known of that.

    `source_id` is its row in the file; `gold` the right answer to a test item; `created_at` in
    ISO 8601.
    """

    source_id: str
    item_id: str
    stratum: str
    label: str
    annotator: str
    seconds: float | None
    created_at: str | None
    gold: str | None
    cost: str | None


class _Remembered(BaseModel):
    """Labels that have still to come in, and who began the collection with them."""

    who: str
    labels: list[ExistingLabel]


def read_existing_labels(
    path: Path, contents: Contents, unit: MoneyUnit, budget: Decimal
) -> tuple[ExistingLabel, ...]:
    """The labels of a table (JSONL, CSV, Parquet): item_id and label, one row a label.

    Also read, where they are there: annotator (else all are one's), cost, seconds, created_at.

    Raises InputError for a row that cannot be used, an item that is not in the collection, two
    labels of one item by one annotator, and if all of them cost more than the budget.
    """
    records = read_records(path)
    there = list(dict.fromkeys(name for record in records for name in record))
    for name in _NEEDED:
        if name not in there:
            raise InputError(
                f"{path}: column '{name}' is missing; the columns are: {', '.join(there)}."
            )
    rows: dict[str, list[Any]] = {
        name: [record.get(name) for record in records] for name in _COLUMNS if name in there
    }
    rows.setdefault("annotator", [EXISTING] * len(records))
    rows["source_id"] = [str(number) for number in range(1, len(records) + 1)]
    frame = pd.DataFrame({name: pd.Series(own, dtype=object) for name, own in rows.items()})
    items = contents.task.items
    table = check_against_items(check_judgments(frame, str(path)), items).required()
    check_no_nul(table, str(path))
    _check_once(table, path)
    costs = [_cost(record.get("cost"), path, row, unit) for row, record in enumerate(records, 1)]
    total = sum((cost for cost in costs if cost is not None), Decimal(0))
    if total > budget:
        raise InputError(
            f"{path}: these labels cost {total:f} {unit.currency}, more than the budget of "
            f"{budget:f}; the budget is for all labels, those that exist already included: raise "
            "it, or leave the column 'cost' out."
        )
    return tuple(_labels(table, costs, contents))


def _check_once(table: pd.DataFrame, path: Path) -> None:
    again = table[table.duplicated(["item_id", "annotator"])]
    if len(again):
        row = again.iloc[0]
        raise InputError(
            f"{path}: row {row['source_id']}: item {short(row['item_id'])} has a label by "
            f"annotator {short(row['annotator'])} already; one person labels an item once: take "
            "one out, or name who gave each in a column 'annotator'."
        )


def _cost(value: object, path: Path, row: int, unit: MoneyUnit) -> Decimal | None:
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None
    where = f"{path}: row {row}, column 'cost'"
    try:
        cost = money(str(value))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    unit.units(cost, where)
    return cost


def _labels(
    table: pd.DataFrame, costs: Sequence[Decimal | None], contents: Contents
) -> Iterator[ExistingLabel]:
    task, place = contents.task, contents.place
    tested, golds = set(task.test_positions.tolist()), gold_texts(task.items)
    for row in table.to_dict("records"):
        position = place[row["item_id"]]
        cost = costs[int(row["source_id"]) - 1]
        seconds, created = row["seconds"], row["created_at"]
        yield ExistingLabel(
            source_id=row["source_id"],
            item_id=row["item_id"],
            stratum=str(task.stratum_of[position]),
            label=row["label"],
            annotator=row["annotator"],
            seconds=None if pd.isna(seconds) else float(seconds),
            created_at=None if pd.isna(created) else created.isoformat(),
            gold=golds[position] if position in tested else None,
            cost=None if cost is None else f"{cost:f}",
        )


def as_fact(labels: Sequence[ExistingLabel], who: str) -> dict[str, str]:
    """What a new store remembers of them, so that they come in however the process ends."""
    if not labels:
        return {}
    return {KEY: json.dumps({"who": who, "labels": [asdict(own) for own in labels]})}


def known_answers_as_fact(contents: Contents, each: Decimal, who: str) -> dict[str, str]:
    """The same of the test items' answers, where they were known and cost so much each."""
    if not each:
        return {}
    task, golds = contents.task, gold_texts(contents.task.items)
    names = task.items["item_id"].tolist()
    labels = [
        ExistingLabel(
            source_id=f"{TEST_SET} {number}",
            item_id=names[place],
            stratum=TEST_SET,
            label=answer,
            annotator=TEST_SET,
            seconds=None,
            created_at=None,
            gold=answer,
            cost=f"{each:f}",
        )
        for number, place in enumerate(task.test_positions.tolist(), 1)
        if (answer := golds[place]) is not None
    ]
    return {TEST_KEY: json.dumps({"who": who, "labels": [asdict(own) for own in labels]})}


def take_in(store: CollectionStore) -> None:
    """Take remembered labels in, unless that is done; done twice, they are there once.

    Every label is paid at its own cost, on the ledger; at nothing where it has none. Answers of
    test items that were paid for come in alike.
    """
    for key, named, decision in (
        (TEST_KEY, TEST_SET_KNOWN, _decision_of_answers),
        (KEY, EXISTING, _decision),
    ):
        kept = store.about(key)
        if kept is None or store.state() != "running":
            continue
        told = _remembered(kept, store.shown, key)
        for number, part in enumerate(_at_one_price(told.labels), 1):
            batch = store.add_batch(_lines(part), decision(part), f"{named} {number}", Decimal(0))
            store.approve(batch, told.who)
            store.mark_ordered(batch)
            store.receive(EXISTING, _judgments(part), whole=False)
            store.complete(batch)
        store.remember(**{key: None})


def _remembered(kept: str, shown: str, key: str) -> _Remembered:
    """The labels as they are remembered under a key; `shown` names the store.

    Raises MachineError if they cannot be read.
    """
    try:
        told = _Remembered.model_validate_json(kept)
        for own in told.labels:
            money(own.cost or 0)
    except ValueError:  # pydantic's, and InputError
        what = f"table about, key '{key}': its labels cannot be read"
        raise damaged(shown, what, "put a copy of it back") from None
    return told


def measured_existing(
    so_far: JudgmentsSoFar, strata: Sequence[str], file: SuppliersFile
) -> dict[tuple[str, str], SupplierMeasured]:
    """(supplier, stratum) -> how often labels that were there before are wrong; empty without any.

    They are measured like a supplier of whom nothing is stated.
    """
    if EXISTING not in set(so_far.table["supplier"]):
        return {}
    own = Supplier(EXISTING, "file", dict.fromkeys(strata, Price()), {})
    section = SupplierSection(cost=Decimal(0))
    with_own = file.model_copy(update={"suppliers": {**file.suppliers, EXISTING: section}})
    return {(EXISTING, name): so_far.of_supplier(own, name, with_own) for name in strata}


def told(labels: Sequence[ExistingLabel], currency: str) -> list[str]:
    """What came in, in a line for people."""
    if not labels:
        return []
    known = [Decimal(own.cost) for own in labels if own.cost is not None]
    cost = f"their cost, {shown(sum(known, Decimal(0)), currency)}, is taken off the budget"
    if len(known) < len(labels):
        rest = "" if not known else f" of {len(labels) - len(known):,} of them"
        cost = f"{cost + '; ' if known else ''}no cost{rest} is known"
    items = len({own.item_id for own in labels})
    return [f"{len(labels):,} labels of {items:,} items exist already and come in; {cost}"]


def _at_one_price(labels: Sequence[ExistingLabel]) -> list[list[ExistingLabel]]:
    """Parts in which all labels of an item cost alike, as those of an order line do."""
    prices: dict[str, list[str | None]] = {}
    parts: list[list[ExistingLabel]] = []
    for own in labels:
        known = prices.setdefault(own.item_id, [])
        if own.cost not in known:
            known.append(own.cost)
        place = known.index(own.cost)
        while len(parts) <= place:
            parts.append([])
        parts[place].append(own)
    return parts


def _lines(labels: Sequence[ExistingLabel]) -> list[OrderLine]:
    by_item: dict[str, list[ExistingLabel]] = {}
    for own in labels:
        by_item.setdefault(own.item_id, []).append(own)
    return [
        OrderLine(
            EXISTING, item, own[0].stratum, len(own), own[0].gold, Price(Decimal(own[0].cost or 0))
        )
        for item, own in by_item.items()
    ]


def _decision(labels: Sequence[ExistingLabel]) -> Mapping[str, Any]:
    unknown = sum(own.cost is None for own in labels)
    return {
        "kind": EXISTING,
        "why": "Labels that existed before the collection.",
        "labels": len(labels),
        "labels_without_a_cost": unknown,
    }


def _decision_of_answers(labels: Sequence[ExistingLabel]) -> Mapping[str, Any]:
    return {
        "kind": TEST_SET_KNOWN,
        "why": "The answers of the test items, which were known and had been paid for.",
        "labels": len(labels),
    }


def _judgments(labels: Sequence[ExistingLabel]) -> pd.DataFrame:
    names = ("item_id", "annotator", "label", "seconds", "created_at", "source_id")
    return pd.DataFrame(
        {name: pd.Series([getattr(own, name) for own in labels], dtype=object) for name in names}
    )
