"""The one project that a pilot is pushed to: gone on with, claimed, or created.

Two pilots never share a project: each folder knows the answers of its own gold questions only.
Two pushes that create at the same moment both look again afterwards, and one of them gives way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.errors import InputError
from annotation.label_studio.identity import identity_of, marked, pilot_identity
from annotation.label_studio.project import ProjectSettings, known_project_titled, the_used_one
from annotation.label_studio.records import ProjectRecord
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState


@dataclass(frozen=True)
class ClaimedProject:
    """The pilot's project as it is; `changes` are what makes it as it should be, its mark too.

    `namesakes` are the numbers of other projects of its title that hold tasks.
    """

    project: ProjectRecord
    is_new: bool
    changes: dict[str, Any]
    namesakes: tuple[int, ...]


def claim_project(
    server: LabelStudioServer, state: PilotState, settings: ProjectSettings, adopt: bool = False
) -> ClaimedProject:
    """The pilot's project, found or created.

    Parameters
    ----------
    server
        Where the project is, or shall be.
    state
        Of the pilot; it says which project is known already, and keeps the pilot's identity.
    settings
        How the project should be.
    adopt
        Whether a project of that title may be taken over from another pilot, or from nobody.

    Raises
    ------
    InputError
        If the project of that title is another pilot's or nobody's, and is not to be adopted; the
        state belongs to another project; another push created one of that title at the same
        moment; or the server refuses.
    """
    identity = pilot_identity(state)
    known = known_project_titled(server, state, settings.title)

    def is_candidate(project: ProjectRecord) -> bool:
        same_title = project.title.strip() == settings.title.strip()
        return same_title or identity_of(project) == identity

    there = server.projects(is_candidate)
    own = [project for project in there if identity_of(project) == identity]
    project = known or (_foremost(own) if own else None)
    if project is None and there:
        project = the_used_one(server, there, settings.title)
    if project is None:
        created = _created(server, settings, identity, is_candidate)
        return ClaimedProject(created, True, {}, ())
    if not (adopt or _is_ours(project, state, identity)):
        raise InputError(_not_ours(server, project))
    changes = settings.changes(project)
    description = marked(project.description, identity)
    if description != project.description:
        changes["description"] = description
    namesakes = [other.id for other in there if other.id != project.id and other.task_number]
    return ClaimedProject(project, False, changes, tuple(namesakes))


def _is_ours(project: ProjectRecord, state: PilotState, identity: str) -> bool:
    """Whether this pilot made the project.

    One without a mark was made before there were any; a state that knows it, and that has sent
    something, made it. A folder that only ever fetched has sent nothing.
    """
    owner = identity_of(project)
    knows_it = state.about("project_id") is not None and state.has_pilot()
    return owner == identity or (owner is None and knows_it)


def _not_ours(server: LabelStudioServer, project: ProjectRecord) -> str:
    whose = (
        "has no mark of labelmix"
        if identity_of(project) is None
        else "is the pilot of another folder, which alone knows the answers of its gold questions"
    )
    return (
        f"{server.connection.url}: project {project.title!r} (number {project.id}) {whose}; push "
        "from the folder that made it, give a --title and --out of its own, or take the project "
        "over by --adopt."
    )


def _created(
    server: LabelStudioServer,
    settings: ProjectSettings,
    identity: str,
    is_candidate: Callable[[ProjectRecord], bool],
) -> ProjectRecord:
    """A new project, unless another push made one at the same moment: of these one stays."""
    project = server.create_project(
        settings.title,
        settings.wanted() | {"description": marked(None, identity)},
        lambda other: identity_of(other) == identity,
    )
    there = server.projects(is_candidate)
    first = _foremost(there or [project])
    for other in there:
        # Ours twice: the request arrived twice, or a copy of the folder was pushed meanwhile.
        is_ours = other.id == project.id or identity_of(other) == identity
        if other.id != first.id and is_ours and not server.project(other.id).task_number:
            server.delete_project(other.id)
    if identity_of(first) == identity:
        return first
    raise InputError(
        f"{server.connection.url}: another push made project {first.title!r} (number {first.id}) "
        f"at the same moment, from another folder; ours (number {project.id}) was empty and has "
        "been deleted. Push from that folder, or give another --title."
    )


def _foremost(projects: Sequence[ProjectRecord]) -> ProjectRecord:
    """The project that stays, the same for all who look: one that holds tasks, else the oldest."""
    return min(projects, key=lambda project: (not project.task_number, project.id))
