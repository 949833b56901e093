"""Send a pilot to Label Studio; sending it again sends only what is not there yet."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from annotation.errors import InputError, short
from annotation.label_studio.claim import claim_project
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.predictions import Prediction, version_of
from annotation.label_studio.progress import NoProgress, StageProgress
from annotation.label_studio.project import ProjectSettings, remember_project
from annotation.label_studio.records import ProjectRecord, TaskRecord
from annotation.label_studio.retries import Attempts, Failure, OutcomeUnknownError
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import IN_MEMORY, PilotState
from annotation.locks import exclusive

BATCH = 250  # tasks in one request


@dataclass(frozen=True)
class PushSummary:
    """What a push did.

    Of the pilot's `tasks`, `already_there` were sent before; `others` are in the project besides,
    from earlier pushes, `sent_elsewhere` of all tasks from another folder. `overlap_before` is set
    where the push changed it. `namesakes` are the numbers of other projects of this title that hold
    tasks.
    """

    project_id: int
    title: str
    url: str
    project_is_new: bool
    tasks: int
    sent: int
    already_there: int
    changed: int
    doubles_deleted: int
    others: int
    predictions_sent: int
    gold_questions: int
    overlap: int
    overlap_before: int | None
    sent_elsewhere: int = 0
    namesakes: tuple[int, ...] = ()


def push(
    server: LabelStudioServer,
    state: PilotState,
    pilot: Sequence[PilotTask],
    settings: ProjectSettings,
    predictions: Sequence[Prediction] = (),
    progress: StageProgress | None = None,
    seed: int | None = None,
    adopt: bool = False,
) -> PushSummary:
    """Bring the project on the server to hold every task of the pilot exactly once.

    A task is known by its project and the item_id in its data. What is there is listed before
    anything is sent, and again wherever a request may have arrived although it failed. Doubles
    are deleted as long as nobody has answered them. The folder of the state is kept from other
    pushes until this one ends.

    Parameters
    ----------
    server
        Where to send to.
    state
        Keeps which items are gold questions: the server is never told.
    pilot
        The tasks, in the order in which annotators should meet them.
    settings
        How the project should be.
    predictions
        Pre-annotations for tasks of the pilot; they get a version named after their content.
    progress
        Told of batches.
    seed
        Of the pilot's draw. It is kept, and a pilot of another draw is refused: it would not hold
        the first, but grow it.
    adopt
        Whether a project of that title that another folder or nobody pushed may be taken over,
        with its tasks. The answers of their gold questions stay where they are.

    Raises
    ------
    FolderInUseError
        If another push of this folder is under way.
    InputError
        If the pilot is of another draw, the project of that title is not this pilot's, the server
        refuses, the project holds foreign tasks, or a task has been answered that asks something
        else than the pilot does.
    ServerUnavailableError
        If the server does not answer for long; pushing again goes on from there.
    """
    remedy = "wait until it has ended; it sends what it was told, and pushing again adds the rest"
    kept = state.path != IN_MEMORY  # what is not kept has no folder that another push could use
    folder = state.path.parent
    with exclusive(folder, "labelmix labelstudio push", remedy) if kept else nullcontext():
        return _push(
            server, state, pilot, settings, predictions, progress or NoProgress(), seed, adopt
        )


def _push(
    server: LabelStudioServer,
    state: PilotState,
    pilot: Sequence[PilotTask],
    settings: ProjectSettings,
    predictions: Sequence[Prediction],
    progress: StageProgress,
    seed: int | None,
    adopt: bool,
) -> PushSummary:
    _check_draw(state, seed)
    claimed = claim_project(server, state, settings, adopt)
    before = claimed.project
    there = _present(server, before)
    elsewhere = _sent_elsewhere(state, before, there, adopt)
    if claimed.changes:
        server.update_project(before.id, claimed.changes)
    project = before.model_copy(update=claimed.changes)
    with state.transaction():  # before anything is sent: a lost gold answer cannot be had again
        remember_project(state, project, server.connection.url, settings.title)
        if seed is not None:
            state.remember(seed=str(seed))
        state.remember_pilot(pilot)
    changed = _update_changed(server, pilot, there)
    missing = [task for task in pilot if task.item_id not in there]
    progress.stage("sending tasks", len(missing))
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        _send_batch(server, project, batch)
        progress.advance(len(batch))
    if missing:
        there = _present(server, project)
    there, doubles = _delete_doubles(server, pilot, there)
    lost = [task.item_id for task in pilot if task.item_id not in there]
    if lost:
        raise InputError(
            f"{server.connection.url}: took {len(missing):,} tasks but shows {len(lost):,} of them "
            f"not, such as item '{lost[0]}'; push again."
        )
    sent_predictions = 0
    if predictions:
        sent_predictions = _push_predictions(server, project, predictions, there, progress)
    overlap_before = settings.overlap if claimed.is_new else before.maximum_annotations
    return PushSummary(
        project_id=project.id,
        title=project.title,
        url=f"{server.connection.url}/projects/{project.id}",
        project_is_new=claimed.is_new,
        tasks=len(pilot),
        sent=len(missing),
        already_there=len(pilot) - len(missing),
        changed=changed,
        doubles_deleted=doubles,
        others=len(there.keys() - {task.item_id for task in pilot}),
        predictions_sent=sent_predictions,
        gold_questions=sum(task.gold is not None for task in pilot),
        overlap=settings.overlap,
        overlap_before=None if overlap_before == settings.overlap else overlap_before,
        sent_elsewhere=elsewhere,
        namesakes=claimed.namesakes,
    )


def _check_draw(state: PilotState, seed: int | None) -> None:
    before = state.about("seed")
    if seed is not None and before not in (None, str(seed)):
        raise InputError(
            f"{state.path}: its pilot was drawn with seed {before}, and one of seed {seed} has "
            f"other items; give --seed {before}, or a folder and a title of its own."
        )


def _sent_elsewhere(
    state: PilotState, project: ProjectRecord, there: Mapping[str, object], adopt: bool
) -> int:
    """How many items of the project were never sent from this folder.

    Raises InputError if there are more than were adopted, unless they are to be: which of them are
    gold questions, and the answers, are known elsewhere.
    """
    elsewhere = sorted(there.keys() - state.sent_items())
    known = set(json.loads(state.about("adopted_items") or "[]"))
    new = [item for item in elsewhere if item not in known]
    if new and not adopt:
        raise InputError(
            f"project {project.title!r} (number {project.id}) holds {len(new):,} tasks that this "
            f"folder did not send, such as item {short(new[0])}: another folder knows which are "
            "gold questions. Push from that folder, give a --title and --out of its own, or take "
            "the tasks over by --adopt."
        )
    if new:
        with state.transaction():
            state.remember(adopted_items=json.dumps(elsewhere))
    return len(elsewhere)


Present = dict[str, list[TaskRecord]]  # item -> its tasks on the server, oldest first


def _present(server: LabelStudioServer, project: ProjectRecord, after_id: int = 0) -> Present:
    """The tasks of the project by item.

    Raises InputError if the project holds tasks that labelmix did not send.
    """
    there: Present = defaultdict(list)
    for page in server.task_pages(project.id, annotations=False, after_id=after_id):
        for task in page:
            if task.item_id is None:
                raise InputError(
                    f"project {project.title!r} (number {project.id}) holds tasks that labelmix "
                    f"did not send, such as task {task.id}; choose another title."
                )
            there[task.item_id].append(task)
    return there


def _update_changed(
    server: LabelStudioServer, pilot: Sequence[PilotTask], there: Mapping[str, list[TaskRecord]]
) -> int:
    """Give tasks that ask something else the pilot's question; returns how many there were."""
    stale = [
        (task, present)
        for task in pilot
        for present in there.get(task.item_id, ())
        if present.data != task.data
    ]
    for task, present in stale:
        # The stratum is ours: cutting anew changes nothing of what was asked.
        asked = {**present.data, "stratum": task.stratum}
        if present.is_touched and asked != task.data:
            raise InputError(
                f"item '{task.item_id}' has been answered already, in task {present.id}, with "
                "another question or other choices; put those of before back into the task, or "
                "push the new ones under another title."
            )
    for task, present in stale:
        server.update_task(present.id, task.data)
    return len(stale)


def _send_batch(
    server: LabelStudioServer, project: ProjectRecord, batch: Sequence[PilotTask]
) -> None:
    """Send tasks; where a request may have arrived, see which did before sending again."""
    attempts = Attempts(server.connection.policy)
    missing = list(batch)
    while missing:
        try:
            server.import_tasks(project.id, [task.data for task in missing])
        except OutcomeUnknownError as error:
            _wait(server, attempts, str(error))
            there = _present(server, project)
            missing = [task for task in missing if task.item_id not in there]
        else:
            return


def _wait(server: LabelStudioServer, attempts: Attempts, reason: str) -> None:
    server.connection.repeat(
        lambda: attempts.wait_after(Failure(reason, may_have_happened=True)), "sending"
    )


def _delete_doubles(
    server: LabelStudioServer, pilot: Sequence[PilotTask], there: Present
) -> tuple[Present, int]:
    """Delete second tasks about an item of the pilot, if nobody has answered them.

    They come about where a request that we had given up was carried out after all. The task that
    was answered stays, or else the oldest.
    """
    deleted = 0
    kept: Present = dict(there)
    for item_id in (task.item_id for task in pilot):
        tasks = there.get(item_id, [])
        if len(tasks) < 2:
            continue
        first = next((task for task in tasks if task.is_touched), tasks[0])
        for task in tasks:
            if task is not first and not task.is_touched:
                server.delete_task(task.id)
                deleted += 1
        kept[item_id] = [task for task in tasks if task is first or task.is_touched]
    return kept, deleted


def _push_predictions(
    server: LabelStudioServer,
    project: ProjectRecord,
    predictions: Sequence[Prediction],
    there: Present,
    progress: StageProgress,
) -> int:
    """Send predictions that are not there, and have the project show them; how many were sent."""
    version = version_of(predictions)
    requests = {
        task.id: prediction.request(task.id, "options" in task.data, version)
        for prediction in predictions
        for task in there[prediction.item_id]
    }
    attempts = Attempts(server.connection.policy)
    present = _predictions_there(server, project, version)
    waiting = [task_id for task_id in requests if task_id not in present]
    progress.stage("sending predictions", len(waiting))
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        while batch:
            try:
                server.import_predictions(project.id, [requests[task_id] for task_id in batch])
            except OutcomeUnknownError as error:
                _wait(server, attempts, str(error))
                present = _predictions_there(server, project, version)
                batch = [task_id for task_id in batch if task_id not in present]
            else:
                break
        progress.advance(min(BATCH, len(waiting) - start))
    if waiting:
        for ids in _predictions_there(server, project, version).values():
            for double in ids[1:]:
                server.delete_prediction(double)
    shown = {"show_collab_predictions": True, "model_version": version}
    if any(getattr(project, name) != value for name, value in shown.items()):
        server.update_project(project.id, shown)
    return len(waiting)


def _predictions_there(
    server: LabelStudioServer, project: ProjectRecord, version: str
) -> dict[int, list[int]]:
    """Task -> its predictions of this version, oldest first."""
    there: dict[int, list[int]] = defaultdict(list)
    for prediction in sorted(server.predictions(project.id), key=lambda one: one.id):
        if prediction.model_version == version:
            there[prediction.task].append(prediction.id)
    return there
