"""Send a pilot to Label Studio; sending it again sends only what is not there yet."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.errors import InputError
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.predictions import Prediction, version_of
from annotation.label_studio.progress import NoProgress, StageProgress
from annotation.label_studio.project import ProjectSettings, open_project, remember_project
from annotation.label_studio.records import ProjectRecord, TaskRecord
from annotation.label_studio.retries import Attempts, Failure, OutcomeUnknownError
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState

BATCH = 250  # tasks in one request


@dataclass(frozen=True)
class PushSummary:
    """What a push did.

    Of the pilot's `tasks`, `already_there` were sent before; `others` are in the project besides,
    from earlier pushes. `overlap_before` is set where the push changed it.
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


def push(
    server: LabelStudioServer,
    state: PilotState,
    pilot: Sequence[PilotTask],
    settings: ProjectSettings,
    predictions: Sequence[Prediction] = (),
    progress: StageProgress | None = None,
    seed: int | None = None,
) -> PushSummary:
    """Bring the project on the server to hold every task of the pilot exactly once.

    A task is known by its project and the item_id in its data. What is there is listed before
    anything is sent, and again wherever a request may have arrived although it failed. Doubles
    are deleted as long as nobody has answered them.

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

    Raises
    ------
    InputError
        If the pilot is of another draw, the server refuses, the project holds foreign tasks, or a
        task has been answered that asks something else than the pilot does.
    ServerUnavailableError
        If the server does not answer for long; pushing again goes on from there.
    """
    progress = progress or NoProgress()
    _check_draw(state, seed)
    project, before = open_project(server, state, settings)
    with state.transaction():  # before anything is sent: a lost gold answer cannot be had again
        remember_project(state, project, server.connection.url)
        if seed is not None:
            state.remember(seed=str(seed))
        state.remember_pilot(pilot)
    there = _present(server, project)
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
    overlap_before = None if before is None else before.maximum_annotations
    return PushSummary(
        project_id=project.id,
        title=project.title,
        url=f"{server.connection.url}/projects/{project.id}",
        project_is_new=before is None,
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
    )


def _check_draw(state: PilotState, seed: int | None) -> None:
    before = state.about("seed")
    if seed is not None and before not in (None, str(seed)):
        raise InputError(
            f"{state.path}: its pilot was drawn with seed {before}, and one of seed {seed} has "
            f"other items; give --seed {before}, or a folder and a title of its own."
        )


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
                "another question or other choices; push the new ones under another title."
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
