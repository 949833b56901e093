"""Tables that spreadsheets, pandas and Label Studio made."""

from pathlib import Path

import pandas as pd
import pyarrow.csv as pa_csv
import pytest

from annotation.errors import InputError
from annotation.judgments.table import check_judgments
from annotation.judgments.table_files import check_judgment_file


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "identifier",
    ["5.70306E+17", '"5,70306E+17"', "6e+11", "1E+100", "570306133677760512.0"],
)
@pytest.mark.parametrize("row", ["{},x,no", "q,{},no"])
def test_identifiers_that_lost_digits_stop_the_file(
    tmp_path: Path, identifier: str, row: str
) -> None:
    rows = ["item_id,annotator,label", "a,x,no", "too,short", row.format(identifier)]
    with pytest.raises(InputError) as caught:
        check_judgment_file(written(tmp_path / "j.csv", "\n".join(rows)))
    column = "item_id" if row.endswith("x,no") else "annotator"
    assert f"j.csv: row 3, column '{column}': " in str(caught.value)
    assert identifier.strip('"') in str(caught.value)
    assert "store the column as text" in str(caught.value)


@pytest.mark.parametrize("identifier", ["1E+5", "12E+17", "5E17", "570306133677760512", "12.0"])
def test_other_identifiers_stay(tmp_path: Path, identifier: str) -> None:
    text = f"item_id,annotator,label\n{identifier},x,1.5E+17\n"
    found = check_judgment_file(written(tmp_path / "j.csv", text))
    assert found.judgments["item_id"].tolist() == [identifier]
    assert found.judgments["label"].tolist() == ["1.5E+17"]


def test_floats_beyond_whole_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"item_id": [2.0, 2.0**53 + 2], "annotator": "x", "label": "no"})
    table.to_parquet(tmp_path / "j.parquet")
    with pytest.raises(InputError, match=r"row 2, .*9007199254740994\.0 is a number"):
        check_judgment_file(tmp_path / "j.parquet")
    exact = table.assign(item_id=[2, 2**53 + 2])
    assert check_judgments(exact, "t").judgments["item_id"].tolist() == ["2", "9007199254740994"]


def test_blanks_around_the_names_of_columns(tmp_path: Path) -> None:
    text = "item_id, annotator, label ,\u200bseconds\nq,x,no,1.5\n"
    path = written(tmp_path / "j.csv", text)
    (judgment,) = check_judgment_file(path).judgments.to_dict("records")
    assert (judgment["annotator"], judgment["label"], judgment["seconds"]) == ("x", "no", 1.5)
    table = pd.DataFrame({"item_id": ["q"], " annotator": ["x"], "label ": ["no"]})
    table.to_parquet(tmp_path / "j.parquet")
    assert len(check_judgment_file(tmp_path / "j.parquet").judgments) == 1
    with pytest.raises(InputError, match="column 'label' occurs twice"):
        check_judgments(table.assign(label="yes"), "t")


@pytest.mark.parametrize("header", ["item_id,annotator,label, label", "item_id;label", "a"])
def test_a_wrong_header_is_refused_before_a_reader_is_at_work(
    tmp_path: Path, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A reader that is left while it reads ahead may abort the process.
    for name in ("open_csv", "read_csv"):
        monkeypatch.setattr(pa_csv, name, None)
    with pytest.raises(InputError, match=r"twice|separated|missing"):
        check_judgment_file(written(tmp_path / "j.csv", f"{header}\nq,x,no,1\n"))


@pytest.mark.parametrize(
    "header", ['item_id,annotator,"la""bel",label', '\n"item_id",annotator,"a\nb",label', "\r\n{}"]
)
def test_headers_with_quotes_and_lines(tmp_path: Path, header: str) -> None:
    text = header.replace("{}", "item_id,annotator,more,label") + "\nq,x,1,no\n"
    found = check_judgment_file(written(tmp_path / "j.csv", text))
    assert found.judgments["label"].tolist() == ["no"]


def test_label_studios_csv_is_refused_with_its_remedy(tmp_path: Path) -> None:
    text = "annotation_id,annotator,id,lead_time,mood,text\n1,a@x.org,1,9.5,good,words\n"
    with pytest.raises(InputError, match=r"Label Studio's export as CSV.*in the format JSON"):
        check_judgment_file(written(tmp_path / "export.csv", text))


@pytest.mark.parametrize("zone", [" UTC", "UTC", " GMT", "+00:00", ""])
def test_times_with_the_name_of_their_zone(zone: str) -> None:
    stamps = [f"2024-03-01 10:00:00{zone}", "2024-03-01T11:00:00+01:00", None]
    table = {"item_id": list("abc"), "annotator": "x", "label": "no", "created_at": stamps}
    found = check_judgments(pd.DataFrame(table), "t")
    assert not found.rejected
    right = pd.Timestamp("2024-03-01T10:00Z")
    assert found.judgments["created_at"].tolist() == [right, right, pd.NaT]


def test_a_time_of_words_and_a_zone_is_none() -> None:
    table = {"item_id": ["a"], "annotator": "x", "label": "no", "created_at": ["noon UTC"]}
    found = check_judgments(pd.DataFrame(table), "t")
    assert found.rejected[0].problem.endswith("got 'noon UTC'.")
