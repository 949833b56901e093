"""What labelmix asks of Label Studio, each request with its way to survive an outage."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from annotation.label_studio.connection import Connection, RefusedError
from annotation.label_studio.records import (
    OrganizationRecord,
    PredictionRecord,
    ProjectRecord,
    TaskRecord,
    UserRecord,
    WebhookRecord,
    read_record,
)

if TYPE_CHECKING:
    from label_studio_sdk.core.pagination import SyncPager

PAGE = 500  # tasks in one answer
# What a list of projects has to tell; counting annotations takes the server long.
_LISTED = tuple(
    name
    for name in ProjectRecord.model_fields
    if name not in ("total_annotations_number", "skipped_annotations_number")
)
WEBHOOK_ACTIONS = (
    "ANNOTATION_CREATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_DELETED",
    "TASKS_DELETED",
)


class LabelStudioServer:
    """The requests that push, pull and watch are made of.

    All methods raise InputError with one line where the server refuses, and
    ServerUnavailableError where it does not answer for long.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._client = connection.client

    # Projects

    def projects(self, chosen: Callable[[ProjectRecord], bool]) -> list[ProjectRecord]:
        """All projects for which `chosen` holds, oldest first."""

        def read() -> list[ProjectRecord]:
            # The open edition does not filter by title; the pager asks for one page after another.
            listed: Iterable[BaseModel] = self._client.projects.list(
                page_size=100, include=",".join(_LISTED)
            )
            found = (read_record(ProjectRecord, project) for project in listed)
            return [project for project in found if chosen(project)]

        found = self.connection.repeat(read, "listing projects")
        return sorted(found, key=lambda project: project.id)

    def project(self, project_id: int) -> ProjectRecord:
        doing = f"reading project {project_id}"
        answer = self.connection.repeat(lambda: self._client.projects.get(project_id), doing)
        return read_record(ProjectRecord, answer)

    def create_project(
        self, title: str, settings: Mapping[str, Any], is_ours: Callable[[ProjectRecord], bool]
    ) -> ProjectRecord:
        """Create a project, or find the one that `is_ours` of a request that may have arrived."""

        def look() -> ProjectRecord | None:
            found = self.projects(is_ours)
            return found[0] if found else None

        def create() -> ProjectRecord:
            answer = self._client.projects.create(title=title, **settings)
            return read_record(ProjectRecord, answer)

        return self.connection.create(create, look, f"creating project {title!r}")

    def delete_project(self, project_id: int) -> None:
        """Delete a project; one that is gone already is fine."""
        self._delete(
            lambda: self._client.projects.delete(project_id), f"deleting project {project_id}"
        )

    def update_project(self, project_id: int, settings: Mapping[str, Any]) -> None:
        self.connection.repeat(
            lambda: self._client.projects.update(project_id, **settings),
            f"updating project {project_id}",
        )

    # Tasks

    def task_pages(
        self,
        project_id: int,
        *,
        annotations: bool,
        since: datetime | None = None,
        after_id: int = 0,
    ) -> Iterator[list[TaskRecord]]:
        """Tasks in the order of their ids, page by page.

        A page begins after the last id of the one before, so that tasks that come, go or change
        meanwhile cannot make it skip one.

        Parameters
        ----------
        project_id
            The project.
        annotations
            Whether tasks come with their annotations.
        since
            Only tasks that changed at this moment or later; annotating is a change.
        after_id
            Only tasks with larger ids.
        """
        changed = [] if since is None else [("updated_at", "greater_or_equal", "Datetime", since)]
        while True:
            filters = [*changed, ("id", "greater", "Number", after_id)]
            page = self._tasks(project_id, filters, "tasks:id", PAGE, annotations)
            if page:
                yield page
            if len(page) < PAGE:
                return
            after_id = page[-1].id

    def last_change(self, project_id: int) -> datetime | None:
        """When a task of the project changed last, by the server's clock; None without tasks."""
        newest = self._tasks(project_id, [], "-tasks:updated_at", 1, annotations=False)
        return newest[0].updated_at if newest else None

    def _tasks(
        self,
        project_id: int,
        filters: Sequence[tuple[str, str, str, Any]],
        order: str,
        size: int,
        annotations: bool,
    ) -> list[TaskRecord]:
        items = [
            {
                "filter": f"filter:tasks:{column}",
                "operator": operator,
                "type": kind,
                "value": _moment(value) if isinstance(value, datetime) else value,
            }
            for column, operator, kind, value in filters
        ]
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": [order]}

        def read() -> list[TaskRecord]:
            page: SyncPager[BaseModel, object] = self._client.tasks.list(
                project=project_id,
                page_size=size,
                fields="all" if annotations else "task_only",
                query=json.dumps(query),
                resolve_uri=False,  # data as they were sent
            )
            return [read_record(TaskRecord, task) for task in page.items or []]

        return self.connection.repeat(read, "listing tasks")

    def import_tasks(self, project_id: int, data: Sequence[Mapping[str, Any]]) -> None:
        """Send tasks once.

        Raises OutcomeUnknownError where they may have arrived although the request failed.
        """
        request = [{"data": dict(task)} for task in data]
        self.connection.attempt(
            lambda: self._client.projects.import_tasks(
                id=project_id,
                request=request,  # type: ignore[arg-type]  # a task is a plain dict
            ),
            f"sending {len(request)} tasks",
        )

    def update_task(self, task_id: int, data: Mapping[str, Any]) -> None:
        self.connection.repeat(
            lambda: self._client.tasks.update(str(task_id), data=dict(data)),
            f"updating task {task_id}",
        )

    def set_overlap(self, task_id: int, people: int) -> None:
        """Ask so many people about one task, more than before; others stay as they are.

        Label Studio finds out by itself when a task has all its answers, but not that it lacks some
        again.
        """
        self.connection.repeat(
            lambda: self._client.tasks.update(str(task_id), overlap=people, is_labeled=False),
            f"asking {people} people about task {task_id}",
        )

    def delete_task(self, task_id: int) -> None:
        """Delete a task; one that is gone already is fine."""
        self._delete(lambda: self._client.tasks.delete(str(task_id)), f"deleting task {task_id}")

    # Pre-annotations

    def predictions(self, project_id: int) -> list[PredictionRecord]:
        answer = self.connection.repeat(
            lambda: self._client.predictions.list(project=project_id), "listing predictions"
        )
        return [read_record(PredictionRecord, prediction) for prediction in answer]

    def import_predictions(self, project_id: int, predictions: Sequence[Mapping[str, Any]]) -> None:
        """Send pre-annotations once.

        Raises OutcomeUnknownError where they may have arrived although the request failed.
        """
        self.connection.attempt(
            lambda: self._client.projects.import_predictions(
                id=project_id,
                request=list(predictions),  # type: ignore[arg-type]  # plain dicts, as above
            ),
            f"sending {len(predictions)} predictions",
        )

    def delete_prediction(self, prediction_id: int) -> None:
        self._delete(
            lambda: self._client.predictions.delete(prediction_id),
            f"deleting prediction {prediction_id}",
        )

    # Accounts and webhooks

    def users(self) -> list[UserRecord]:
        answer = self.connection.repeat(self._client.users.list, "listing users")
        return [read_record(UserRecord, user) for user in answer]

    def organizations(self) -> list[OrganizationRecord]:
        answer = self.connection.repeat(self._client.organizations.list, "listing organisations")
        return [read_record(OrganizationRecord, organization) for organization in answer]

    def webhooks(self, project_id: int) -> list[WebhookRecord]:
        answer = self.connection.repeat(
            lambda: self._client.webhooks.list(project=str(project_id)), "listing webhooks"
        )
        return [read_record(WebhookRecord, webhook) for webhook in answer]

    def set_webhook(
        self, project_id: int, url: str, headers: Mapping[str, str], *, with_payload: bool = False
    ) -> WebhookRecord:
        """Have the server call `url` whenever an annotation of the project changes.

        A webhook with this address is set anew, so that starting again makes no second one.
        `with_payload`: it is sent with the annotation, its task and its project; else it tells
        only that something changed.
        """
        settings: dict[str, Any] = {
            "headers": dict(headers),
            "actions": list(WEBHOOK_ACTIONS),
            "send_payload": with_payload,
            "send_for_all_actions": False,
            "is_active": True,
        }

        def look() -> WebhookRecord | None:
            return next((hook for hook in self.webhooks(project_id) if hook.url == url), None)

        def create() -> WebhookRecord:
            answer = self._client.webhooks.create(url=url, project=project_id, **settings)
            return read_record(WebhookRecord, answer)

        there = look()
        if there is None:
            return self.connection.create(create, look, f"registering the webhook {url}")
        self.connection.repeat(
            lambda: self._client.webhooks.update(there.id, url=url, **settings),
            f"updating the webhook {url}",
        )
        return there

    def delete_webhook(self, webhook_id: int) -> None:
        self._delete(
            lambda: self._client.webhooks.delete(webhook_id), f"deleting webhook {webhook_id}"
        )

    def _delete(self, call: Callable[[], object], doing: str) -> None:
        try:
            self.connection.repeat(call, doing)
        except RefusedError as error:
            if error.status != 404:
                raise


def _moment(value: datetime) -> str:
    """A moment in the one form that the server's filters read."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
