"""Fetch judgments from Label Studio: only what changed, and nothing twice.

A pass reads the tasks that changed since the last one (annotating, editing and deleting an
annotation all change its task) and makes our picture of each that of the server. What has become
of tasks that are gone shows in the server's counts: where they are not ours, a whole pass follows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from annotation.errors import InputError, short
from annotation.judgments.annotation_ids import AnnotationId
from annotation.judgments.columns import is_text
from annotation.label_studio.answers import read_judgment
from annotation.label_studio.connection import RefusedError
from annotation.label_studio.labelling_config import AnswerControl, read_answer_control
from annotation.label_studio.progress import NoProgress, StageProgress
from annotation.label_studio.project import known_project, server_key
from annotation.label_studio.records import ProjectRecord, TaskRecord
from annotation.label_studio.retries import ServerUnavailableError
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState, as_text

# A change is stamped before it can be seen: others may be stamped earlier and seen later. Tasks
# that changed so long before the last pass are read again.
MARGIN = timedelta(minutes=2)


@dataclass(frozen=True)
class PullSummary:
    """What a pull found.

    `changed` annotations were new, edited or deleted since the last pull. `labels` and
    `cancelled` are what the judgment table holds now; `left_out` says, for each annotation that
    cannot be used, which it is and why.
    """

    project_id: int
    title: str
    changed: int
    labels: int
    cancelled: int
    annotators: int
    tasks: int
    left_out: tuple[str, ...]


def pull(
    server: LabelStudioServer,
    state: PilotState,
    progress: StageProgress | None = None,
    whole: bool = False,
    control: str | None = None,
) -> PullSummary:
    """Bring the state up to date with the server.

    A pull that was interrupted is gone on with; one that finds nothing new costs a few requests.

    Parameters
    ----------
    server
        Where to fetch from.
    state
        The pilot's state; it says which project.
    progress
        Told of tasks.
    whole
        Read all tasks, even if nothing seems to have changed.
    control
        The control whose answers are the labels, where the labelling page has several; the state
        keeps it for the next pulls.

    Raises
    ------
    InputError
        If the state belongs to no project of this server, or the server refuses; if the page has
        several controls and none is named, or another one than the last time and not `whole`.
    ServerUnavailableError
        If the server does not answer for long; pulling again goes on from there.
    """
    progress = progress or NoProgress()
    project = known_project(server, state)
    answer = _answer_control(state, project, control, whole)
    changed = 0
    read_by = {"label_config": project.label_config, "control": answer.name}
    if whole or any(state.about(key) != value for key, value in read_by.items()):
        # Answers are read by the labelling page; where that is another, all are read again.
        with state.transaction():
            _forget_pass(state)
            state.remember(watermark=None, **read_by)
    if state.about("pass_until") is not None:
        # The rest of a pass that was interrupted; what it had read may have changed since.
        changed += _pass(server, state, project, answer, progress)
    changed += _pass(server, state, project, answer, progress)
    if _counts_disagree(server, state, project):
        with state.transaction():
            state.remember(watermark=None)
        changed += _pass(server, state, project, answer, progress)
        _accept_counts(server, state, project)
    _name_server(server, state)
    _name_users(server, state)
    return _summary(state, project, changed)


def _answer_control(
    state: PilotState, project: ProjectRecord, named: str | None, whole: bool
) -> AnswerControl:
    """The control whose answers are the labels: as named, else the one of the last pull.

    Labels of two controls in one table would be answers to two questions, so another control than
    the last time is read only where all is read again.
    """
    known = state.about("control")
    is_ours = state.has_pilot()
    if known is None or whole:
        return read_answer_control(project.label_config, named or known, is_ours)
    if named in (None, known):
        return read_answer_control(project.label_config, known, is_ours)
    folder = state.path.parent
    raise InputError(
        f"{state.path}: holds answers of the control {short(known)}, not of {short(named)}; to "
        f"read all answers of {short(named)} instead: labelmix labelstudio pull {folder} --whole "
        f"--control {named}; for both, give {short(named)} a folder of its own by --title."
    )


def judgment_table(state: PilotState, anonymous: bool = False) -> pd.DataFrame:
    """The judgments of a state as a judgment table, see `annotation.judgments.table`.

    `source_id` is "label-studio:<server>:<project>:<annotation>", by keys and numbers which no move
    of the server to another host changes (`annotation.judgments.annotation_ids`). Annotators are
    named by their e-mail addresses, or as "user-<number>" where `anonymous` or unknown. Where tasks
    of one item tell different strata, as only foreign ones can, the first that was answered counts.
    Annotations that cannot be used are left out.
    """
    return table_of_rows(
        [row for row in state.annotation_rows() if row[10] is None],
        state.about("project_key"),
        state.about("server_key"),
        state.gold(),
        anonymous,
    )


def table_of_rows(
    rows: Sequence[tuple[Any, ...]],
    project: str | None,
    server: str | None,
    gold: Mapping[str, str],
    anonymous: bool = False,
) -> pd.DataFrame:
    """Rows as `PilotState.annotation_rows` gives them as a judgment table.

    `project` and `server` are their keys; `gold` has the right answers of items.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * 11
    ids, items, strata, users, names, labels, seconds, created, updated, cancelled, _ = columns
    stratum_of: dict[str, str] = {}
    for item, stratum in zip(items, strata, strict=True):
        if stratum is not None:
            stratum_of.setdefault(item, stratum)
    return pd.DataFrame(
        {
            "item_id": pd.Series(items, dtype=object),
            "annotator": pd.Series(
                [
                    f"user-{user}" if anonymous or not name else name
                    for user, name in zip(users, names, strict=True)
                ],
                dtype=object,
            ),
            "label": pd.Series(labels, dtype=object),
            "seconds": pd.Series(seconds, dtype="float64"),
            "created_at": _times(created),
            "source_id": pd.Series(
                [str(AnnotationId(number, project, server)) for number in ids], dtype=object
            ),
            "updated_at": _times(updated),
            "cancelled": pd.Series([bool(value) for value in cancelled], dtype=bool),
            "stratum": pd.Series([stratum_of.get(item) for item in items], dtype=object),
            "gold": pd.Series([gold.get(item) for item in items], dtype=object),
        }
    )


def _times(texts: tuple[str, ...]) -> pd.Series:
    return pd.Series(pd.to_datetime(list(texts), utc=True, format="ISO8601")).dt.as_unit("us")


def _pass(
    server: LabelStudioServer,
    state: PilotState,
    project: ProjectRecord,
    control: AnswerControl,
    progress: StageProgress,
) -> int:
    """Read what changed since the last pass, or go on with one that was interrupted.

    The next pass begins where the server stood when this one began, not where it ended: a task
    that changes after it was read is read again.
    """
    if state.about("pass_until") is None:
        last_change = server.last_change(project.id)
        watermark = state.about("watermark")
        with state.transaction():
            state.remember(
                pass_number=str(int(state.about("pass_number") or 0) + 1),
                pass_since=_before(watermark),
                pass_until=as_text(last_change) if last_change else "",
                pass_after_id="0",
            )
    number = int(state.about("pass_number") or 0)
    since = state.about("pass_since")
    progress.stage("reading tasks", project.task_number or 0)
    changed = 0
    for page in server.task_pages(
        project.id,
        annotations=True,
        since=datetime.fromisoformat(since) if since else None,
        after_id=int(state.about("pass_after_id") or 0),
    ):
        with state.transaction():
            for task in page:
                changed += _apply(state, task, number, control)
            state.remember(pass_after_id=str(page[-1].id))
        progress.advance(len(page))
    with state.transaction():
        if since is None:
            changed += state.forget_tasks_before(number)
        state.remember(watermark=state.about("pass_until") or None)
        _forget_pass(state)
    return changed


def _apply(state: PilotState, task: TaskRecord, number: int, control: AnswerControl) -> int:
    stratum = task.data.get("stratum")
    return state.apply_task(
        task.id,
        task.item_id,
        stratum if is_text(stratum) else None,
        task.updated_at,
        number,
        [read_judgment(annotation, task, control) for annotation in task.annotations],
    )


def _forget_pass(state: PilotState) -> None:
    state.remember(pass_since=None, pass_until=None, pass_after_id=None)


def _before(watermark: str | None) -> str | None:
    return as_text(datetime.fromisoformat(watermark) - MARGIN) if watermark else None


def _counts_disagree(server: LabelStudioServer, state: PilotState, project: ProjectRecord) -> bool:
    """Whether the server holds fewer or more than we do, and stands still meanwhile.

    While people annotate, its counts run ahead of ours; then the next pull will tell.
    """
    ours, before = state.annotation_counts(), project.annotation_counts
    if _difference(before, ours) == (state.about("counts_differ_by") or "0 0 0"):
        return False
    return server.project(project.id).annotation_counts == before


def _accept_counts(server: LabelStudioServer, state: PilotState, project: ProjectRecord) -> None:
    """After a whole pass, what still differs is counted otherwise, not missing."""
    now = server.project(project.id).annotation_counts
    with state.transaction():
        state.remember(counts_differ_by=_difference(now, state.annotation_counts()))


def _difference(theirs: tuple[int, int, int], ours: tuple[int, int, int]) -> str:
    known = [(t, o) if t >= 0 else (0, 0) for t, o in zip(theirs, ours, strict=True)]
    return " ".join(str(t - o) for t, o in known)


def _name_server(server: LabelStudioServer, state: PilotState) -> None:
    """Learn which Label Studio it is, once: all of them number projects and people from 1."""
    if state.about("server_key") is None:
        key = server_key(server) or ""  # not told; asked once, as identifiers should stay
        with state.transaction():
            state.remember(server_key=key)


def _name_users(server: LabelStudioServer, state: PilotState) -> None:
    """Learn the names of annotators we have not met; without them they stay numbers."""
    unknown = state.unknown_users()
    if not unknown:
        return
    try:
        names: Mapping[int, str] = {user.id: user.email for user in server.users() if user.email}
    except ServerUnavailableError:
        raise
    except RefusedError:  # the token's owner may not list accounts
        return
    with state.transaction():
        state.remember_users({user: name for user, name in names.items() if user in unknown})


def _summary(state: PilotState, project: ProjectRecord, changed: int) -> PullSummary:
    rows = state.annotation_rows()
    used = [row for row in rows if row[10] is None]
    return PullSummary(
        project_id=project.id,
        title=project.title,
        changed=changed,
        labels=sum(not row[9] for row in used),
        cancelled=sum(bool(row[9]) for row in used),
        annotators=len({row[3] for row in used}),
        tasks=state.annotation_counts()[0],
        left_out=tuple(
            f"{AnnotationId(number, str(project.id))} (item {item!r}): {problem}"
            for number, item, *_, problem in rows
            if problem is not None
        ),
    )
