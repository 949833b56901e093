"""A collection that a real Label Studio calls: what people say is kept as they say it."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from _label_studio import LabelStudioProcess
from budget.collection.store.store import CollectionStore
from tests.unit.budget.collection.by_hand import other, right, write_tables

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "training" / "pico" / "checkpoint"
SUPPLIERS = """
[suppliers.crowd]
cost = 0.05
judgments = [2]
"""
SETTINGS = """
[model]
path = "{model}"

[strata]
measure = "steps"
cut = "edges:2"
names = ["easy", "hard"]

[buying]
first = 6
gold = 2
approve_below = 100
"""
PATIENCE = 120.0  # seconds; an answer takes less than two


class Project:
    """The collection's project in Label Studio, and who answers there."""

    def __init__(self, api: httpx.Client, title: str) -> None:
        found = api.get("/api/projects", params={"page_size": 1000}).raise_for_status().json()
        own = next(each for each in found["results"] if each["title"] == title)
        self.api, self.number = api, own["id"]
        query: dict[str, str | int] = {"project": self.number, "page_size": 1000, "fields": "all"}
        tasks = api.get("/api/tasks", params=query).raise_for_status().json()["tasks"]
        self.tasks = [(task["id"], task["data"]["item_id"]) for task in tasks]
        new = {"email": "ann@example.com", "username": "ann", "first_name": "", "last_name": ""}
        self.ann = api.post("/api/users/", json=new).raise_for_status().json()["id"]

    def answer(self, place: int) -> int:
        """Ann answers a task rightly; the number of her annotation."""
        task, item = self.tasks[place]
        body = {"result": said(right(item)), "lead_time": 3.5, "completed_by": self.ann}
        made = self.api.post(f"/api/tasks/{task}/annotations/", json=body).raise_for_status()
        return int(made.json()["id"])

    def webhooks(self) -> list[dict[str, Any]]:
        found = self.api.get("/api/webhooks/", params={"project": self.number})
        webhooks: list[dict[str, Any]] = found.raise_for_status().json()
        return webhooks


def said(label: str) -> list[dict[str, Any]]:
    answer = {"from_name": "answer", "to_name": "question", "type": "choices"}
    return [{**answer, "value": {"choices": [label]}}]


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def api(label_studio: LabelStudioProcess) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Token {label_studio.token}", "Connection": "close"}
    with httpx.Client(base_url=label_studio.url, headers=headers, timeout=120) as client:
        yield client


def test_an_answer_is_kept_and_paid_without_a_pull(
    label_studio: LabelStudioProcess,
    api: httpx.Client,
    command: list[str],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    write_tables(tmp_path)
    (tmp_path / "suppliers.toml").write_text(SUPPLIERS)
    (tmp_path / "more.toml").write_text(SETTINGS.format(model=MODEL))
    own = {
        **environment,
        "PYTHONPATH": str(ROOT),
        "LABEL_STUDIO_URL": label_studio.url,
        "LABEL_STUDIO_TOKEN": label_studio.token,
    }
    folder, log = tmp_path / "called", tmp_path / "log"

    def run(*words: str | Path) -> str:
        done = subprocess.run(
            [*command, "collect", *map(str, words)], env=own, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    run(
        *("new", folder, "--items", tmp_path / "pool.jsonl", "--test", tmp_path / "test.jsonl"),
        *("--suppliers", tmp_path / "suppliers.toml", "--config", tmp_path / "more.toml"),
        *("--budget", "30", "--currency", "EUR"),
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    waits = ["collect", "run", str(folder), "--wait", "--every", "3600", "--listen", listen]
    with (
        log.open("wb") as out,
        subprocess.Popen([*command, *waits], env=own, stdout=out, stderr=out) as process,
    ):
        try:
            follow(process, log, api, folder, listen)
        finally:
            process.kill()
    # What came by webhook is what a pull finds.
    (pulled,) = json.loads(run("run", folder, "--json"))
    assert pulled["lines"][0] == "crowd: 0 new judgments, 0 changed, 0 gone"


def follow(
    process: "subprocess.Popen[bytes]", log: Path, api: httpx.Client, folder: Path, listen: str
) -> None:
    """Answer, edit and delete, and see what becomes of it while the process waits."""

    def pulls() -> int:
        return log.read_text().count(" gone\n")

    def is_told(text: str) -> bool:
        assert process.poll() is None, log.read_text()
        return text in log.read_text()

    eventually(lambda: is_told(f"Label Studio calls http://{listen}/"))
    eventually(lambda: pulls() == 2)  # once more when it is called: somebody may have answered
    project = Project(api, f"{folder.name} - crowd (2x)")
    with CollectionStore.open(folder / "collection.sqlite") as store:

        def labels() -> list[str]:
            found: list[str] = store.judgments()["label"].tolist()
            return found

        first = project.answer(0)  # nobody has met her: a pull asks who she is
        eventually(lambda: len(labels()) == 1)
        eventually(lambda: pulls() == 4)  # once more soon after
        before = pulls()
        second = project.answer(1)
        eventually(lambda: is_told("by webhook: 1 new judgments, 0 changed"))
        assert labels() == [right(item) for _, item in project.tasks[:2]]
        assert store.balance().paid == Decimal("0.10")
        wrong = other(right(project.tasks[1][1]))
        edit = {"result": said(wrong), "lead_time": 9.5}
        api.patch(f"/api/annotations/{second}/", json=edit).raise_for_status()
        eventually(lambda: is_told("by webhook: 0 new judgments, 1 changed"))
        assert labels()[1] == wrong
        assert store.balance().paid == Decimal("0.10")  # once
        assert pulls() == before
        api.delete(f"/api/annotations/{first}/").raise_for_status()
        eventually(lambda: labels() == [wrong])
        eventually(lambda: store.balance().paid == Decimal("0.05"))
        (webhook,) = project.webhooks()
        assert (webhook["url"], webhook["send_payload"]) == (f"http://{listen}/", True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130
        assert project.webhooks() == []
