"""What a collection gives away: the training set, who said what, and the ledger."""

import json
from decimal import Decimal
from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.judgments.schema import COLUMNS
from annotation.judgments.table_files import write_judgments
from annotation.spreadsheet_cells import guarded_cell
from annotation.whole_files import check_outputs, whole_file
from annotation.written_together import written_together
from budget.collection.kinds import TEST_SET
from budget.collection.steps import Collection

DATA = Path("data") / "train-00000-of-00001.parquet"  # where `datasets.load_dataset` looks
TEST_DATA = Path("data") / "test-00000-of-00001.parquet"
_CARD = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: {data}
{split}---

# {name}

{items:,} labelled items, collected and exported by labelmix. Columns: `item_id`, `question`,
`choices`, `label` (the likeliest choice), `posterior` (the probability of each choice), `stratum`,
`judgments` (how many), `annotators` and `suppliers` (who), `paid` (in {currency}, exactly).
{tested}"""
_CARD_OF_TESTED = """
The split `test` has {items:,} items whose right answers (`answer`) were bought as well, with the
probability that each is right (`posterior`).
"""
_SPLIT = """  - split: test
    path: {data}
"""


def training_set(collection: Collection) -> pd.DataFrame:
    """One row an item that was bought: its label, how sure it is, who gave it, what was paid.

    Raises InputError if nobody has judged anything yet.
    """
    so_far = collection.proposer.judgments_so_far()
    if so_far.is_empty:
        raise InputError("nobody has judged anything yet; pull first.")
    measured = collection.proposer.measured(so_far)
    table = so_far.labels(measured, collection.config.buying.aggregate).table
    items = collection.contents.task.items.set_index("item_id")
    said = so_far.table
    who = said.groupby("item_id")["person"].agg(lambda own: sorted(set(own)))
    whose = said.groupby("item_id")["supplier"].agg(lambda own: sorted(set(own)))
    paid = _paid_by_item(collection)
    return pd.DataFrame(
        {
            "item_id": table["item_id"],
            "question": items["question"].reindex(table["item_id"]).to_numpy(),
            "choices": table["choices"],
            "label": table["label"],
            "posterior": table["posterior"],
            "stratum": table["stratum"],
            "judgments": table["judgments"],
            "annotators": who.reindex(table["item_id"]).to_numpy(),
            "suppliers": whose.reindex(table["item_id"]).to_numpy(),
            "paid": [str(paid.get(item, Decimal(0))) for item in table["item_id"]],
        }
    )


def bought_test_set(collection: Collection) -> pd.DataFrame | None:
    """One row a test item whose right answer was bought; None where no answers were bought.

    Columns: item_id, question, choices, answer (a text), posterior (that it is right), stratum,
    paid.
    """
    contents = collection.contents
    if contents.bought is None or contents.bought.settled is None:
        return None
    task, answers = contents.task, contents.bought.settled.answers
    own = task.items.iloc[task.test_positions]
    paid = _paid_by_item(collection)
    return pd.DataFrame(
        {
            "item_id": own["item_id"].to_numpy(),
            "question": own["question"].to_numpy(),
            "choices": own["choices"].map(list).to_numpy(),
            "answer": [answers[name].answer for name in own["item_id"]],
            "posterior": [answers[name].posterior for name in own["item_id"]],
            "stratum": task.test_strata,
            "paid": [str(paid.get(name, Decimal(0))) for name in own["item_id"]],
        }
    )


def _paid_by_item(collection: Collection) -> dict[str, Decimal]:
    """Item -> what was paid for its judgments, refunds taken off."""
    ledger = collection.store.ledger()
    signs = {"spent": 1, "refunded": -1}
    item_of = {
        (row.supplier, row.source_id): str(row.item_id)
        for row in collection.store.judgments(valid_only=False).itertuples()
    }
    found: dict[str, Decimal] = {}
    for row in ledger[ledger["kind"].isin(list(signs))].itertuples():
        item = item_of[row.supplier, row.source_id]
        amount = signs[str(row.kind)] * Decimal(str(row.amount))
        found[item] = found.get(item, Decimal(0)) + amount
    return found


def _judgments(collection: Collection) -> pd.DataFrame:
    """All judgments; those of test items tell their own stratum, as gold questions do."""
    task, judgments = collection.contents.task, collection.store.judgments()[list(COLUMNS)]
    stratum_of = dict(zip(task.items["item_id"], task.stratum_of.tolist(), strict=True))
    is_of_test = judgments["stratum"] == TEST_SET
    own = judgments["item_id"].map(stratum_of)
    return judgments.assign(stratum=judgments["stratum"].mask(is_of_test, own))


def export(collection: Collection, out: Path) -> dict[str, Path]:
    """Write the training set in the layout of the hub, the judgments and the ledger.

    A test set whose answers were bought is written beside it.

    What -> where it is. All files are put in place together.

    Raises InputError if nobody has judged anything, or a file cannot be written.
    """
    table = training_set(collection)
    paths = {
        "training set": out / DATA,
        "judgments": out / "judgments.csv",
        "ledger": out / "ledger.csv",
        "decisions": out / "decisions.json",
        "card": out / "README.md",
    }
    tested = bought_test_set(collection)
    if tested is not None:
        paths["test set"] = out / TEST_DATA
    store = collection.store
    judgments, ledger = _judgments(collection), store.ledger()
    decisions = [
        {"batch": own.number, "state": own.state, "decision": dict(own.decision)}
        for own in store.batches()
    ]
    card = _CARD.format(
        data=DATA.as_posix(),
        name=" ".join(collection.config.name.split()),
        items=len(table),
        currency=collection.config.budget.currency,
        split="" if tested is None else _SPLIT.format(data=TEST_DATA.as_posix()),
        tested="" if tested is None else _CARD_OF_TESTED.format(items=len(tested)),
    )
    check_outputs(paths.values())
    with written_together():
        with whole_file(paths["training set"], private=True) as unfinished:
            table.to_parquet(unfinished, index=False)
        if tested is not None:
            with whole_file(paths["test set"], private=True) as unfinished:
                tested.to_parquet(unfinished, index=False)
        write_judgments(judgments, paths["judgments"])
        with whole_file(paths["ledger"], private=True) as unfinished:
            ledger.map(guarded_cell).to_csv(unfinished, index=False)
        with whole_file(paths["decisions"], private=True) as unfinished:
            unfinished.write_text(json.dumps(decisions, indent=1), encoding="utf-8")
        with whole_file(paths["card"]) as unfinished:
            unfinished.write_text(card, encoding="utf-8")
    return paths
