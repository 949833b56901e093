import gzip
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation.errors import InputError
from annotation.files import read_json, read_records


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_jsonl(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", '\ufeff{"a": 1}\n\n{"a": "é\u2028", "b": null}\n')
    assert read_records(path) == [{"a": 1}, {"a": "é\u2028", "b": None}]


def test_csv_values_are_texts(tmp_path: Path) -> None:
    path = write(tmp_path / "t.CSV", '\ufeffa,b\r\n007,"x, ""y""\nz"\r\n\r\nNA,\r\n')
    assert read_records(path) == [{"a": "007", "b": 'x, "y"\nz'}, {"a": "NA", "b": ""}]


@pytest.mark.parametrize("rows", [0, 262_142])  # there, a block ends within
def test_a_cell_that_no_spreadsheet_runs_is_read_without_its_apostrophe(
    tmp_path: Path, rows: int
) -> None:
    text = "\ufeffa,b\n" + "x,y\n" * rows + "xx,'=1\n"
    write(tmp_path / "t.csv.gz", gzip.compress(text.encode()))
    assert read_records(write(tmp_path / "t.csv", text))[-1] == {"a": "xx", "b": "=1"}
    assert read_records(tmp_path / "t.csv.gz")[-1] == {"a": "xx", "b": "=1"}


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, None], "b": [["x"], []]}), tmp_path / "t.parquet")
    assert read_records(tmp_path / "t.parquet") == [{"a": 1, "b": ["x"]}, {"a": None, "b": []}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.jsonl", '{"a": 1}\n\n{"a": \n', "t.jsonl: line 3 is not JSON: Expecting value"),
        ("t.jsonl", '{"a": 1}\n[1]\n', "t.jsonl: line 2 should be a JSON object"),
        ("t.jsonl", "[" * 100_000, "t.jsonl: line 1 cannot be read"),
        ("t.jsonl", b'{"a": "\xff"}\n', "t.jsonl: is not UTF-8 text (byte 7)"),
        ("t.csv", "a,b\n1,2\n1,2,3\n", "t.csv: line 3 has 3 values, the header has 2"),
        ("t.csv", 'a,b\n1,"2\n', "t.csv: line 2 is not CSV"),
        ("t.csv", "a,b,a\n", "t.csv: column 'a' occurs twice in the header"),
        ("t.parquet", "no parquet", "t.parquet: is not a Parquet file"),
        ("t.parquet", "", "t.parquet: is not a Parquet file"),
        ("t.xlsx", "", "t.xlsx: unknown kind of file '.xlsx'; give one of .jsonl, .csv, .parquet"),
        ("t", "", "unknown kind of file ''"),
        ("t.tsv", "", "t.tsv: tables with tabs are not read; open it in a spreadsheet and save it"),
    ],
)
def test_malformed_files(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_records(write(tmp_path / name, content))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_absent_and_unreadable_files(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(InputError, match=f"absent{suffix}: no such file"):
        read_records(tmp_path / f"absent{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(InputError, match=f"folder{suffix}: cannot be read: Is a directory"):
        read_records(tmp_path / f"folder{suffix}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", "{}")
    path.chmod(0)
    with pytest.raises(InputError, match=r"t\.jsonl: cannot be read: Permission denied"):
        read_records(path)


def test_json_document(tmp_path: Path) -> None:
    assert read_json(write(tmp_path / "t.json", '{"a": [1]}')) == {"a": [1]}
    with pytest.raises(InputError, match=r"t\.json: line 2 is not JSON"):
        read_json(write(tmp_path / "t.json", '{"a":\n}'))
    with pytest.raises(InputError, match=r"t\.json: cannot be read"):
        read_json(write(tmp_path / "t.json", "[" * 100_000))
    with pytest.raises(InputError, match=r"absent\.json: no such file"):
        read_json(tmp_path / "absent.json")


def test_a_table_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "t.csv", "a\n'=1\n")
    opened: list[Path] = []
    real = Path.open

    def counted(self: Path, *args: Any, **options: Any) -> Any:
        opened.append(self)
        return real(self, *args, **options)

    monkeypatch.setattr(Path, "open", counted)
    assert read_records(path) == [{"a": "=1"}]
    assert opened == [path]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_names_of_columns_lose_their_blanks_in_every_kind_of_file(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"t{suffix}"
    frame = pd.DataFrame({" question": ["?", "!"], "a\t": ["x", "y"], "b": ["1", "2"]})
    if suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    assert [list(row.values()) for row in read_records(path)] == [["?", "x", "1"], ["!", "y", "2"]]
    assert list(read_records(path)[0]) == ["question", "a", "b"]
