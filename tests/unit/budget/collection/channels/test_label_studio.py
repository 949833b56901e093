"""A supplier whose people work in Label Studio."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.items.read import load_partly_answered
from annotation.label_studio.connection import RefusedError
from budget.collection.channels.label_studio import LabelStudioChannel
from tests.unit.annotation.label_studio.conftest import FakeServer
from tests.unit.budget.collection.by_hand import write_tables
from tests.unit.budget.collection.channels.test_files import lines


@pytest.fixture
def studio() -> FakeServer:
    return FakeServer()


@pytest.fixture
def channel(tmp_path: Path, studio: FakeServer) -> LabelStudioChannel:
    return made(tmp_path, studio)


def made(folder: Path, studio: FakeServer, supplier: str = "crowd") -> LabelStudioChannel:
    write_tables(folder)
    items = load_partly_answered(path=str(folder / "pool.jsonl"))
    return LabelStudioChannel(
        "treat", supplier, items, folder / supplier, lambda: nullcontext(studio.as_server())
    )


def items_of(studio: FakeServer) -> list[str]:
    return sorted(str(task.data["item_id"]) for task in studio.tasks.values())


def test_each_number_of_judgments_has_a_project(
    channel: LabelStudioChannel, studio: FakeServer
) -> None:
    channel.send(pd.concat([lines(0, 4), lines(4, 3).assign(judgments=1)]))
    projects = {own.title: own for own in studio.projects_.values()}
    assert {title: own.maximum_annotations for title, own in projects.items()} == {
        "treat - crowd (1x)": 1,
        "treat - crowd (2x)": 2,
    }
    assert len(studio.tasks_of(projects["treat - crowd (2x)"].id)) == 4


def test_what_was_sent_is_not_sent_again(channel: LabelStudioChannel, studio: FakeServer) -> None:
    for _ in range(2):
        channel.send(lines(0, 4))
    channel.send(pd.concat([lines(0, 4), lines(4, 4, batch=2)]))
    assert items_of(studio) == [f"item-{number:03d}" for number in range(8)]
    assert len(studio.projects_) == 1


@pytest.mark.parametrize("outcome", ["lost", "done", "half"])
def test_an_order_that_was_interrupted_is_sent_once(
    outcome: str, channel: LabelStudioChannel, studio: FakeServer
) -> None:
    studio.imports = [outcome] * 9  # it fails for so long that the order is given up
    try:
        channel.send(lines(0, 6))
    except InputError:
        studio.imports = []
        channel.send(lines(0, 6))
    assert items_of(studio) == [f"item-{number:03d}" for number in range(6)]


def test_judgments_come_back_with_their_gold_answers(
    channel: LabelStudioChannel, studio: FakeServer
) -> None:
    channel.send(lines(0, 4))
    for number in list(studio.tasks):
        studio.annotate(number, "odd", 1)
    studio.annotate(next(iter(studio.tasks)), None, 2)
    fetched = channel.fetch()
    assert fetched.whole
    said = fetched.judgments[fetched.judgments["label"].notna()]
    assert (len(said), fetched.judgments["cancelled"].sum()) == (4, 1)
    assert said["gold"].notna().sum() == 1
    again = channel.fetch().judgments
    pd.testing.assert_frame_equal(again, fetched.judgments)


def test_nothing_can_be_fetched_where_no_project_is_known(channel: LabelStudioChannel) -> None:
    with pytest.raises(InputError, match="no project of supplier 'crowd' is known here"):
        channel.fetch()


def test_a_title_that_is_too_long_is_told_before_anything_is_sent(
    tmp_path: Path, studio: FakeServer
) -> None:
    channel = made(tmp_path, studio, "c" * 40)
    with pytest.raises(InputError, match="has 53 characters, and Label Studio takes 50"):
        channel.send(lines(0, 4))
    assert not studio.projects_


def test_a_project_that_is_gone_is_told_with_a_way_out(
    channel: LabelStudioChannel, studio: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.send(lines(0, 4))

    def gone(number: int) -> Any:
        raise RefusedError("404", 404)

    monkeypatch.setattr(studio, "project", gone)
    for act in (channel.fetch, lambda: channel.send(lines(0, 4))):
        with pytest.raises(InputError, match=r"no project 'treat - crowd \(2x\)' any more.* new n"):
            act()


def test_a_question_that_somebody_changed_is_put_right_or_told(
    channel: LabelStudioChannel, studio: FakeServer
) -> None:
    channel.send(lines(0, 4))
    first, second, *_ = studio.tasks
    studio.update_task(first, {**studio.tasks[first].data, "question": "Is it?"})
    channel.send(lines(0, 4))
    assert "Is it?" not in {task.data["question"] for task in studio.tasks.values()}
    studio.update_task(second, {**studio.tasks[second].data, "question": "Is it?"})
    studio.annotate(second, "odd", 1)
    with pytest.raises(InputError, match="has been answered already"):
        channel.send(lines(0, 4))


def test_an_item_that_is_asked_again_is_not_sent_again_its_task_asks_for_more(
    channel: LabelStudioChannel, studio: FakeServer
) -> None:
    first = lines(0, 3).assign(judgments=1)
    again = lines(1, 1, batch=2).assign(judgments=2, gold=None)
    channel.send(first)
    told = [channel.send(pd.concat([first, again])) for _ in range(2)]
    asked = {str(task.data["item_id"]): task.overlap for task in studio.tasks.values()}
    assert asked == {"item-000": None, "item-001": 3, "item-002": None}
    assert len(studio.projects_) == 1
    assert sum(call.startswith("ask") for call in studio.calls) == 1
    assert ["1 tasks there ask for more people" in own for own in told] == [True, False]


def test_what_was_changed_on_the_server_is_told(
    channel: LabelStudioChannel, studio: FakeServer
) -> None:
    channel.send(lines(0, 4))
    assert (channel.fetch().missing, channel.fetch().remarks) == (frozenset(), ())
    first, second, *_ = list(studio.tasks)
    studio.annotate(second, "odd", 1)
    deleted = str(studio.tasks[first].data["item_id"])
    studio.delete_task(first)
    (project,) = studio.projects_.values()
    page = (project.label_config or "").replace("even", "both")
    studio.update_project(project.id, {"label_config": page, "title": "Another name"})
    studio.annotate(second, "both", 2)
    fetched = channel.fetch()
    assert fetched.missing == {deleted}
    assert "changed the labelling page of project 'Another name'" in fetched.remarks[0]
    assert fetched.judgments["label"].tolist() == ["odd"]
    assert "'both' is none of the choices (odd | even)" in fetched.notes[0]
    for _ in range(2):
        channel.send(lines(0, 4))
    assert not channel.fetch().missing and not channel.fetch().remarks
    assert len(studio.tasks) == 4 and len(studio.projects_) == 1


def test_answers_that_never_came_are_not_asked_for_again(
    channel: LabelStudioChannel, studio: FakeServer
) -> None:
    first = lines(0, 3).assign(judgments=2, received=[2, 1, 0])
    again = lines(0, 2, batch=2).assign(judgments=1, gold=None, received=0)
    channel.send(first)
    channel.send(pd.concat([first, again]))
    asked = {str(task.data["item_id"]): task.overlap for task in studio.tasks.values()}
    # The second still asks for the one that did not come, which is the one that is wanted now.
    assert asked == {"item-000": 3, "item-001": None, "item-002": None}
