"""A project of a collection that somebody changes on a real Label Studio server: told, not lost."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from _label_studio import LabelStudioProcess
from annotation.errors import InputError
from budget.collection.beginning import (
    change_suppliers,
    check_suppliers,
    open_collection,
    store_url,
)
from budget.collection.steps import Collection, Done
from budget.collection.store.store import CollectionStore
from budget.commands.labelstudio_session import opened_server
from tests.unit.budget.collection.by_hand import (
    EXPERT,
    answer,
    learns_nothing,
    new_collection,
    right,
    suppliers,
    to_the_annotators,
)
from training.engines import SilentWatcher
from training.engines.choice import EngineChoice

CROWD = {"cost": "0.05", "judgments": [1], "channel": "label_studio"}


@dataclass(frozen=True)
class Site:
    """A collection whose crowd works on the server, and whose expert sends files."""

    folder: Path
    server: LabelStudioProcess
    api: httpx.Client

    @contextmanager
    def opened(self) -> Iterator[Collection]:
        def connect() -> AbstractContextManager[Any]:
            return opened_server(self.server.url, None, 20.0)

        with CollectionStore.open(store_url(self.folder)) as store:
            yield open_collection(self.folder, store, connect, EngineChoice())

    def step(self, **how: bool) -> Done:
        with self.opened() as collection:
            return collection.step(SilentWatcher(), **how)

    def paid(self) -> Decimal:
        with self.opened() as collection:
            return collection.store.balance().paid

    def project(self) -> dict[str, Any]:
        found = self.api.get("/api/projects", params={"page_size": 1000}).json()["results"]
        title = f"{self.folder.parent.name[:25]} - crowd"
        return next(dict(own) for own in found if own["title"].startswith(title))

    def change(self, project: int, **settings: str) -> None:
        self.api.patch(f"/api/projects/{project}/", json=settings).raise_for_status()

    def tasks(self, project: int) -> list[dict[str, Any]]:
        query: dict[str, str | int] = {"project": project, "page_size": 1000, "fields": "all"}
        return list(self.api.get("/api/tasks", params=query).raise_for_status().json()["tasks"])

    def says(self, task: dict[str, Any], label: str) -> int:
        """Answer a task; the number of the annotation."""
        value = {"value": {"choices": [label]}, "from_name": "answer", "to_name": "question"}
        body = {"result": [{**value, "type": "choices"}], "lead_time": 9}
        made = self.api.post(f"/api/tasks/{task['id']}/annotations/", json=body)
        return int(made.raise_for_status().json()["id"])

    def says_right(self, *tasks: dict[str, Any]) -> list[int]:
        return [self.says(task, right(task["data"]["item_id"])) for task in tasks]

    def delete(self, what: str, number: int) -> None:
        self.api.delete(f"/api/{what}/{number}/").raise_for_status()


@pytest.fixture
def site(
    label_studio: LabelStudioProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    learns_nothing(monkeypatch)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", label_studio.token)
    name = tmp_path.name[:25]
    file = suppliers(crowd=CROWD, expert=EXPERT)
    folder = new_collection(tmp_path, file, name=name, buying={"first": 4, "gold": 0})
    headers = {"Authorization": f"Token {label_studio.token}", "Connection": "close"}
    with httpx.Client(base_url=label_studio.url, headers=headers, timeout=120) as api:
        own = Site(folder, label_studio, api)
        with own.opened() as collection:
            to_the_annotators(collection)
        yield own


def test_a_project_that_was_renamed_goes_on(site: Site) -> None:
    project = site.project()
    site.change(project["id"], title="Another name")
    tasks = site.tasks(project["id"])
    for _ in range(2):
        done = site.step(send_again=True)  # as every later order does
        assert f"0 tasks sent to {site.server.url}/projects/{project['id']}" in done.lines[0]
    site.says_right(*tasks)
    assert "crowd: 8 new judgments, 0 changed, 0 gone" in site.step().lines
    assert len(site.tasks(project["id"])) == len(tasks) == 8
    assert site.paid() == Decimal("0.40")


def test_a_deleted_annotation_is_taken_back_and_waited_for(site: Site) -> None:
    tasks = site.tasks(site.project()["id"])
    first, *_ = site.says_right(*tasks)
    site.step()
    site.delete("annotations", first)
    done = site.step()
    assert "crowd: 0 new judgments, 0 changed, 1 gone" in done.lines
    assert done.waits_for == "annotators"
    assert site.paid() == Decimal("0.35")
    site.says_right(tasks[0])
    assert "crowd: 1 new judgments, 0 changed, 0 gone" in site.step().lines
    assert site.paid() == Decimal("0.40")


def test_deleted_tasks_are_told_and_sent_again_where_that_is_asked(site: Site) -> None:
    project = site.project()["id"]
    tasks = site.tasks(project)
    site.says_right(*tasks[:3])
    site.step()
    for task in (tasks[0], tasks[7]):  # one that was answered, one that was not
        site.delete("tasks", task["id"])
    done = site.step()
    assert done.lines[-1].startswith("2 tasks of it were deleted, such as item 'item-")
    assert f"labelmix collect step {site.folder} --send-again" in done.lines[-1]
    assert site.paid() == Decimal("0.10")
    assert len(site.tasks(project)) == 6  # nobody asked for them
    done = site.step(send_again=True)
    assert "2 tasks sent to" in done.lines[0]
    assert not any("were deleted" in line for line in done.lines)
    there = site.tasks(project)
    assert sorted(t["data"]["item_id"] for t in there) == sorted(
        t["data"]["item_id"] for t in tasks
    )
    site.says_right(*(task for task in there if not task["annotations"]))
    site.step()
    assert site.paid() == Decimal("0.40")


def test_other_choices_are_left_out_and_the_page_is_put_back(site: Site) -> None:
    project = site.project()
    page = project["label_config"]
    more = re.sub(r'(<Choice value="even" ?/>)', r'\1<Choice value="both"/>', page)
    assert more != page
    site.change(project["id"], label_config=more)
    first, second, *_ = site.tasks(project["id"])
    site.says(first, "both")
    site.says_right(second)
    done = site.step()
    told = "\n".join(done.lines)
    assert "crowd: 1 new judgments, 0 changed, 0 gone" in done.lines
    assert "'both' is none of the choices (odd | even)" in told
    assert "somebody changed the labelling page of project" in told
    assert site.paid() == Decimal("0.05")
    told = "\n".join(site.step(send_again=True).lines)
    assert "somebody changed" not in told
    assert "both" not in site.project()["label_config"]


def test_a_page_that_asks_nothing_is_told_while_others_are_paid(site: Site) -> None:
    project = site.project()
    site.says_right(site.tasks(project["id"])[0])
    site.step()
    nothing = '<View><Text name="question" value="$question"/></View>'
    site.change(project["id"], label_config=nothing)
    answer(site.folder, "expert", 1)
    with pytest.raises(InputError, match="has neither Choices nor a TextArea; mend it in Label"):
        site.step()
    assert site.paid() == Decimal("0.05") + 8 * Decimal("0.40")
    done = site.step(send_again=True)
    assert done.waits_for == "annotators"
    assert site.project()["label_config"] == project["label_config"]
    assert site.paid() == Decimal("0.05") + 8 * Decimal("0.40")


def test_a_deleted_project_loses_nothing_and_the_collection_goes_on(site: Site) -> None:
    project = site.project()["id"]
    site.says_right(*site.tasks(project)[:5])
    site.step()
    site.delete("projects", project)
    answer(site.folder, "expert", 1)
    for how in ({}, {"send_again": True}):
        with pytest.raises(InputError, match=r"no project '.* - crowd .*' any more: it has"):
            site.step(**how)
    assert site.paid() == 5 * Decimal("0.05") + 8 * Decimal("0.40")  # the expert's are fetched
    done = site.step(enough=True)
    assert done.lines[-1] == "batch 1 is complete without 3 judgments that did not come"
    file = suppliers(crowd2=CROWD, expert=EXPERT)
    with site.opened() as collection:
        check_suppliers(site.folder, collection.store, file)
        change_suppliers(collection.store, file, "ann", "the project was deleted")
    with site.opened() as collection:
        assert to_the_annotators(collection) == 2
        assert len(collection.store.judgments()) == 13
        assert collection.step(SilentWatcher()).waits_for == "annotators"
    assert site.paid() == 5 * Decimal("0.05") + 8 * Decimal("0.40")
