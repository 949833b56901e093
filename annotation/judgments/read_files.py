"""Judgments from files of any form that is read."""

from collections.abc import Sequence
from pathlib import Path

from annotation.errors import InputError, short
from annotation.judgments.rejections import CheckedJudgments
from annotation.judgments.servers import files_apart, servers_apart
from annotation.judgments.table import concatenated


def read_judgment_files(
    files: Sequence[Path],
    ground_truth_is_gold: bool,
    different_servers: bool = False,
    control: str | None = None,
) -> CheckedJudgments:
    """The judgments of several files; the suffix says the format.

    `different_servers`: the files are of different Label Studios, so that users and annotations of
    equal numbers are different ones. `control`: whose answers are the labels, in Label Studio's
    exports.

    Raises InputError if there is none, one cannot be read, a control is named and no file is an
    export of Label Studio, or two files number judgments alike and it cannot be told whether they
    are the same.
    """
    from annotation.judgments.label_studio_export import read_label_studio_export
    from annotation.judgments.table_files import check_judgment_file

    if control is not None and all(path.suffix.lower() != ".json" for path in files):
        raise InputError(
            f"{files[0]}: has no controls, as it is no JSON export of Label Studio; leave the "
            f"control {short(control)} out."
        )
    parts: list[CheckedJudgments] = []
    for path in files:
        if path.suffix.lower() == ".json":
            parts.append(read_label_studio_export(path, ground_truth_is_gold, control))
        elif path.suffix.lower() in (".csv", ".parquet"):
            parts.append(check_judgment_file(path))
        else:
            raise InputError(
                f"{path}: unknown kind of file '{path.suffix}'; give .json (Label Studio's "
                "export), .csv or .parquet."
            )
    if len(parts) == 1:
        return parts[0]
    parts = files_apart(parts) if different_servers else servers_apart(files, parts)
    return concatenated(parts)
