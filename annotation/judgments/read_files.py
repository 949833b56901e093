"""Judgments from files of any form that is read."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from annotation.errors import InputError, short
from annotation.judgments.rejections import CheckedJudgments
from annotation.judgments.table import concatenated

PREFIX = "label-studio:"  # of a source_id that is made of Label Studio's numbers
USER_NUMBER = r"(?:user-)?\d+"  # an annotator whose address is not told


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
    export of Label Studio, or two files number judgments alike and
    it cannot be told whether they are the same.
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
    if different_servers:
        parts = [_apart(part, number) for number, part in enumerate(parts, start=1)]
    else:
        _check_numbers(files, parts)
    return concatenated(parts)


def _apart(part: CheckedJudgments, number: int) -> CheckedJudgments:
    """Users and judgments whose numbers say nothing beyond their file, named by it."""
    judgments = part.judgments
    is_number = judgments["annotator"].str.fullmatch(USER_NUMBER)
    named = judgments["annotator"].where(~is_number, judgments["annotator"] + f" (file {number})")
    source_ids = f"file-{number}:" + judgments["source_id"]
    return replace(part, judgments=judgments.assign(annotator=named, source_id=source_ids))


def _check_numbers(files: Sequence[Path], parts: Sequence[CheckedJudgments]) -> None:
    """Raise InputError if a number stands for two judgments that only a number tells whose."""
    columns = ["source_id", "annotator", "item_id", "created_at"]
    numbered = []
    for number, part in enumerate(parts):
        own = part.judgments[columns]
        by_number = own[own["annotator"].str.fullmatch(USER_NUMBER)]
        numbered.append(
            by_number[by_number["source_id"].str.startswith(PREFIX)].assign(file=number)
        )
    rows = pd.concat(numbered, ignore_index=True)
    twice = rows[rows.duplicated(["source_id", "annotator"], keep=False)]
    if twice.empty:
        return
    groups = twice.groupby(["source_id", "annotator"], sort=False)
    for name in ("item_id", "created_at"):
        apart = twice[(groups[name].transform("nunique") > 1).to_numpy()]
        if not apart.empty:
            one, other = (
                row
                for _, row in groups.get_group(
                    (apart["source_id"].iloc[0], apart["annotator"].iloc[0])
                )
                .drop_duplicates(name)
                .head(2)
                .iterrows()
            )
            raise InputError(
                f"{files[int(one['file'])]} and {files[int(other['file'])]}: both have a judgment "
                f"{one['source_id']} by user {one['annotator']}, with {name} {one[name]} and "
                f"{other[name]}; if they are from two Label Studios, give --different-servers, "
                "or export annotators with their e-mail addresses."
            )
