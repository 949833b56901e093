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
from starlette.datastructures import QueryParams

from analysis.run.result import RunResult, read_result, write_result
from budget.decision.by_budget import BudgetCurve, accuracy_by_budget, budget_curve
from budget.decision.prepared import Prepared, prepared
from budget.decision.question import PlanOptions
from budget.market.market import RUN_SUPPLIER, Market
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


def test_curves_are_kept_while_nothing_of_theirs_moves(
    run_folder: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[str] = []

    def working(own: Prepared, kind: str, market: Market, most: Decimal | None) -> BudgetCurve:
        worked.append(kind)
        return budget_curve(own, kind, market, most)

    monkeypatch.setattr(known_runs, "budget_curve", working)
    own = client(run_folder)

    def curves(**asked: str) -> Any:
        return own.get("/folder/run/explore.json", params=asked).json()["by_budget"]

    assert curves(budget="200") == curves(budget="250") == curves(budget="399")
    assert worked == ["plan", "only easy labels", "only hard labels"]
    dearer = curves(**{"cost:easy": "2"})
    assert worked[3:] == ["plan", "only easy labels"]
    assert dearer[1] != curves()[1] and dearer[2] == curves()[2]
    assert len(worked) == 5
    assert curves(budget="800")[0]["budgets"][-1] == 800
    assert len(worked) == 8
    prepared_run = prepared(
        read_result(run_folder / "result.json"), PlanOptions(costs={"easy": Decimal(2)}), "run"
    )
    whole = [curve.model_dump(mode="json") for curve in accuracy_by_budget(prepared_run)]
    assert whole == dearer


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
    for field in fields_of(result, QueryParams()):
        low, high = float(field.low), float(field.high)
        assert low < high and float(field.step) > 0
        if field.usual:
            assert low <= float(field.usual) <= high
    filled = QueryParams({f.name: f.value for f in fields_of(result, QueryParams())})
    assert read_question(result, filled).query == ""


def test_every_training_stands_in_the_table(run_folder: Path, client: Client) -> None:
    own = client(run_folder)
    facts = own.get("/folder/run/trials.json").json()
    rows = [(row["method"], row["what"]) for row in facts["rows"]]
    assert [own for own in rows if own[1].startswith("test: ")] == [
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


SUPPLIERS = """
currency = "$"
[suppliers.crowd]
cost = 0.50
error_rate = 0.2
seconds = 60
role = "crowd"

[suppliers.experts]
cost = 3
error_rate = 0.02
seconds = 60
role = "experts"

[roles.crowd]
people = 1
hours_per_day = 1

[roles.experts]
people = 1
hours_per_day = 1
"""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, []),
        ({"without": ["crowd"]}, ["--without", "crowd"]),
        ({"days": "0.5", "budget": "300"}, ["--deadline-days", ".5", "--budget", "300"]),
        ({"cost:hard": "9", "rate:easy": "50"}, []),  # the file says what they cost
    ],
)
def test_suppliers_of_a_file_may_be_left_out_and_have_a_deadline(
    run_folder: Path,
    client: Client,
    tmp_path: Path,
    fields: dict[str, str | list[str]],
    words: list[str],
) -> None:
    path = tmp_path / "suppliers.toml"
    path.write_text(SUPPLIERS)
    told = json.loads(labelmix("plan", run_folder, "--suppliers", path, *words, "--json").stdout)
    own = client(run_folder, suppliers=path)
    asked = {"from": "file", **fields}
    answer = own.get("/folder/run/explore.json", params=asked)
    assert answer.json()["decision"] == told
    page = own.get("/folder/run/explore", params=asked).text
    assert 'name="without" value="experts"' in page and 'name="cost:hard"' not in page
    part = own.get("/folder/run/explore", params=asked, headers=PART)
    again = own.get(part.headers["hx-replace-url"].replace("explore", "explore.json", 1))
    assert again.json()["decision"] == told
    # At the terms of the run nobody is left out.
    usual = own.get("/folder/run/explore.json", params={"without": "crowd", "days": "1"}).json()
    assert usual["decision"]["decision"]["plan"]["lines"][0]["supplier"] == RUN_SUPPLIER


@pytest.mark.parametrize(
    ("without", "message"),
    [
        (["crowd", "experts"], "leaving out: nobody is left who sells labels"),
        (["<b>"], "leaving out <b>: no such supplier; suppliers are: crowd, experts."),
    ],
)
def test_somebody_has_to_be_left(
    run_folder: Path, client: Client, tmp_path: Path, without: list[str], message: str
) -> None:
    path = tmp_path / "suppliers.toml"
    path.write_text(SUPPLIERS)
    asked = {"from": "file", "without": without}
    page = client(run_folder, suppliers=path).get("/folder/run/explore", params=asked)
    assert page.status_code == 400
    assert message in html.unescape(page.text).replace("Leaving", "leaving")
    assert "<b>" not in page.text
