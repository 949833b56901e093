"""Judgments from files of any form that is read."""

import csv
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from annotation.csv_headers import unknown_kind
from annotation.errors import InputError, short
from annotation.judgments.controls import check_one_control
from annotation.judgments.rejections import CheckedJudgments
from annotation.judgments.schema import REQUIRED, header_name, is_label_studio_table
from annotation.judgments.servers import files_apart, servers_apart, with_remedy
from annotation.judgments.table import concatenated
from annotation.packed_files import open_text

_LONGEST_HEADER = 1 << 20  # characters


def read_judgment_files(
    files: Sequence[Path],
    ground_truth_is_gold: bool,
    different_servers: bool = False,
    control: str | None = None,
) -> CheckedJudgments:
    """The judgments of several files; the suffix says the format.

    `different_servers`: the files are of different Label Studios, so that users and annotations of
    equal numbers are different ones. `control`: whose answers are the labels, in Label Studio's
    exports; several with commas between them, where one question has another name in every file.

    Raises InputError if there is none, one cannot be read, a control is named and no file is an
    export of Label Studio, exports answer different controls and none is named, or two files number
    judgments alike and it cannot be told whether they are the same.
    """
    from annotation.judgments.label_studio_export import read_label_studio_export
    from annotation.judgments.table_files import check_judgment_file

    are_exports = [_is_export(path, control) for path in files]
    if control is not None and not any(are_exports):
        raise InputError(
            f"{files[0]}: has no controls, as it is no export of Label Studio; leave the control "
            f"{short(control)} out."
        )
    parts = [
        read_label_studio_export(path, ground_truth_is_gold, control)
        if is_export
        else check_judgment_file(path)
        for path, is_export in zip(files, are_exports, strict=True)
    ]
    if len(parts) == 1:
        return parts[0]
    if control is None:
        check_one_control(files, [part.controls for part in parts])
    parts = files_apart(parts) if different_servers else servers_apart(files, parts)
    return with_remedy(concatenated(parts))


def _is_export(path: Path, control: str | None) -> bool:
    """Whether a file, by its name and header, is an export of Label Studio; else it is a table.

    Raises InputError if it is neither.
    """
    suffix = path.suffix.lower()
    # What Label Studio writes to a storage has a number for a name, with or without a suffix.
    if suffix in (".json", "") or path.is_dir():
        return True
    if suffix == ".csv":
        names = _header(path)
        is_table = control is None and all(name in names for name in REQUIRED)
        return is_label_studio_table(names) and not is_table
    if suffix == ".parquet":
        return False
    raise unknown_kind(path, ".json (Label Studio's export), .csv or .parquet")


def _header(path: Path) -> list[object]:
    """The names of the columns of a CSV file; none where it cannot be read, which is told later."""
    with suppress(OSError, ValueError, csv.Error), open_text(path, newline="") as file:
        line = next(csv.reader([file.readline(_LONGEST_HEADER)]), [])
        return [header_name(name) for name in line]
    return []
