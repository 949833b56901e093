"""`labelmix collect`: every command, what it says, and what it refuses in one line."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from annotation.label_studio.connection import RefusedError
from annotation.label_studio.retries import ServerUnavailableError
from budget.collection.beginning import store_url
from budget.collection.steps import Collection, Done
from budget.collection.store.store import CollectionStore
from budget.commands.collect import collect_app
from tests.unit.annotation.label_studio.conftest import FakeServer
from tests.unit.budget.collection.by_hand import (
    answer,
    learns_nothing,
    now_and_then_wrong,
    right,
    rows,
    write_tables,
)
from tests.unit.budget.commands.command_line import labelmix, one_line

SUPPLIERS = """
[suppliers.crowd]
cost = 0.05
judgments = [2]
channel = "file"

[suppliers.expert]
cost = 0.40
channel = "file"
"""
SETTINGS = """
[strata]
names = ["easy", "hard"]
[buying]
first = 6
gold = 2
least = 4
rounds = 3
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path)
    (tmp_path / "suppliers.toml").write_text(SUPPLIERS)
    (tmp_path / "more.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    learns_nothing(monkeypatch)
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_TOKEN", "LABELMIX_COLLECTION_STORE"):
        monkeypatch.delenv(name, raising=False)


GIVEN = {
    "items": "pool.jsonl",
    "test": "test.jsonl",
    "suppliers": "suppliers.toml",
    "config": "more.toml",
    "budget": "30",
    "currency": "EUR",
    "measure": "steps",
    "cut": "edges:2",
    "by": "ann",
}


def new(folder: str = "c", **changes: str | None) -> Any:
    options = {**GIVEN, **changes}
    words = [w for name, own in options.items() if own is not None for w in (f"--{name}", own)]
    return labelmix("collect", "new", folder, *words)


def told(command: str, *words: str) -> Any:
    result = labelmix("collect", command, "c", *words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def said(command: str, *words: str) -> str:
    result = labelmix("collect", command, "c", *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(command: str, *words: str) -> str:
    return one_line(labelmix("collect", command, "c", *words))


def ordered() -> None:
    assert new().exit_code == 0
    told("step")
    told("approve", "1", "--by", "ann")
    told("step")


def completed() -> None:
    ordered()
    for name in ("crowd", "expert"):
        answer(Path("c"), name, 1, now_and_then_wrong)
    assert told("step")[0]["waits_for"] is None


def test_a_new_collection_is_told_in_lines(tmp_path: Path) -> None:
    result = new()
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[2:4] == [
        "easy (steps <= 2): 60 items to label, 20 test items",
        "hard (steps > 2): 60 items to label, 20 test items",
    ]
    assert "  crowd: 8 easy items, 2 judgments of each, 2 gold questions among them" in (
        result.stdout
    )
    assert "batch 1 costs 8.50 EUR at most" in result.stdout
    assert result.stdout.rstrip().endswith("next: labelmix collect run c")
    assert not told("status")["batches"]


@pytest.mark.parametrize("words", [["status", "c"], ["approve", "c", "1"]], ids=" ".join)
def test_commands_that_train_nothing_load_no_models_and_no_server(words: list[str]) -> None:
    """In a process of its own: these take seconds to load, and people ask for the status often."""
    assert new().exit_code == 0
    told("step")
    program = (
        "import sys; from budget.commands.app import app\n"
        f"try: app(['collect', *{words!r}])\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'torch', 'transformers', 'peft', 'bitsandbytes', 'label_studio_sdk', 'alembic',"
        " 'sklearn', 'matplotlib', 'datasets', 'ray'}\n"
        "print('loaded:', code, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    )
    assert done.stdout.splitlines()[-1] == "loaded: 0 []"


def test_a_collection_here_is_named_after_the_folder(tmp_path: Path) -> None:
    (tmp_path / "treat").mkdir()
    result = labelmix(
        *("collect", "new", str(tmp_path / "treat" / "..") + "/treat/."),
        *[w for name, own in GIVEN.items() for w in (f"--{name}", own)],
    )
    assert result.exit_code == 0, result.stderr
    status = labelmix("collect", "status", "treat", "--json")
    assert json.loads(status.stdout)["name"] == "treat"


def test_a_collection_from_begin_to_close(tmp_path: Path) -> None:
    assert new().exit_code == 0
    assert said("step", "--dry-run").startswith("would plan:\n")
    assert said("run").endswith("waits for approval: labelmix collect approve c 1\n")
    assert "ask for an approval" in said("step", "--dry-run")
    assert said("approve", "1") == (
        "batch 1 is approved; 21.50 EUR of the budget are neither promised nor paid\n"
    )
    assert said("approve", "1").startswith("batch 1 was approved already; 21.50 EUR")
    assert "would order" in said("step", "--dry-run")
    assert said("run").endswith("batch 1 waits for 48 of 48 judgments\n")
    assert "would fetch" in said("step", "--dry-run")
    for name in ("crowd", "expert"):
        answer(Path("c"), name, 1, now_and_then_wrong)
    assert "batch 1 is complete" in said("step")
    shown = said("status")
    assert "8.00 of 30.00 EUR paid, 0.00 promised, 22.00 left" in shown
    assert "next step: plan the next batch" in shown
    assert said("change", "--budget", "40") == (
        "changed; 32.00 EUR of the budget are neither promised nor paid\n"
    )
    assert said("pause", "--why", "holidays") == "the collection is paused\n"
    assert said("pause") == "the collection was paused already\n"
    assert said("step") == (
        "the collection is paused; nothing is done; to go on: labelmix collect resume c\n"
    )
    assert said("resume") == "the collection is running\n"
    assert "training set: out/data/" in said("export", "--out", "out")
    assert said("close") == "the collection is closed\n"
    assert said("run") == "the collection is closed; nothing is done\n"
    assert refused("resume") == "the collection is closed for good and cannot be running."
    for change in (("--budget", "50"), ("--suppliers", "suppliers.toml")):
        assert refused("change", *change).startswith("the collection is closed for good; neither ")


def test_all_that_is_told_can_be_read_by_machines() -> None:
    assert new().exit_code == 0
    assert told("step", "--dry-run")["would"][0] == "would plan:"
    assert told("step")[0]["batch"] == 1
    assert [own["step"] for own in told("run")] == ["approve"]
    assert told("approve", "1") == {"batch": 1, "changed": True, "left": "21.50"}
    assert told("approve", "1")["changed"] is False
    assert told("cancel", "1", "--why", "no") == {"batch": 1, "changed": True, "left": "30.00"}
    assert told("cancel", "1", "--why", "no")["changed"] is False
    assert told("pause") == {"state": "paused", "changed": True}
    assert told("resume")["changed"]
    assert told("change", "--budget", "31") == {"left": "31.00"}
    assert told("close", "--why", "enough") == {"state": "closed", "changed": True}


# Tables of a manager's own


def spreadsheet(name: str, first: int, count: int, answered: bool, **changes: str) -> None:
    """A table as people keep it: other names of columns, no choices, no measure."""
    table = pd.DataFrame(rows(first, count, answered)).drop(columns=["choices", "steps"])
    table = table.rename(columns={"item_id": "id", "question": "text", "answer": "gold"})
    # Half of the texts are longer.
    table["text"] += [" Say so, please." * (number % 2) for number in range(count)]
    table.assign(**changes).to_csv(name, index=False)


OF_A_SPREADSHEET = {
    **{"items": "pool.csv", "test": "test.csv"},
    **{"measure": "question_words", "cut": "quantiles:2", "choices": "odd,even"},
}
NAMED = ("--column", "item_id=id", "--column", "question=text", "--column", "answer=gold")


def of_a_spreadsheet(*more: str, **changes: str | None) -> Any:
    spreadsheet("pool.csv", 0, 120, False)
    spreadsheet("test.csv", 900, 40, True)
    options = {**GIVEN, **OF_A_SPREADSHEET, **changes}
    words = [w for name, own in options.items() if own is not None for w in (f"--{name}", own)]
    return labelmix("collect", "new", "c", *words, *more)


def test_tables_of_a_managers_own_need_no_other_file() -> None:
    Path("leaflet.txt").write_text("Look at the last digit.\n")
    result = of_a_spreadsheet(*NAMED, instructions="leaflet.txt")
    assert result.exit_code == 0, result.stderr
    assert "easy (question_words <= 5): 60 items to label, 20 test items" in result.stdout
    told("step")
    told("approve", "1")
    told("step")
    for name in ("crowd", "expert"):
        out = Path("c/suppliers") / name / "out"
        assert (out / "instructions.txt").read_text() == "Look at the last digit.\n"
        tasks = pd.read_csv(out / "batch-1.csv")
        assert set(tasks["choices"]) == {"odd | even"}
        assert tasks["item_id"].str.startswith("item-").all()


def test_what_a_table_lacks_is_told_with_its_option() -> None:
    assert one_line(of_a_spreadsheet()).endswith(
        "column 'question' is missing; the columns are: id, text. Name the one that holds it: "
        "--column question=COLUMN."
    )
    assert one_line(of_a_spreadsheet("--column", "question=text")).endswith(
        "pool.csv: has no column 'item_id', by which judgments are booked; --column item_id=id "
        "takes column 'id'."
    )
    assert "--choices" in one_line(of_a_spreadsheet(*NAMED, choices=None))
    wrong = (*NAMED[:4], "--column", "answer=golden")
    assert "test.csv: column 'golden' (mapped as answer) is missing" in one_line(
        of_a_spreadsheet(*wrong)
    )
    assert "nowhere.txt" in one_line(of_a_spreadsheet(*NAMED, instructions="nowhere.txt"))
    assert "nowhere/none" in one_line(of_a_spreadsheet(*NAMED, model="nowhere/none"))
    assert not Path("c").exists()


def test_a_model_that_cannot_read_an_item_is_told_before_anything_is_paid() -> None:
    table = pd.read_json("pool.jsonl", lines=True)
    table.loc[7, "question"] = "very " * 300
    table.to_json("pool.jsonl", orient="records", lines=True)
    found = one_line(new())
    assert found.startswith("item 'item-007': prompt and choice take ")
    assert "model 'pico' reads at most 256" in found
    assert not Path("c").exists()


def test_prices_in_another_currency_are_asked_about() -> None:
    Path("suppliers.toml").write_text(f'currency = "EUR"\n{SUPPLIERS}')
    assert one_line(new(currency="USD")) == (
        "suppliers.toml: its prices are in EUR, and the collection counts in USD; convert the "
        "prices and its line 'currency', or begin with --currency EUR."
    )
    assert not Path("c").exists()
    assert new(currency=None).exit_code == 0  # the file says it
    assert told("status")["currency"] == "EUR"
    Path("dollars.toml").write_text(f'currency = "USD"\n{SUPPLIERS}')
    assert refused("change", "--suppliers", "dollars.toml") == (
        "dollars.toml: its prices are in USD, and the collection counts in EUR; convert the prices "
        "and its line 'currency'."
    )
    Path("euros.toml").write_text(f'currency = "\u20ac"\n{SUPPLIERS}')  # the sign of it
    assert told("change", "--suppliers", "euros.toml") == {"left": "30.00"}


def test_a_model_that_knows_few_words_is_told() -> None:
    result = new()
    (note,) = [line for line in result.stdout.splitlines() if "of the words" in line]
    assert re.fullmatch(
        r"note: model 'pico' knows \d+% of the words of these questions, so it will learn little "
        r"from their labels; name another by --model\.",
        note,
    )


@pytest.mark.parametrize("name", sorted(typer.main.get_group(collect_app).commands))
def test_help_has_an_example(name: str) -> None:
    shown = " ".join(labelmix("collect", name, "--help").stdout.split())
    assert f"Example: labelmix collect {name} " in shown


# Refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": None}, r"items is missing; give it .* or by its option"),
        ({"test": None}, r"test is missing; give it"),
        ({"suppliers": None}, "--suppliers is missing; name the file that says who labels"),
        ({"suppliers": "nowhere.toml"}, r"nowhere\.toml: .*"),
        ({"budget": None}, r"budget.*"),
        ({"budget": "much"}, r"budget\.total.*much.*"),
        ({"budget": "0"}, r"budget\.total should be above 0.*"),
        ({"budget": "2"}, r"buying\.first: 6 labels and 2 gold questions .* EUR for labels.*"),
        ({"measure": None}, r".*measure.*"),
        ({"measure": "length"}, r".*pool\.jsonl: has no column 'length'.*"),
        ({"cut": "thirds"}, r".*cut.*thirds.*"),
        ({"items": "test.jsonl"}, r".*'item-900' is for sale too.* and so are 39 others.*"),
        ({"test": "pool.jsonl"}, r".*"),
        ({"deadline": "31.1.2030"}, r"deadline.*31\.1\.2030.*"),
        ({"config": "nowhere.toml"}, r"nowhere\.toml: .*"),
    ],
)
def test_a_new_collection_is_refused_before_anything_is_written(
    changes: dict[str, str | None], message: str
) -> None:
    found = one_line(new("c", **changes))
    assert re.search(message, found), found
    assert not Path("c").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[buying]\nfirst = 3", "first"),
        ("[buying]\nfrist = 3", "frist.*docs/guide/collect.md"),
        ("[buying]\nextra = 2", "extra"),
        ("[targets]\njudgments = 3", "judgments make a label is said by the suppliers"),
        ("[strata]\nnames = ['easy', 'hard']\ntarget = 'odd'", "no such stratum"),
        ("name = ''", "name"),
        ("[model]\npath = 'nowhere/none'", "nowhere/none"),
    ],
)
def test_settings_that_are_wrong_are_named(text: str, message: str) -> None:
    Path("more.toml").write_text(text)
    found = one_line(new())
    assert found.startswith("more.toml: ") or "model" in found
    assert re.search(message, found), found
    assert not Path("c").exists()


def test_a_collection_that_is_there_stays() -> None:
    assert new().exit_code == 0
    assert "a collection is there already" in one_line(new())
    assert one_line(labelmix("collect", "status", "d")).endswith(
        "there is no collection; make one with 'labelmix collect new'."
    )


def test_what_cannot_be_done_now_is_told() -> None:
    ordered()
    assert refused("approve", "7") == "there is no batch 7; the batches are: 1 to 1."
    assert "complete or cancel it" in refused("close")
    assert refused("change").startswith("nothing is to be changed")
    assert refused("change", "--budget", "3") == (
        "a budget of 3.00 EUR is below the 8.50 EUR that are promised or paid; cancel batches "
        "first, or set it higher."
    )
    assert refused("change", "--budget", "3o").startswith("--budget: ")
    assert refused("change", "--budget", "0").startswith("--budget: should be above 0")
    assert refused("change", "--budget", "30.001").startswith("the budget is 30.001 EUR: more")
    assert refused("export", "--out", "out").startswith("nobody has judged anything yet")
    assert not Path("out").exists()
    told("pause")
    told("cancel", "1", "--why", "again")
    assert "batch 1 is cancelled and cannot become approved" in refused("approve", "1")
    told("resume")
    told("step")
    told("pause")
    assert "the collection is paused" in refused("approve", "2")


def test_a_change_that_is_refused_changes_nothing() -> None:
    completed()
    before = told("status")
    Path("dear.toml").write_text("[suppliers.crowd]\ncost = 0.055\n")
    assert "a price is 0.055 EUR" in refused("change", "--budget", "50", "--suppliers", "dear.toml")
    Path("fine.toml").write_text("[suppliers.crowd]\ncost = 0.04\n")
    assert "is below the" in refused("change", "--budget", "1", "--suppliers", "fine.toml")
    assert told("status") == before


def test_tables_that_were_changed_or_are_gone_are_told() -> None:
    assert new().exit_code == 0
    path = Path("c/items/pool.jsonl")
    path.write_text(path.read_text().replace("Is 3 ", "Is three "))
    for command in ("status", "step", "run"):
        assert re.search(r"pool\.jsonl: was changed since", refused(command))
    path.unlink()
    assert re.search(r"pool\.jsonl: is gone", refused("status"))


def test_a_store_of_a_newer_labelmix_is_told() -> None:
    assert new().exit_code == 0
    with closing(sqlite3.connect("c/collection.sqlite")) as store:
        store.execute("UPDATE labelmix_version SET version_num = '99'")
        store.commit()
    assert "was written by a newer labelmix (version 99" in refused("status")


def test_a_second_process_is_told_who_came_first() -> None:
    from budget.collection.beginning import store_url
    from budget.collection.store.store import CollectionStore

    assert new().exit_code == 0
    with CollectionStore.open(store_url(Path("c"))) as store, store.alone("labelmix collect run"):
        assert "labelmix collect run" in refused("step")
        assert told("status")["state"] == "running"


# Label Studio


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()
    there = fake.project

    def project(number: int) -> Any:
        if number not in fake.projects_:
            raise RefusedError("not found", 404)
        return there(number)

    monkeypatch.setattr(fake, "project", project)
    monkeypatch.setattr(
        "budget.commands.labelstudio_session.opened_server", lambda *_: nullcontext(fake)
    )
    text = SUPPLIERS.replace('channel = "file"\n', "", 1)
    Path("suppliers.toml").write_text(text)
    return fake


def annotate(studio: FakeServer, project: int) -> None:
    for number in studio.tasks_of(project):
        for user in (1, 2):
            studio.annotate(number, right(str(studio.tasks[number].data["item_id"])), user)


def test_a_batch_goes_to_label_studio_and_comes_back(studio: FakeServer) -> None:
    ordered()
    [project] = studio.projects_.values()
    assert (project.title, project.maximum_annotations) == ("c - crowd (2x)", 2)
    assert len(studio.tasks_of(project.id)) == 16
    annotate(studio, project.id)
    answer(Path("c"), "expert", 1)
    assert told("step")[0]["lines"][-1] == "batch 1 is complete"
    told("step")
    told("approve", "2")
    told("step")
    assert len(studio.projects_) == 1


def test_a_project_that_somebody_deleted_is_told_and_nothing_is_lost(studio: FakeServer) -> None:
    ordered()
    [project] = studio.projects_.values()
    annotate(studio, project.id)
    answer(Path("c"), "expert", 1, lambda item, _: None)
    told("step")
    before = told("status")
    studio.delete_project(project.id)
    told_so = refused("step")
    assert told_so.startswith("Label Studio has no project 'c - crowd (2x)' any more")
    after = told("status")
    assert after["paid"] == before["paid"]
    assert after["batches"][0]["received"] == 32
    assert told("cancel", "1", "--why", "the project is gone")["changed"]
    text = Path("suppliers.toml").read_text().replace("crowd", "crowd-2")
    Path("suppliers.toml").write_text(text)
    told("change", "--suppliers", "suppliers.toml")  # as the message says
    told("step")
    told("approve", "2")
    assert any(line.startswith("crowd-2: ") for line in told("step")[0]["lines"])
    assert told("status")["paid"] == before["paid"]
    assert [own.title for own in studio.projects_.values()] == ["c - crowd-2 (2x)"]


def test_tasks_that_somebody_else_put_there_are_told(studio: FakeServer) -> None:
    ordered()
    [project] = studio.projects_.values()
    studio.add_task({"text": "a foreign task"}, project.id)
    annotated = [n for n in studio.tasks_of(project.id) if "item_id" in studio.tasks[n].data]
    for number in annotated:
        for user in (1, 2):
            studio.annotate(number, right(str(studio.tasks[number].data["item_id"])), user)
    answer(Path("c"), "expert", 1)
    assert told("step")[0]["lines"][-1] == "batch 1 is complete"
    told("step")
    told("approve", "2")
    if "crowd" in {own["supplier"] for own in told("status")["suppliers"]}:
        result = labelmix("collect", "step", "c")
        assert result.exit_code in (0, 2)
        if result.exit_code:
            assert "holds tasks that labelmix did not send" in one_line(result)


def test_a_server_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("suppliers.toml").write_text(SUPPLIERS.replace('channel = "file"\n', "", 1))
    assert new().exit_code == 0
    told("step")
    told("approve", "1")
    assert re.search("LABEL_STUDIO", refused("step"))
    assert told("status")["batches"][0]["state"] == "approved"


def test_a_folder_that_was_moved_goes_on() -> None:
    ordered()
    shutil.move("c", "d")
    assert json.loads(labelmix("collect", "status", "d", "--json").stdout)["promised"] == "8.50"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--listen", "127.0.0.1:0"), "--listen goes with --wait"),
        (("--wait", "--callback", "http://me/"), "--callback goes with --listen"),
        (("--wait", "--listen", "8090"), "should be HOST:PORT"),
        (("--wait", "--listen", "127.0.0.1:0"), "no supplier of this collection works in Label"),
    ],
)
def test_who_cannot_be_called_is_told(words: tuple[str, ...], line: str) -> None:
    new()
    result = labelmix("collect", "run", "c", *words)
    assert result.exit_code == 2
    assert line in one_line(result)
    with CollectionStore.open(store_url(Path("c"))) as store:
        assert store.batches() == ()  # before anything was done


def test_an_outage_is_waited_out_where_annotators_are_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new("c", budget="30")
    labelmix("collect", "run", "c")
    labelmix("collect", "approve", "c", "1")
    steps, looks = Collection.step, [0]

    def step(self: Collection, *more: Any) -> Done:
        looks[0] += 1
        if looks[0] in (1, 4):
            raise ServerUnavailableError("http://studio: no answer")
        if looks[0] == 5:
            raise KeyboardInterrupt
        return steps(self, *more)

    monkeypatch.setattr(Collection, "step", step)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    first = labelmix("collect", "run", "c", "--wait")  # nobody is waited for yet
    assert (first.exit_code, looks) == (2, [1])
    second = labelmix("collect", "run", "c", "--wait")
    assert (second.exit_code, looks) == (130, [5])
    assert second.stdout.splitlines()[-1] == "http://studio: no answer"


def test_answers_of_test_items_are_bought_first_and_told() -> None:
    result = new(test=None, **{"right-answers": "buy", "test-items": "40", "budget": "100"})
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[1] == "easy (steps <= 2): 50 items to label, 10 test items"
    assert "The right answers of the test items come first: 3 people of 'expert' answer each." in (
        lines
    )
    assert "     40 (30 hard): within 14.3 points, 50.40 EUR, 50 % of the budget" in result.stdout
    assert "  expert: 40 test set items, 3 judgments of each; 48.00 EUR at most" in lines
    assert "test set: its right answers are bought first" in said("status")
    assert said("step", "--dry-run").startswith("would plan:\nThe right answers")
    told("step")
    told("approve", "1", "--by", "ann")
    told("step")
    answer(Path("c"), "expert", 1)
    told("step")
    assert said("step", "--dry-run") == "would settle the answers of the test items\n"
    assert said("step") == "the test set is settled: 40 items have an answer\n"
    status = said("status")
    assert "test set: 40 items with an answer that was bought; about" in status
    assert re.search(r"1\s+│?\s*test set", status)
    assert said("step", "--dry-run").startswith("would plan:\nThe first batch")


def test_without_a_number_as_many_test_items_as_recommended_are_drawn() -> None:
    Path("pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(0, 200)))
    result = new(test=None, **{"right-answers": "buy", "budget": "400"})
    assert result.exit_code == 0, result.stderr
    assert "50 (40 hard): within 12.4 points" in result.stdout
    assert result.stdout.count("<- this collection") == 1
    assert "hard (steps > 2): 60 items to label, 40 test items" in result.stdout


def test_a_test_table_is_missed_with_what_else_could_be_said() -> None:
    said = one_line(new(test=None))
    assert "test is missing" in said or "path is missing" in said
    assert "goes with right_answers" in one_line(new(**{"test-items": "40"}))
