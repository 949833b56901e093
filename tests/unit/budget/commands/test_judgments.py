import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from annotation.items.validate import validate_items
from annotation.items.write import write_table
from annotation.judgments.table_files import read_judgments, write_judgments
from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.sources import load_items
from annotation.terms.clean_share import redraw_rates
from annotation.truth.label_file import read_labels
from budget.commands.app import app
from budget.config.read import parse_config
from budget.market.supplier_file import read_suppliers
from tests import golden_pages


def labelmix(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["judgments", *map(str, arguments)], prog_name="labelmix")


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pilot") / "pilot.parquet"
    write_judgments(simulate_judgments(Workplace(), 0).judgments, path)
    return path


def test_simulate_writes_judgments_and_their_truth(tmp_path: Path) -> None:
    out, truth = tmp_path / "pilot.csv", tmp_path / "truth.json"
    options = ["--items", "hard=20", "--annotators", 4, "--seed", 3, "--truth", truth, "--json"]
    result = labelmix("simulate", out, *options)
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == {"judgments": str(out), "rows": 60, "truth": str(truth)}
    expected = simulate_judgments(Workplace(items={"hard": 20}, annotators=4), 3)
    pd.testing.assert_frame_equal(read_judgments(out), expected.judgments)
    told = json.loads(truth.read_text(encoding="utf-8"))
    assert told["strata"]["hard"]["error_rate"]["these"] == expected.error_rate("hard", "these")


def test_pages_of_a_report(pilot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is told of a pilot, and what other questions say that this page does not."""
    monkeypatch.setenv("COLUMNS", "400")  # a sentence a line, whatever path stands in it
    flawed = tmp_path / "judgments.csv"
    rows = [f"i{n},{who},p,12 s" for n in range(10) for who in "xy"]
    flawed.write_text("\n".join(["item_id,annotator,label,seconds", *rows, rows[0]]) + "\n")

    def page(*words: object) -> list[str]:
        result = labelmix("report", *words)
        assert result.exit_code == 0, result.output
        lines = result.output.replace(str(tmp_path), "FOLDER").strip().splitlines()
        others = re.compile(r"│ annotator-(10|[2-9]) ")  # one annotator's rows do
        return [line for line in lines if line[:1] not in "┏┡├└" and not others.match(line)]

    terms = ("--rate", 18, "--recruiting", "hard=500")
    whole = page(pilot, *terms, "--fee", ".05", "--need", "hard=100", "--days", 2)
    questions = {
        "without a price": (pilot,),
        "with a role": (pilot, *terms, "--role", "annotator-1=the expert"),
        "five judgments a label are to buy": (
            pilot, *terms, "--need", "easy=50", "--need", "hard=100", "--judgments-per-label", 5,
            "--days", 10,
        ),
        "a flawed file": (flawed,),
    }  # fmt: skip
    told = {
        question: [line for line in page(*words) if line not in whole]
        for question, words in questions.items()
    }
    golden_pages.check("judgments", golden_pages.page({"a pilot": whole} | told))


def test_names_of_annotators_are_shown_whole(pilot: Path) -> None:
    result = labelmix("report", pilot, "--rate", 18, "--role", "annotator-10=expert")
    assert result.exit_code == 0, result.output
    rows = [line.split("│")[1].strip() for line in result.output.splitlines() if "│" in line]
    assert rows.count("annotator-10") == 2  # how good, and how fast


def test_report_as_json_is_complete(pilot: Path) -> None:
    result = labelmix("report", pilot, "--rate", 18, "--same-annotators", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["scope"] == "these"
    assert told["rejected"] == []
    assert [stratum["name"] for stratum in told["strata"]] == ["easy", "hard"]
    hard = told["strata"][1]
    assert hard["error"]["rate"]["low"] < hard["error"]["rate"]["estimate"] < 1
    assert hard["cost"]["per_judgment"] > 0
    assert len(told["annotators"]) == 10
    assert all(each["cost"]["per_judgment"] > 0 for each in told["annotators"])
    assert all(each["throughput"]["annotator_days"] == 1 for each in told["annotators"])


@pytest.mark.parametrize("kind", ["flip", "redraw"])
def test_terms_are_what_a_configuration_takes(pilot: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "terms.toml"
    options = ["--rate", 18, "--out", out, "--error-kind", kind, "--json"]
    told = json.loads(labelmix("report", pilot, *options).output)
    terms = tomllib.loads(out.read_text(encoding="utf-8"))
    config = parse_config(
        {
            **terms,
            "items": {"source": "workshop"},
            "strata": {"measure": "steps", "easy_at_most": 2, "hard_at_least": 5},
            "budget": {"total": 1000},
        },
        "test",
        tmp_path,
    )
    for stratum in told["strata"]:
        found = config.terms()[stratum["name"]]
        assert found.error_kind == kind
        rate = stratum["error"]["rate"]["estimate"] if kind == "flip" else stratum["redraw_rate"]
        assert found.error_rate == pytest.approx(rate, abs=1e-4)
        assert float(found.cost) == stratum["cost"]["per_judgment"]


def test_terms_of_strata_of_any_names(tmp_path: Path) -> None:
    names = {"easy": "novice", "medium": 'the "usual" one', "hard": "3. expert"}
    table = simulate_judgments(Workplace(items=dict.fromkeys(names, 60)), 0).judgments
    write_judgments(table.assign(stratum=table["stratum"].map(names)), tmp_path / "a.csv")
    out = tmp_path / "terms.toml"
    result = labelmix("report", tmp_path / "a.csv", "--rate", 18, "--out", out)
    assert result.exit_code == 0, result.stderr
    raw = {
        **tomllib.loads(out.read_text(encoding="utf-8")),
        "items": {"source": "workshop"},
        "strata": {
            "measure": "steps",
            "cut": "quantiles:3",
            "names": list(names.values()),
            "buy": list(names.values()),
        },
        "budget": {"total": 1000},
    }
    terms = parse_config(raw, "test", tmp_path).terms()
    assert list(terms) == list(names.values())
    assert {own.error_kind for own in terms.values()} == {"flip"}
    assert all(0 < own.error_rate < 1 and own.cost > 0 for own in terms.values())


def test_terms_need_strata(tmp_path: Path) -> None:
    table = simulate_judgments(Workplace(items={"hard": 60}), 0).judgments
    write_judgments(table.assign(stratum=None), tmp_path / "a.csv")
    result = labelmix("report", tmp_path / "a.csv", "--rate", 18, "--out", tmp_path / "t.toml")
    assert result.exit_code == 2
    assert "the judgments tell of none; give --config, or --items" in result.stderr


def test_a_run_s_strata_are_told_from_easy_to_hard(tmp_path: Path) -> None:
    config = tmp_path / "task.toml"
    config.write_text(
        '[items]\nsource = "workshop"\nsize = 400\n'
        '[strata]\nmeasure = "steps"\ncut = "edges:2,3,>=5"\n'
        'names = ["novice", "apprentice", "journeyman", "expert"]\n',
        encoding="utf-8",
    )
    items = load_items("workshop", size=400)
    chosen = items.iloc[:120]
    table = pd.DataFrame(
        {
            "item_id": chosen["item_id"],
            "annotator": "a",
            "label": [own[place] for own, place in zip(
                chosen["choices"], chosen["answer"], strict=True)],
            "seconds": 20.0,
        }
    )  # fmt: skip
    table.to_csv(tmp_path / "a.csv", index=False)
    result = labelmix("report", tmp_path / "a.csv", "--config", config, "--json")
    assert result.exit_code == 0, result.stderr
    told = [each["name"] for each in json.loads(result.output)["strata"]]
    assert told == ["novice", "apprentice", "journeyman", "expert"]


def test_recruiting_is_spread_over_the_judgments_wanted(pilot: Path, tmp_path: Path) -> None:
    out = tmp_path / "terms.toml"
    base = ["report", pilot, "--rate", 18, "--recruiting", "hard=600", "--out", out, "--json"]
    told = json.loads(labelmix(*base).output)
    wanted = ["--need", "hard=100", "--judgments-per-label", 3, "--days", 5]
    assert labelmix(*base, *wanted).exit_code == 0
    terms = tomllib.loads(out.read_text(encoding="utf-8"))
    alone = told["strata"][1]["cost"]["per_judgment"]
    assert terms["annotators"]["hard"]["cost"] == pytest.approx(alone + 2)
    # The interval that is told is that of the same cost, recruiting included.
    found = re.search(r"hard]\ncost = (\S+) .* interval (\S+) to ([^\s;]+)", out.read_text())
    assert found is not None
    cost, low, high = map(float, found.groups())
    assert 2 < low < cost < high < 3


def test_the_suppliers_are_what_a_plan_takes(pilot: Path, tmp_path: Path) -> None:
    out = tmp_path / "suppliers.toml"
    result = labelmix(
        "report", pilot, "--rate", 18, "--rate", "the expert=60", "--recruiting", "hard=500",
        "--role", "annotator-1=the expert", "--suppliers-out", out, "--judgments-per-label", 3,
        "--hours-per-day", 5, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    roles = json.loads(result.output)["roles"]
    found = read_suppliers(out, ("easy", "hard"), 4)
    assert [(own.supplier, own.role, own.stratum, own.judgments) for own in found.offers] == [
        ("the expert", "the expert", "easy", 3),
        ("the expert", "the expert", "hard", 3),
        ("others", "others", "easy", 3),
        ("others", "others", "hard", 3),
    ]
    for offer, role in zip(found.offers, roles, strict=True):
        assert float(offer.cost) == role["cost"]["per_judgment"]
        assert float(offer.seconds) == pytest.approx(
            role["work"]["with_cancelled"]["estimate"], abs=0.1
        )
        error_rate = round(role["error"]["rate"]["estimate"], 4)
        rate = redraw_rates(error_rate, "flip", np.array([4]), judgments=3)[0]
        assert offer.redraw_rate == pytest.approx(rate)
        assert offer.fixed_cost == (500 if offer.stratum == "hard" else 0)
    assert found.hours_per_day == {"the expert": 5, "others": 45}


def test_without_roles_all_annotators_are_one_supplier(pilot: Path, tmp_path: Path) -> None:
    out = tmp_path / "suppliers.toml"
    assert labelmix("report", pilot, "--rate", 18, "--suppliers-out", out).exit_code == 0
    found = read_suppliers(out, ("easy", "hard"), 4)
    assert {own.supplier for own in found.offers} == {"annotators"}
    assert found.hours_per_day == {"annotators": 60}
    assert found.currency is None  # nobody said in which
    named = labelmix("report", pilot, "--rate", 18, "--currency", "EUR", "--suppliers-out", out)
    assert named.exit_code == 0
    assert read_suppliers(out, ("easy", "hard"), 4).currency == "EUR"


@pytest.mark.parametrize("role", ['a "b".c', "é\n[x]", "\x7f #", "others"])
def test_roles_of_any_name_are_suppliers(tmp_path: Path, role: str) -> None:
    table = simulate_judgments(Workplace(items={"easy": 40, "hard": 40}), 0).judgments
    table["role"] = [role if who < "annotator-5" else None for who in table["annotator"]]
    write_judgments(table, tmp_path / "a.parquet")
    out = tmp_path / "suppliers.toml"
    result = labelmix("report", tmp_path / "a.parquet", "--rate", 18, "--suppliers-out", out)
    assert result.exit_code == 0, result.output
    found = read_suppliers(out, ("easy", "hard"), 4)
    others = "others_" if role == "others" else "others"
    assert [own.supplier for own in found.offers] == [role, role, others, others]
    assert set(found.hours_per_day) == {role, others}


def test_judgments_without_strata_are_for_all(tmp_path: Path) -> None:
    table = simulate_judgments(Workplace(items={"hard": 60}), 0).judgments
    write_judgments(table.assign(stratum=None), tmp_path / "a.csv")
    out = tmp_path / "suppliers.toml"
    report = ["report", tmp_path / "a.csv", "--rate", 18, "--suppliers-out", out]
    assert labelmix(*report).exit_code == 0
    found = read_suppliers(out, ("easy", "hard"), 4)
    assert [own.stratum for own in found.offers] == ["easy", "hard"]
    write_judgments(table.assign(stratum="odd"), tmp_path / "a.csv")
    assert labelmix(*report).exit_code == 0
    assert [own.stratum for own in read_suppliers(out, ("easy", "odd"), 4).offers] == ["odd"]


def test_the_bill_is_told(pilot: Path) -> None:
    asked = [
        "report", pilot, "--rate", 18, "--recruiting", "hard=500", "--need", "easy=50",
        "--need", "hard=100", "--judgments-per-label", 5, "--days", 10,
    ]  # fmt: skip
    told = json.loads(labelmix(*asked, "--json").output)
    assert told["staffing"]["annotators"] == told["staffing"]["annotators_to_be_safe"] == 5
    hard = told["strata"][1]["cost"]["per_judgment"]
    wanted = told["bill"]["wanted"][1]
    assert wanted["total"] == pytest.approx(500 + 500 * hard, abs=0.01)
    assert wanted["per_label"] == pytest.approx(5 + 5 * hard, abs=0.01)


def test_strata_of_any_name_are_simulated(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    assert labelmix("simulate", out, "--items", "a=10", "--hardness", "a=-1.5").exit_code == 0
    assert set(read_judgments(out)["stratum"]) == {"a"}
    result = labelmix("simulate", out, "--items", "a=10")
    assert result.exit_code == 2
    assert "give it one (--hardness a=-1), or choose from easy, medium, hard" in result.stderr
    result = labelmix("simulate", out, "--items", "a=10", "--hardness", "a=x")
    assert "--hardness a=x: should be a number." in result.stderr
    result = labelmix("simulate", out, "--items", "a=10", "--hardness", "a=1e9")
    assert "hardness should be within -20 and 20; got 1e+09" in result.stderr


def test_labels_have_posteriors(pilot: Path, tmp_path: Path) -> None:
    out = tmp_path / "labels.jsonl"
    assert labelmix("report", pilot, "--labels-out", out, "--aggregate", "mace").exit_code == 0
    labels = read_labels(out)
    assert len(labels) == 200
    assert all(abs(sum(posterior) - 1) < 1e-9 for posterior in labels["posterior"])


def test_items_bring_strata_and_choices(tmp_path: Path) -> None:
    items = pd.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(40)],
            "question": "?",
            "choices": [["p", "q"]] * 40,
            "answer": [n % 2 for n in range(40)],
            "steps": [float(n % 4) for n in range(40)],
        }
    )
    write_table(validate_items(items, "test"), tmp_path / "items.jsonl")
    rows = [(f"i{n}", who, "pq"[n % 2]) for n in range(40) for who in "xyz"]
    rows[0] = ("i0", "x", "elsewhere")
    table = pd.DataFrame(rows, columns=["item_id", "annotator", "label"])
    table.to_csv(tmp_path / "judgments.csv", index=False)
    result = labelmix(
        "report", tmp_path / "judgments.csv", "--items", tmp_path / "items.jsonl",
        "--measure", "steps", "--cut", "edges:0,>=3", "--answers-are-gold", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert [(each["name"], each["items"]) for each in told["strata"]] == [
        ("easy", 10),
        ("medium", 20),
        ("hard", 10),
    ]
    assert told["strata"][0]["error"]["method"] == "gold"
    assert told["strata"][0]["error"]["rate"]["estimate"] == 0
    assert told["rejected"][0]["value"] == "'elsewhere'"


def test_items_need_no_answers(tmp_path: Path) -> None:
    lines = [f"i{n},?,p|q,{'p' if n < 30 else ''}" for n in range(40)]
    items = tmp_path / "items.csv"
    items.write_text("\n".join(["item_id,question,choices,answer", *lines]), encoding="utf-8")
    rows = [(f"i{n}", who, "q" if n >= 30 else "p") for n in range(40) for who in "xyz"]
    path = tmp_path / "judgments.csv"
    pd.DataFrame(rows, columns=["item_id", "annotator", "label"]).to_csv(path, index=False)
    result = labelmix("report", path, "--items", items, "--answers-are-gold", "--json")
    assert result.exit_code == 0, result.output
    error = json.loads(result.output)["strata"][0]["error"]
    assert (error["judgments"], error["rate"]["estimate"]) == (90, 0)


def test_wrong_rows_are_left_out_or_stop_everything(tmp_path: Path) -> None:
    path = tmp_path / "judgments.csv"
    path.write_text("item_id,annotator,label\na,x,p\na,y,\nb,x,q\n", encoding="utf-8")
    result = labelmix("report", path)
    assert result.exit_code == 0
    assert "left out" in result.output
    assert "row 2, column 'label'" in " ".join(result.output.split())
    strict = labelmix("report", path, "--strict")
    assert strict.exit_code == 2
    assert "row 2, column 'label'" in strict.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rate", "x"], "--rate 'x'"),
        (["--rate", "annotator-1=5"], "no hourly rate for annotator"),
        (["--role", "x"], "--role 'x': should be ANNOTATOR=ROLE"),
        (["--need", "hard=many"], "should be a whole number"),
        (["--need", "hard=1"], "give them with --days"),
        (["--days", "5"], "--days goes with --need"),
        (["--judgments-per-label", "3"], "goes with --need or --suppliers-out"),
        (
            ["--rate", "1", "--judgments-per-label", "8", "--suppliers-out", "s.toml"],
            "a plan takes at most 7 judgments per label; got 8.",
        ),
        (["--need", "hard=1", "--days", "1", "--hours-per-day", "30"], "at most 24; got 30"),
        (["--rate", "18", "--rate", "bob=40"], "'bob' has an hourly rate but is no annotator"),
        (["--rate", "18", "--recruiting", "hrad=500"], "stratum 'hrad' has a cost of recruiting"),
        (["--recruiting", "hard=500"], "--recruiting goes with --rate or --fee"),
        (["--suppliers-out", "suppliers.toml"], "suppliers need a cost: give --rate, or --fee"),
        (["--errors", "guess"], "error method 'guess' is unknown"),
        (["--aggregate", "vote"], "method 'vote' is unknown"),
        (["--idle-cap", "-1"], "--idle-cap should be"),
        (["--cut", "quantiles:3"], "give --measure"),
        (["--answers-are-gold"], "--answers-are-gold needs items"),
        (["--error-kind", "slip", "--out", "x.toml"], "error kind 'slip' is unknown"),
        (["--labels-out", "labels.txt"], "kept as .jsonl or .parquet"),
        (["--out", "terms.csv"], "--out terms.csv: is written as TOML; name it .toml."),
        (["--suppliers-out", "terms"], "--suppliers-out terms: is written as TOML"),
        (["--fee", "a=1"], "--fee 'a=1'"),
        (["--recruiting", "5"], "--recruiting is per stratum"),
    ],
)
def test_wrong_options_are_one_line(pilot: Path, options: list[str], words: str) -> None:
    result = labelmix("report", pilot, *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def untimed(folder: Path) -> Path:
    path = folder / "untimed.csv"
    rows = [f"i{n},{who},{'pq'[n % 2]},hard,{'pq'[n % 2]}" for n in range(10) for who in "xyz"]
    path.write_text("\n".join(["item_id,annotator,label,stratum,gold", *rows]) + "\n")
    return path


def test_a_piece_rate_needs_neither_hours_nor_times(tmp_path: Path) -> None:
    path, terms, suppliers = untimed(tmp_path), tmp_path / "t.toml", tmp_path / "s.toml"
    options = ["--fee", ".05", "--out", terms, "--suppliers-out", suppliers]
    result = labelmix("report", path, *options)
    assert result.exit_code == 0, result.output
    assert "These judgments cost $1.50, recruiting apart." in " ".join(result.output.split())
    assert tomllib.loads(terms.read_text())["annotators"]["hard"]["cost"] == 0.05
    sold = tomllib.loads(suppliers.read_text())["suppliers"]["annotators"]["strata"]
    assert sold["hard"]["cost"] == 0.05
    told = json.loads(labelmix("report", path, "--fee", ".05", "--json").output)
    assert told["bill"]["so_far"] == 1.5
    assert told["annotators"][0]["cost"]["per_judgment"] == 0.05


def test_an_unknown_cost_is_not_told_as_nothing(tmp_path: Path) -> None:
    path = untimed(tmp_path)
    output = " ".join(labelmix("report", path, "--rate", "18", "--fee", ".05").output.split())
    assert "What these judgments cost is not known" in output
    assert "$" not in output
    told = json.loads(labelmix("report", path, "--rate", "18", "--json").output)
    assert told["bill"]["so_far"] is None
    assert told["bill"]["unknown"] == ["hard"]
    free = json.loads(labelmix("report", path, "--rate", "0", "--json").output)
    assert free["bill"]["so_far"] == 0  # known to be nothing, whatever the times


@pytest.mark.parametrize("option", ["--out", "--suppliers-out", "--labels-out"])
def test_no_output_overwrites_an_input(tmp_path: Path, option: str) -> None:
    suffix = ".jsonl" if option == "--labels-out" else ".toml"
    rows = "item_id,annotator,label\na,x,p\na,y,p\n"
    judgments, items = tmp_path / "pilot.csv", tmp_path / f"items{suffix}"
    judgments.write_text(rows, encoding="utf-8")
    items.write_text("", encoding="utf-8")
    onto_items = labelmix("report", judgments, "--items", items, option, items)
    assert onto_items.exit_code == 2
    assert "is an input and would be overwritten; name another file." in onto_items.stderr
    (tmp_path / f"link{suffix}").symlink_to(judgments)
    onto_judgments = labelmix("report", judgments, option, tmp_path / f"link{suffix}")
    assert onto_judgments.exit_code == 2
    assert "is an input" in onto_judgments.stderr
    assert labelmix("report", judgments, option, judgments).exit_code == 2
    assert judgments.read_text(encoding="utf-8") == rows


def test_outputs_are_different_files(pilot: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.toml"
    result = labelmix("report", pilot, "--rate", 18, "--out", both, "--suppliers-out", both)
    assert result.exit_code == 2
    assert "is written twice" in result.stderr
    result = labelmix("simulate", tmp_path / "a.csv", "--truth", tmp_path / "a.csv")
    assert result.exit_code == 2
    assert "is written twice" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_file_is_one_line(tmp_path: Path) -> None:
    for name in ("absent.csv", "absent.json", "file.txt"):
        result = labelmix("report", tmp_path / name)
        assert result.exit_code == 2
        assert result.stderr.startswith("labelmix: ")
