"""Whatever stands in a file, a source gives a valid table or one line that names file and row."""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from annotation.errors import InputError
from annotation.items.read import load_tabular, load_unanswered
from annotation.items.validate import validate_items
from annotation.sources.arc import load_arc
from annotation.sources.gsm8k import load_gsm8k
from annotation.sources.mmlu_stem import load_mmlu_stem
from annotation.sources.sst5 import load_sst5
from annotation.sources.strategyqa import load_strategyqa

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 7)
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["A", "B", "1", "x", "yes", "#### 3", "Grade 08", "Low", "I", "\ud800", "{"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
TEXTS = st.sampled_from(["What?", "How many?", "Why", " ", ""]) | st.text(max_size=8)
CHOICES = st.lists(TEXTS, max_size=5)
LETTERED = st.fixed_dictionaries({"text": CHOICES, "label": st.lists(st.sampled_from("ABCD1"))})


def records(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Rows that are mostly as they should be, with any value anywhere, or no rows at all."""
    usual = st.fixed_dictionaries(columns)
    odd = st.fixed_dictionaries({}, optional={n: s | VALUES for n, s in columns.items()})
    return st.lists(usual | usual | odd, max_size=5)


def write(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def loaded(load: Callable[[], pd.DataFrame], folder: Path, answers: bool = True) -> None:
    """The one allowed failure is an InputError of one line that names the place."""
    try:
        items = load()
    except InputError as error:
        message = str(error)
        assert message.startswith(str(folder)), message
        assert "\n" not in message
        message.encode()  # can be printed
        whole_file = r"no (rows|items|problems|questions|sentences|ARC)|is missing|none of its"
        whole_file += r"|should be a JSON object|'[^']*' should be|column name|every sentence"
        whole_file += r"|should be one of|is not UTF-8|is not a Parquet file|twice in the header"
        rest = message.removeprefix(str(folder))
        assert re.search(r"\brow \d+|line \d+", rest) or re.search(whole_file, rest), message
    else:
        again = validate_items(items, "again", require_answers=answers)
        pd.testing.assert_frame_equal(again, items)


COLUMNS_OF: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "gsm8k": {
        "question": TEXTS,
        "answer": TEXTS | st.just("One.\n#### 1,200") | st.just("Less.\n#### -5"),
    },
    "strategyqa": {
        "qid": TEXTS,
        "question": TEXTS,
        "answer": st.booleans(),
        "facts": st.lists(TEXTS, max_size=3),
        "decomposition": st.lists(TEXTS, max_size=3),
    },
    "sst5": {"text": TEXTS, "label": st.integers(0, 4)},
}
LOADERS = {"gsm8k": load_gsm8k, "strategyqa": load_strategyqa, "sst5": load_sst5}


@pytest.mark.parametrize("source", LOADERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_sources_of_splits(source: str, data: st.DataObject) -> None:
    splits = {split: data.draw(records(**COLUMNS_OF[source])) for split in ("train", "test")}
    with tempfile.TemporaryDirectory() as name:
        for split, rows in splits.items():
            write(Path(name) / f"{split}.jsonl", rows)
        loaded(lambda: LOADERS[source](name), Path(name))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=records(
        question=TEXTS, choices=CHOICES, answer=st.integers(0, 3), subject=st.just("physics")
    )
)
@example(rows=[{"question": "?", "choices": ["a", "a"], "answer": 0}])
@example(rows=[{"question": "?", "choices": [[1], {"a": 1}], "answer": 0}])
def test_mmlu_stem(rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name) / "college_physics" / "test.jsonl", rows)
        loaded(lambda: load_mmlu_stem(name), Path(name))


LEVELS = {
    "grade": st.sampled_from(["Grade 03", "Grade 08", "Biology", "08", ""]),
    "bloom": st.sampled_from(["Applying", "Creating"]),
    "depth_of_knowledge": st.sampled_from(["I", "II"]),
    "difficulty": st.sampled_from(["Low", "High"]),
}
KEYS = st.sampled_from(["ARCEZ_a", "ARCCH_b", "ARCEZ_", "x", ""])
ENTRY = st.fixed_dictionaries(LEVELS) | VALUES


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=records(
        id=st.sampled_from(["a", "b", ""]) | TEXTS,
        question=TEXTS,
        choices=LETTERED | CHOICES,
        answerKey=st.sampled_from(["A", "B", "1"]),
    ),
    annotations=st.dictionaries(KEYS, ENTRY, max_size=3) | VALUES,
)
def test_arc(rows: list[Any], annotations: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name) / "ARC-Easy" / "train.jsonl", rows)
        (Path(name) / "annotations.json").write_text(json.dumps(annotations))
        loaded(lambda: load_arc(name), Path(name))


TABLE = records(
    item_id=TEXTS | st.integers(0, 3),
    question=TEXTS,
    choices=CHOICES | st.just("x|y") | st.just('["x", "y"]') | LETTERED,
    answer=st.sampled_from(["A", "x", "0", 0, 1, None]),
    answer_text=st.none() | TEXTS,
    group=TEXTS,
    grade=st.none() | st.floats() | st.just("3") | st.just("n/a"),
)


@pytest.mark.parametrize("load", [load_tabular, load_unanswered])
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(rows=TABLE)
def test_tabular_of_jsonl(load: Callable[..., pd.DataFrame], rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "items.jsonl"
        write(path, rows)
        loaded(lambda: load(str(path)), path, answers=load is load_tabular)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(rows=TABLE, mapped=st.dictionaries(TEXTS, TEXTS, max_size=2))
def test_tabular_of_parquet(rows: list[Any], mapped: dict[str, str]) -> None:
    texts = [
        {name: None if value is None else _printable(str(value)) for name, value in row.items()}
        for row in rows
    ]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "items.parquet"
        pd.DataFrame(texts).to_parquet(path)
        loaded(lambda: load_tabular(str(path)), path)
        loaded(lambda: load_unanswered(str(path), columns=mapped), path, answers=False)


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@settings(max_examples=200)
@given(
    content=st.binary(max_size=80)
    | st.text(max_size=80).map(lambda text: text.encode(errors="surrogatepass"))
    | st.text("question,answer\n\"'{}[]:|xy01\t\r\0", max_size=80).map(str.encode)
)
def test_any_bytes(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"items{suffix}"
        path.write_bytes(content)
        loaded(lambda: load_unanswered(str(path)), path, answers=False)
        (Path(name) / "train.jsonl").write_bytes(content)
        for load in LOADERS.values():
            with pytest.raises(InputError, match="train"):
                load(name)
