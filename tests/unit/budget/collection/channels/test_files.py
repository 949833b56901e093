"""A supplier who gets a file and sends one back."""

from pathlib import Path

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.read import load_partly_answered
from budget.collection.channels.files import FileChannel
from tests.unit.budget.collection.by_hand import right, write_tables


@pytest.fixture
def channel(tmp_path: Path) -> FileChannel:
    write_tables(tmp_path)
    items = load_partly_answered(path=str(tmp_path / "pool.jsonl"))
    return FileChannel("crowd", items, tmp_path / "crowd")


def lines(first: int, count: int, batch: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "batch": batch,
            "item_id": [f"item-{number:03d}" for number in range(first, first + count)],
            "stratum": "easy",
            "judgments": 2,
            "gold": ["odd", *[None] * (count - 1)],
        }
    )


def back(folder: Path, name: str, rows: list[tuple[str, str, str]]) -> None:
    (folder / "crowd" / "back").mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows, columns=["item_id", "annotator", "label"])
    table.to_csv(folder / "crowd" / "back" / name, index=False)


def test_every_batch_is_a_file_that_is_written_once(channel: FileChannel, tmp_path: Path) -> None:
    told = channel.send(lines(0, 8))
    assert str(tmp_path / "crowd" / "back") in told
    path = tmp_path / "crowd" / "out" / "batch-1.csv"
    table = pd.read_csv(path)
    assert set(table["item_id"]) == {f"item-{number:03d}" for number in range(8)}
    assert table["item_id"].tolist() != sorted(table["item_id"])
    assert set(table["choices"]) == {"odd | even"}
    assert "gold" not in table  # nobody learns which they are
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("somebody works in it")
    channel.send(pd.concat([lines(0, 8), lines(8, 4, batch=2)]))
    assert path.read_text() == "somebody works in it"
    assert len(pd.read_csv(path.with_name("batch-2.csv"))) == 4


def test_cells_are_kept_from_spreadsheets_and_come_back(tmp_path: Path) -> None:
    row = '{"item_id": "=1+1", "question": "@you?", "choices": ["-a", "b"], "answer": "b"}\n'
    (tmp_path / "one.jsonl").write_text(row, encoding="utf-8")
    items = load_partly_answered(path=str(tmp_path / "one.jsonl"))
    channel = FileChannel("crowd", items, tmp_path / "crowd")
    channel.send(pd.DataFrame([(1, "=1+1", "easy", 1, None)], columns=list(lines(0, 1))))
    out = tmp_path / "crowd" / "out" / "batch-1.csv"
    table = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert table.loc[0, "item_id"] == "'=1+1"
    assert table.loc[0, "question"] == "'@you?"
    table["annotator"], table["label"] = "ann", "-a"
    table.to_csv(tmp_path / "crowd" / "back" / "done.csv", index=False)
    fetched = channel.fetch().judgments
    assert fetched["item_id"].tolist() == ["=1+1"]
    assert fetched["label"].tolist() == ["-a"]


def test_nothing_came_back_yet(channel: FileChannel) -> None:
    channel.send(lines(0, 4))
    fetched = channel.fetch()
    assert len(fetched.judgments) == 0
    assert not fetched.whole  # what was there before is not gone


def test_a_judgment_is_known_by_item_and_person(channel: FileChannel, tmp_path: Path) -> None:
    channel.send(lines(0, 4))
    rows = [(f"item-00{n}", who, right(f"item-00{n}")) for n in range(3) for who in ("ann", "bob")]
    back(tmp_path, "a.csv", rows)
    first = channel.fetch()
    assert first.whole
    assert len(first.judgments) == 6
    back(tmp_path, "b.csv", [*reversed(rows), ("item-003", "ann", "odd")])
    second = channel.fetch()
    assert set(second.judgments["source_id"]) == {
        *first.judgments["source_id"],
        "file:crowd:item-003:ann",
    }


def test_what_cannot_be_read_is_noted(channel: FileChannel, tmp_path: Path) -> None:
    channel.send(lines(0, 4))
    back(tmp_path, "a.csv", [("item-000", "ann", "even"), ("item-001", "ann", "neither"),
                             ("item-777", "ann", "odd")])  # fmt: skip
    fetched = channel.fetch()
    assert fetched.judgments["item_id"].tolist() == ["item-000"]
    assert len(fetched.notes) == 2
    assert any("neither" in note for note in fetched.notes)


def test_where_nothing_can_be_read_one_line_says_why(channel: FileChannel, tmp_path: Path) -> None:
    channel.send(lines(0, 4))
    back(tmp_path, "a.csv", [("item-001", "ann", "neither")])
    with pytest.raises(InputError, match="no judgment is of an item and one of its choices"):
        channel.fetch()
    (tmp_path / "crowd" / "back" / "a.csv").write_text("question,answer\n1,2\n")
    with pytest.raises(InputError, match=r"a\.csv"):
        channel.fetch()


def test_a_task_file_that_comes_back_unanswered_says_nothing(
    channel: FileChannel, tmp_path: Path
) -> None:
    channel.send(lines(0, 4))
    out = tmp_path / "crowd" / "out" / "batch-1.csv"
    table = pd.read_csv(out)
    table["annotator"] = "ann"
    table["label"] = ["odd", None, None, None]
    table.to_csv(tmp_path / "crowd" / "back" / "part.csv", index=False)
    fetched = channel.fetch().judgments
    labelled = fetched[fetched["label"].notna()]
    assert len(labelled) == 1
    assert fetched["cancelled"].sum() == len(fetched) - 1


def test_rows_that_nobody_answered_are_counted_and_nothing_more(
    channel: FileChannel, tmp_path: Path
) -> None:
    channel.send(lines(0, 4))
    assert channel.fetch().remarks == (f"no file is in {tmp_path / 'crowd' / 'back'} yet",)
    table = pd.read_csv(tmp_path / "crowd" / "out" / "batch-1.csv", dtype=str)
    table.to_csv(tmp_path / "crowd" / "back" / "blank.csv", index=False)
    fetched = channel.fetch()
    assert (len(fetched.judgments), fetched.notes) == (0, ())
    assert fetched.remarks == ("rows without a label, not answered yet: 4",)
    table.loc[0, ["annotator", "label"]] = ["ann", right(table["item_id"][0])]
    table.loc[1, "label"] = right(table["item_id"][1])  # whose it is, nobody knows
    table.to_csv(tmp_path / "crowd" / "back" / "blank.csv", index=False)
    fetched = channel.fetch()
    assert len(fetched.judgments) == 1
    assert fetched.remarks == ("rows without a label, not answered yet: 2",)
    (note,) = fetched.notes
    assert note.endswith("row 2, column 'annotator': is empty.")


def test_items_that_are_asked_again_are_told(channel: FileChannel) -> None:
    first = lines(0, 8)
    assert "asked before" not in channel.send(first)
    told = channel.send(pd.concat([first, lines(6, 4, batch=2)]))
    assert told.endswith("; 2 items were asked before: give them to other people than then")


def test_a_person_who_answers_an_item_in_two_ways_is_a_question(
    channel: FileChannel, tmp_path: Path
) -> None:
    channel.send(lines(0, 4))
    back(tmp_path, "ann.csv", [("item-000", "ann", "odd"), ("item-001", "ann", "odd")])
    back(tmp_path, "ann (1).csv", [("item-001", "ann", "even"), ("item-000", "ann", "odd")])
    with pytest.raises(InputError) as told:
        channel.fetch()
    line = str(told.value)
    assert "ann.csv, row 2" in line
    assert "ann (1).csv, row 1: 'ann' answers item 'item-001' with 'even'" in line
    assert "more such" not in line
    assert "take the older answer away" in line
    (tmp_path / "crowd" / "back" / "ann.csv").unlink()
    labels = channel.fetch().judgments.set_index("item_id")["label"]
    assert labels.to_dict() == {"item-000": "odd", "item-001": "even"}


def timed(folder: Path, name: str, rows: list[tuple[str, str | None, float | None, str]]) -> None:
    (folder / "crowd" / "back").mkdir(parents=True, exist_ok=True)
    columns = ["item_id", "label", "seconds", "created_at"]
    table = pd.DataFrame(rows, columns=columns).assign(annotator="ann")
    table.to_csv(folder / "crowd" / "back" / name, index=False)


def test_of_two_answers_the_later_one_counts_where_times_tell_it(
    channel: FileChannel, tmp_path: Path
) -> None:
    channel.send(lines(0, 4))
    timed(tmp_path, "z.csv", [("item-000", "odd", 9, "2031-03-01T10:00:00Z")])
    timed(tmp_path, "a.csv", [("item-000", "even", 8, "2031-03-02T10:00:00Z")])
    (judgment,) = channel.fetch().judgments.to_dict("records")
    assert (judgment["label"], judgment["seconds"]) == ("even", 8)


def test_times_that_differ_are_a_question_and_one_that_is_known_counts(
    channel: FileChannel, tmp_path: Path
) -> None:
    channel.send(lines(0, 4))
    timed(tmp_path, "a.csv", [("item-000", "odd", 9, "")])
    timed(tmp_path, "b.csv", [("item-000", "odd", None, "")])
    assert channel.fetch().judgments["seconds"].tolist() == [9]
    timed(tmp_path, "c.csv", [("item-000", "odd", 60, "")])  # who is paid by the hour gets more
    with pytest.raises(
        InputError, match=r"'odd' in 9 s, and in .*c\.csv, row 1 with 'odd' in 60 s"
    ):
        channel.fetch()


def test_files_of_kinds_that_are_not_read_are_told(channel: FileChannel, tmp_path: Path) -> None:
    channel.send(lines(0, 4))
    folder = tmp_path / "crowd" / "back"
    (folder / "ann.xlsx").write_bytes(b"PK")
    (folder / ".DS_Store").write_bytes(b"")
    (folder / "~$ann.xlsx").write_bytes(b"")
    fetched = channel.fetch()
    assert not fetched.whole
    (remark,) = fetched.remarks
    assert remark.startswith("not read: 'ann.xlsx'; save it as CSV")
    back(tmp_path, "bob.csv", [("item-000", "bob", "odd")])
    fetched = channel.fetch()
    assert fetched.whole
    assert fetched.remarks == (remark,)
