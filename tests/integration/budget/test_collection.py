"""A whole collection on a real Label Studio server, with annotators who say what people once said.

The crowd gives real judgments of medical_treat; the second supplier gives its experts' answers, and
where there is none what the whole crowd made of the sentence. Processes are killed on the way, and
the end is that of a collection nobody disturbed.
"""

import csv
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pandas as pd
import pytest

from _label_studio import LabelStudioProcess
from budget.collection.store.store import CollectionStore

if TYPE_CHECKING:
    from tests.postgresql_server import PostgreSQLServer

KILLS = int(os.environ.get("LABELMIX_KILLS", "5"))  # moments at which a process is killed
FOR_STRATA = 5  # the first judgments of an item say how hard it is; they are not given again
POOL, TEST = 240, 120
BUDGET = Decimal("34.00")
CENT = Decimal("0.05")
SUPPLIERS = """
[suppliers.crowd]
cost = 0.05
judgments = [3]

[suppliers.experts]
cost = 0.40
judgments = [1]
error_rate = 0.08
error_kind = "flip"
"""
CONFIG = """
[model]
path = "{model}"

[strata]
measure = "disagreement"
cut = "edges:0.1"
names = ["easy", "hard"]

[buying]
rounds = 3
least_gain = 0
first = 12
gold = 3
approve_below = 100
"""


@dataclass(frozen=True)
class Sentences:
    """Files to begin with, and what people say of each item: supplier -> item -> (who, label)."""

    folder: Path
    answers: dict[str, dict[str, list[tuple[str, str, float]]]]


@pytest.fixture(scope="module")
def sentences(
    data_folder: Callable[[str], Path],
    minilm_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Sentences:
    data, folder = data_folder("medical_treat"), tmp_path_factory.mktemp("sentences")
    lines = (data / "items.jsonl").read_text(encoding="utf-8").splitlines()
    items = {item["item_id"]: item for item in map(json.loads, lines)}
    judged: dict[str, list[tuple[str, str, float]]] = {}
    with (data / "judgments.csv").open(encoding="utf-8") as file:
        for row in sorted(csv.DictReader(file), key=lambda row: row["created_at"]):
            said = judged.setdefault(row["item_id"], [])
            if row["annotator"] not in {who for who, _, _ in said}:
                said.append((row["annotator"], row["label"], float(row["seconds"])))
    there = sorted(item for item, said in judged.items() if len(said) >= FOR_STRATA + 5)
    random.Random(1).shuffle(there)
    test = [item for item in there if items[item]["adjudicated"]][:TEST]
    pool = [item for item in there if not items[item]["adjudicated"]][:POOL]
    for name, chosen in (("test", test), ("pool", pool)):
        rows = [_row(items[item], judged[item], tested=name == "test") for item in chosen]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "suppliers.toml").write_text(SUPPLIERS, encoding="utf-8")
    (folder / "more.toml").write_text(CONFIG.format(model=minilm_path), encoding="utf-8")
    own = [*test, *pool]
    crowd = {item: judged[item][FOR_STRATA:] for item in own}
    experts = {item: [("expert", _expert(items[item]), 20.0)] for item in own}
    return Sentences(folder, {"crowd": crowd, "experts": experts})


def _row(item: dict[str, Any], said: list[tuple[str, str, float]], tested: bool) -> dict[str, Any]:
    yes = sum(label == "yes" for _, label, _ in said[:FOR_STRATA]) / FOR_STRATA
    row = {name: item[name] for name in ("item_id", "question", "choices")}
    row["disagreement"] = 2 * yes * (1 - yes)
    return {**row, "answer": item["adjudicated"]} if tested else row


def _expert(item: dict[str, Any]) -> str:
    return str(item["expert"] or ("yes" if float(item["crowd_score"]) > 0.5 else "no"))


@dataclass
class Annotators:
    """People in Label Studio: they answer every task that asks for more, as people once did."""

    api: httpx.Client
    answers: dict[str, dict[str, list[tuple[str, str, float]]]]
    users: dict[str, int] = field(default_factory=dict)

    def answer_all(self, collection: str) -> int:
        """Give every task of the collection's projects the judgments it asks for."""
        given = 0
        for project in self._projects(collection):
            supplier = project["title"].split(" - ")[1].split(" (")[0]
            for task in self._tasks(project["id"]):
                there = {one["completed_by"] for one in task["annotations"]}
                said = self.answers[supplier][task["data"]["item_id"]]
                for who, label, seconds in said[: project["maximum_annotations"]]:
                    if (user := self._user(who)) in there:
                        continue
                    answer = {"value": {"choices": [label]}, "from_name": "answer"}
                    body = {
                        "result": [{**answer, "to_name": "question", "type": "choices"}],
                        "lead_time": seconds,
                        "completed_by": user,
                    }
                    self._post(f"/api/tasks/{task['id']}/annotations/", body)
                    given += 1
        return given

    def _projects(self, collection: str) -> list[dict[str, Any]]:
        found = self.api.get("/api/projects", params={"page_size": 1000}).raise_for_status().json()
        return [own for own in found["results"] if own["title"].startswith(f"{collection} - ")]

    def _tasks(self, project: int) -> list[dict[str, Any]]:
        query: dict[str, str | int] = {"project": project, "page_size": 1000, "fields": "all"}
        found = self.api.get("/api/tasks", params=query).raise_for_status().json()
        return list(found["tasks"])

    def _user(self, who: str) -> int:
        if not self.users:
            there = self.api.get("/api/users").raise_for_status().json()
            self.users = {own["email"].split("@")[0]: own["id"] for own in there}
        if who not in self.users:
            body = {"email": f"{who}@example.com", "username": who}
            made = self._post("/api/users/", {**body, "first_name": "", "last_name": ""})
            self.users[who] = int(made["id"])
        return self.users[who]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.post(path, json=body).raise_for_status().json()
        return answer


@pytest.fixture(scope="module")
def annotators(label_studio: LabelStudioProcess, sentences: Sentences) -> Iterator[Annotators]:
    headers = {"Authorization": f"Token {label_studio.token}", "Connection": "close"}
    with httpx.Client(base_url=label_studio.url, headers=headers, timeout=120) as api:
        yield Annotators(api, sentences.answers)


@dataclass(frozen=True)
class Driver:
    """Runs `labelmix collect` in processes of its own, and kills some of them."""

    command: Sequence[str]
    environment: dict[str, str]
    folder: Path

    def run(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            [*self.command, "collect", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def begin(self, sentences: Sentences) -> None:
        there = sentences.folder
        self.run(
            *("new", self.folder, "--items", there / "pool.jsonl", "--test", there / "test.jsonl"),
            *("--suppliers", there / "suppliers.toml", "--config", there / "more.toml"),
            *("--budget", str(BUDGET), "--currency", "USD"),
        )

    def killed(self, after: float) -> bool:
        """Start `run`, and kill it after so many seconds; False if it had ended by then."""
        with subprocess.Popen(
            [*self.command, "collect", "run", str(self.folder)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(after)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                return True
        return False

    def to_the_end(self, annotators: Annotators, kills: int = 0, seed: int = 0) -> int:
        """Go on until nothing is left to do; how many processes were killed on the way."""
        rng, killed, longest = random.Random(seed), 0, 4.0
        for _ in range(40 + kills):
            begun = time.monotonic()
            while killed < kills and self.killed(rng.uniform(0.05, longest)):
                killed += 1
            steps = json.loads(self.run("run", self.folder, "--json"))
            longest = max(4.0, min(30.0, time.monotonic() - begun))
            if steps[-1]["waits_for"] == "nothing":
                return killed
            assert steps[-1]["waits_for"] == "annotators"
            annotators.answer_all(self.folder.name)
        raise AssertionError("the collection never came to its end")


@pytest.fixture
def driver(
    label_studio: LabelStudioProcess, command: list[str], environment: dict[str, str]
) -> Callable[[Path, str | None], Driver]:
    def make(folder: Path, store: str | None = None) -> Driver:
        own = {
            **environment,
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
            "LABEL_STUDIO_URL": label_studio.url,
            "LABEL_STUDIO_TOKEN": label_studio.token,
        }
        if store is not None:
            own["LABELMIX_COLLECTION_STORE"] = store
        return Driver(command, own, folder)

    return make


def plan_of(store: CollectionStore) -> list[tuple[int, str, str, str, int, bool]]:
    """Everything that was ordered."""
    rows = store.lines().itertuples()
    return sorted(
        (
            int(r.batch),
            str(r.supplier),
            str(r.item_id),
            str(r.stratum),
            int(r.judgments),
            isinstance(r.gold, str),
        )
        for r in rows
    )


def check_ledger(store: CollectionStore, annotators: Annotators) -> None:
    """To the cent: every judgment that was given is paid once, at its price, and nothing else."""
    judgments, ledger = store.judgments(), store.ledger()
    prices = {"crowd": CENT, "experts": Decimal("0.40")}
    paid: Counter[tuple[str, str]] = Counter()
    for row in ledger[ledger["kind"].isin(["spent", "refunded"])].itertuples():
        sign = 1 if row.kind == "spent" else -1
        paid[str(row.supplier), str(row.source_id)] += sign * row.amount
    expected = {
        (str(r.supplier), str(r.source_id)): prices[str(r.supplier)] for r in judgments.itertuples()
    }
    assert dict(paid) == expected
    balance = store.balance()
    assert balance.paid == sum(expected.values(), Decimal(0))
    assert balance.promised == 0
    assert balance.paid + balance.left == BUDGET
    assert not len(store.book().unpaid)
    said = annotators.answers
    for row in judgments.itertuples():
        whole = said[str(row.supplier)][str(row.item_id)]
        name = str(row.annotator).split("@")[0]
        assert (name, row.label) in {(who, label) for who, label, _ in whole}


@pytest.fixture(scope="module")
def undisturbed(
    label_studio: LabelStudioProcess,
    command: list[str],
    environment: dict[str, str],
    sentences: Sentences,
    annotators: Annotators,
    tmp_path_factory: pytest.TempPathFactory,
) -> Driver:
    """A collection that was brought to its end in peace."""
    folder = tmp_path_factory.mktemp("collections") / "calm"
    own = {
        **environment,
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        "LABEL_STUDIO_URL": label_studio.url,
        "LABEL_STUDIO_TOKEN": label_studio.token,
    }
    driver = Driver(command, own, folder)
    driver.begin(sentences)
    driver.to_the_end(annotators)
    return driver


def test_it_goes_on_to_the_last_cent(undisturbed: Driver, annotators: Annotators) -> None:
    with CollectionStore.open(undisturbed.folder / "collection.sqlite") as store:
        batches = store.batches()
        assert len(batches) >= 3
        assert {batch.state for batch in batches} == {"complete"}
        lines = store.lines()
        training = lines[lines["gold"].isna()]
        assert not training["item_id"].duplicated().any()  # nobody is asked again
        assert set(lines["supplier"]) == {"crowd", "experts"}
        check_ledger(store, annotators)
        last = batches[-1].decision
        assert last["accuracy_of_all_labels"] is not None and last["others"]
    status = json.loads(undisturbed.run("status", undisturbed.folder, "--json"))
    assert Decimal(status["paid"]) + Decimal(status["left_to_spend"]) == BUDGET
    crowd = [own for own in status["suppliers"] if own["supplier"] == "crowd"]
    assert all(own["is_measured"] for own in crowd)


def test_the_training_set_goes_out(undisturbed: Driver, tmp_path: Path) -> None:
    undisturbed.run("export", undisturbed.folder, "--out", tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "data" / "train-00000-of-00001.parquet")
    with CollectionStore.open(undisturbed.folder / "collection.sqlite") as store:
        lines, judgments = store.lines(), store.judgments()
    bought = set(lines["item_id"][lines["gold"].isna()])
    assert set(table["item_id"]) == bought  # no test item is in it
    assert table["judgments"].sum() == judgments["item_id"].isin(bought).sum()
    paid = sum(map(Decimal, table["paid"]), Decimal(0))
    per_supplier = judgments[judgments["item_id"].isin(bought)]["supplier"].value_counts()
    assert paid == CENT * int(per_supplier["crowd"]) + Decimal("0.40") * int(
        per_supplier["experts"]
    )
    labels = zip(table["label"], table["choices"], table["posterior"], strict=True)
    assert all(max(p) == p[list(choices).index(label)] for label, choices, p in labels)


@pytest.mark.timeout(600 + 20 * KILLS)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_at_any_moment_nothing_is_lost_or_paid_twice(
    database: str,
    driver: Callable[[Path, str | None], Driver],
    undisturbed: Driver,
    sentences: Sentences,
    annotators: Annotators,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    url = None
    if database == "postgresql":
        server: PostgreSQLServer = request.getfixturevalue("postgresql")
        url = server.new_database()
    disturbed = driver(tmp_path / f"stormy {database[:4]}", url)
    disturbed.begin(sentences)
    assert disturbed.to_the_end(annotators, KILLS, seed=len(database)) == KILLS
    where = url or disturbed.folder / "collection.sqlite"
    with (
        CollectionStore.open(undisturbed.folder / "collection.sqlite") as calm,
        CollectionStore.open(where) as stormy,
    ):
        assert plan_of(stormy) == plan_of(calm)
        assert stormy.balance().by_supplier == calm.balance().by_supplier
        check_ledger(stormy, annotators)
    items: Counter[str] = Counter()
    for project in annotators._projects(disturbed.folder.name):
        for task in annotators._tasks(project["id"]):
            items[f"{project['title']} {task['data']['item_id']}"] += 1
    assert set(items.values()) == {1}  # no task was sent twice
