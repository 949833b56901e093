"""The whole loop on a real server: push, annotate, watch through failures, pull, estimate."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from _label_studio import LabelStudioProcess
from _label_studio_browser import (
    CHROMIUM,
    pick,
    shown_choices,
    signed_in,
    skip,
    start_labelling,
    submit,
)
from annotation.errors import InputError
from annotation.items.write import write_table
from annotation.judgments.table_files import read_judgments
from annotation.label_studio.connection import Connection
from annotation.label_studio.labelling_config import labelling_config
from annotation.label_studio.pilot import PilotTask
from annotation.label_studio.predictions import Prediction
from annotation.label_studio.project import ProjectSettings
from annotation.label_studio.pull import judgment_table, pull
from annotation.label_studio.push import push
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState
from annotation.label_studio.token import Token
from annotation.labelling.simulated_team import Simulation, Workplace, simulate_judgments
from annotation.team.error_rates import ErrorRates
from annotation.team.timing import Timing
from annotation.terms.clean_share import clean_share
from annotation.terms.cost import LabelTerms, money
from annotation.truth.coding import code_judgments
from budget.market.market import Market, offers_at_terms
from budget.search.plan import plan_purchase
from budget.surface.fit import fit_surface
from tests.integration.annotation.faulty_proxy import FAULTS, Fault, FaultyProxy

ROOT = Path(__file__).resolve().parents[3]
LABELMIX = [sys.executable, "-c", "from budget.commands.app import main; main()"]
ITEMS = {"easy": 60, "hard": 60}
GOLD = 15  # of each stratum
OVERLAP = 3
OF_SERVER = r"label-studio:[0-9a-f]{8}:(\d+)-[0-9a-f]{8}:"  # keys of server and project


class Shell:
    """Runs `labelmix`, and keeps all that it ever printed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.printed: list[str] = []

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [*LABELMIX, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.printed += [done.stdout, done.stderr]
        assert done.returncode == code, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json"))
        return found

    def start(self, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                [*LABELMIX, *arguments],
                env=self.environment,
                cwd=ROOT,
                stdout=out,
                stderr=out,
                preexec_fn=hear_interrupts,
            )


def hear_interrupts() -> None:
    """A shell makes jobs in its background deaf to Ctrl-C, and their children inherit it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def api(label_studio: LabelStudioProcess) -> Iterator[httpx.Client]:
    """The server's API, past all proxies."""
    headers = {"Authorization": f"Token {label_studio.token}", "Connection": "close"}
    with httpx.Client(base_url=label_studio.url, headers=headers, timeout=120) as client:
        yield client


@pytest.fixture
def shell(label_studio: LabelStudioProcess) -> Shell:
    return Shell({"LABEL_STUDIO_URL": label_studio.url, "LABEL_STUDIO_TOKEN": label_studio.token})


def test_pilot_from_push_to_estimate(
    label_studio: LabelStudioProcess, api: httpx.Client, shell: Shell, tmp_path: Path
) -> None:
    simulation = simulate_judgments(
        Workplace(items=ITEMS, judgments_per_item=OVERLAP, annotators=8), seed=5
    )
    items = item_table(simulation)
    write_table(items, tmp_path / "items.jsonl")
    pilot = tmp_path / "pilot"
    push = [
        *("labelstudio", "push", str(tmp_path / "items.jsonl"), "--title", "Whole loop"),
        *("--measure", "hardness", "--cut", "edges:0", "--tasks", f"easy={ITEMS['easy']}"),
        *("--tasks", f"hard={ITEMS['hard']}", "--gold", str(GOLD), "--out", str(pilot)),
    ]
    # Two of five requests fail on their way.
    draw = random.Random(1)
    with FaultyProxy(
        label_studio.url, lambda *_: draw.choice(FAULTS) if draw.random() < 0.4 else "none"
    ) as proxy:
        first = shell.json(*push, "--url", proxy.url)
    again = shell.json(*push)
    assert (first["tasks"], first["sent"], first["gold_questions"]) == (120, 120, 2 * GOLD)
    assert (again["sent"], again["already_there"], again["changed"]) == (0, 120, 0)

    tasks = read_tasks(api, first["project_id"])
    assert sorted(task["data"]["item_id"] for task in tasks) == sorted(simulation.item_ids)
    for task in tasks:  # which questions are gold is told to nobody
        assert task["data"].keys() == {"item_id", "stratum", "question", "options"}
        assert not task["annotations"]

    annotators = make_annotators(api, simulation)
    with Watched(shell, pilot, tmp_path) as watched:
        answer_all(api, simulation, items, tasks, annotators, watched.kill_and_start_again)
        regret(api, read_tasks(api, first["project_id"]))
        expected = true_table(read_tasks(api, first["project_id"]), annotators)
        watched.wait_for(expected)
        watched.interrupt()
    last = shell.json("labelstudio", "pull", str(pilot))
    assert (last["changed"], last["left_out"]) == (0, [])

    judgments = read_judgments(pilot / "judgments.csv")
    assert judgments["source_id"].str.match(OF_SERVER).all()
    assert rows(judgments) == rows(expected)
    assert judgments["gold"].dropna().groupby(judgments["item_id"]).ngroups == 2 * GOLD
    gold = judgments.dropna(subset="gold").groupby("item_id")["gold"].first()
    right = [c[a] for c, a in zip(items["choices"], items["answer"], strict=True)]
    truth = dict(zip(items["item_id"], right, strict=True))
    assert gold.to_dict() == {item: truth[item] for item in gold.index}

    assert_truth_in_intervals(judgments, simulation, items)
    assert_the_planner_runs_on_it(shell, pilot / "judgments.csv", tmp_path / "terms.toml")
    assert_token_nowhere(label_studio.token, shell, tmp_path)


def assert_the_planner_runs_on_it(shell: Shell, judgments: Path, written: Path) -> None:
    """Costs and error rates as they were measured, and what is believed before any training."""
    options = ("--rate", "24", "--choices", "4", "--out", str(written))
    shell.json("judgments", "report", str(judgments), *options)
    measured = tomllib.loads(written.read_text())["annotators"]
    assert list(measured) == ["easy", "hard"]
    terms = {
        name: LabelTerms(money(own["cost"]), own["error_rate"], own["error_kind"])
        for name, own in measured.items()
    }
    assert terms["easy"].cost < terms["hard"].cost
    assert terms["easy"].error_rate < terms["hard"].error_rate
    clean = {name: clean_share(own.error_rate, own.error_kind, 0.25) for name, own in terms.items()}
    none = np.empty(0, dtype=object)
    surface = fit_surface([], ("easy", "hard"), "hard", None, 0.25, none, draws=200, clean=clean)
    offers = offers_at_terms(terms, clean)
    supply = Market(surface.strata, offers, dict.fromkeys(terms, 1000), {}, {})
    plan = plan_purchase(surface, supply, Decimal(100))
    assert 0 < plan.cost <= 100
    assert sum(plan.labels.values()) > 0


def item_table(simulation: Simulation) -> pd.DataFrame:
    """Items whose choices are their own: "class 3" of the simulation is each item's third."""
    choices = [[f"{item}, {n + 1}" for n in range(4)] for item in simulation.item_ids]
    strata = simulation.judgments.groupby("item_id")["stratum"].first()
    return pd.DataFrame(
        {
            "item_id": simulation.item_ids,
            "question": [f"What is <b>right</b> & true of {i}?\n" for i in simulation.item_ids],
            "choices": choices,
            "answer": [int(answer.removeprefix("class ")) - 1 for answer in simulation.answers],
            "hardness": [
                float(strata[item] == "hard") * 2 - 1 if item in strata else 0.0
                for item in simulation.item_ids
            ],
        }
    )


def read_tasks(api: httpx.Client, project: int) -> list[dict[str, Any]]:
    found = api.get(
        "/api/tasks/", params={"project": project, "fields": "all", "page_size": 1000}
    ).raise_for_status()
    tasks: list[dict[str, Any]] = found.json()["tasks"]
    return tasks


def make_annotators(api: httpx.Client, simulation: Simulation) -> dict[str, tuple[int, str]]:
    """Annotator of the simulation -> number and address of an account on the server."""
    made = {}
    for name in simulation.annotators:
        new = {"email": f"{name}@example.com", "username": name, "first_name": "", "last_name": ""}
        user = api.post("/api/users/", json=new).raise_for_status().json()
        made[name] = (user["id"], new["email"])
    return made


def annotation(label: str | None, seconds: float, user: int) -> dict[str, Any]:
    part = {
        "from_name": "answer",
        "to_name": "question",
        "type": "choices",
        "value": {"choices": [label]},
    }
    return {
        "result": [part] if label is not None else [],
        "was_cancelled": label is None,
        "lead_time": seconds,
        "completed_by": user,
        "ground_truth": False,
    }


def answer_all(
    api: httpx.Client,
    simulation: Simulation,
    items: pd.DataFrame,
    tasks: list[dict[str, Any]],
    annotators: dict[str, tuple[int, str]],
    half_way: Callable[[], None],
) -> None:
    task_of = {task["data"]["item_id"]: task["id"] for task in tasks}
    choices = dict(zip(items["item_id"], items["choices"], strict=True))
    judgments = simulation.judgments
    for number, row in enumerate(judgments.itertuples(index=False)):
        if number == len(judgments) // 2:
            half_way()
        label = None
        if not row.cancelled:
            label = choices[row.item_id][int(str(row.label).removeprefix("class ")) - 1]
        user = annotators[str(row.annotator)][0]
        path = f"/api/tasks/{task_of[row.item_id]}/annotations/"
        api.post(path, json=annotation(label, float(row.seconds), user)).raise_for_status()


def regret(api: httpx.Client, tasks: list[dict[str, Any]]) -> None:
    """Delete two annotations and answer them again, one of them twice over."""
    chosen = [task["annotations"][0] for task in tasks[:2]]
    for old in chosen:
        api.delete(f"/api/annotations/{old['id']}/").raise_for_status()
        kept = {"result": old["result"], "was_cancelled": old["was_cancelled"]}
        new = {**kept, "lead_time": 1.0, "completed_by": old["completed_by"]}
        made = api.post(f"/api/tasks/{old['task']}/annotations/", json=new).raise_for_status()
        edit = {"lead_time": old["lead_time"], "result": old["result"]}
        api.patch(f"/api/annotations/{made.json()['id']}/", json=edit).raise_for_status()


def true_table(tasks: list[dict[str, Any]], annotators: dict[str, tuple[int, str]]) -> pd.DataFrame:
    """The judgments that are on the server, read by the plainest means."""
    addresses = dict(annotators.values())
    return pd.DataFrame(
        [
            {
                "source_id": f"label-studio:{task['project']}:{given['id']}",
                "item_id": task["data"]["item_id"],
                "annotator": addresses[given["completed_by"]],
                "label": given["result"][0]["value"]["choices"][0] if given["result"] else None,
                "seconds": given["lead_time"],
                "cancelled": given["was_cancelled"],
                "stratum": task["data"]["stratum"],
            }
            for task in tasks
            for given in task["annotations"]
        ]
    )


def rows(judgments: pd.DataFrame) -> list[tuple[Any, ...]]:
    columns = ["source_id", "item_id", "annotator", "label", "seconds", "cancelled", "stratum"]
    by_number = judgments["source_id"].str.replace(OF_SERVER, r"label-studio:\1:", regex=True)
    plain = judgments.assign(source_id=by_number)[columns].astype(object)
    return sorted(plain.where(plain.notna(), None).itertuples(index=False, name=None))


class Watched:
    """`labelmix labelstudio watch`, called by Label Studio over a line that doubles and delays."""

    def __init__(self, shell: Shell, pilot: Path, folder: Path) -> None:
        self.shell, self.pilot, self.log = shell, pilot, folder / "watch.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        draw = random.Random(2)
        weighted: tuple[Fault, ...] = ("none",) * 6 + ("twice",) * 3 + ("reset before",)
        self.line = FaultyProxy(
            f"http://127.0.0.1:{self.port}",
            lambda *_: "late" if draw.random() < 0.02 else draw.choice(weighted),
        )

    def __enter__(self) -> "Watched":
        self.line.__enter__()
        self.process = self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.line.__exit__(None, None, None)

    def start(self) -> subprocess.Popen[bytes]:
        return self.shell.start(
            self.log,
            *("labelstudio", "watch", str(self.pilot), "--every", "600"),
            *("--listen", f"127.0.0.1:{self.port}", "--callback", f"{self.line.url}/"),
        )

    def kill_and_start_again(self) -> None:
        self.wait(lambda: (self.pilot / "judgments.csv").exists())
        self.process.kill()
        self.process.wait()
        self.process = self.start()

    def wait_for(self, expected: pd.DataFrame) -> None:
        """Until the table on the disk is `expected`; only webhooks can bring that about."""
        self.wait(lambda: rows(read_judgments(self.pilot / "judgments.csv")) == rows(expected))
        assert self.line.faults["twice"] > 10

    def wait(self, until: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 60
        while not until():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < give_up, self.log.read_text()
            time.sleep(0.2)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0, self.log.read_text()
        self.shell.printed.append(self.log.read_text())
        assert "stopped; judgments:" in self.shell.printed[-1]


def assert_truth_in_intervals(
    judgments: pd.DataFrame, simulation: Simulation, items: pd.DataFrame
) -> None:
    coded = code_judgments(judgments, items)
    rates = ErrorRates(coded)
    timing = Timing(judgments)
    workplace = simulation.workplace
    for number, stratum in enumerate(coded.strata):
        rate = rates.stratum(number).rate
        assert rate.low is not None and rate.high is not None
        assert rate.low <= simulation.error_rate(stratum, "like_these") <= rate.high
        assert rate.high - rate.low < 0.5
        chosen = (judgments["stratum"] == stratum).to_numpy(dtype=np.bool_)
        mean = timing.work(chosen).mean
        assert mean.low is not None and mean.high is not None
        assert mean.low <= workplace.mean_seconds(stratum) <= mean.high
    easy, hard = (rates.stratum(coded.strata.index(name)).rate for name in ("easy", "hard"))
    assert easy.estimate is not None and hard.estimate is not None
    assert easy.estimate < hard.estimate


def assert_token_nowhere(token: str, shell: Shell, folder: Path) -> None:
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert {"label_studio.sqlite", "judgments.csv"} <= {path.name for path in kept}
    assert not [path for path in kept if token.encode() in path.read_bytes()]
    assert not [text for text in shell.printed if token in text]


def test_personal_access_token(
    label_studio: LabelStudioProcess, api: httpx.Client, shell: Shell, tmp_path: Path
) -> None:
    made = api.post("/api/token/").raise_for_status()
    personal = made.json()["token"]
    file = tmp_path / "token"
    file.write_text(f"{personal}\n")
    del shell.environment["LABEL_STUDIO_TOKEN"]
    items = pd.DataFrame(
        {"item_id": ["a", "b"], "question": ["?", "?"], "choices": [[], []], "answer_text": "1"}
    )
    write_table(items, tmp_path / "items.jsonl")
    push = [
        *("labelstudio", "push", str(tmp_path / "items.jsonl"), "--title", "Personal token"),
        *("--tasks", "all=2", "--out", str(tmp_path / "pilot")),
    ]
    sent = shell.json(*push, "--token-file", str(file))
    assert sent["sent"] == 2
    # The exchange for a short-lived token is a request like others: it too may fail.
    answers: list[Fault] = ["500 after", "reset after", "429"]
    with FaultyProxy(
        label_studio.url, lambda method, path: answers.pop() if answers else "none"
    ) as proxy:
        pull = ["labelstudio", "pull", str(tmp_path / "pilot"), "--url", proxy.url]
        assert shell.json(*pull, "--token-file", str(file))["tasks"] == 2
        assert not answers
    assert "token" in shell.run(*pull, code=2) + shell.printed[-1]  # without one
    assert_token_in_no_text(personal, shell.printed)


def test_refusals_are_one_line_without_the_token(
    label_studio: LabelStudioProcess, tmp_path: Path
) -> None:
    wrong = "f" * 40
    with (
        Connection(label_studio.url, Token(wrong)) as connection,
        pytest.raises(InputError, match=r"refuses the token \(401") as refusal,
    ):
        connection.first_contact()
    assert wrong not in str(refusal.value)
    assert refusal.value.__cause__ is None
    nowhere = Shell({"LABEL_STUDIO_TOKEN": wrong, "LABEL_STUDIO_URL": "http://127.0.0.1:9"})
    (tmp_path / "pilot").mkdir()
    nowhere.run("labelstudio", "pull", str(tmp_path / "pilot"), "--title", "None", code=2)
    assert "connection lost or refused" in nowhere.printed[-1]
    assert nowhere.printed[-1].count("\n") == 1
    assert_token_in_no_text(wrong, nowhere.printed)


CHOICES = (
    *("15", "007", "true", "null", "[1]", '{"a":1}', "<b>x</b>", "a &amp; b & c", 'say "hi"'),
    *("two\nlines", "$question", "costs $5", "ä \u2211", "-"),
)
QUESTION = "$5 is <b>$options</b> & 42?"


def test_page_shows_and_stores_every_text_as_it_is(
    label_studio: LabelStudioProcess,
    shell: Shell,
    tmp_path: Path,
    require: Callable[[bool, str], None],
) -> None:
    require(CHROMIUM is not None, "Chromium is not installed")
    tasks = [
        PilotTask(f"i{n}", "all", f"{QUESTION} ({n})", CHOICES, None)
        for n in range(len(CHOICES) + 1)
    ]
    predictions = [Prediction("i0", "007", 0.5)]
    settings = ProjectSettings("In a browser", labelling_config("choices"))
    with (
        Connection(label_studio.url, Token(label_studio.token)) as connection,
        PilotState(tmp_path / "label_studio.sqlite") as state,
    ):
        server = LabelStudioServer(connection)
        sent = push(server, state, tasks, settings, predictions)
        with signed_in(label_studio.url, 1100, 900) as page:
            start_labelling(page, label_studio.url, sent.project_id)
            for place, task in enumerate(tasks):
                page.get_by_text(task.question, exact=True).wait_for()
                assert shown_choices(page) == list(CHOICES)
                if task is tasks[-1]:
                    skip(page)
                    break
                if place > 0:  # the first has a prediction, which is picked already
                    pick(page, place)
                submit(page)
        summary = pull(server, state)
        table = judgment_table(state)
    assert summary.left_out == ()
    expected = ["007", *CHOICES[1:], None]
    assert table["label"].where(table["label"].notna(), None).tolist() == expected
    assert table["item_id"].tolist() == [task.item_id for task in tasks]
    assert (table["seconds"] > 0).all()
    assert table["cancelled"].tolist() == [False] * len(CHOICES) + [True]


def test_page_for_classes_and_for_free_answers(
    label_studio: LabelStudioProcess, tmp_path: Path, require: Callable[[bool, str], None]
) -> None:
    require(CHROMIUM is not None, "Chromium is not installed")
    classes = ("very positive", "negative")
    picked = PilotTask("i0", "all", "Great?", classes, None)
    written = PilotTask("i0", "all", "How many?", (), None)
    pages = {
        "Classes": (picked, labelling_config("classification", classes)),
        "Free answers": (written, labelling_config("free_form")),
    }
    labels = {}
    for title, (task, config) in pages.items():
        with (
            Connection(label_studio.url, Token(label_studio.token)) as connection,
            PilotState(tmp_path / f"{title}.sqlite") as state,
            signed_in(label_studio.url, 1100, 900) as page,
        ):
            server = LabelStudioServer(connection)
            sent = push(server, state, [task], ProjectSettings(title, config))
            start_labelling(page, label_studio.url, sent.project_id)
            if task is picked:
                assert shown_choices(page) == list(classes)
                pick(page, 1)
            else:
                page.get_by_placeholder("Your answer").fill("about 1,000")
                page.keyboard.press("Enter")
            submit(page)
            pull(server, state)
            labels[title] = judgment_table(state)["label"].tolist()
    assert labels == {"Classes": ["negative"], "Free answers": ["about 1,000"]}


def assert_token_in_no_text(token: str, texts: list[str]) -> None:
    assert not [text for text in texts if token in text]
