"""A table's gold answers are the same from every kind of file, in any order, under any names.

Tables are drawn with their right answers, and written in the many ways in which tables are. What
is read is what was drawn, or a question to the user; with the question answered, always what was
drawn.
"""

import csv
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.errors import InputError
from annotation.items.answer_forms import AnswerReading
from annotation.items.read import load_tabular
from annotation.items.table import gold_texts

NUMBERS = st.integers(0, 5) | st.sampled_from([0.5, 1.5, 2.5])
WORDS = st.sampled_from(["iron", "gold", "tin and lead", "A", "b", "none of these", "(x)", "é"])


@dataclass(frozen=True)
class Drawn:
    """Items: their choices (texts, or numbers) and which one is right."""

    choices: list[list[Any]]
    gold: list[int]

    @property
    def golds(self) -> list[str]:
        return [str(own[k]) for own, k in zip(self.choices, self.gold, strict=True)]


@st.composite
def tables(draw: Any, content: st.SearchStrategy[Any] = NUMBERS | WORDS) -> Drawn:
    size = draw(st.integers(2, 4))
    lists = st.lists(content, min_size=size, max_size=size, unique_by=str)
    choices = draw(st.lists(lists, min_size=1, max_size=6))
    return Drawn(choices, [draw(st.integers(0, size - 1)) for _ in choices])


# How a right answer may be written: its reading, and the value for a choice and its place.
FORMS: dict[str, tuple[AnswerReading, Callable[[Any, int], object]]] = {
    "text": ("text", lambda choice, _: choice),
    "text of a number": ("text", lambda choice, _: str(choice)),
    "letter": ("letter", lambda _, k: "ABCD"[k]),
    "small letter": ("letter", lambda _, k: "abcd"[k]),
    "letter in brackets": ("letter", lambda _, k: f"({'ABCD'[k]})"),
    "letter and point": ("letter", lambda _, k: f"{'ABCD'[k]}."),
    "letter and text": ("letter", lambda choice, k: f"{'ABCD'[k]}) {choice}"),
    "counted from 0": ("index0", lambda _, k: k),
    "counted from 0, as text": ("index0", lambda _, k: str(k)),
    "counted from 1": ("index1", lambda _, k: k + 1),
    "counted from 1, with a fraction": ("index1", lambda _, k: float(k + 1)),
}


def write(path: Path, names: Sequence[str], table: Drawn, form: str) -> Path:
    """The table as a file, choices in one column each."""
    rows = []
    for name, own, gold in zip(names, table.choices, table.gold, strict=True):
        answer = FORMS[form][1](own[gold], gold)
        texts = {f"choice{k}": choice for k, choice in enumerate(own)}
        rows.append({"item_id": name, "question": f"{name}?", **texts, "answer": answer})
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        # A column has one type there: texts, where not all are numbers of one kind.
        columns = {}
        for column in rows[0]:
            values = [row[column] for row in rows]
            same = len({type(value) for value in values}) == 1
            columns[column] = values if same else [str(value) for value in values]
        pq.write_table(pa.table(columns), path)
    return path


def read(
    table: Drawn,
    form: str,
    suffix: str = ".jsonl",
    names: Sequence[str] | None = None,
    answers: AnswerReading | None = None,
) -> dict[str, str | None] | None:
    """item_id -> the gold answer; None where labelmix asks how answers are meant."""
    names = names or [f"q{k}" for k in range(len(table.choices))]
    columns = {"choices": ",".join(f"choice{k}" for k in range(len(table.choices[0])))}
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / f"t{suffix}", names, table, form)
        try:
            items = load_tabular(str(path), columns=columns, answers=answers)
        except InputError as error:
            if "say which: answers = " in str(error):
                return None
            raise
    return dict(zip(items["item_id"], gold_texts(items), strict=True))


def drawn(table: Drawn) -> dict[str, str | None]:
    return {f"q{k}": gold for k, gold in enumerate(table.golds)}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40, deadline=None)
@given(table=tables())
def test_every_kind_of_file_gives_the_same_answers(table: Drawn, form: str) -> None:
    found = [read(table, form, suffix) for suffix in (".jsonl", ".csv", ".parquet")]
    assert found[0] in (drawn(table), None)
    assert found[1] == found[0] and found[2] == found[0]
    for suffix in (".jsonl", ".csv", ".parquet"):
        assert read(table, form, suffix, answers=FORMS[form][0]) == drawn(table)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40, deadline=None)
@given(table=tables(), order=st.randoms(use_true_random=False))
def test_order_of_rows_and_choices_and_names_change_nothing(
    table: Drawn, form: str, order: Any
) -> None:
    rows = list(range(len(table.choices)))
    order.shuffle(rows)
    names = [f"item {order.randrange(10**6)}-{k}" for k in rows]
    choices, gold = [], []
    for row in rows:
        places = list(range(len(table.choices[row])))
        order.shuffle(places)
        choices.append([table.choices[row][k] for k in places])
        gold.append(places.index(table.gold[row]))
    moved = Drawn(choices, gold)
    expected = {name: table.golds[row] for name, row in zip(names, rows, strict=True)}
    assert read(moved, form, names=names) in (expected, None)
    assert read(moved, form, names=names, answers=FORMS[form][0]) == expected


LONG = st.text("xyz", min_size=2, max_size=6)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40, deadline=None)
@given(table=tables(LONG))
def test_nothing_is_asked_where_one_reading_fits(table: Drawn, form: str) -> None:
    size = len(table.choices[0])
    counts_unclearly = FORMS[form][0].startswith("index") and not {0, size - 1} <= set(table.gold)
    # A number is clear where the first and the last choice are right once each.
    if not counts_unclearly:
        assert read(table, form) == drawn(table)


@settings(max_examples=40, deadline=None)
@given(table=tables(LONG), keys=st.data())
def test_labels_of_the_table_settle_numbers(table: Drawn, keys: Any) -> None:
    # Letters in some rows and numbers in others, as published tables of exams have them.
    rows = []
    for k, (own, gold) in enumerate(zip(table.choices, table.gold, strict=True)):
        labels = keys.draw(st.sampled_from([list("ABCD"), list("1234")]))[: len(own)]
        objects = [{"label": a, "text": b} for a, b in zip(labels, own, strict=True)]
        rows.append(
            {"item_id": f"q{k}", "question": "?", "choices": objects, "answer": labels[gold]}
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        items = load_tabular(str(path))
    assert gold_texts(items) == table.golds
