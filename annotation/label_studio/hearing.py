"""Read what Label Studio's webhooks deliver: judgments at once, without asking the server.

A delivery says what is new of one annotation. That is taken as it is where everything else about
it is known from a pull: the project, its labelling page, who the annotator is. All others say only
that a pull is due, which finds out what is true: deletions, people who were not met before, answers
that cannot be used, deliveries that cannot be read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from annotation.errors import InputError
from annotation.judgments.columns import is_text
from annotation.label_studio.answers import Judgment, read_judgment
from annotation.label_studio.labelling_config import AnswerControl, read_answer_control
from annotation.label_studio.pull import table_of_rows
from annotation.label_studio.records import AnnotationRecord, TaskRecord
from annotation.label_studio.state import PilotState, as_text

_YEARS: Final = range(1971, 2200)  # of moments that tables can hold
_SAID: Final = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED")


class _Project(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    label_config: str


class _Delivery(BaseModel):
    """What a webhook holds. The rest of it, such as the project's token, is not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    action: str
    project: _Project
    annotation: AnnotationRecord
    task: TaskRecord


@dataclass(frozen=True)
class KnownProject:
    """What a pull has found out about a project, as far as deliveries are read by it.

    Attributes
    ----------
    number : Label Studio's own
    project_key, server_key : see `annotation.label_studio.project`
    label_config : its labelling page
    control : whose answers are the labels
    users : number of everybody who annotated there -> name, None where it is not told
    gold : item -> right answer, of gold questions
    """

    number: int
    project_key: str
    server_key: str
    label_config: str
    control: AnswerControl
    users: Mapping[int, str | None]
    gold: Mapping[str, str]

    @classmethod
    def of(cls, state: PilotState) -> Self | None:
        """The project of a state; None where it has not been pulled yet."""
        about = {
            name: state.about(name)
            for name in ("project_id", "project_key", "server_key", "label_config", "control")
        }
        if None in about.values():
            return None
        told = {name: str(value) for name, value in about.items()}
        try:
            control = read_answer_control(told["label_config"], told["control"], state.has_pilot())
        except InputError:  # the next pull says it
            return None
        return cls(
            int(told["project_id"]),
            told["project_key"],
            told["server_key"],
            told["label_config"],
            control,
            state.met_users(),
            state.gold(),
        )


@dataclass(frozen=True)
class Heard:
    """What deliveries said.

    Attributes
    ----------
    judgments : number of a project -> its judgments, a judgment table; of each the newest form
    unclear : how many deliveries say only that a pull is due
    """

    judgments: Mapping[int, pd.DataFrame]
    unclear: int


def hear(bodies: Iterable[bytes], projects: Mapping[int, KnownProject]) -> Heard:
    """Read deliveries, in the order in which they came.

    Parameters
    ----------
    bodies
        Of webhooks that were sent with their payload.
    projects
        Number of a project -> what is known of it.
    """
    newest: dict[int, dict[int, tuple[Any, ...]]] = {number: {} for number in projects}
    unclear = 0
    for body in bodies:
        row = _row(body, projects)
        if row is None:
            unclear += 1
            continue
        number, values = row
        before = newest[number].get(values[0])
        if before is None or before[_UPDATED] <= values[_UPDATED]:
            newest[number][values[0]] = values
    tables = {
        number: table_of_rows(
            list(rows.values()),
            projects[number].project_key,
            projects[number].server_key,
            projects[number].gold,
        )
        for number, rows in newest.items()
        if rows
    }
    return Heard(tables, unclear)


_UPDATED: Final = 8  # its place in a row


def _row(body: bytes, projects: Mapping[int, KnownProject]) -> tuple[int, tuple[Any, ...]] | None:
    """The project and the row of a judgment, as `PilotState.annotation_rows` has it, or None."""
    try:
        told = _Delivery.model_validate_json(body)
    except ValidationError:
        return None
    known = projects.get(told.project.id)
    if known is None or told.action not in _SAID or told.project.label_config != known.label_config:
        return None
    judgment = read_judgment(told.annotation, told.task, known.control)
    if (
        judgment.problem is not None
        or judgment.annotator is None
        or judgment.annotator not in known.users
        or any(moment.year not in _YEARS for moment in (judgment.created_at, judgment.updated_at))
        or any("\0" in text for text in (judgment.label, told.task.item_id) if text is not None)
    ):
        return None
    return known.number, _values(judgment, told.task, known.users[judgment.annotator])


def _values(judgment: Judgment, task: TaskRecord, name: str | None) -> tuple[Any, ...]:
    stratum = task.data.get("stratum")
    return (
        judgment.annotation_id,
        task.item_id,
        stratum if is_text(stratum) else None,
        judgment.annotator,
        name,
        judgment.label,
        judgment.seconds,
        as_text(judgment.created_at),
        as_text(judgment.updated_at),
        int(judgment.cancelled),
        None,
    )
