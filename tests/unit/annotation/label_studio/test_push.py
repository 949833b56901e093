from collections.abc import Callable
from dataclasses import replace

import pytest

from annotation.errors import InputError
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.predictions import Prediction, version_of
from annotation.label_studio.project import ProjectSettings
from annotation.label_studio.push import push
from annotation.label_studio.retries import RetryPolicy, ServerUnavailableError
from annotation.label_studio.state import PilotState
from tests.unit.annotation.label_studio.conftest import FakeServer

Make = Callable[[int], list[PilotTask]]


def item_ids(fake: FakeServer) -> list[str]:
    return sorted(str(task.item_id) for task in fake.tasks.values())


def test_second_push_sends_nothing(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    first = push(fake.as_server(), state, make_pilot(5), settings)
    second = push(fake.as_server(), state, make_pilot(5), settings)
    assert (first.sent, first.already_there, first.project_is_new) == (5, 0, True)
    assert (second.sent, second.already_there, second.project_is_new) == (0, 5, False)
    assert item_ids(fake) == [f"item-{n}" for n in range(5)]
    assert fake.calls == ["import 5"]


def test_larger_pilot_adds_what_is_missing(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    push(fake.as_server(), state, make_pilot(2), settings)
    assert push(fake.as_server(), state, make_pilot(7), settings).sent == 5
    assert push(fake.as_server(), state, make_pilot(3), settings).others == 4
    assert item_ids(fake) == [f"item-{n}" for n in range(7)]


@pytest.mark.parametrize(
    "imports",
    [
        ["lost"],
        ["done"],
        ["half"],
        ["half", "lost", "half", "done"],
        ["later", "lost"],
        ["later", "half"],
    ],
)
def test_no_failure_loses_or_doubles_a_task(
    imports: list[str],
    fake: FakeServer,
    state: PilotState,
    settings: ProjectSettings,
    make_pilot: Make,
) -> None:
    fake.imports = imports
    push(fake.as_server(), state, make_pilot(8), settings)
    assert item_ids(fake) == [f"item-{n}" for n in range(8)]


def test_double_that_was_answered_stays_and_the_other_goes(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    push(fake.as_server(), state, make_pilot(2), settings)
    double = fake.add_task(make_pilot(1)[0].data)
    fake.annotate(double, "yes")
    summary = push(fake.as_server(), state, make_pilot(2), settings)
    assert summary.doubles_deleted == 1
    assert sorted(fake.tasks) == sorted(
        [double, *(number for number, t in fake.tasks.items() if t.item_id == "item-1")]
    )


def test_doubles_that_were_both_answered_stay(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    push(fake.as_server(), state, make_pilot(1), settings)
    fake.add_task(make_pilot(1)[0].data)
    for number in list(fake.tasks):
        fake.annotate(number, None)
    assert push(fake.as_server(), state, make_pilot(1), settings).doubles_deleted == 0
    assert len(fake.tasks) == 2


def test_outage_ends_with_a_message_and_the_next_push_goes_on(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    fake.connection.policy = RetryPolicy(patience=0, sleep=lambda seconds: None, draw=lambda: 1.0)
    fake.imports = ["half"]
    with pytest.raises(ServerUnavailableError, match="status 502"):
        push(fake.as_server(), state, make_pilot(4), settings)
    assert push(fake.as_server(), state, make_pilot(4), settings).sent == 2
    assert item_ids(fake) == [f"item-{n}" for n in range(4)]


def test_gold_answers_stay_with_us(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    summary = push(fake.as_server(), state, make_pilot(3), settings)
    assert summary.gold_questions == 1
    assert state.gold() == {"item-0": "yes"}
    plain = [replace(task, gold=None) for task in make_pilot(3)]
    push(fake.as_server(), state, plain, settings)  # without them: what was gold stays known
    assert state.gold() == {"item-0": "yes"}
    for task in fake.tasks.values():
        assert task.data == {
            "item_id": task.item_id,
            "stratum": "easy",
            "question": f"Question {str(task.item_id)[-1]}?",
            "options": [{"value": text, "alias": text} for text in ("yes", "no")],
        }


def test_changed_question_is_updated_until_someone_answers(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    push(fake.as_server(), state, make_pilot(2), settings)
    changed = [replace(task, question="Anew?") for task in make_pilot(2)]
    assert push(fake.as_server(), state, changed, settings).changed == 2
    assert {task.data["question"] for task in fake.tasks.values()} == {"Anew?"}
    fake.annotate(max(fake.tasks), "no")
    with pytest.raises(InputError, match=r"item 'item-1' has been answered already"):
        push(fake.as_server(), state, make_pilot(2), settings)
    # A new cut asks nothing new.
    moved = [replace(task, stratum="hard") for task in changed]
    assert push(fake.as_server(), state, moved, settings).changed == 2


def test_foreign_project_is_left_alone(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    fake.create_project("Pilot one", {})
    fake.add_task({"image": "cat.png"})
    with pytest.raises(InputError, match=r"holds tasks that labelmix did not send.*another title"):
        push(fake.as_server(), state, make_pilot(1), settings, adopt=True)
    assert len(fake.tasks) == 1


def test_folder_belongs_to_one_project(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    push(fake.as_server(), state, make_pilot(1), settings)
    with pytest.raises(InputError, match=r"belongs to project 'Pilot one'; give 'Pilot two'"):
        push(fake.as_server(), state, make_pilot(1), replace(settings, title="Pilot two"))


def test_settings_are_updated_only_where_they_differ(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    push(fake.as_server(), state, make_pilot(1), settings)
    push(fake.as_server(), state, make_pilot(1), replace(settings, overlap=5))
    assert fake.calls == ["import 1", "update project: maximum_annotations"]


def test_a_pilot_keeps_its_draw(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    push(fake.as_server(), state, make_pilot(2), settings, seed=3)
    with pytest.raises(InputError, match=r"drawn with seed 3, .* seed 4 has other .* --seed 3"):
        push(fake.as_server(), state, make_pilot(5), settings, seed=4)
    assert len(fake.tasks) == 2
    assert push(fake.as_server(), state, make_pilot(5), settings, seed=3).sent == 3


def test_a_changed_overlap_is_told(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> None:
    first = push(fake.as_server(), state, make_pilot(1), settings)
    again = push(fake.as_server(), state, make_pilot(1), settings)
    wider = push(fake.as_server(), state, make_pilot(1), replace(settings, overlap=5))
    assert [(s.overlap, s.overlap_before) for s in (first, again, wider)] == [
        (2, None), (2, None), (5, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("imports", [[], ["fine", "half"], ["fine", "done"], ["fine", "later"]])
def test_every_prediction_arrives_once(
    imports: list[str],
    fake: FakeServer,
    state: PilotState,
    settings: ProjectSettings,
    make_pilot: Make,
) -> None:
    fake.imports = imports
    predictions = [Prediction(f"item-{n}", "no", 0.25) for n in range(3)]
    push(fake.as_server(), state, make_pilot(5), settings, predictions)
    assert push(fake.as_server(), state, make_pilot(5), settings, predictions).predictions_sent == 0
    tasks = sorted(p.task for p in fake.predictions_.values())
    assert tasks == sorted(
        n for n, t in fake.tasks.items() if t.item_id in ("item-0", "item-1", "item-2")
    )
    (project,) = fake.projects_.values()
    assert project.model_version == version_of(predictions)
    assert project.show_collab_predictions
