"""The explorer of a run: what sliders ask, and that the answer is that of `labelmix plan`."""

import html
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.run.result import RunResult, read_result, write_result
from budget.decision.by_budget import BudgetCurve, accuracy_by_budget
from budget.decision.prepared import Prepared
from budget.surface.response import ResponseSurface
from budget.web import known_runs
from budget.web.explore_form import fields_of, read_question
from tests.unit.budget.commands.command_line import labelmix
from tests.unit.budget.web.conftest import Client

Surface = Callable[..., ResponseSurface]
Store = Callable[..., Path]
PART = {"HX-Request": "true"}


@pytest.fixture
def run_folder(make_surface: Surface, store_run: Store) -> Path:
    """An easy label is worth .6 hard ones, at half the cost."""
    draws = [70.0, 90.0, 110.0, 140.0]
    return store_run(
        probe=make_surface({"easy": 0.6}, half_labels=draws),
        qlora=make_surface({"easy": 0.1}, half_labels=draws),
    )


def plain(text: str) -> str:
    """As the terminal has it: there a number and its % may stand on two lines."""
    return html.unescape(text).replace("\u00a0", " ")


def sentence(page: str) -> str:
    found = re.search(r'<p class="sentence" data-say>(.*?)</p>', page)
    assert found, page
    return plain(found[1])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, []),
        ({"budget": "300"}, ["--budget", "300"]),
        ({"cost:hard": "1.10", "cost:easy": "1"}, ["--cost", "hard=1.10"]),
        ({"rate:easy": "60"}, ["--error-rate", "easy=.6"]),
        ({"method": "qlora", "budget": "1e2"}, ["--method", "qlora", "--budget", "100"]),
        (
            {"target": "55", "probability": "80"},
            ["--target-accuracy", ".55", "--probability", ".8"],
        ),
        ({"rounds": "3", "value": "5"}, ["--rounds-left", "3", "--value-per-point", "5"]),
        ({"probability": "80"}, []),  # of what, without a target
    ],
)
def test_the_answer_is_that_of_the_command(
    run_folder: Path, client: Client, fields: dict[str, str], words: list[str]
) -> None:
    told = json.loads(labelmix("plan", run_folder, *words, "--json").stdout)
    own = client(run_folder)
    answer = own.get("/folder/run/explore.json", params=fields)
    assert answer.json()["decision"] == told
    printed = " ".join(labelmix("plan", run_folder, *words).stdout.split())
    part = own.get("/folder/run/explore", params=fields, headers=PART)
    assert sentence(part.text) in printed
    turns = own.get("/folder/run/explore/turns", params=fields, headers=PART).text
    for line in re.findall(r"<li>(.*?)</li>", turns):
        assert plain(line) in printed


def test_the_address_holds_what_was_changed_and_no_more(run_folder: Path, client: Client) -> None:
    own = client(run_folder)
    page = own.get("/folder/run/explore").text
    names = re.findall(r'<input id="f\d+" name="([^"]+)" value="([^"]*)"', page)
    fields = dict(names)
    assert fields["budget"] == "200" and fields["cost:easy"] == "1" and fields["target"] == ""
    same = own.get("/folder/run/explore", params=fields, headers=PART)
    assert same.headers["hx-replace-url"] == "/folder/run/explore"
    fields |= {"budget": "300", "rate:hard": "25", "nothing": "x"}
    other = own.get("/folder/run/explore", params=fields, headers=PART)
    address = other.headers["hx-replace-url"]
    assert parse_qs(urlsplit(address).query) == {"budget": ["300"], "rate:hard": ["25"]}
    # Sent on, it shows the same.
    assert sentence(own.get(address).text) == sentence(other.text)
    assert 'name="budget" value="300"' in own.get(address).text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"budget": "much"}, "the budget should be a number; got 'much'."),
        ({"budget": "10"}, "the budget of 10 is too small for the pilot"),
        ({"budget": "nan"}, "the budget should be a number; got 'nan'."),
        ({"budget": "1" * 400}, "the budget should be a number"),
        ({"budget": "1e999999"}, "the budget 1E+999999: an amount of money should be at most"),
        ({"cost:easy": "0"}, "cost easy=0: the cost should be above 0."),
        ({"rate:easy": "150"}, "error rate easy=1.5: "),
        ({"target": "99.9"}, "reaches 99.9% with probability"),
        ({"target": "0"}, "target accuracy should be between 0 and 1"),
        ({"rounds": "1.5"}, "should be a whole number from 1 to 20; got '1.5'."),
        ({"rounds": "100000"}, "should be a whole number from 1 to 20"),
        ({"method": "magic"}, "the run has no method 'magic'"),
        ({"value": "<script>"}, "what a point is worth should be a number; got '<script>'."),
    ],
)
def test_what_cannot_be_asked_is_said_beside_the_fields(
    run_folder: Path, client: Client, fields: Mapping[str, str], message: str
) -> None:
    own = client(run_folder)
    page = own.get("/folder/run/explore", params=fields)
    assert page.status_code == 400
    assert message.lower() in html.unescape(page.text).lower()
    assert 'id="question"' in page.text  # so that it can be mended
    assert "<script>" not in page.text
    part = own.get("/folder/run/explore", params=fields, headers=PART)
    assert part.status_code == 200
    assert message.lower() in html.unescape(part.text).lower()
    assert "hx-replace-url" not in part.headers
    assert own.get("/folder/run/explore.json", params=fields).status_code == 400


def test_a_run_that_is_written_anew_is_read_anew(
    run_folder: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def reading(path: Path) -> RunResult:
        read.append(path)
        return read_result(path)

    monkeypatch.setattr(known_runs, "read_result", reading)
    own = client(run_folder)
    for _ in range(3):
        assert own.get("/folder/run/explore.json").json()["decision"]["budget"] == 200
    assert len(read) == 1
    path = run_folder / "result.json"
    write_result(read_result(path).model_copy(update={"budget": 300.0}), path)
    assert own.get("/folder/run/explore.json").json()["decision"]["budget"] == 300


def test_curves_are_kept_while_only_the_budget_moves(
    run_folder: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[object] = []

    def working(own: Prepared, most: Decimal | None) -> list[BudgetCurve]:
        worked.append(most)
        return accuracy_by_budget(own, most)

    monkeypatch.setattr(known_runs, "accuracy_by_budget", working)
    own = client(run_folder)
    curves = [
        own.get("/folder/run/explore.json", params={"budget": b}).json()["by_budget"]
        for b in ("200", "250", "399")
    ]
    assert len(worked) == 1 and curves[0] == curves[1] == curves[2]
    own.get("/folder/run/explore.json", params={"cost:easy": "2"})
    beyond = own.get("/folder/run/explore.json", params={"budget": "800"}).json()["by_budget"]
    assert len(worked) == 3 and beyond[0]["budgets"][-1] == 800


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "x"}', "\x00", "{" * 100_000])
def test_a_result_that_is_none_is_said_to_be_so(
    run_folder: Path, client: Client, content: str
) -> None:
    (run_folder / "result.json").write_text(content)
    own = client(run_folder)
    for address in ("explore", "explore/turns", "trials", "trials.json"):
        answer = own.get(f"/folder/run/{address}")
        assert answer.status_code in (400, 503)
        assert "result.json" in answer.text and "Traceback" not in answer.text


def renamed(value: Any) -> Any:
    """The stratum "easy" by a worse name; the supervision gap's own field stays."""
    if isinstance(value, dict):
        keep = "unsupervised" in value
        return {k if keep else renamed(k): renamed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(own) for own in value]
    return value.replace("easy", "<b onclick=x>") if isinstance(value, str) else value


def test_names_of_strata_and_runs_are_shown_and_not_obeyed(
    run_folder: Path, client: Client
) -> None:
    path = run_folder / "result.json"
    evil = "<script>alert(1)</script>"
    text = path.read_text().replace('"a known surface"', json.dumps(evil))
    document = json.loads(text)
    document.pop("checksum")
    path.write_text(json.dumps(renamed(document)))
    own = client(run_folder)
    for address in ("explore", "explore/turns", "trials"):
        page = own.get(f"/folder/run/{address}").text
        assert "<script>alert" not in page and "<b onclick" not in page
    assert "&lt;b onclick=x&gt;" in own.get("/folder/run/explore").text
    field = {"cost:<b onclick=x>": "3"}
    answer = own.get("/folder/run/explore.json", params=field).json()
    assert answer["decision"]["costs"] == {"<b onclick=x>": 3.0, "hard": 2.0}


def test_sliders_reach_what_is_usual(run_folder: Path) -> None:
    result = read_result(run_folder / "result.json")
    for field in fields_of(result, {}):
        low, high = float(field.low), float(field.high)
        assert low < high and float(field.step) > 0
        if field.usual:
            assert low <= float(field.usual) <= high
    assert read_question(result, {f.name: f.value for f in fields_of(result, {})}).query == ""


def test_every_training_stands_in_the_table(run_folder: Path, client: Client) -> None:
    own = client(run_folder)
    facts = own.get("/folder/run/trials.json").json()
    assert [(row["method"], row["what"]) for row in facts["rows"]] == [
        ("probe", "test: plan"),
        ("qlora", "test: plan"),
    ]
    page = own.get("/folder/run/trials").text
    for told in ("20 easy and 20 hard", "42.0 %", "38.0 to 46.0 %", "linear probe"):
        assert told in plain(page)


def test_pages_of_runs_are_not_those_of_collections(run_folder: Path, client: Client) -> None:
    own = client(run_folder)
    assert own.get("/folder/run").url.path == "/folder/run/explore"
    for address in ("board", "board.json", "board/changes"):
        assert own.get(f"/folder/run/{address}").status_code == 404
