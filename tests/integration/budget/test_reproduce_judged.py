"""`labelmix reproduce --judged`: the user's own items, and judgments collected of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from budget.commands.app import app

ITEMS, JUDGES = 260, 5
WORDS = ("red", "green", "small", "round", "heavy", "old")
CONFIG = """
name = "Is it red?"
[items]
source = "tabular"
path = "{folder}/items.jsonl"
[strata]
measure = "doubtful"
cut = "edges:0.5"
names = ["clear", "doubtful"]
[model]
path = "{model}"
{annotators}
[annotators.clear]
cost = 0.05
error_rate = 0.02
[annotators.doubtful]
cost = 0.05
error_rate = 0.3
[budget]
total = 50
[pilot]
labels = 20
[test]
items = 50
other_items = 50
"""
OF_PEOPLE = '[annotators]\nsource = "judgments"\njudgments = "{folder}/judgments.csv"'


def write(folder: Path, model: Path | str, annotators: str = OF_PEOPLE) -> Path:
    """Half of the items are clear; of the others a third of the judgments are wrong."""
    rng = np.random.default_rng(0)
    judgments = []
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        for n in range(ITEMS):
            answer, doubtful = int(rng.random() < 0.5), n % 2
            words = [*rng.choice(WORDS[1:], 3), *(["red"] if answer else [])]
            text = f"Ball {n} is {', '.join(rng.permutation(words))}. Is it red?"
            choices = ["no", "yes"]
            item = {"item_id": f"b{n}", "question": text, "choices": choices, "doubtful": doubtful}
            file.write(json.dumps({**item, "answer": choices[answer]}) + "\n")
            wrong = rng.random(JUDGES) < (0.33 if doubtful else 0.02)
            judgments += [
                (f"b{n}", f"a{j}", choices[answer ^ int(wrong[j])]) for j in range(JUDGES)
            ]
    with (folder / "judgments.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "annotator", "label"])
        writer.writerows(judgments)
    path = folder / "balls.toml"
    text = CONFIG.replace("{annotators}", annotators)
    path.write_text(text.format(folder=folder, model=model), encoding="utf-8")
    return path


def labelmix(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["reproduce", *arguments])
    return result.exit_code, result.output


def test_claims_are_tried_on_the_users_own_items(tmp_path: Path, minilm_path: Path) -> None:
    config, out = write(tmp_path, minilm_path), tmp_path / "out"
    code, said = labelmix("--judged", str(config), "--out", str(out))
    assert code == 0, said
    result = json.loads((out / "reproduction.json").read_text(encoding="utf-8"))
    [experiment] = result["experiments"]
    assert (experiment["name"], experiment["status"]) == ("uncertainty-aware", "done")
    assert len(experiment["claims"]) == 7
    for claim in experiment["claims"]:
        assert [case["name"].split(",")[0] for case in claim["cases"]] == ["probe"]
        for case in claim["cases"]:
            ends = [case["value"][name] for name in ("low", "estimate", "high")]
            assert None not in ends and ends == sorted(ends)
    rows = list(csv.DictReader((out / "tables" / "uncertainty_aware.csv").open(encoding="utf-8")))
    everywhere = {row["towards"]: row for row in rows if row["tested on"] == "all items"}
    assert len(everywhere) == 5
    assert {row["tested on"] for row in rows} == {"all items", "high entropy", "low entropy"}
    for row in everywhere.values():
        assert 0.6 < float(row["accuracy"]) <= 1
        assert 0 < float(row["log loss"]) < 0.8
        assert 0 <= float(row["calibration error"]) < 0.4
    # The same again: nothing is drawn anew.
    again, features = tmp_path / "again", str(out / "features")
    more = ("--out", str(again), "--features", features)
    assert labelmix("--judged", str(config), *more)[0] == 0
    for name in ("uncertainty_aware.csv", "uncertainty_aware_gains.tex"):
        assert (again / "tables" / name).read_bytes() == (out / "tables" / name).read_bytes()


@pytest.mark.parametrize(
    ("annotators", "arguments", "problem"),
    [
        ("", (), "[annotators] has no judgments; set source"),
        (OF_PEOPLE, ("easy-to-hard",), "'easy-to-hard' is not one on judged items"),
        (OF_PEOPLE, ("uncertainty-awar",), "'uncertainty-awar' is not one on judged items"),
        (OF_PEOPLE, ("--model", "no/such/folder"), "model 'no/such/folder'"),
        (OF_PEOPLE, ("--dry-run",), "--dry-run: trainings on judged items are not planned"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    tmp_path: Path, annotators: str, arguments: tuple[str, ...], problem: str
) -> None:
    config = write(tmp_path, "pico", annotators)
    out = tmp_path / "out"
    code, said = labelmix("--judged", str(config), "--out", str(out), *arguments)
    assert code == 2
    assert problem in said
    assert len(said.strip().splitlines()) == 1
    assert not (out / "reproduction.json").exists()


def test_without_judgments_the_experiment_says_what_it_lacks(tmp_path: Path) -> None:
    code, said = labelmix(
        "uncertainty-aware", "--data", "workshop", "--out", str(tmp_path), "--json"
    )
    assert code == 0, said
    [experiment] = json.loads(said[said.index("{") :])["experiments"]
    assert experiment["status"] == "not applicable"
    assert "--judged" in experiment["why"]
    assert {claim["verdict"] for claim in experiment["claims"]} == {"not applicable"}
