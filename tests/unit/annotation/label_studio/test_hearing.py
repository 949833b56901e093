"""Deliveries as Label Studio 1.23 sends them, and others."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from annotation.label_studio.hearing import Heard, KnownProject, hear
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.project import ProjectSettings
from annotation.label_studio.pull import judgment_table, pull
from annotation.label_studio.push import push
from annotation.label_studio.state import PilotState
from tests.unit.annotation.label_studio.conftest import FakeServer

Pilot = Callable[[int], list[PilotTask]]


@pytest.fixture
def project(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Pilot
) -> KnownProject:
    """A project with three tasks; user 1 has answered the first of them."""
    push(fake.as_server(), state, make_pilot(3), settings)
    fake.annotate(min(fake.tasks), "no", 1)
    pull(fake.as_server(), state)
    known = KnownProject.of(state)
    assert known is not None
    return known


def heard(project: KnownProject, *deliveries: dict[str, Any]) -> Heard:
    return hear([json.dumps(each).encode() for each in deliveries], {project.number: project})


def test_what_is_heard_is_what_a_pull_finds(
    fake: FakeServer, state: PilotState, project: KnownProject
) -> None:
    first, second, _ = sorted(fake.tasks)
    told = [
        fake.delivery(second, fake.annotate(second, "yes", 1, lead_time=2.5)),
        fake.delivery(second, fake.annotate(second, None, 1)),
        fake.delivery(first, fake.annotate(first, "yes", 1)),
    ]
    found = heard(project, *told)
    assert found.unclear == 0
    pull(fake.as_server(), state)
    pulled = judgment_table(state)
    table = found.judgments[project.number]
    again = pulled[pulled["source_id"].isin(table["source_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, again)
    assert (len(table), table["cancelled"].sum(), table["gold"].notna().sum()) == (3, 1, 1)


def test_of_several_forms_the_newest_counts_whenever_it_comes(
    fake: FakeServer, project: KnownProject
) -> None:
    task = min(fake.tasks)
    number = fake.annotate(task, "yes")
    first = fake.delivery(task, number)
    fake.edit(task, number, "no")
    second = fake.delivery(task, number, "ANNOTATION_UPDATED")
    for told in ([first, second, second], [second, first], [second, first, first]):
        table = heard(project, *told).judgments[project.number]
        assert table["label"].tolist() == ["no"]


def changed(told: dict[str, Any], *path: str, value: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(told))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("action",), "ANNOTATIONS_DELETED"),
        (("action",), "TASKS_DELETED"),
        (("action",), "SOMETHING_NEW"),
        (("project", "id"), 999),  # of another project
        (("project", "label_config"), "<View/>"),  # the page has changed
        (("annotation", "completed_by"), 3),  # nobody has met her
        (("annotation", "completed_by"), None),
        (("annotation", "result"), []),
        (
            (
                "annotation",
                "result",
            ),
            [{"from_name": "answer", "value": {"choices": ["maybe"]}}],
        ),
        (("annotation", "updated_at"), "0001-01-01T00:00:00+05:00"),
        (("annotation", "created_at"), "9999-12-31T23:00:00-05:00"),
        (("annotation", "id"), "x"),
        (("task", "data"), {}),
        (("task", "data", "item_id"), "a\0b"),
        (("task", "data", "item_id"), "\ud800"),
        (("task",), None),
    ],
)
def test_what_is_not_clear_is_left_to_a_pull(
    path: tuple[str, ...], value: object, fake: FakeServer, project: KnownProject
) -> None:
    task = min(fake.tasks)
    told = fake.delivery(task, fake.annotate(task, "yes"))
    assert heard(project, told).unclear == 0
    assert heard(project, changed(told, *path, value=value)) == Heard({}, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"{" * 10_000,
        b"[" * 100_000,
        b"9" * 5_000,
        b'"\\ud800"',
    ],
)
def test_what_is_no_delivery_is_left_to_a_pull(body: bytes, project: KnownProject) -> None:
    assert hear([body], {project.number: project}) == Heard({}, 1)


def test_a_deletion_as_it_is_sent_is_left_to_a_pull(project: KnownProject) -> None:
    page = {"id": project.number, "label_config": project.label_config}
    told = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 1}], "project": page}
    assert heard(project, told) == Heard({}, 1)


def test_somebody_without_a_name_is_known_once_she_was_met(
    fake: FakeServer, state: PilotState, project: KnownProject
) -> None:
    task = min(fake.tasks)
    told = fake.delivery(task, fake.annotate(task, "yes", 77))
    assert heard(project, told).unclear == 1
    pull(fake.as_server(), state)
    known = KnownProject.of(state)
    assert known is not None
    table = heard(known, told).judgments[known.number]
    assert table["annotator"].tolist() == ["user-77"]


def test_a_project_that_was_never_pulled_is_not_known(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Pilot
) -> None:
    push(fake.as_server(), state, make_pilot(3), settings)
    assert KnownProject.of(state) is None
