"""A supplier who gets a file and sends one back: a spreadsheet, an agency, a script."""

import csv
from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.judgments.item_checks import check_against_items
from annotation.judgments.read_files import read_judgment_files
from annotation.judgments.rejections import NO_LABEL
from annotation.spreadsheet_cells import guarded_row
from annotation.whole_files import whole_file
from budget.collection.channels.base import Fetched

OUT, BACK = "out", "back"
_READ = (".csv", ".parquet", ".json")
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
        files = sorted(path for path in folder.glob("*") if path.suffix.lower() in _READ)
        if not files:
            return Fetched(_nothing(), whole=False, remarks=(f"no file is in {folder} yet",))
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
        names = found["item_id"].astype(str) + ":" + found["annotator"].astype(str)
        found = found.assign(source_id=f"file:{self._supplier}:" + names)
        found = found.drop_duplicates("source_id", keep="last").reset_index(drop=True)
        remarks = (f"rows without a label, not answered yet: {waiting:,}",) if waiting else ()
        return Fetched(found, True, tuple(str(one) for one in wrong), remarks)


def _nothing() -> pd.DataFrame:
    from annotation.judgments.schema import COLUMNS

    return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
