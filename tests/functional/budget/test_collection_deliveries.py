"""Webhooks lost, doubled, late and out of order: after a pull the store is as it should be.

People answer, edit, skip and delete; of what is delivered of that, any part arrives in any order,
among pulls and bookings.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.judgments.annotation_ids import AnnotationId
from annotation.label_studio.hearing import KnownProject
from annotation.label_studio.labelling_config import labelling_config, read_answer_control
from budget.collection.arriving import take_in
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine
from budget.collection.price import Price
from budget.collection.store.store import CollectionStore

ITEMS, PEOPLE = 3, 3
PRICE = Decimal("0.05")
CONFIG = labelling_config("choices")
START = datetime(2026, 3, 1, tzinfo=UTC)
PROJECT = KnownProject(
    number=7,
    project_key="7-3fa09c41",
    server_key="9be2f00c",
    label_config=CONFIG,
    control=read_answer_control(CONFIG, "answer", True),
    users={who: f"person-{who}@x.org" for who in range(PEOPLE)},
    gold={},
)


@dataclass(frozen=True)
class Crowd:
    known: dict[int, KnownProject]

    def says_a_choice(self, table: pd.DataFrame) -> NDArray[np.bool_]:
        return np.ones(len(table), dtype=bool)


@dataclass
class Studio:
    """A Label Studio in which everybody has at most one annotation of an item at a time."""

    there: dict[int, dict[str, Any]] = field(default_factory=dict)
    next_id: int = 1
    now: datetime = START

    def act(self, what: str, item: int, who: int, label: str | None) -> bytes | None:
        """What is delivered of it; None where there is nothing to be done."""
        self.now += timedelta(seconds=1)
        own = (one for one in self.there.values() if (one["item"], one["who"]) == (item, who))
        before = next(own, None)
        if what == "delete" and before is not None:
            del self.there[before["id"]]
            return self._delivered("ANNOTATIONS_DELETED", annotations=[{"id": before["id"]}])
        if what == "answer" and before is None:
            made = {"id": self.next_id, "item": item, "who": who, "created": self.now}
            self.next_id += 1
            return self._put(made, label, "ANNOTATION_CREATED")
        if what == "edit" and before is not None:
            return self._put(before, label, "ANNOTATION_UPDATED")
        return None

    def _put(self, made: dict[str, Any], label: str | None, action: str) -> bytes:
        now = {**made, "label": label, "updated": self.now}
        self.there[now["id"]] = now
        part = {"from_name": "answer", "to_name": "question", "type": "choices"}
        result = [] if label is None else [{**part, "value": {"choices": [label]}}]
        annotation = {
            **{"id": now["id"], "result": result, "was_cancelled": label is None},
            **{"completed_by": now["who"], "lead_time": 5.0},
            "created_at": now["created"].isoformat(),
            "updated_at": now["updated"].isoformat(),
        }
        options = [{"value": text} for text in "AB"]
        data = {"item_id": f"i{now['item']}", "stratum": "easy", "options": options}
        task = {"id": now["item"] + 1, "data": data, "updated_at": self.now.isoformat()}
        return self._delivered(action, annotation=annotation, task=task)

    def _delivered(self, action: str, **more: object) -> bytes:
        project = {"id": PROJECT.number, "label_config": CONFIG}
        return json.dumps({"action": action, "project": project, **more}).encode()

    def table(self) -> pd.DataFrame:
        """All annotations, as a pull has them."""
        rows = list(self.there.values())
        moments = {name: [row[name] for row in rows] for name in ("created", "updated")}
        return pd.DataFrame(
            {
                "item_id": pd.Series([f"i{row['item']}" for row in rows], dtype=object),
                "annotator": pd.Series([PROJECT.users[row["who"]] for row in rows], dtype=object),
                "label": pd.Series([row["label"] for row in rows], dtype=object),
                "seconds": pd.Series([5.0] * len(rows), dtype="float64"),
                "created_at": pd.to_datetime(pd.Series(moments["created"], dtype=object), utc=True),
                "updated_at": pd.to_datetime(pd.Series(moments["updated"], dtype=object), utc=True),
                "source_id": pd.Series(
                    [
                        str(AnnotationId(row["id"], PROJECT.project_key, PROJECT.server_key))
                        for row in rows
                    ],
                    dtype=object,
                ),
                "cancelled": pd.Series([row["label"] is None for row in rows], dtype=bool),
                "stratum": pd.Series(["easy"] * len(rows), dtype=object),
            }
        )


_acts = st.tuples(
    st.sampled_from(["answer", "answer", "edit", "delete"]),
    st.integers(0, ITEMS - 1),
    st.integers(0, PEOPLE - 1),
    st.sampled_from(["A", "B", None]),
)
_steps = st.one_of(
    st.tuples(st.just("act"), st.lists(_acts, min_size=1, max_size=8)),
    # Of what is on its way: which of it arrive, in this order; some twice, the rest still may.
    st.tuples(st.just("arrive"), st.lists(st.integers(0, 30), min_size=1, max_size=12)),
    st.tuples(st.just("pull"), st.none()),
    st.tuples(st.just("book"), st.none()),
)


@settings(max_examples=25)
@given(st.lists(_steps, min_size=1, max_size=12))
def test_after_a_pull_the_store_is_what_the_server_is(steps: Sequence[tuple[str, Any]]) -> None:
    studio, sent = Studio(), list[bytes]()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "c.sqlite") as store:
        for kind, more in steps:
            match kind:
                case "act":
                    delivered = (studio.act(*each) for each in more)
                    sent += [body for body in delivered if body is not None]
                case "arrive":
                    bodies = [sent[place % len(sent)] for place in more] if sent else []
                    take_in(store, {"crowd": Crowd({PROJECT.number: PROJECT})}, bodies)
                    assert not store.judgments()["source_id"].duplicated().any()
                case "pull":
                    pulled(store, studio)
                case _:
                    store.book()
        pulled(store, studio)
        # What is still on its way adds nothing that was not true once, and takes nothing away.
        take_in(store, {"crowd": Crowd({PROJECT.number: PROJECT})}, sent)
        kept = {row["source_id"] for _, row in store.judgments(valid_only=False).iterrows()}
        assert kept >= set(studio.table()["source_id"])
        pulled(store, studio)


def opened(path: Path) -> CollectionStore:
    store = CollectionStore.create(path, MoneyUnit("EUR", 2), Decimal(10), "ann")
    lines = [
        OrderLine("crowd", f"i{item}", "easy", PEOPLE, None, Price(PRICE)) for item in range(ITEMS)
    ]
    batch = store.add_batch(lines, {}, "key")
    store.approve(batch, "ann")
    store.mark_ordered(batch)
    return store


def pulled(store: CollectionStore, studio: Studio) -> None:
    """Pull and book: what is valid is there once, in its last form, and paid once."""
    table = studio.table()
    store.receive("crowd", table, whole=True)
    store.book()
    labelled = table[table["label"].notna()].set_index("source_id").sort_index()
    found = store.judgments().set_index("source_id").sort_index()
    names = ["item_id", "annotator", "label", "updated_at"]
    assert found.index.tolist() == labelled.index.tolist()
    assert found[names].to_numpy().tolist() == labelled[names].to_numpy().tolist()
    assert store.balance().paid == PRICE * len(labelled)
    assert store.missing(1) == ITEMS * PEOPLE - len(labelled)
