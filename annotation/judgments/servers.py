"""Judgments of several files: which Label Studio each is of, and whom a user's number names."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from annotation.errors import InputError
from annotation.judgments.annotation_ids import PATTERN, PREFIX, USER_NUMBER
from annotation.judgments.rejections import CheckedJudgments, Rejection
from annotation.judgments.table import TOGETHER

_DIFFERENT_SERVERS = (
    "from two Label Studios, give --different-servers (in a configuration: different_servers = "
    "true under [annotators])"
)
_SAME = ["short", "item_id", "created_at"]  # of one annotation, in any of its forms


def files_apart(parts: Sequence[CheckedJudgments]) -> list[CheckedJudgments]:
    """Users and judgments whose numbers say nothing beyond their file, named by it."""
    return [_apart(part, number) for number, part in enumerate(parts, start=1)]


def servers_apart(
    files: Sequence[Path], parts: Sequence[CheckedJudgments]
) -> list[CheckedJudgments]:
    """The parts, a user's number naming one person of one Label Studio.

    Tables that were fetched tell their server. Where there are several, users who are told by a
    number alone are named by it and their server. An annotation that is in an export too, which
    does not tell the server, is one judgment. Of what tells no server, all is taken to be of one.

    Raises InputError if a number stands for two judgments that only a number tells whose.
    """
    tables = [part.judgments for part in parts]
    rows = pd.concat(
        [own[["source_id", "annotator", "item_id", "created_at"]] for own in tables],
        ignore_index=True,
    ).assign(file=[number for number, own in enumerate(tables) for _ in range(len(own))])
    is_ours = rows["source_id"].str.startswith(PREFIX)
    if not is_ours.any():
        return list(parts)
    told = rows.loc[is_ours, "source_id"].str.extract(PATTERN)
    project = (told["project"] + ":").fillna("")
    rows = rows.assign(short=PREFIX + project + told["annotation"])
    is_keyed = told["created"].notna().reindex(rows.index, fill_value=False)
    rows = _one_id_each(rows, is_ours, is_keyed)
    server = rows["source_id"].str.extract(PATTERN)["server"]
    is_number = rows["annotator"].str.fullmatch(USER_NUMBER)
    if server[is_number].nunique() > 1:
        named = rows["annotator"] + " (server " + server + ")"
        rows["annotator"] = rows["annotator"].where(~is_number | server.isna(), named)
    _check_numbers(files, rows[is_ours & is_number])
    return [
        replace(
            part,
            judgments=part.judgments.assign(
                **{
                    name: pd.Series(own[name].to_numpy(dtype=object), dtype=object)
                    for name in ("source_id", "annotator")
                }
            ),
        )
        for part, (_, own) in zip(parts, _by_file(rows, len(parts)), strict=True)
    ]


def with_remedy(together: CheckedJudgments) -> CheckedJudgments:
    """What was found of several files together, naming once what to do about two servers.

    It is behind the first row left out, and the first note, that has another item or label under
    the number of a Label Studio's judgment.
    """
    return replace(
        together, rejected=_first_told(together.rejected), notes=_first_told(together.notes)
    )


def _first_told(found: tuple[Rejection, ...]) -> tuple[Rejection, ...]:
    for place, each in enumerate(found):
        is_number = each.column == "source_id" and PREFIX in each.value
        if each.where == TOGETHER and is_number:
            told = f"{each.problem.removesuffix('.')}; if the files are {_DIFFERENT_SERVERS}."
            return (*found[:place], replace(each, problem=told), *found[place + 1 :])
    return found


def _by_file(rows: pd.DataFrame, files: int) -> list[tuple[int, pd.DataFrame]]:
    return [(number, rows[rows["file"] == number]) for number in range(files)]


def _one_id_each(rows: pd.DataFrame, is_ours: pd.Series, is_keyed: pd.Series) -> pd.DataFrame:
    """The rows, those of an export under the source_id that a fetched table has for them."""
    bare = rows[is_ours & ~is_keyed]
    keyed = rows[is_keyed].drop_duplicates([*_SAME, "source_id"])
    keyed = keyed.drop_duplicates(_SAME, keep=False)  # two that fit are no answer
    if bare.empty or keyed.empty:
        return rows
    found = bare.reset_index().merge(keyed[[*_SAME, "source_id"]], on=_SAME, suffixes=("", "_new"))
    if found.empty:
        return rows
    changed = rows["source_id"].copy()
    changed[found["index"]] = found["source_id_new"].to_numpy(dtype=object)
    return rows.assign(source_id=changed)


def _apart(part: CheckedJudgments, number: int) -> CheckedJudgments:
    judgments = part.judgments
    is_number = judgments["annotator"].str.fullmatch(USER_NUMBER)
    named = judgments["annotator"].where(~is_number, judgments["annotator"] + f" (file {number})")
    source_ids = f"file-{number}:" + judgments["source_id"]
    return replace(part, judgments=judgments.assign(annotator=named, source_id=source_ids))


def _check_numbers(files: Sequence[Path], rows: pd.DataFrame) -> None:
    twice = rows[rows.duplicated(["short", "annotator"], keep=False)]
    if twice.empty:
        return
    groups = twice.groupby(["short", "annotator"], sort=False)
    for name in ("item_id", "created_at"):
        apart = twice[(groups[name].transform("nunique") > 1).to_numpy()]
        if not apart.empty:
            one, other = (
                row
                for _, row in groups.get_group((apart["short"].iloc[0], apart["annotator"].iloc[0]))
                .drop_duplicates(name)
                .head(2)
                .iterrows()
            )
            raise InputError(
                f"{files[int(one['file'])]} and {files[int(other['file'])]}: both have a judgment "
                f"{one['short']} by user {one['annotator']}, with {name} {one[name]} and "
                f"{other[name]}; if they are {_DIFFERENT_SERVERS}, or export "
                "annotators with their e-mail addresses."
            )
