"""Judgments from files of any form that is read."""

from collections.abc import Sequence
from pathlib import Path

from annotation.errors import InputError
from annotation.judgments.rejections import CheckedJudgments
from annotation.judgments.table import concatenated


def read_judgment_files(files: Sequence[Path], ground_truth_is_gold: bool) -> CheckedJudgments:
    """The judgments of several files; the suffix says the format.

    Raises InputError if there is none, or one cannot be read.
    """
    from annotation.judgments.label_studio_export import read_label_studio_export
    from annotation.judgments.table_files import check_judgment_file

    parts: list[CheckedJudgments] = []
    for path in files:
        if path.suffix.lower() == ".json":
            parts.append(read_label_studio_export(path, ground_truth_is_gold))
        elif path.suffix.lower() in (".csv", ".parquet"):
            parts.append(check_judgment_file(path))
        else:
            raise InputError(
                f"{path}: unknown kind of file '{path.suffix}'; give .json (Label Studio's "
                "export), .csv or .parquet."
            )
    return parts[0] if len(parts) == 1 else concatenated(parts)
