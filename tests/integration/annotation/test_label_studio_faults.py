"""Pushes and pulls through a proxy that loses, refuses, cuts off and delays."""

import http.client
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from _label_studio import LabelStudioProcess
from annotation.label_studio.connection import Connection
from annotation.label_studio.labelling_config import labelling_config
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.predictions import Prediction
from annotation.label_studio.project import ProjectSettings
from annotation.label_studio.pull import judgment_table, pull
from annotation.label_studio.push import push
from annotation.label_studio.retries import RetryPolicy
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState
from annotation.label_studio.token import Token
from annotation.label_studio.watch import Bell, watch
from annotation.label_studio.webhook import SECRET_HEADER, WebhookReceiver
from tests.integration.annotation.faulty_proxy import FAULTS, Fault, FaultyProxy

# Whatever goes wrong in 4 % of runs is met with a probability of 96 %.
RUNS = 80
TASKS = 4
OPTIONS = ("red", "green", "blue")
# Quick waits: the number of failures in a row is what the runs are about.
POLICY = RetryPolicy(first_wait=0.001, longest_wait=0.02, patience=60)
SECRET = "a secret of the tests"


class Annotators:
    """People at the server itself, past the proxy; what they did is the truth."""

    def __init__(self, server: LabelStudioProcess) -> None:
        # A new connection each time: a kept one waits 40 ms for the server's second packet.
        headers = {"Authorization": f"Token {server.token}", "Connection": "close"}
        self._http = httpx.Client(base_url=server.url, headers=headers, timeout=60, verify=False)
        self.truth: dict[int, tuple[str | None, float]] = {}

    def tasks(self, project: int) -> list[dict[str, Any]]:
        query = {"project": project, "page_size": 1000, "fields": "all"}
        found: list[dict[str, Any]] = self._call("GET", "/api/tasks/", params=query)["tasks"]
        return found

    def answer(self, task: int, choice: str | None, seconds: float) -> int:
        given = self._call("POST", f"/api/tasks/{task}/annotations/", json=body(choice, seconds))
        self.truth[given["id"]] = (choice, seconds)
        return int(given["id"])

    def edit(self, annotation: int, choice: str, seconds: float) -> None:
        self._call("PATCH", f"/api/annotations/{annotation}/", json=body(choice, seconds))
        self.truth[annotation] = (choice, seconds)

    def delete(self, annotation: int) -> None:
        self._call("DELETE", f"/api/annotations/{annotation}/")
        del self.truth[annotation]

    def _call(self, method: str, path: str, **options: Any) -> Any:
        answer = self._http.request(method, path, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def body(choice: str | None, seconds: float) -> dict[str, Any]:
    value = {"choices": [choice]}
    part = {"from_name": "answer", "to_name": "question", "type": "choices", "value": value}
    return {
        "result": [] if choice is None else [part],
        "was_cancelled": choice is None,
        "lead_time": seconds,
        "ground_truth": False,
    }


def pilot(size: int) -> list[PilotTask]:
    return [
        PilotTask(f"item-{n}", "easy" if n % 2 else "hard", f"Which colour has {n}?", OPTIONS, None)
        for n in range(size)
    ]


def judged(state: PilotState) -> dict[int, tuple[str | None, float]]:
    """Annotation -> answer (None: skipped) and seconds, from the judgment table."""
    table: pd.DataFrame = judgment_table(state)
    assert table["source_id"].is_unique
    ids = table["source_id"].str.rsplit(":", n=1).str[-1].astype(int)
    answers = zip(table["label"], table["seconds"], strict=True)
    return {n: (label, seconds) for n, (label, seconds) in zip(ids, answers, strict=True)}


@pytest.fixture(scope="module")
def faulty(label_studio: LabelStudioProcess) -> Iterator[FaultyProxy]:
    with FaultyProxy(label_studio.url, lambda method, path: "none") as proxy:
        yield proxy


class Faults:
    """Two of five requests fail, each of its kind in turn in every way; `met` counts them."""

    def __init__(self) -> None:
        self.met: Counter[tuple[str, Fault]] = Counter()

    def of_run(self, seed: int) -> Callable[[str, str], Fault]:
        """What a run's proxy does."""
        generator = random.Random(seed)

        def choose(method: str, path: str) -> Fault:
            kind = re.sub(r"\d+", "N", f"{method} {path.partition('?')[0]}")
            if generator.random() >= 0.4:
                return "none"
            least = min(self.met[kind, fault] for fault in FAULTS)
            fault = generator.choice([own for own in FAULTS if self.met[kind, own] == least])
            self.met[kind, fault] += 1
            return fault

        return choose

    def unmet(self) -> set[tuple[str, Fault]]:
        """Faults that a kind of request never had."""
        kinds = {kind for kind, _ in self.met}
        return {(kind, fault) for kind in kinds for fault in FAULTS} - set(self.met)


def one_run(seed: int, server: LabelStudioProcess, proxy: FaultyProxy, folder: Path) -> None:
    """Push, answer, fetch; every fourth run has, in turn, something more to survive."""
    grows, predicts, changes, watches = (seed % 4 == turn for turn in range(4))
    people = Annotators(server)
    settings = ProjectSettings(f"faults {seed}", labelling_config("choices"), overlap=2)
    predictions = [Prediction("item-1", "red", 0.5)] if predicts else []
    with (
        Connection(proxy.url, Token(server.token), POLICY, timeout=20) as connection,
        PilotState(folder / f"{seed}.sqlite") as state,
    ):
        through_proxy = LabelStudioServer(connection)
        if grows:
            push(through_proxy, state, pilot(TASKS - 2), settings)
        summary = push(through_proxy, state, pilot(TASKS), settings, predictions)
        tasks = people.tasks(summary.project_id)
        assert [task["data"] for task in tasks] == [task.data for task in pilot(TASKS)]
        assert [len(task["predictions"]) for task in tasks] == [
            int(predicts and n == 1) for n in range(TASKS)
        ]
        first = people.answer(tasks[0]["id"], "red", 10 + seed)
        second = people.answer(tasks[1]["id"], None, 20 + seed)
        if watches:
            watched(through_proxy, state, random.Random(seed))
        else:
            pull(through_proxy, state)
        assert judged(state) == people.truth
        if changes:
            people.answer(tasks[0]["id"], "green", 30 + seed)
            people.edit(first, "blue", 40 + seed)
            people.delete(second)
            pull(through_proxy, state)
            assert judged(state) == people.truth


def watched(server: LabelStudioServer, state: PilotState, generator: random.Random) -> None:
    """Watch with deliveries that come early, doubled and late."""
    bell, looks = Bell(), 0
    with WebhookReceiver("127.0.0.1", 0, "/", SECRET, bell.deliver) as receiver:

        def deliver() -> None:
            for _ in range(generator.randrange(4)):
                connection = http.client.HTTPConnection("127.0.0.1", receiver.port)
                connection.request("POST", "/", b"{}", {SECRET_HEADER: SECRET})
                assert connection.getresponse().status == 204
                connection.close()

        def goes_on() -> bool:
            nonlocal looks
            looks += 1
            deliver()
            return looks < 2

        deliver()
        watch(
            lambda: pull(server, state),
            bell,
            every=0.01,
            changed=lambda summary: None,
            trouble=lambda line: pytest.fail(line),
            goes_on=goes_on,
            settle=0.001,
        )


def test_nothing_is_lost_or_doubled_over_faults(
    label_studio: LabelStudioProcess, faulty: FaultyProxy, tmp_path: Path
) -> None:
    faults = Faults()
    for seed in range(RUNS):
        faulty.choose = faults.of_run(seed)
        one_run(seed, label_studio, faulty, tmp_path)
    # Of requests to projects, tasks, users and the server's organisations.
    assert len({kind for kind, _ in faults.met}) == 10
    assert faults.unmet() == set()


def test_answer_that_comes_too_late_is_looked_for(
    label_studio: LabelStudioProcess, faulty: FaultyProxy, tmp_path: Path
) -> None:
    """We stop waiting for an import that the server carries out all the same."""
    left: list[Fault] = ["no answer"]
    faulty.faults.clear()
    faulty.hold = 4.0
    faulty.choose = lambda method, path: left.pop() if "import" in path and left else "none"
    settings = ProjectSettings("Too late", labelling_config("choices"))
    with (
        Connection(faulty.url, Token(label_studio.token), POLICY, timeout=2) as connection,
        PilotState(tmp_path / "late.sqlite") as state,
    ):
        sent = push(LabelStudioServer(connection), state, pilot(TASKS), settings)
    tasks = Annotators(label_studio).tasks(sent.project_id)
    assert [task["data"] for task in tasks] == [task.data for task in pilot(TASKS)]
    assert faulty.faults["no answer"] == 1
