import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.errors import InputError
from annotation.files import read_records
from annotation.items.extended_table import write_extended
from annotation.items.read import UserTable, read_user_table

ROWS: list[dict[str, Any]] = [
    {"id": "q7", "prompt": "What?", "options": ["x", "y"], "key": "y", "note": "", "level": 3},
    {"id": "q9", "prompt": "Who?", "options": ["x", "y"], "key": None, "note": "\u00e9"},
]
ROWS[1]["level"] = None
COLUMNS = {"item_id": "id", "question": "prompt", "choices": "options", "answer": "key"}


def pool(folder: Path, kind: str) -> UserTable:
    path = folder / f"pool{kind}"
    if kind == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    elif kind == ".csv":
        path.write_text(
            "id,prompt,options,key,note,level\nq7,What?,x|y,y,,3\nq9,Who?,x|y,,\u00e9,NA\n"
        )
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return read_user_table(path, COLUMNS)


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_the_users_columns_stay_as_they_are(tmp_path: Path, kind: str) -> None:
    table, out = pool(tmp_path, kind), tmp_path / f"out{kind}"
    write_extended(table, {"steps": [2.0, float("nan")], "stratum": ["easy", None]}, out)
    before, after = table.records, read_records(out)
    assert [{name: row[name] for name in before[0]} for row in after] == before
    assert list(after[0]) == [*before[0], "steps", "stratum"]
    unknown = "" if kind == ".csv" else None
    assert [row["stratum"] for row in after] == ["easy", unknown]
    assert [row["steps"] for row in after] == (["2.0", ""] if kind == ".csv" else [2.0, None])


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("other", [".jsonl", ".csv", ".parquet"])
def test_another_kind_of_file_reads_as_the_same_items(
    tmp_path: Path, kind: str, other: str
) -> None:
    table, out = pool(tmp_path, kind), tmp_path / f"out{other}"
    write_extended(table, {"steps": [2.0, 5.0]}, out)
    again = read_user_table(out, COLUMNS).items
    assert again.drop(columns="steps").equals(table.items)
    assert again["steps"].tolist() == [2, 5]


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_only_unknown_values_of_a_measure_are_filled_in(tmp_path: Path, kind: str) -> None:
    table, out = pool(tmp_path, kind), tmp_path / f"out{kind}"
    write_extended(table, {"level": [9.0, 4.5]}, out)
    assert [float(row["level"]) for row in read_records(out)] == [3, 4.5]


def test_types_of_parquet_columns_stay(tmp_path: Path) -> None:
    table = pa.table({"question": ["?", "!"], "when": pa.array([1, 2], type=pa.timestamp("ms"))})
    pq.write_table(table, tmp_path / "pool.parquet")
    user = read_user_table(tmp_path / "pool.parquet")
    write_extended(user, {"steps": [1.0, 2.0]}, tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").field("when").type == pa.timestamp("ms")


def test_a_column_of_the_user_is_not_written_over(tmp_path: Path) -> None:
    table = pool(tmp_path, ".jsonl")
    with pytest.raises(InputError, match=r"would be written over its own column 'note'"):
        write_extended(table, {"note": [1.0, 2.0]}, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.jsonl").exists()


def test_values_of_several_kinds_are_no_parquet_column(tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text('{"question": "?", "x": 1}\n{"question": "!", "x": "one"}\n')
    with pytest.raises(InputError, match=r"column 'x' has values of several kinds"):
        write_extended(read_user_table(path), {"steps": [1.0, 2.0]}, tmp_path / "out.parquet")
    assert not list(tmp_path.glob("*.parquet"))


def test_what_is_no_number_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text('question,rating,price,note\n?,3,"1,5",a\n!,high,2,7\n.,1,,b\n')
    table = read_user_table(path)
    found = {name: (why.row, why.value) for name, why in table.no_numbers.items()}
    assert found == {"rating": (2, "high"), "price": (1, "1,5"), "note": (1, "a")}
    shares = [table.no_numbers[name].numbers for name in ("rating", "price", "note")]
    assert shares == pytest.approx([2 / 3, 1 / 2, 1 / 3])
