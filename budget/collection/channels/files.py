"""A supplier who gets a file and sends one back: a spreadsheet, an agency, a script."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from annotation.errors import InputError, short
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.read_files import read_judgment_files
from annotation.judgments.rejections import NO_LABEL
from annotation.judgments.schema import row_of_file
from annotation.spreadsheet_cells import guarded_row
from annotation.whole_files import whole_file
from budget.collection.channels.base import Fetched

OUT, BACK = "out", "back"
_READ = (".csv", ".parquet", ".json")
_NO_ANSWERS = (".", "~$")  # what begins so is made by a computer, not by an annotator
_HEADER = ("item_id", "question", "choices", "judgments_wanted", "annotator", "label", "seconds")


class FileChannel:
    """Files of tasks in `out`, one a batch; files of judgments in `back`, in any form that is read.

    Parameters
    ----------
    supplier : its name
    items : the item table
    folder : the supplier's own
    instructions : what annotators read first, a file beside the tasks; None for none
    """

    def __init__(
        self, supplier: str, items: pd.DataFrame, folder: Path, instructions: str | None = None
    ) -> None:
        self._supplier, self._items, self._folder = supplier, items, folder
        self._instructions = instructions

    def send(self, lines: pd.DataFrame) -> str:
        place = {item: number for number, item in enumerate(self._items["item_id"])}
        for batch, own in lines.groupby("batch", sort=True):
            path = self._folder / OUT / f"batch-{batch}.csv"
            if path.is_file():
                continue
            with (
                whole_file(path, private=True) as unfinished,
                unfinished.open("w", encoding="utf-8-sig", newline="") as file,
            ):
                writer = csv.writer(file)
                writer.writerow(_HEADER)
                for row in own.sample(frac=1, random_state=int(str(batch))).itertuples():
                    item = self._items.iloc[place[str(row.item_id)]]
                    choices = " | ".join(item["choices"])
                    cells = [row.item_id, item["question"], choices, row.judgments, "", "", ""]
                    writer.writerow(guarded_row(cells))
        (self._folder / BACK).mkdir(parents=True, exist_ok=True)
        leaflet = self._folder / OUT / "instructions.txt"
        if self._instructions is not None and not leaflet.is_file():
            with whole_file(leaflet, private=True) as unfinished:
                unfinished.write_text(self._instructions, encoding="utf-8")
        last = lines["batch"] == lines["batch"].max()
        again = int(lines["item_id"][last].isin(lines["item_id"][~last]).sum())
        others = (
            f"; {again:,} items were asked before: give them to other people than then"
            if again
            else ""
        )
        return (
            f"tasks in {self._folder / OUT}; put what comes back into {self._folder / BACK} "
            f"(item_id, annotator, label, and seconds where they are known){others}"
        )

    def fetch(self) -> Fetched:
        folder = self._folder / BACK
        lying = sorted(path for path in folder.glob("*") if not path.name.startswith(_NO_ANSWERS))
        files = [path for path in lying if path.suffix.lower() in _READ and path.is_file()]
        unread = _unread([path.name for path in lying if path not in files])
        if not files:
            nothing = unread or (f"no file is in {folder} yet",)
            return Fetched(_nothing(), whole=False, remarks=nothing)
        reading = check_against_items(read_judgment_files(files, False), self._items)
        found = reading.judgments
        # Rows of the file that went out, which nobody has answered yet.
        wrong = [one for one in reading.rejected if one.problem != NO_LABEL]
        waiting = len(reading.rejected) - len(wrong)
        if found.empty and wrong:
            raise InputError(
                f"{folder}: no judgment is of an item and one of its choices: {wrong[0]}"
            )
        # One person judges an item once: a file that comes again, longer or in another order, has
        # the same judgments.
        found = _one_of_each(found)
        names = found["item_id"].astype(str) + ":" + found["annotator"].astype(str)
        found = found.assign(source_id=f"file:{self._supplier}:" + names)
        remarks = (f"rows without a label, not answered yet: {waiting:,}",) if waiting else ()
        return Fetched(found, True, tuple(str(one) for one in wrong), (*remarks, *unread))


def _unread(names: Sequence[str]) -> tuple[str, ...]:
    """A remark about files that lie among the answers, and are of no kind that is read."""
    if not names:
        return ()
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return (
        f"not read: {short(names[0])}{more}; save it as CSV (in a spreadsheet: 'CSV UTF-8 (comma "
        "delimited)')",
    )


def _one_of_each(judgments: pd.DataFrame) -> pd.DataFrame:
    """One judgment for each item and person: the latest, where their times tell which that is.

    Raises InputError if one person answered an item twice, not alike, and no time tells which
    answer counts: it may be a correction, or two people under one name.
    """
    same = ["item_id", "annotator"]
    if not judgments.duplicated(same).any():
        return judgments
    at = pd.to_datetime(judgments["updated_at"].fillna(judgments["created_at"]), utc=True)
    rows = judgments.assign(
        _at=at, _answered=judgments["label"].notna(), _timed=judgments["seconds"].notna()
    )
    by = ["_at", "_answered", "_timed"]  # an answer comes after a skip, if no time says otherwise
    rows = rows.sort_values(by, kind="stable", na_position="first")
    kept = rows.drop_duplicates(same, keep="last")
    pairs = rows[rows["_answered"]].merge(kept, on=same, suffixes=("", "_kept"))
    differs = (pairs["label"] != pairs["label_kept"]) | (
        pairs["_timed"] & (pairs["seconds"] != pairs["seconds_kept"])
    )
    doubtful = pairs[differs & ~(pairs["_at"] < pairs["_at_kept"])]
    if not doubtful.empty:
        one = doubtful.iloc[0]
        also = f" (and {len(doubtful) - 1:,} more such)" if len(doubtful) > 1 else ""
        raise InputError(
            f"{_place(one['source_id'])}: {short(one['annotator'])} answers item "
            f"{short(one['item_id'])} with {_said(one, '')}, and in "
            f"{_place(one['source_id_kept'])} with {_said(one, '_kept')}{also}; one person answers "
            "an item once. If it is a correction, take the older answer away; if these are two "
            "people, give each a name of their own."
        )
    return kept.sort_index().drop(columns=["_at", "_answered", "_timed"]).reset_index(drop=True)


def _place(source_id: str) -> str:
    """Where a judgment stands, for a message."""
    place = row_of_file(source_id)
    return f"judgment {source_id}" if place is None else f"{place[0]}, row {place[1]}"


def _said(judgment: pd.Series, which: str) -> str:
    """What a judgment says, and how long it took."""
    label, seconds = judgment[f"label{which}"], judgment[f"seconds{which}"]
    answer = short(label) if isinstance(label, str) else "no label"
    return f"{answer} in {seconds:g} s" if pd.notna(seconds) else answer


def _nothing() -> pd.DataFrame:
    from annotation.judgments.schema import COLUMNS

    return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
