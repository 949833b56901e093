"""A Label Studio in memory: what push and pull ask for, with failures on demand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from annotation.label_studio.labelling_config import labelling_config
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.project import ProjectSettings
from annotation.label_studio.records import (
    AnnotationRecord,
    OrganizationRecord,
    PredictionRecord,
    ProjectRecord,
    TaskRecord,
    UserRecord,
    WebhookRecord,
)
from annotation.label_studio.retries import OutcomeUnknownError, RetryPolicy
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState

PAGE = 3
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeConnection:
    url: str = "http://studio"
    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(sleep=lambda seconds: None))
    requests: int = 0

    def repeat(self, call: Callable[[], Any], doing: str) -> Any:
        return call()

    def limit_patience(self, seconds: float) -> None:
        self.policy = replace(self.policy, patience=seconds)


class FakeServer:
    """The methods of LabelStudioServer; its clock moves on by a second with every change.

    `imports` are done to the next imports of tasks or predictions, in order: "fine", "lost" (the
    request fails and nothing was done), "done" (it fails although everything was done), "half"
    (although half was done) or "later" (it is done only when the next but one is).
    """

    def __init__(self) -> None:
        self.connection = FakeConnection()
        self.now = START
        self.projects_: dict[int, ProjectRecord] = {}
        self.tasks: dict[int, TaskRecord] = {}
        self.predictions_: dict[int, PredictionRecord] = {}
        self.users_ = [UserRecord(id=n, email=f"user{n}@x.org") for n in (1, 2, 3)]
        self.organizations_ = [OrganizationRecord(id=1, created_at=START)]
        self.imports: list[str] = []
        self.overdue: list[Callable[[], None]] = []
        self.webhooks_: dict[int, tuple[int, str, dict[str, str], bool]] = {}
        self.project_of: dict[int, int] = {}  # task -> its project
        self.before_page: Callable[[int], None] = lambda after_id: None
        self.before_create: Callable[[], None] = lambda: None  # done by others at that moment
        self.after_create: Callable[[], None] = lambda: None
        self.calls: list[str] = []
        self.next_id = 1

    def as_server(self) -> LabelStudioServer:
        return cast(LabelStudioServer, self)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def new_id(self) -> int:
        self.next_id += 1
        return self.next_id

    # What LabelStudioServer has

    def projects(self, chosen: Callable[[ProjectRecord], bool]) -> list[ProjectRecord]:
        return [self.project(n) for n, p in sorted(self.projects_.items()) if chosen(p)]

    def project(self, project_id: int) -> ProjectRecord:
        tasks = [self.tasks[n] for n in self.tasks_of(project_id)]
        annotations = [a for task in tasks for a in task.annotations]
        skipped = sum(a.was_cancelled for a in annotations)
        counts = {
            "task_number": len(tasks),
            "total_annotations_number": len(annotations) - skipped,
            "skipped_annotations_number": skipped,
        }
        return self.projects_[project_id].model_copy(update=counts)

    def create_project(
        self,
        title: str,
        settings: Mapping[str, Any],
        is_ours: Callable[[ProjectRecord], bool] = lambda project: False,
    ) -> ProjectRecord:
        self.before_create()
        made = self.add_project(title, **settings)
        self.after_create()
        return made

    def delete_project(self, project_id: int) -> None:
        self.calls.append(f"delete project {project_id}")
        self.projects_.pop(project_id, None)
        for task in self.tasks_of(project_id):
            del self.tasks[task]

    def update_project(self, project_id: int, settings: Mapping[str, Any]) -> None:
        self.calls.append(f"update project: {', '.join(settings)}")
        self.projects_[project_id] = self.projects_[project_id].model_copy(update=dict(settings))

    def task_pages(
        self,
        project_id: int,
        *,
        annotations: bool,
        since: datetime | None = None,
        after_id: int = 0,
    ) -> Iterator[list[TaskRecord]]:
        while True:
            self.before_page(after_id)
            chosen = [
                task
                for number, task in sorted(self.tasks.items())
                if self.project_of[number] == project_id
                and number > after_id
                and (since is None or task.updated_at >= since)
            ][:PAGE]
            if not annotations:
                chosen = [self._counted(task) for task in chosen]
            if chosen:
                yield chosen
            if len(chosen) < PAGE:
                return
            after_id = chosen[-1].id

    def _counted(self, task: TaskRecord) -> TaskRecord:
        return task.model_copy(
            update={"annotations": [], "total_annotations": len(task.annotations)}
        )

    def last_change(self, project_id: int) -> datetime | None:
        changes = (self.tasks[number].updated_at for number in self.tasks_of(project_id))
        return max(changes, default=None)

    def import_tasks(self, project_id: int, data: Sequence[Mapping[str, Any]]) -> None:
        self.calls.append(f"import {len(data)}")

        def add(chosen: Sequence[Mapping[str, Any]]) -> None:
            for each in chosen:
                self.add_task(dict(each), project_id)

        self._import(data, add)

    def update_task(self, task_id: int, data: Mapping[str, Any]) -> None:
        self._change(task_id, data=dict(data))

    def set_overlap(self, task_id: int, people: int) -> None:
        self.calls.append(f"ask {people} about task {task_id}")
        self._change(task_id, overlap=people)

    def delete_task(self, task_id: int) -> None:
        self.calls.append(f"delete task {task_id}")
        self.tasks.pop(task_id, None)

    def predictions(self, project_id: int) -> list[PredictionRecord]:
        return list(self.predictions_.values())

    def import_predictions(self, project_id: int, predictions: Sequence[Mapping[str, Any]]) -> None:
        def add(chosen: Sequence[Mapping[str, Any]]) -> None:
            for each in chosen:
                made = PredictionRecord(
                    id=self.new_id(), task=each["task"], model_version=each["model_version"]
                )
                self.predictions_[made.id] = made

        self._import(predictions, add)

    def delete_prediction(self, prediction_id: int) -> None:
        del self.predictions_[prediction_id]

    def users(self) -> list[UserRecord]:
        self.calls.append("users")
        return self.users_

    def organizations(self) -> list[OrganizationRecord]:
        self.calls.append("organizations")
        return self.organizations_

    def set_webhook(
        self, project_id: int, url: str, headers: Mapping[str, str], *, with_payload: bool = False
    ) -> WebhookRecord:
        self.webhooks_[self.new_id()] = (project_id, url, dict(headers), with_payload)
        return WebhookRecord(id=self.next_id, url=url)

    def delete_webhook(self, webhook_id: int) -> None:
        del self.webhooks_[webhook_id]

    def delivery(
        self, task_id: int, number: int, action: str = "ANNOTATION_CREATED"
    ) -> dict[str, Any]:
        """What a webhook holds of an annotation, with some of what nobody reads."""
        task = self.tasks[task_id]
        annotation = next(one for one in task.annotations if one.id == number)
        project = self.project(self.project_of[task_id])
        plain = task.model_dump(mode="json", exclude={"annotations"})
        return {
            "action": action,
            "annotation": annotation.model_dump(mode="json") | {"task": task_id, "import_id": None},
            "project": project.model_dump(mode="json") | {"token": "ddzga6", "control_weights": {}},
            "task": plain | {"meta": {}, "inner_id": 1, "overlap": 2},
        }

    # What annotators and outages do

    def _import(self, data: Sequence[Any], add: Callable[[Sequence[Any]], None]) -> None:
        overdue, self.overdue = self.overdue, []
        what = self.imports.pop(0) if self.imports else "fine"
        if what in ("fine", "done"):
            add(data)
        elif what == "half":
            add(data[: len(data) // 2])
        elif what == "later":
            self.overdue.append(lambda: add(data))
        for late in overdue:
            late()
        if what != "fine":
            raise OutcomeUnknownError("status 502")

    def add_project(self, title: str, **settings: Any) -> ProjectRecord:
        made = ProjectRecord(id=self.new_id(), title=title, created_at=self.tick(), **settings)
        self.projects_[made.id] = made
        return made

    def tasks_of(self, project_id: int) -> list[int]:
        return [number for number in self.tasks if self.project_of[number] == project_id]

    def add_task(self, data: dict[str, Any], project_id: int | None = None) -> int:
        """A task of that project, or of the newest one."""
        made = TaskRecord(id=self.new_id(), data=data, updated_at=self.tick())
        self.tasks[made.id] = made
        self.project_of[made.id] = max(self.projects_) if project_id is None else project_id
        return made.id

    def annotate(self, task_id: int, choice: str | None, user: int = 1, **more: Any) -> int:
        number = self.new_id()
        self._put(task_id, number, choice, {"completed_by": user, **more})
        return number

    def edit(self, task_id: int, number: int, choice: str | None, **more: Any) -> None:
        self._put(task_id, number, choice, {"completed_by": 1, **more})

    def _put(self, task_id: int, number: int, choice: str | None, more: dict[str, Any]) -> None:
        part = {"from_name": "answer", "type": "choices", "value": {"choices": [choice]}}
        made = AnnotationRecord.model_validate(
            {
                "id": number,
                "result": [] if choice is None else [part],
                "was_cancelled": choice is None,
                "lead_time": 10.0,
                "created_at": START,
                "updated_at": self.now,
                **more,
            }
        )
        others = [a for a in self.tasks[task_id].annotations if a.id != number]
        self._change(task_id, annotations=[*others, made])

    def erase(self, task_id: int, number: int) -> None:
        left = [a for a in self.tasks[task_id].annotations if a.id != number]
        self._change(task_id, annotations=left)

    def _change(self, task_id: int, **changes: Any) -> None:
        update = {**changes, "updated_at": self.tick()}
        self.tasks[task_id] = self.tasks[task_id].model_copy(update=update)


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[PilotState]:
    with PilotState(tmp_path / "pilot.sqlite") as opened:
        yield opened


@pytest.fixture
def settings() -> ProjectSettings:
    return ProjectSettings("Pilot one", labelling_config("choices"), overlap=2)


@pytest.fixture
def make_pilot() -> Callable[[int], list[PilotTask]]:
    def make(size: int) -> list[PilotTask]:
        return [
            PilotTask(
                f"item-{n}", "easy", f"Question {n}?", ("yes", "no"), "yes" if n == 0 else None
            )
            for n in range(size)
        ]

    return make
