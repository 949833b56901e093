"""Every file that a command writes is read by every command that says it reads it.

One small task goes through all commands in this process: what comes out on one side is compared
with what the other side says it read.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from annotation.files import SUFFIXES, read_records
from annotation.items.write import write_rows
from annotation.label_studio.server import LabelStudioServer
from budget.commands import labelstudio_session
from tests.command_files import (
    CONFIGURED,
    FOR_OTHERS,
    IN_CONFIGURATION,
    OF_OTHERS,
    READS,
    TEXTS,
    WRITES,
    Place,
    path_parameters,
)
from tests.language_model_server import Said, completion, model_server
from tests.unit.annotation.label_studio.conftest import START, FakeServer
from tests.unit.budget.commands.command_line import labelmix

ITEMS = 150
NAMED = ("--column", "item_id=key", "--column", "question=text", "--column", "answer=label")
MEASURES = ["steps", "question_words", "answer_words", "answer_characters"]  # no row numbers
WRONG = (4, 5, 7)  # each annotator errs on every fourth, fifth, seventh item
BANDS = ((0, 1), (2, 3), (4, 5))  # n modulo 6 of the items of each stratum
OWN = (*NAMED, "--choices", "no,yes")  # how columns of one's own are read, at every command alike
# Of tables in which the answers have columns that are named by other options.
OWN_BUT_ANSWERS = (*NAMED[:4], "--choices", "no,yes")
SMALL = """
[pilot]
labels = 8
rounds = 1
seeds = 2
[test]
items = 10
other_items = 4
[evaluation]
seeds = 2
"""
CONFIG = """
[items]
source = "tabular"
path = "{items}"
columns = {{ item_id = "key", question = "text", answer = "label" }}
choices = ["no", "yes"]
[strata]
measure = "steps"
cut = "edges:2,>=5"
[budget]
total = 3
[annotators]
source = "judgments"
judgments = "{judgments}"
"""  # SMALL and measured terms follow
IN_A_CONFIGURATION = "a file of the configuration"
GRID = ("--draws", "20", "--x", "budget=10:100:3", "--y", "cost-ratio=1:5:3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Items under names of their own, as a shuffled table of pandas is kept."""
    import pandas as pd

    path = tmp_path_factory.mktemp("files")
    rows = [
        {
            "key": f"k{n}",
            "text": f"Is {n} even, word" + " more" * (n % 5),
            "label": "yes" if n % 2 else "no",
            "steps": n % 6 + 1,
        }
        for n in range(ITEMS)
    ]
    table = pd.DataFrame(rows).sample(frac=1, random_state=0)
    table.to_parquet(path / "raw.parquet")  # with the column __index_level_0__
    table.to_csv(path / "raw.csv")  # with a column of no name
    (path / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(*arguments: str | Path) -> str:
    """What a command prints; it has to be done with all of it."""
    result = labelmix(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def told(*arguments: str | Path) -> Any:
    """What a command prints as JSON."""
    return json.loads(run(*arguments, "--json"))


Test = Callable[..., None]
TRIED: set[tuple[str, Place]] = set()  # a kind of file, and who reads it where


def reads(kind: str, command: str, parameter: str = IN_A_CONFIGURATION) -> Callable[[Test], Test]:
    """Mark a test of a command that reads such a file there."""

    def mark(test: Test) -> Test:
        TRIED.add((kind, (command, parameter)))
        return test

    return mark


def reads_configured(command: str) -> Callable[[Test], Test]:
    """Mark a test of a command on a configuration that names items, judgments and terms."""

    def mark(test: Test) -> Test:
        TRIED.update((kind, (command, IN_A_CONFIGURATION)) for kind in IN_CONFIGURATION)
        return test

    return mark


# What is written


@pytest.fixture(scope="module", params=SUFFIXES)
def measured(request: pytest.FixtureRequest, folder: Path) -> Path:
    """Items as `labelmix hardness --out` writes them, from each kind of file to that kind."""
    out = folder / f"measured{request.param}"
    found = told("hardness", folder / f"raw{request.param}", *OWN, "--out", out)
    assert [own["name"] for own in found["measures"]] == MEASURES
    return out


@pytest.fixture(scope="module")
def studio() -> Iterator[FakeServer]:
    """A Label Studio in memory in the place of the one that a command would open."""
    fake = FakeServer()
    fake.connection.requests = 0

    @contextmanager
    def opened(*_: object) -> Iterator[LabelStudioServer]:
        yield cast(LabelStudioServer, fake)

    def once(pull: Any, _bell: object, _every: float, changed: Any, _trouble: object) -> None:
        changed(pull())
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelstudio_session, "opened_server", opened)
        patch.setattr("annotation.label_studio.watch.watch", once)
        yield fake


@pytest.fixture(scope="module")
def pilot(folder: Path, studio: FakeServer) -> Path:
    """All items, each judged by three people in a Label Studio of their own."""
    source = folder / "in_run.jsonl"
    run("hardness", folder / "raw.jsonl", *OWN, "--measure", "steps", "--out", source)
    run("labelstudio", "push", source, *OWN, "--measure", "steps", "--cut", "edges:2,>=5",
        "--title", "Pilot", "--tasks", "easy=50", "--tasks", "medium=50", "--tasks", "hard=50",
        "--out", folder / "pilot")  # fmt: skip
    for number, task in list(studio.tasks.items()):
        n = int(task.data["item_id"].removeprefix("k"))
        for user, every in enumerate(WRONG, start=1):
            at = START + timedelta(days=n // 15, minutes=5 * n + user)
            label = ("no", "yes")[n % 2 if n % every else 1 - n % 2]
            studio.annotate(number, label, user, created_at=at)
    return folder / "pilot"


@pytest.fixture(scope="module")
def judgments(pilot: Path) -> Path:
    run("labelstudio", "pull", pilot)
    return pilot / "judgments.csv"


@pytest.fixture(scope="module")
def terms(folder: Path, judgments: Path) -> Path:
    run("judgments", "report", judgments, "--fee", ".0525", "--out", folder / "terms.toml",
        "--suppliers-out", folder / "suppliers.toml")  # fmt: skip
    return folder / "terms.toml"


@pytest.fixture(scope="module")
def written_terms(terms: Path) -> dict[str, dict[str, Any]]:
    found = tomllib.loads(terms.read_text(encoding="utf-8"))["annotators"]
    assert list(found) == ["easy", "medium", "hard"]
    assert {own["cost"] for own in found.values()} == {0.0525}
    return cast(dict[str, dict[str, Any]], found)


@pytest.fixture(scope="module")
def config(folder: Path, judgments: Path, terms: Path) -> Path:
    """Measured items, collected judgments, and the terms of all strata as they were written."""
    text = CONFIG.format(items="in_run.jsonl", judgments="pilot/judgments.csv")
    (folder / "task.toml").write_text(
        text + SMALL + terms.read_text(encoding="utf-8"), encoding="utf-8"
    )
    return folder / "task.toml"


def result(finished: Path) -> Any:
    return json.loads((finished / "result.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def finished(folder: Path, config: Path) -> Path:
    run("run", config, "--out", folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def initial(folder: Path) -> Path:
    """What `labelmix init` writes, with fewer items and less money."""
    path = folder / "initial.toml"
    run("init", path)
    text = path.read_text(encoding="utf-8")
    for before, after in (("size = 4200", "size = 400"), ("total = 1200", "total = 60")):
        assert text.count(before) == 1
        text = text.replace(before, after)
    path.write_text(text + SMALL, encoding="utf-8")
    return path


# Who reads it


@reads("items", "hardness", "items")
def test_hardness_of_measured_items(measured: Path) -> None:
    steps, *_ = told("hardness", measured, *OWN)["measures"]
    assert [own["items"] for own in steps["strata"]] == [50, 50, 50]
    rows = {row["key"]: row for row in read_records(measured)}
    assert {key: int(row["steps"]) for key, row in rows.items()} == {
        f"k{n}": n % 6 + 1 for n in range(ITEMS)
    }


@reads("items", "items describe", "path")
def test_measured_items_described(measured: Path) -> None:
    found = told("items", "describe", "--source", "tabular", "--path", measured, *OWN)
    assert found["items"] == ITEMS
    assert list(found["measures"]) == MEASURES
    assert found["measures"]["steps"]["median"] == 3.5
    assert found["shared_choices"] == ["no", "yes"]


@reads("items", "judgments report", "items")
def test_judgments_of_measured_items(measured: Path, judgments: Path) -> None:
    found = told("judgments", "report", judgments, "--items", measured, *OWN,
                 "--measure", "steps", "--answers-are-gold")  # fmt: skip
    assert [own["items"] for own in found["strata"]] == [50, 50, 50]
    for own, stratum in zip(found["strata"], BANDS, strict=True):
        wrong = [not n % every for n in range(ITEMS) if n % 6 in stratum for every in WRONG]
        assert own["error"]["method"] == "gold"
        assert own["error"]["rate"]["estimate"] == pytest.approx(sum(wrong) / len(wrong))


@reads("items", "suppliers llm", "items")
@reads("items", "suppliers measure", "items")
@reads("items", "suppliers route", "items")
@reads("items to check", "suppliers measure", "checked")
@reads("items to check", "suppliers route", "checked")
def test_measured_items_answered_by_a_language_model(measured: Path, tmp_path: Path) -> None:
    out, ask = tmp_path / f"answered{measured.suffix}", tmp_path / f"ask{measured.suffix}"

    def answer(request: dict[str, Any], _number: int) -> Said:
        found = re.search(r"Is (\d+) even", request["messages"][-1]["content"])
        assert found
        return completion("B" if int(found[1]) % 2 else "A", {"A": -0.1, "B": -2.5})

    with model_server(answer) as server:
        found = told("suppliers", "llm", measured, *OWN, "--model", "m", "--url", server.url,
                     "--out", out)  # fmt: skip
    assert found["answered"] == ITEMS
    rows = read_records(out)
    assert {row["key"]: row["llm_label"] for row in rows} == {
        row["key"]: row["label"] for row in read_records(measured)
    }
    read = (*OWN_BUT_ANSWERS, "--machine", "llm_label", "--confidence", "llm_confidence",
            "--people", "nobody")  # fmt: skip
    assert told("suppliers", "measure", out, *read, "--ask", "40", "--out", ask)["asked"] == 40
    right = {row["key"]: row["llm_label"] for row in rows}
    write_rows([row | {"label": right[row["item_id"]]} for row in read_records(ask)], ask)
    known = (*read, "--checked", ask)
    assert told("suppliers", "measure", out, *known)["overall"]["checked"] == 40
    assert told("suppliers", "route", out, *known, "--error-at-most", ".5")["items"] == ITEMS


@reads("items", "labelstudio push", "items")
@reads("pilot", "labelstudio push", "out")
def test_measured_items_sent_to_label_studio(
    measured: Path, pilot: Path, studio: FakeServer
) -> None:
    found = told("labelstudio", "push", measured, *OWN, "--measure", "steps",
                 "--cut", "edges:2,>=5", "--title", "Pilot", "--tasks", "easy=50",
                 "--tasks", "medium=50", "--tasks", "hard=50", "--out", pilot)  # fmt: skip
    assert (found["tasks"], found["already_there"], found["sent"]) == (150, 150, 0)
    texts = {task.data["item_id"]: task.data["question"] for task in studio.tasks.values()}
    assert texts == {row["key"]: row["text"] for row in read_records(measured)}


@reads("items", "suppliers measure", "items")
@reads("items to check", "suppliers measure", "checked")
def test_what_people_are_asked_of_a_machine_comes_back(measured: Path, folder: Path) -> None:
    """The machine of this test is right on all items."""
    options = (*OWN_BUT_ANSWERS, "--machine", "label", "--people", "nobody")
    sheet = folder / "to_check.csv"
    run("suppliers", "measure", measured, *options, "--ask", "30", "--out", sheet)
    filled = answered(sheet, folder / "checked.csv")
    found = told("suppliers", "measure", measured, *options, "--checked", filled)
    assert (found["overall"]["checked"], found["overall"]["wrong"]["estimate"]) == (30, 0)


@reads("items", "suppliers route", "items")
@reads("items to check", "suppliers route", "checked")
def test_what_routing_asks_comes_back(measured: Path, folder: Path) -> None:
    options = (
        *OWN_BUT_ANSWERS,
        "--machine",
        "label",
        "--people",
        "nobody",
        "--error-at-most",
        ".1",
    )
    sheet = folder / "to_route.csv"
    first = told("suppliers", "route", measured, *options, "--ask-out", sheet)
    filled = answered(sheet, folder / "routed.csv")
    then = told("suppliers", "route", measured, *options, "--checked", filled)
    assert set(first["why"]) == {"sample"} and len(first["ask"]) == first["sample"]
    assert set(first["ask"]).isdisjoint(then["ask"]) and then["audit_rate"] is not None


def answered(sheet: Path, into: Path) -> Path:
    """The sheet with the right labels of its items filled in."""
    rows = read_records(sheet)
    lines = [f"{row['item_id']},{('no', 'yes')[int(row['item_id'][1:]) % 2]}" for row in rows]
    into.write_text("\n".join(["item_id,label", *lines]) + "\n", encoding="utf-8")
    return into


@reads("pilot", "labelstudio pull", "pilot")
def test_a_pilot_pulled(pilot: Path, judgments: Path) -> None:
    found = told("labelstudio", "pull", pilot, "--judgments", pilot / "again.csv")
    assert found["judgments"] == str(pilot / "again.csv")
    assert (pilot / "again.csv").read_bytes() == judgments.read_bytes()
    assert len(read_records(judgments)) == len(WRONG) * ITEMS


@reads("pilot", "labelstudio watch", "pilot")
def test_a_pilot_watched(pilot: Path, judgments: Path) -> None:
    run("labelstudio", "watch", pilot, "--judgments", pilot / "watched.csv")
    assert (pilot / "watched.csv").read_bytes() == judgments.read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@reads("judgments", "judgments report", "files")
def test_simulated_judgments_reported(folder: Path, suffix: str) -> None:
    out, truth = folder / f"simulated{suffix}", folder / "truth.json"
    made = told("judgments", "simulate", out, "--truth", truth, "--items", "easy=20",
                "--items", "medium=20", "--items", "hard=20", "--gold", "1")  # fmt: skip
    found = told("judgments", "report", out)
    assert found["judgments"] + found["cancelled"] + found["superseded"] == made["rows"]
    assert [own["name"] for own in found["strata"]] == ["easy", "medium", "hard"]


@reads("judgments", "hardness", "judgments")
def test_hardness_by_judgments(folder: Path, judgments: Path) -> None:
    found = told("hardness", folder / "raw.jsonl", *OWN, "--judgments", judgments,
                 "--measure", "pairwise_disagreement")  # fmt: skip
    split = [len({not n % every for every in WRONG}) > 1 for n in range(ITEMS)]
    [measure] = found["measures"]
    assert measure["known"] == ITEMS
    assert sum(own["items"] for own in measure["histogram"] if own["low"] > 0) == sum(split)


@reads("terms", "simulate", "assume")
def test_terms_assumed(folder: Path, terms: Path, written_terms: dict[str, Any]) -> None:
    found = told("simulate", "--assume", terms, *GRID, "--out", folder / "simulated")
    stated = {own["name"]: own["value"] for own in found["assumptions"]}
    assert Decimal(stated["cost-easy"]) == Decimal("0.0525")
    for name in ("easy", "hard"):
        assert float(stated[f"error-{name}"]) == written_terms[name]["error_rate"]
    assert any("Terms of medium" in note for note in found["notes"])
    kept = json.loads((folder / "simulated" / "simulate.json").read_text(encoding="utf-8"))
    assert kept == found


@reads_configured("run")
@reads("configuration", "run", "config")
def test_a_run_of_what_was_written(
    config: Path, finished: Path, written_terms: dict[str, Any]
) -> None:
    found = result(finished)
    assert (found["items"], found["measure"]) == (ITEMS, "steps")
    assert found["collected"]["judgments"] == len(WRONG) * ITEMS
    for name in ("easy", "hard"):
        for key in ("cost", "error_rate", "error_kind", "error_rate_low", "error_rate_high"):
            assert found["strata"][name][key] == written_terms[name][key], key
    assert found["strata"]["medium"]["cost"] is None
    assert any("annotators.medium is not used" in line for line in found["warnings"])


@reads("items", "replay", "items")
@reads("items", "replay", "test")
@reads("judgments", "replay", "files")
@reads("suppliers", "replay", "suppliers")
def test_a_replay_of_what_was_written(
    folder: Path,
    measured: Path,
    judgments: Path,
    terms: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert terms.is_file()  # and suppliers.toml beside it
    rows = (folder / "raw.jsonl").read_text().splitlines(keepends=True)
    (folder / "raw_test.jsonl").write_text("".join(rows[:60]))
    tested = folder / f"tested{measured.suffix}"
    run("hardness", folder / "raw_test.jsonl", *OWN, "--out", tested)

    def stop(*_: object) -> None:  # what was read is told before anything is played
        raise SystemExit(0)

    monkeypatch.setattr("budget.replay.run.played_again", stop)
    found = run("replay", judgments, "--items", measured, *OWN, "--test", tested,
                "--measure", "steps", "--cut", "edges:2,>=5", "--budget", "14", "--out",
                folder / "replay", "--suppliers", folder / "suppliers.toml")  # fmt: skip
    assert "30 easy" in found
    assert "30 hard" in found
    assert "270 judgments cost $14.1" in found  # 90 items, three of each at 0.0525
    assert "Tested on 20 hard items" in found


@reads_configured("trial")
@reads("configuration", "trial", "config")
def test_a_trial_of_what_was_written(folder: Path, config: Path) -> None:
    found = told("trial", config, "--method", "probe", "--labels", "easy=12", "--seeds", "2",
                 "--out", folder / "run")  # fmt: skip
    assert found["cost"] == 12 * 0.0525
    assert not found["simulated"]
    assert sum(found["test_items"].values()) == 18


@reads_configured("curves")
@reads("configuration", "curves", "config")
def test_curves_of_what_was_written(folder: Path, config: Path) -> None:
    found = told("curves", config, "--sizes", "8,12", "--error-rates", "0", "--seeds", "2",
                 "--out", folder / "curves")  # fmt: skip
    assert found["items"] == ITEMS
    assert found["as_judged"]
    assert {name: own["cost"] for name, own in found["strata"].items()} == {
        "easy": 0.0525, "medium": None, "hard": 0.0525,
    }  # fmt: skip
    kept = json.loads((folder / "curves" / "curves.json").read_text(encoding="utf-8"))
    assert kept == found


@reads_configured("items describe")
@reads("configuration", "items describe", "config")
def test_a_configuration_described(config: Path) -> None:
    found = told("items", "describe", config)
    assert found["items"] == ITEMS
    assert list(found["strata"].values()) == [50, 50, 50]


@reads_configured("hardness")
@reads("configuration", "hardness", "items")
def test_hardness_of_a_configuration(config: Path) -> None:
    found = told("hardness", config, "--measure", "steps")
    [steps] = found["measures"]
    assert [own["name"] for own in steps["strata"]] == ["easy", "medium", "hard"]
    assert [own["items"] for own in steps["strata"]] == [50, 50, 50]


@reads_configured("judgments report")
@reads("configuration", "judgments report", "config")
def test_judgments_of_a_configuration(config: Path, judgments: Path) -> None:
    found = told("judgments", "report", judgments, "--config", config)
    assert [(own["name"], own["judgments"]) for own in found["strata"]] == [
        ("easy", 150), ("medium", 150), ("hard", 150),
    ]  # fmt: skip


@reads_configured("labelstudio push")
@reads("configuration", "labelstudio push", "items")
def test_a_configuration_sent_to_label_studio(config: Path, pilot: Path) -> None:
    found = told("labelstudio", "push", config, "--title", "Pilot", "--tasks", "easy=50",
                 "--tasks", "medium=50", "--tasks", "hard=50", "--out", pilot)  # fmt: skip
    assert (found["tasks"], found["already_there"], found["sent"]) == (150, 150, 0)


@reads("suppliers", "plan", "suppliers")
@reads("run", "plan", "run_folder")
def test_a_plan_with_measured_suppliers(folder: Path, finished: Path) -> None:
    found = told("plan", finished, "--suppliers", folder / "suppliers.toml", "--budget", "5")
    assert {own["supplier"] for own in found["decision"]["plan"]["lines"]} == {"annotators"}
    for own in found["decision"]["plan"]["lines"]:
        assert own["cost"] == pytest.approx(own["labels"] * 0.0525)
    assert found["pilot"]["cost"] == result(finished)["pilot"]["cost"]
    assert any("terms of medium are left out" in line for line in found["warnings"])


@reads("run", "report", "run_folder")
def test_a_report_again(folder: Path, finished: Path) -> None:
    run("report", finished, "--out", folder / "again.html")
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert (folder / "again.html").read_text(encoding="utf-8") == page


@reads("run", "simulate", "run")
def test_a_run_simulated(folder: Path, finished: Path, terms: Path) -> None:
    options: list[list[str | Path]] = [[], ["--assume", terms]]
    for given in options:
        found = told("simulate", "--run", finished, *given, *GRID, "--out", folder / "of_run")
        stated = {own["name"]: own["value"] for own in found["assumptions"]}
        assert Decimal(stated["cost-easy"]) == Decimal("0.0525")
        assert float(stated["error-hard"]) == result(finished)["strata"]["hard"]["error_rate"]


@reads("judgments", "judgments alarms", "files")
@reads("judgments", "judgments finish", "files")
@reads("judgments", "judgments finish", "past")
@reads("judgments", "judgments pay", "files")
@reads("suppliers", "judgments alarms", "suppliers")
def test_judgments_over_time(folder: Path, judgments: Path, terms: Path) -> None:
    alarms = told("judgments", "alarms", judgments)
    assert terms.is_file()  # and suppliers.toml beside it
    suppliers = folder / "suppliers.toml"
    assert told("judgments", "alarms", judgments, "--suppliers", suppliers) == alarms
    assert told("judgments", "finish", judgments, "--left", "10", "--past", judgments)
    told("judgments", "pay", judgments, "--rate", "18", "--out", folder / "pay.csv")
    assert len(read_records(folder / "pay.csv")) >= len(WRONG)


@pytest.fixture
def collection(folder: Path, terms: Path, judgments: Path, tmp_path: Path) -> Path:
    """A collection of measured items, tested on others, with suppliers that were measured."""
    rows = read_records(folder / "raw.jsonl")
    others = [
        {**row, "key": f"new {row['key']}", "text": str(row["text"]).replace("Is ", "Is 77")}
        for row in rows
    ]
    (tmp_path / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in others))
    for name, raw in (("pool", tmp_path), ("test", folder)):
        run("hardness", raw / "raw.jsonl", *OWN, "--out", tmp_path / f"{name}.csv")
    columns = 'columns = { item_id = "key", question = "text", answer = "label" }'
    section = f'{columns}\nchoices = ["no", "yes"]\n'
    (tmp_path / "more.toml").write_text(f"[items]\n{section}[test]\n{section}")
    run("collect", "new", tmp_path / "words", "--items", tmp_path / "pool.csv",
        "--test", tmp_path / "test.csv", "--suppliers", folder / "suppliers.toml",
        "--budget", "30", "--currency", "EUR", "--measure", "steps", "--cut", "edges:2,>=5",
        "--config", tmp_path / "more.toml")  # fmt: skip
    return tmp_path / "words"


@reads("items", "collect new", "items")
@reads("items", "collect new", "test")
@reads("suppliers", "collect new", "suppliers")
@reads("suppliers", "collect change", "suppliers")
@reads("collection", "collect step", "folder")
@reads("collection", "collect run", "folder")
@reads("collection", "collect approve", "folder")
@reads("collection", "collect status", "folder")
@reads("collection", "collect cancel", "folder")
@reads("collection", "collect pause", "folder")
@reads("collection", "collect resume", "folder")
@reads("collection", "collect close", "folder")
@reads("collection", "collect change", "folder")
@reads("collection", "collect export", "folder")
def test_a_collection_of_what_was_written(
    collection: Path, folder: Path, studio: FakeServer
) -> None:
    def collect(command: str, *arguments: str | Path) -> Any:
        return told("collect", command, collection, *arguments)

    assert [own["batch"] for own in collect("step")] == [1]
    assert collect("cancel", "1", "--why", "again")["changed"]
    assert collect("run")[-1]["waits_for"] == "approval"
    assert collect("approve", "2")["changed"]
    assert collect("run")[-1]["waits_for"] == "annotators"
    projects = [n for n, own in studio.projects_.items() if own.title.startswith("words - ")]
    for number in [n for own in projects for n in studio.tasks_of(own)]:
        n = int(studio.tasks[number].data["item_id"].removeprefix("new ").removeprefix("k"))
        studio.annotate(number, ("no", "yes")[n % 2])
    assert collect("step")[0]["waits_for"] is None
    assert collect("pause")["changed"] and collect("resume")["changed"]
    assert collect("change", "--suppliers", folder / "suppliers.toml", "--budget", "40")["left"]
    status = collect("status")
    assert [own["state"] for own in status["batches"]] == ["cancelled", "complete"]
    judged = sum(own["judgments"] for own in status["suppliers"])
    assert Decimal(status["paid"]) == judged * Decimal("0.0525")
    paths = collect("export", "--out", collection.with_name("out"))
    labels = read_records(Path(paths["training set"]))
    assert sum(map(len, [row["annotators"] for row in labels])) == status["batches"][1][
        "received"
    ] - sum(own["gold_answers"] for own in status["suppliers"])
    assert collect("close")["changed"]


def test_the_first_configuration_goes_through_all_commands(
    folder: Path, initial: Path, studio: FakeServer
) -> None:
    described = told("items", "describe", initial)
    assert described["items"] == 400
    out = folder / "initial.csv"
    assert told("hardness", initial, "--out", out)["items"] == 400
    rows = read_records(out)
    judged = [f"{row['item_id']},{who},{row['answer']}" for row in rows for who in "ab"]
    (folder / "initial_j.csv").write_text("\n".join(["item_id,annotator,label", *judged]) + "\n")
    reported = told("judgments", "report", folder / "initial_j.csv", "--config", initial)
    assert sum(own["items"] for own in reported["strata"]) == sum(described["strata"].values())
    sent = told("labelstudio", "push", initial, "--title", "First", "--tasks", "easy=5",
                "--out", folder / "first")  # fmt: skip
    assert sent["sent"] == 5
    tried = told("trial", initial, "--method", "probe", "--labels", "hard=10", "--seeds", "2",
                 "--out", folder / "first_run")  # fmt: skip
    assert tried["cost"] == 20
    ran = told("run", initial, "--out", folder / "first_run")
    assert ran["budget"] == 60
    assert ran["item_fingerprint"] == described["fingerprint"] == tried["item_fingerprint"]
    curves = told("curves", initial, "--sizes", "8", "--error-rates", "0", "--seeds", "2",
                  "--out", folder / "first_curves")  # fmt: skip
    assert curves["item_fingerprint"] == described["fingerprint"]


# That nothing is forgotten


def test_every_path_of_a_command_is_in_the_table() -> None:
    assert path_parameters() == (WRITES.keys() | READS.keys() | OF_OTHERS.keys()) - TEXTS


def test_everything_that_is_written_is_read_or_said_to_be_for_others() -> None:
    read = {kind for kinds in READS.values() for kind in kinds} | set(IN_CONFIGURATION)
    assert set(WRITES.values()) - read == set(FOR_OTHERS)


def test_every_pair_is_tried() -> None:
    pairs = {(kind, place) for place, kinds in READS.items() for kind in kinds}
    pairs |= {
        (kind, (name, IN_A_CONFIGURATION)) for kind in IN_CONFIGURATION for name in CONFIGURED
    }
    # How a command goes on in its own folder is held by the tests of resuming.
    resumed = {(kind, place) for kind, place in pairs if place in WRITES}
    assert pairs - resumed <= TRIED
    assert pairs >= TRIED
