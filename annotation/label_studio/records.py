"""What we read of Label Studio's answers, checked at the edge."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from annotation.errors import InputError
from annotation.judgments.columns import is_text


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class AnnotationRecord(_Record):
    """One annotation; `completed_by` is the user's number, `lead_time` is in seconds."""

    id: int
    result: list[dict[str, Any]] = []
    completed_by: int | None = None
    was_cancelled: bool = False
    lead_time: float | None = None
    created_at: datetime
    updated_at: datetime

    @field_validator("completed_by", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return value.get("id") if isinstance(value, dict) else value

    @field_validator("result", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return [] if value is None else value


class PredictionRecord(_Record):
    """One pre-annotation."""

    id: int
    task: int
    model_version: str | None = None


class TaskRecord(_Record):
    """One task; `annotations` is empty where they were not asked for."""

    id: int
    data: dict[str, Any]
    updated_at: datetime
    annotations: list[AnnotationRecord] = []
    overlap: int | None = None  # how many people are asked; not told in every list
    total_annotations: int = 0
    cancelled_annotations: int = 0

    @field_validator("annotations", mode="before")
    @classmethod
    def _list(cls, value: object) -> object:
        return [] if value is None else value

    @property
    def item_id(self) -> str | None:
        """The item that the task asks about; None if labelmix did not send it."""
        value = self.data.get("item_id")
        return value if is_text(value) else None

    @property
    def is_touched(self) -> bool:
        """Whether anyone has answered or skipped it."""
        return bool(self.annotations) or self.total_annotations + self.cancelled_annotations > 0


class ProjectRecord(_Record):
    """One project; the numbers are of tasks and of annotations that are there now."""

    id: int
    title: str
    created_at: datetime
    description: str | None = None
    label_config: str | None = None
    maximum_annotations: int | None = None
    expert_instruction: str | None = None
    show_instruction: bool | None = None
    show_collab_predictions: bool | None = None
    model_version: str | None = None
    task_number: int | None = None
    total_annotations_number: int | None = None
    skipped_annotations_number: int | None = None

    @property
    def annotation_counts(self) -> tuple[int, int, int]:
        """Tasks, annotations and cancelled annotations; an unknown number is -1."""
        numbers = (
            self.task_number,
            self.total_annotations_number,
            self.skipped_annotations_number,
        )
        tasks, annotations, skipped = (-1 if number is None else number for number in numbers)
        return tasks, annotations, skipped


class UserRecord(_Record):
    """One account."""

    id: int
    email: str = ""


class OrganizationRecord(_Record):
    """An organisation of a server; the open edition has one."""

    id: int
    created_at: datetime | None = None


class WebhookRecord(_Record):
    """One webhook."""

    id: int
    url: str


Read = TypeVar("Read", bound=_Record)


def read_record(kind: type[Read], answer: BaseModel) -> Read:
    """What the server sent, as a record of our own.

    Raises InputError if it does not have that form.
    """
    try:
        return kind.model_validate(answer.model_dump())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        name = kind.__name__.removesuffix("Record").lower()
        raise InputError(
            f"Label Studio sent a {name} that cannot be read: {place}: {first['msg']}; is the "
            "address that of a Label Studio server?"
        ) from None
