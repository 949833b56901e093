from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from annotation.errors import InputError
from annotation.judgments.table import validate_judgments
from annotation.label_studio.connection import RefusedError
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.project import ProjectSettings, adopt_project, server_key
from annotation.label_studio.pull import MARGIN, judgment_table, pull
from annotation.label_studio.push import push
from annotation.label_studio.records import ProjectRecord, TaskRecord
from annotation.label_studio.retries import ServerUnavailableError
from annotation.label_studio.state import PilotState
from tests.unit.annotation.label_studio.conftest import FakeServer

Make = Callable[[int], list[PilotTask]]


@pytest.fixture
def pilot(
    fake: FakeServer, state: PilotState, settings: ProjectSettings, make_pilot: Make
) -> list[int]:
    """Seven tasks, sent long ago; their numbers."""
    push(fake.as_server(), state, make_pilot(7), settings)
    fake.now += 2 * MARGIN
    return sorted(fake.tasks)


def labels(state: PilotState) -> dict[str, str | None]:
    table = validate_judgments(judgment_table(state), "pulled")
    return dict(zip(table["source_id"], table["label"], strict=True))


def source_id(fake: FakeServer, state: PilotState, annotation: int) -> str:
    """Of an annotation: key of the server, key of the project, number."""
    return f"label-studio:{server_key(fake.as_server())}:{state.about('project_key')}:{annotation}"


def truth(fake: FakeServer, state: PilotState) -> dict[str, str | None]:
    return {
        source_id(fake, state, a.id): a.result[0]["value"]["choices"][0] if a.result else None
        for task in fake.tasks.values()
        for a in task.annotations
    }


def test_columns_of_a_judgment(fake: FakeServer, state: PilotState, pilot: list[int]) -> None:
    first = fake.annotate(pilot[0], "no", user=2, lead_time=12.5)
    skipped = fake.annotate(pilot[1], None, user=3, lead_time=None)
    pull(fake.as_server(), state)
    table = validate_judgments(judgment_table(state), "pulled").set_index("source_id")
    row = table.loc[source_id(fake, state, first)]
    assert row["item_id"] == "item-0"
    assert row["annotator"] == "user2@x.org"
    assert (row["label"], row["seconds"], row["cancelled"]) == ("no", 12.5, False)
    assert (row["stratum"], row["gold"]) == ("easy", "yes")
    assert row["created_at"].isoformat() == "2026-01-01T00:00:00+00:00"
    row = table.loc[source_id(fake, state, skipped)]
    assert row["label"] is None
    assert row["cancelled"]
    assert row["seconds"] != row["seconds"]
    assert row["gold"] is None
    anonymous = judgment_table(state, anonymous=True)
    assert anonymous["annotator"].tolist() == ["user-2", "user-3"]


def test_nothing_new_changes_nothing(fake: FakeServer, state: PilotState, pilot: list[int]) -> None:
    fake.annotate(pilot[0], "no")
    assert pull(fake.as_server(), state).changed == 1
    assert pull(fake.as_server(), state).changed == 0
    assert pull(fake.as_server(), state, whole=True).changed == 0


def test_empty_pilot_has_an_empty_table(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    assert pull(fake.as_server(), state).tasks == 7
    assert validate_judgments(judgment_table(state), "pulled").empty


def test_edits_and_deletions_are_followed(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    first, second = fake.annotate(pilot[0], "no"), fake.annotate(pilot[5], "yes")
    pull(fake.as_server(), state)
    fake.now += 2 * MARGIN
    fake.edit(pilot[0], first, "yes")
    fake.erase(pilot[5], second)
    assert pull(fake.as_server(), state).changed == 2
    assert labels(state) == truth(fake, state)


def test_later_pulls_read_only_what_changed(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    for number in pilot:
        fake.annotate(number, "no")
    pull(fake.as_server(), state)
    fake.now += 2 * MARGIN
    fake.annotate(pilot[3], "yes", user=2)
    pull(fake.as_server(), state)
    fake.now += 2 * MARGIN
    read: list[TaskRecord] = []
    pages = fake.task_pages

    def counted(*args: object, **options: object) -> Iterator[list[TaskRecord]]:
        for page in pages(*args, **options):  # type: ignore[arg-type]
            read.extend(page)
            yield page

    fake.task_pages = counted  # type: ignore[method-assign]
    fake.annotate(pilot[6], "yes", user=2)
    pull(fake.as_server(), state)
    assert [task.id for task in read] == [pilot[3], pilot[6]]  # the last change is read again
    assert labels(state) == truth(fake, state)


def test_task_that_is_gone_takes_its_judgments_along(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    fake.annotate(pilot[0], "no")
    fake.annotate(pilot[1], "no")
    pull(fake.as_server(), state)
    fake.delete_task(pilot[0])  # leaves no trace but the server's counts
    assert pull(fake.as_server(), state).changed == 1
    assert labels(state) == truth(fake, state)


def test_change_behind_the_reader_is_met_by_the_next_pull(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    """While later tasks are read, for hours, one that was read already changes."""

    def meanwhile(after_id: int) -> None:
        if after_id == pilot[2]:
            fake.now += 10 * MARGIN
            fake.annotate(pilot[0], "no")
            fake.now += 10 * MARGIN
            fake.annotate(pilot[5], "yes")

    fake.before_page = meanwhile
    pull(fake.as_server(), state)
    fake.before_page = lambda after_id: None
    pull(fake.as_server(), state)
    assert len(truth(fake, state)) == 2
    assert labels(state) == truth(fake, state)


def test_interrupted_pull_goes_on_where_it_was(
    fake: FakeServer, state: PilotState, pilot: list[int], tmp_path: Path
) -> None:
    answers = [fake.annotate(number, "no") for number in pilot]
    read: list[int] = []

    def fail(after_id: int) -> None:
        read.append(after_id)
        if after_id == pilot[5]:
            raise ServerUnavailableError("away")

    fake.before_page = fail
    with pytest.raises(ServerUnavailableError):
        pull(fake.as_server(), state)
    assert len(labels(state)) == 6
    state.close()
    fake.before_page = read.append
    fake.now += 10 * MARGIN
    fake.edit(pilot[0], answers[0], "yes")  # was read before the interruption
    with PilotState(tmp_path / "pilot.sqlite") as again:
        pull(fake.as_server(), again)
        assert read[:4] == [0, pilot[2], pilot[5], pilot[5]]  # none of the first six again
        assert labels(again) == truth(fake, again)


def test_snapshot_that_was_overtaken_is_ignored(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    first = fake.annotate(pilot[0], "no")
    old = fake.tasks[pilot[0]]
    fake.edit(pilot[0], first, "yes")
    pull(fake.as_server(), state)
    new, fake.tasks[pilot[0]] = fake.tasks[pilot[0]], old
    pull(fake.as_server(), state, whole=True)
    fake.tasks[pilot[0]] = new
    assert labels(state) == truth(fake, state)


def test_answer_that_is_no_option_is_left_out_and_named(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    wrong = fake.annotate(pilot[0], "perhaps")
    nobody = fake.annotate(pilot[1], "yes", completed_by=None)
    summary = pull(fake.as_server(), state)
    number = state.about("project_id")
    assert summary.left_out == (
        f"label-studio:{number}:{wrong} (item 'item-0'): 'perhaps' is none of the choices "
        "(yes | no)",
        f"label-studio:{number}:{nobody} (item 'item-1'): nobody is named as its author",
    )
    assert (summary.labels, labels(state)) == (0, {})
    fake.edit(pilot[0], wrong, "yes")
    assert pull(fake.as_server(), state).labels == 1


def test_texts_that_no_file_can_hold_are_left_out_and_named(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    broken = "\ud800"  # half a character: JSON can say it
    options = {"options": ["yes", broken]}
    data = {"question": "?", "item_id": "odd", "stratum": broken, **options}
    sent = [fake.add_task(data | {"item_id": item_id}) for item_id in ("odd", "odd", broken, "  ")]
    for task, choice in zip(sent, (broken, "no", "yes", "yes"), strict=True):
        fake.annotate(task, choice)
    good = fake.annotate(pilot[0], "yes")
    summary = pull(fake.as_server(), state)
    assert labels(state) == {source_id(fake, state, good): "yes"}
    assert [text.partition(": ")[2] for text in summary.left_out] == [
        "its answer has a broken character",
        "'no' is none of the choices (yes | \\ud800)",
        *(f"task {task} has no item_id, so labelmix did not send it" for task in sent[2:]),
    ]


def test_an_item_has_the_stratum_of_its_first_task(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    for stratum in (None, "easy", "hard"):
        data = {"item_id": "twice", "stratum": stratum, "options": ["yes"]}
        fake.annotate(fake.add_task(data), "yes")
    pull(fake.as_server(), state)
    table = validate_judgments(judgment_table(state), "pulled")
    assert table["stratum"].tolist() == ["easy"] * 3


def test_new_labelling_page_reads_all_answers_again(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    fake.annotate(pilot[0], "yes")
    pull(fake.as_server(), state)
    fake.now += 5 * MARGIN
    pull(fake.as_server(), state)
    (number,) = fake.projects_
    page = '<View><Choices name="answer" toName="q"><Choice value="no"/></Choices></View>'
    fake.update_project(number, {"label_config": page})
    summary = pull(fake.as_server(), state)
    assert (summary.labels, len(summary.left_out)) == (0, 1)


TWO = (
    '<View><Text name="q" value="$question"/><Choices name="mood" toName="q"><Choice value="good"/>'
    '<Choice value="bad"/></Choices><Choices name="sure" toName="q"><Choice value="very"/>'
    '<Choice value="hardly"/></Choices></View>'
)


@pytest.fixture
def two_controls(fake: FakeServer, tmp_path: Path) -> Iterator[PilotState]:
    """The state of a project of others, whose one annotation answers two controls."""
    fake.create_project("Theirs", {"label_config": TWO})
    parts = [
        {"from_name": name, "type": "choices", "value": {"choices": [text]}}
        for name, text in (("mood", "good"), ("sure", "very"))
    ]
    task = fake.add_task({"item_id": "a", "question": "?"})
    fake.annotate(task, None, result=parts, was_cancelled=False)
    fake.now += 2 * MARGIN
    with PilotState(tmp_path / "theirs" / "pilot.sqlite") as state:
        adopt_project(fake.as_server(), state, "Theirs")
        yield state


def test_several_controls_are_a_question(fake: FakeServer, two_controls: PilotState) -> None:
    with pytest.raises(InputError, match=r"several controls: 'mood', 'sure'; .*--control mood"):
        pull(fake.as_server(), two_controls)
    assert two_controls.annotation_rows() == []


def test_the_named_control_holds_for_later_pulls(
    fake: FakeServer, two_controls: PilotState
) -> None:
    pull(fake.as_server(), two_controls, control="sure")
    assert list(labels(two_controls).values()) == ["very"]
    assert pull(fake.as_server(), two_controls).changed == 0
    assert list(labels(two_controls).values()) == ["very"]


def test_another_control_is_a_question_and_no_mixture(
    fake: FakeServer, two_controls: PilotState
) -> None:
    pull(fake.as_server(), two_controls, control="sure")
    with pytest.raises(InputError, match=r"of the control 'sure', not of 'mood'; .*--whole"):
        pull(fake.as_server(), two_controls, control="mood")
    assert list(labels(two_controls).values()) == ["very"]
    pull(fake.as_server(), two_controls, whole=True, control="mood")
    assert list(labels(two_controls).values()) == ["good"]
    assert pull(fake.as_server(), two_controls, whole=True).changed == 0


def test_a_control_that_left_the_page_is_told(fake: FakeServer, two_controls: PilotState) -> None:
    pull(fake.as_server(), two_controls, control="sure")
    (number,) = fake.projects_
    fake.update_project(number, {"label_config": TWO.replace('"sure"', '"certain"')})
    with pytest.raises(InputError, match=r"no control 'sure'; its controls are: 'mood', 'certain'"):
        pull(fake.as_server(), two_controls)
    assert list(labels(two_controls).values()) == ["very"]


def test_a_control_beside_that_of_labelmix_changes_nothing(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    fake.annotate(pilot[0], "yes")
    (number,) = fake.projects_
    page = fake.projects_[number].label_config
    assert page is not None
    added = page.replace("</View>", '<Choices name="sure" toName="question"/></View>')
    fake.update_project(number, {"label_config": added})
    pull(fake.as_server(), state)
    assert list(labels(state).values()) == ["yes"]


def test_state_of_another_server_is_refused(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    (number,) = fake.projects_
    moved = fake.projects_[number].created_at + timedelta(seconds=1)
    fake.projects_[number] = fake.projects_[number].model_copy(update={"created_at": moved})
    with pytest.raises(InputError, match="is another one; is it the right server"):
        pull(fake.as_server(), state)


def test_a_server_is_known_by_the_day_it_was_set_up(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    fake.annotate(pilot[0], "yes")
    pull(fake.as_server(), state)
    (before,) = labels(state)
    assert before.split(":")[1] == server_key(fake.as_server())
    other = FakeServer()
    later = fake.organizations_[0].model_copy(update={"created_at": fake.now})
    other.organizations_ = [later]
    assert server_key(other.as_server()) != server_key(fake.as_server())
    fake.organizations_.append(later.model_copy(update={"id": 2}))  # the oldest one tells
    assert server_key(fake.as_server()) == before.split(":")[1]


def test_a_server_that_does_not_tell_is_asked_once(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    fake.annotate(pilot[0], "yes")
    fake.organizations_ = []
    for _ in range(2):
        pull(fake.as_server(), state)
    (number,) = (a.id for task in fake.tasks.values() for a in task.annotations)
    assert list(labels(state)) == [f"label-studio:{state.about('project_key')}:{number}"]
    assert fake.calls.count("organizations") == 1


def test_existing_project_is_adopted_by_its_title(fake: FakeServer, tmp_path: Path) -> None:
    page = '<View><Text name="q" value="$question"/><TextArea name="said" toName="q"/></View>'
    fake.create_project("Theirs", {"label_config": page})
    task = fake.add_task({"item_id": "a", "question": "?"})
    part = {"from_name": "said", "type": "textarea", "value": {"text": ["forty two"]}}
    fake.annotate(task, None, result=[part], was_cancelled=False)
    with PilotState(tmp_path / "theirs.sqlite") as state:
        with pytest.raises(InputError, match="belongs to no project yet"):
            pull(fake.as_server(), state)
        with pytest.raises(InputError, match="has no project called 'Others'"):
            adopt_project(fake.as_server(), state, "Others")
        adopt_project(fake.as_server(), state, "Theirs")
        pull(fake.as_server(), state)
        assert list(labels(state).values()) == ["forty two"]


def test_counts_that_never_agree_do_not_read_everything_each_time(
    fake: FakeServer, state: PilotState, pilot: list[int]
) -> None:
    fake.annotate(pilot[0], "no")
    real = fake.project

    def counts_otherwise(project_id: int) -> object:
        project = real(project_id)
        assert project.task_number is not None
        return project.model_copy(update={"task_number": project.task_number + 3})

    fake.project = counts_otherwise  # type: ignore[method-assign,assignment]
    pull(fake.as_server(), state)
    passes = state.about("pass_number")
    pull(fake.as_server(), state)
    assert int(state.about("pass_number") or 0) == int(passes or 0) + 1


def test_deleted_project_is_told(fake: FakeServer, state: PilotState, pilot: list[int]) -> None:
    def gone(project_id: int) -> ProjectRecord:
        raise RefusedError("404: No Project matches the given query.", 404)

    fake.project = gone  # type: ignore[method-assign]
    with pytest.raises(InputError, match=r"'Pilot one', and http://studio has no project \d+: it"):
        pull(fake.as_server(), state)
