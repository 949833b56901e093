"""How a pilot's project should be, and the project that a pilot's state knows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from annotation.errors import InputError
from annotation.judgments.columns import is_text
from annotation.label_studio.connection import RefusedError
from annotation.label_studio.labelling_config import same_config
from annotation.label_studio.records import ProjectRecord
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState, as_text

_SHORTEST_TITLE, _LONGEST_TITLE = 3, 50  # characters that Label Studio takes


@dataclass(frozen=True)
class ProjectSettings:
    """How a project should be; `overlap` is the number of annotators asked per task."""

    title: str
    label_config: str
    overlap: int = 1
    instructions: str | None = None  # None leaves what is there

    def __post_init__(self) -> None:
        if not _SHORTEST_TITLE <= len(self.title.strip()) <= _LONGEST_TITLE:
            raise InputError(
                f"the project's title should have {_SHORTEST_TITLE} to {_LONGEST_TITLE} "
                f"characters; got {self.title!r}."
            )
        if not is_text(self.title):
            raise InputError(f"the project's title has a broken character; got {self.title!r}.")
        if self.overlap < 1:
            raise InputError(f"the overlap should be at least 1; got {self.overlap}.")

    def wanted(self) -> dict[str, Any]:
        """The settings as Label Studio names them."""
        wanted: dict[str, Any] = {
            "label_config": self.label_config,
            "maximum_annotations": self.overlap,
        }
        if self.instructions is not None:
            wanted |= {"expert_instruction": self.instructions, "show_instruction": True}
        return wanted

    def changes(self, project: ProjectRecord) -> dict[str, Any]:
        """What of `project` has to change."""
        wanted = self.wanted()
        if same_config(project.label_config, self.label_config):
            del wanted["label_config"]
        return {name: value for name, value in wanted.items() if getattr(project, name) != value}


def project_key(project: ProjectRecord) -> str:
    """A name for a project that no move to another host or title changes: "12-3fa09c41".

    Its number alone would be shared by the first projects of all servers; the moment of its
    creation tells them apart.
    """
    return f"{project.id}-{_digest(project.created_at)}"


def server_key(server: LabelStudioServer) -> str | None:
    """A name for a server that no move to another host changes: "9be2f00c".

    It is the moment at which its oldest organisation was made, which is when it was set up. None
    where the server does not tell it.

    Raises ServerUnavailableError if the server does not answer for long.
    """
    try:
        found = server.organizations()
    except RefusedError:
        return None
    moments = [each.created_at for each in found if each.created_at is not None]
    return _digest(min(moments)) if moments else None


def _digest(moment: datetime) -> str:
    return hashlib.sha256(as_text(moment).encode()).hexdigest()[:8]


def find_project(server: LabelStudioServer, title: str) -> ProjectRecord | None:
    """The project of that title; of several the one that holds tasks.

    Raises InputError if several hold tasks.
    """
    found = server.projects(lambda project: project.title.strip() == title.strip())
    return the_used_one(server, found, title) if found else None


def the_used_one(
    server: LabelStudioServer, found: Sequence[ProjectRecord], title: str
) -> ProjectRecord:
    """Of several projects of one title the one that holds tasks, or the oldest if none does.

    Raises InputError if several hold tasks.
    """
    used = [project for project in found if project.task_number]
    if len(used) > 1:
        numbers = ", ".join(str(project.id) for project in used)
        raise InputError(
            f"{server.connection.url}: {len(used)} projects are called {title!r} (numbers "
            f"{numbers}); rename all but one."
        )
    return (used or found)[0]


class ProjectGoneError(InputError):
    """The server has no project of the number that a state belongs to."""


def known_project(server: LabelStudioServer, state: PilotState) -> ProjectRecord:
    """The project that the state belongs to, as it is now.

    Raises InputError if the state belongs to none, or the server has another under its number:
    ProjectGoneError if it has none.
    """
    number = state.about("project_id")
    if number is None:
        raise InputError(
            f"{state.path}: belongs to no project yet; 'labelmix labelstudio push' makes one, or "
            "name an existing one by --title."
        )
    try:
        project = server.project(int(number))
    except RefusedError as error:
        if error.status != 404:
            raise
        raise ProjectGoneError(
            f"{state.path}: belongs to project {state.about('title')!r}, and "
            f"{server.connection.url} has no project {number}: it has been deleted, or this is "
            "another server. What was pulled stays in the folder; push to another folder for a "
            "new project."
        ) from None
    if project_key(project) != state.about("project_key"):
        raise InputError(
            f"{state.path}: belongs to project {state.about('title')!r}, but project {number} of "
            f"{server.connection.url} is another one; is it the right server?"
        )
    return project


def adopt_project(server: LabelStudioServer, state: PilotState, title: str) -> ProjectRecord:
    """Bind a state that belongs to no project yet to an existing one, to fetch from it.

    Raises InputError if there is none of that title, or the state belongs to another.
    """
    known = known_project_titled(server, state, title)
    if known is not None:
        return known
    project = find_project(server, title)
    if project is None:
        raise InputError(f"{server.connection.url}: has no project called {title!r}.")
    with state.transaction():
        remember_project(state, project, server.connection.url)
    return project


def remember_project(
    state: PilotState, project: ProjectRecord, url: str, title: str | None = None
) -> None:
    """Bind a state to a project; call it within a transaction.

    `title` is what the project is called from here, where somebody may have renamed it since.
    """
    state.remember(
        project_id=str(project.id),
        project_key=project_key(project),
        title=title or project.title,
        url=url,
    )


def known_project_titled(
    server: LabelStudioServer, state: PilotState, title: str
) -> ProjectRecord | None:
    """The project that the state belongs to, None if it belongs to none yet.

    `title` is what it was called when it was made, or what somebody has renamed it to.

    Raises InputError if that has another title, or is not on the server.
    """
    if state.about("project_id") is None:
        return None
    is_as_made = (state.about("title") or "").strip() == title.strip()
    project = known_project(server, state) if is_as_made else _renamed(server, state, title)
    if project is None:
        raise InputError(
            f"{state.path}: belongs to project {state.about('title')!r}; give {title!r} a folder "
            "of its own."
        )
    return project


def _renamed(server: LabelStudioServer, state: PilotState, title: str) -> ProjectRecord | None:
    """The project that the state belongs to, if it is called `title` on the server now."""
    try:
        project = known_project(server, state)
    except ProjectGoneError:
        return None
    return project if project.title.strip() == title.strip() else None
