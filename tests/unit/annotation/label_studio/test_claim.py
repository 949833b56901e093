import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.label_studio.identity import identity_of, marked, pilot_identity
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.project import ProjectSettings, adopt_project
from annotation.label_studio.push import PushSummary, push
from annotation.label_studio.state import PilotState
from annotation.locks import FolderInUseError, exclusive
from tests.unit.annotation.label_studio.conftest import FakeServer

Make = Callable[[int], list[PilotTask]]
Send = Callable[..., PushSummary]
OTHERS = "f" * 32


@pytest.fixture
def state(tmp_path: Path) -> Iterator[PilotState]:
    with PilotState(tmp_path / "one" / "pilot.sqlite") as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> Iterator[PilotState]:
    with PilotState(tmp_path / "other" / "pilot.sqlite") as opened:
        yield opened


@pytest.fixture
def send(fake: FakeServer, settings: ProjectSettings, make_pilot: Make) -> Send:
    """`send(state, 5, first=2)` pushes items 2 to 4 from a folder; settings can be changed."""

    def run(
        state: PilotState, items: int = 2, first: int = 0, adopt: bool = False, **changes: object
    ) -> PushSummary:
        own = replace(settings, **changes)  # type: ignore[arg-type]
        return push(fake.as_server(), state, make_pilot(items)[first:], own, adopt=adopt)

    return run


def without_mark(fake: FakeServer) -> None:
    (number,) = fake.projects_
    fake.update_project(number, {"description": "Our pilot"})
    fake.calls.clear()


def test_a_project_of_another_folder_is_refused_and_stays_as_it_is(
    fake: FakeServer, state: PilotState, other: PilotState, send: Send
) -> None:
    send(state)
    projects, tasks = dict(fake.projects_), dict(fake.tasks)
    with pytest.raises(
        InputError, match=r"'Pilot one' \(number 2\) is the pilot of another folder,"
    ):
        send(other, 5, overlap=9)
    assert (fake.projects_, fake.tasks) == (projects, tasks)
    assert not other.gold()
    assert send(other, 5, title="Pilot two").project_is_new


def test_a_project_that_is_taken_over_is_lost_to_the_other_folder(
    state: PilotState, other: PilotState, send: Send
) -> None:
    send(state)
    taken = send(other, 5, first=1, adopt=True)
    assert (taken.sent, taken.already_there, taken.sent_elsewhere) == (3, 1, 2)
    again = send(other, 5, first=1)
    assert (again.sent, again.sent_elsewhere) == (0, 1)
    with pytest.raises(InputError, match="is the pilot of another folder"):
        send(state)
    assert state.gold() == {"item-0": "yes"}


def test_a_project_without_a_mark_is_taken_only_when_told(
    fake: FakeServer, state: PilotState, send: Send
) -> None:
    fake.add_project("Pilot one ", description="Made by hand")
    with pytest.raises(InputError, match=r"has no mark of labelmix; push from .* by --adopt\."):
        send(state, 1)
    send(state, 1, adopt=True)
    (project,) = fake.projects_.values()
    assert (project.description or "").startswith("Made by hand\n")
    assert identity_of(project) == state.about("pilot_identity")
    assert send(state, 1).sent == 0


def test_a_project_from_before_there_were_marks_gets_its_own(
    fake: FakeServer, state: PilotState, other: PilotState, send: Send
) -> None:
    send(state)
    without_mark(fake)
    with state.transaction():
        state.remember(pilot_identity=None)
    # Who has only fetched from it did not make it.
    adopt_project(fake.as_server(), other, "Pilot one")
    with pytest.raises(InputError, match="has no mark of labelmix"):
        send(other)
    assert send(state, 3).sent == 1
    assert identity_of(next(iter(fake.projects_.values()))) == state.about("pilot_identity")


def test_two_folders_that_shared_a_project_without_a_mark_are_told(
    fake: FakeServer, state: PilotState, other: PilotState, send: Send
) -> None:
    send(state)
    send(other, 5, first=2, adopt=True)
    without_mark(fake)
    with pytest.raises(
        InputError, match=r"holds 3 tasks that this folder did not send, .*'item-2'"
    ):
        send(state)
    assert not fake.calls  # neither mark nor settings


def test_a_copy_of_the_folder_learns_what_the_other_copy_sent(
    state: PilotState, tmp_path: Path, send: Send
) -> None:
    send(state)
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    send(state, 4)
    with PilotState(tmp_path / "copy" / "pilot.sqlite") as copy:
        with pytest.raises(InputError, match="holds 2 tasks that this folder did not send"):
            send(copy, 4)
        assert send(copy, 4, adopt=True).sent == 0
        assert send(copy, 4).sent == 0


def test_a_project_that_was_created_before_a_crash_is_found_by_its_mark(
    fake: FakeServer, state: PilotState, send: Send
) -> None:
    def crash() -> None:
        raise KeyboardInterrupt

    fake.after_create = crash
    with pytest.raises(KeyboardInterrupt):
        send(state)
    assert send(state).sent == 2
    assert len(fake.projects_) == 1


def test_a_folder_is_pushed_by_one_process_at_a_time(
    fake: FakeServer, state: PilotState, send: Send
) -> None:
    with (
        exclusive(state.path.parent, "labelmix labelstudio push"),
        pytest.raises(FolderInUseError, match=r"in use by .*push.*; wait until it has ended; it"),
    ):
        send(state)
    assert not fake.projects_


def at_once(
    fake: FakeServer, folders: list[Path], pilot: list[PilotTask], settings: ProjectSettings
) -> list[PushSummary | InputError]:
    """Pushes that have all created their project before any of them looks again."""
    barrier = threading.Barrier(len(folders), timeout=30)
    lock = threading.Lock()
    created = fake.create_project

    def create_at_once(*args: object) -> object:
        barrier.wait()
        with lock:
            made = created(*args)  # type: ignore[arg-type]
        barrier.wait()
        return made

    fake.create_project = create_at_once  # type: ignore[method-assign,assignment]
    ends: list[PushSummary | InputError] = []

    def run(folder: Path) -> None:
        with PilotState(folder / "pilot.sqlite") as state:
            try:
                ends.append(push(fake.as_server(), state, pilot, settings))
            except InputError as error:
                ends.append(error)

    threads = [threading.Thread(target=run, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def test_of_two_folders_that_create_at_once_one_gives_way(
    fake: FakeServer, settings: ProjectSettings, make_pilot: Make, tmp_path: Path
) -> None:
    ends = at_once(fake, [tmp_path / "a", tmp_path / "b"], make_pilot(3), settings)
    (refused,) = [end for end in ends if isinstance(end, InputError)]
    (done,) = [end for end in ends if isinstance(end, PushSummary)]
    assert (done.project_id, done.sent) == (2, 3)
    assert "made project 'Pilot one' (number 2) at the same moment, from another folder" in str(
        refused
    )
    assert "ours (number 3) was empty and has been deleted. Push from" in str(refused)
    assert list(fake.projects_) == [2]


def test_a_project_that_holds_tasks_stays_whichever_is_older(
    fake: FakeServer, state: PilotState, make_pilot: Make, send: Send
) -> None:
    def another_was_quicker() -> None:
        theirs = fake.add_project("Pilot one", description=marked(None, OTHERS))
        fake.add_task(make_pilot(1)[0].data, theirs.id)

    fake.after_create = another_was_quicker
    with pytest.raises(InputError, match=r"\(number 3\) at the same moment"):
        send(state)
    assert list(fake.projects_) == [3]


def test_a_request_that_arrives_twice_leaves_one_project(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, send: Send
) -> None:
    def arrive_before() -> None:
        fake.add_project(settings.title, description=marked(None, pilot_identity(state)))

    fake.before_create = arrive_before
    summary = send(state)
    assert list(fake.projects_) == [summary.project_id] == [2]
    assert len(fake.tasks) == 2


def test_another_project_of_the_title_is_told_as_long_as_it_holds_tasks(
    fake: FakeServer, state: PilotState, make_pilot: Make, send: Send
) -> None:
    assert send(state).namesakes == ()
    twin = fake.add_project("Pilot one")
    assert send(state).namesakes == ()
    fake.add_task(make_pilot(1)[0].data, twin.id)
    assert send(state).namesakes == (twin.id,)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "Keep this line, by which labelmix knows the project: labelmix pilot 1"),
        (" Ours \n", "Ours\nKeep this line, by which labelmix knows the project: labelmix pilot 1"),
        (f"a labelmix pilot {OTHERS} b", "a labelmix pilot 1 b"),
    ],
)
def test_a_mark_is_added_to_what_a_description_says(before: str | None, after: str) -> None:
    assert marked(before, "1") == after
