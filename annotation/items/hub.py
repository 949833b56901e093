"""Records of a hub data set, by its id or from a local folder in the hub's layout."""

import logging
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from annotation.errors import InputError, cut_in_the_middle, short
from annotation.files import TableRow, read_records

# The hub's name of a split -> names of its files.
SPLIT_FILES: dict[str, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("validation", "dev"),
    "test": ("test",),
}


# An id of the hub: a name, or owner and name, as huggingface_hub checks them.
_HUB_ID = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,95}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True)
class SplitRow:
    """A record and where it stands; `number` counts the rows of its split from 1."""

    split: str
    number: int
    record: TableRow

    @property
    def name(self) -> str:
        """What messages call it: "train row 3"."""
        return f"{self.split} row {self.number}"


def split_rows(
    splits: Mapping[str, Sequence[TableRow]], order: Sequence[str]
) -> Iterator[SplitRow]:
    """The rows of the splits of `order` that are there, split after split."""
    for split in order:
        for number, record in enumerate(splits.get(split, ()), start=1):
            yield SplitRow(split, number, record)


def hub_splits(
    hub_id: str,
    config: str | None = None,
    split: str | None = None,
    instead: str = "a local copy of its files by --data-dir",
) -> dict[str, list[TableRow]]:
    """Load the splits of a hub data set: split -> rows, in the hub's order.

    Remote code is never run. `split` may be any expression of the `datasets` library
    ("train", "train+test", "train[:100]"); None loads all splits. `instead` says in a message what
    to use where the hub cannot be reached.

    Raises InputError, in one line, if the hub cannot be reached or has no such data.
    """
    check_hub_id(hub_id, instead)
    import datasets

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of every attempt
    try:
        loaded = datasets.load_dataset(hub_id, config, split=split)
        if isinstance(loaded, datasets.Dataset):
            return {split or "all": list(loaded.to_list())}
        return {name: list(part.to_list()) for name, part in loaded.items()}
    except MemoryError:
        raise
    except Exception as error:  # a data set's own files end in any exception there is
        reason = cut_in_the_middle(str(error).strip().partition("\n")[0].rstrip("."), 300)
        raise InputError(
            f"hub data set '{hub_id}'{f' ({config})' if config else ''} cannot be loaded: "
            f"{reason or type(error).__name__}; check its name and the network, or use {instead}."
        ) from None


def check_hub_id(hub_id: str, instead: str) -> None:
    """`datasets` takes what it is given for a folder, a file or a format, before it asks the hub.

    Raises InputError if `hub_id` is no id of the hub, or would be taken for something else.
    """
    remedy = f"give an id such as 'owner/name', or use {instead}"
    if not _HUB_ID.fullmatch(hub_id) or ".." in hub_id or "--" in hub_id:
        raise InputError(f"hub data set {short(hub_id)}: is no id of the hub; {remedy}.")
    from datasets import packaged_modules

    formats = {module.name for module in pkgutil.iter_modules(packaged_modules.__path__)}
    if hub_id.lower() in formats:
        raise InputError(
            f"hub data set '{hub_id}': is the name of a format, which would read local files; "
            f"{remedy}."
        )
    if Path(hub_id).exists():
        raise InputError(
            f"hub data set '{hub_id}': a folder or file of that name stands here and would be read "
            f"instead; start labelmix in another folder, or use {instead}."
        )


def folder_splits(
    folder: Path, split_files: Mapping[str, Sequence[str]] = SPLIT_FILES
) -> dict[str, list[TableRow]]:
    """Read the splits that a local folder holds: split -> rows, in the order of the files.

    A split is `train.jsonl`, `validation.jsonl` (or `dev.jsonl`), `test.jsonl`, or Parquet files
    `train*.parquet` and so on. Absent splits are skipped. `split_files` has
    other names of files; of several for a split the first that is there counts.

    Raises InputError if the folder is absent or a file is unreadable.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder.")
    splits: dict[str, list[TableRow]] = {}
    for split, stems in split_files.items():
        for stem in stems:
            jsonl = folder / f"{stem}.jsonl"
            files = [jsonl] if jsonl.exists() else sorted(folder.glob(f"{stem}*.parquet"))
            if files:
                splits[split] = [record for file in files for record in read_records(file)]
                break
    return splits
