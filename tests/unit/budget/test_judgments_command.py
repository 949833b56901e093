import json
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from annotation.items import validate_items, write_items
from annotation.judgments.labels import read_labels
from annotation.judgments.simulate import Workplace, simulate_judgments
from annotation.judgments.table import read_judgments, write_judgments
from budget.cli import app
from budget.config import parse_config


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


def test_report_tells_people_the_essentials(pilot: Path) -> None:
    result = labelmix(
        "report", pilot, "--rate", 18, "--fee", ".05", "--recruiting", "hard=500",
        "--need", "hard=100", "--days", 2,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    for words in ("200 items by 10 annotators", "Krippendorff", "$500 once", "to be safe"):
        assert words in " ".join(result.output.split())


def test_report_as_json_is_complete(pilot: Path) -> None:
    result = labelmix("report", pilot, "--rate", 18, "--same-annotators", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["scope"] == "these"
    assert told["rejected"] == []
    assert [stratum["name"] for stratum in told["strata"]] == ["easy", "hard"]
    hard = told["strata"][1]
    assert hard["error"]["rate"]["low"] < hard["error"]["rate"]["estimate"] < 1
    assert hard["cost"]["per_label"] > 0
    assert len(told["annotators"]) == 10


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
        assert float(found.cost) == stratum["cost"]["per_label"]


def test_recruiting_is_spread_over_the_judgments_wanted(pilot: Path, tmp_path: Path) -> None:
    out = tmp_path / "terms.toml"
    base = ["report", pilot, "--rate", 18, "--recruiting", "hard=600", "--out", out, "--json"]
    told = json.loads(labelmix(*base).output)
    wanted = ["--need", "hard=100", "--judgments-per-label", 3, "--days", 5]
    assert labelmix(*base, *wanted).exit_code == 0
    terms = tomllib.loads(out.read_text(encoding="utf-8"))
    alone = told["strata"][1]["cost"]["per_label"]
    assert terms["annotators"]["hard"]["cost"] == pytest.approx(alone + 2)


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
    write_items(validate_items(items, "test"), tmp_path / "items.jsonl")
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
        (["--role", "x"], "--role 'x': should be NAME=VALUE"),
        (["--need", "hard=many"], "should be a whole number"),
        (["--need", "hard=1"], "give them with --days"),
        (["--errors", "guess"], "error method 'guess' is unknown"),
        (["--aggregate", "vote"], "method 'vote' is unknown"),
        (["--idle-cap", "-1"], "--idle-cap should be"),
        (["--cut", "quantiles:3"], "give --measure"),
        (["--answers-are-gold"], "--answers-are-gold needs items"),
        (["--error-kind", "slip", "--out", "x.toml"], "error kind 'slip' is unknown"),
        (["--labels-out", "labels.txt"], "kept as .jsonl or .parquet"),
        (["--fee", "a=1"], "--fee 'a=1'"),
        (["--recruiting", "5"], "--recruiting is per stratum"),
    ],
)
def test_wrong_options_are_one_line(pilot: Path, options: list[str], words: str) -> None:
    result = labelmix("report", pilot, *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unknown_file_is_one_line(tmp_path: Path) -> None:
    for name in ("absent.csv", "absent.json", "file.txt"):
        result = labelmix("report", tmp_path / name)
        assert result.exit_code == 2
        assert result.stderr.startswith("labelmix: ")
