"""A run on real judgments: what the crowd said of medical sentences, with adjudicated answers.

The strata are cut by the disagreement of the first five judgments of every item, which are then not
trained on. Nothing is simulated: every label is what somebody answered.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from analysis.run.report import write_report
from analysis.run.result import RunResult
from annotation.labelling import simulated
from budget.campaign.run import run_campaign
from budget.config.prepare import Setting, prepare
from budget.config.read import read_config
from budget.config.run import RunConfig
from training.engines import SilentWatcher
from training.engines.choice import EngineChoice

CONFIG = """
name = "Treats, as the crowd judged"
[items]
source = "tabular"
path = "{folder}/items.jsonl"
columns = {{ answer = "adjudicated" }}
[strata]
measure = "answer_entropy"
cut = "edges:0.3"
names = ["agreed", "disputed"]
[model]
path = "{model}"
[annotators]
source = "judgments"
judgments = "{folder}/judgments.csv"
judgments_for_strata = 5
aggregate = "{aggregate}"
[annotators.agreed]
cost = 0.05
[annotators.disputed]
cost = 0.05
[targets]
judgments = 3
kind = "{kind}"
[budget]
total = 90
[pilot]
labels = 60
rounds = 2
seeds = 3
[test]
items = "all"
other_items = "all"
[evaluation]
seeds = 3
"""


@dataclass(frozen=True)
class JudgedRun:
    folder: Path
    config: RunConfig
    result: RunResult
    setting: Setting


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the model makes of the sentences: read by the first run, there for the second."""
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module", params=[("majority", "hard_labels"), ("dawid_skene", "posterior")])
def run(
    request: pytest.FixtureRequest,
    features: Path,
    data_folder: Callable[[str], Path],
    minilm_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> JudgedRun:
    """Run with a majority of labels, and with posteriors; no simulated annotator can be made."""
    aggregate, kind = request.param
    data = data_folder("medical_treat")
    folder = tmp_path_factory.mktemp("judged")
    (folder / "features").symlink_to(features, target_is_directory=True)
    text = CONFIG.format(folder=data, model=minilm_path, aggregate=aggregate, kind=kind)
    (folder / "c.toml").write_text(text, encoding="utf-8")
    config = read_config(folder / "c.toml")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an annotator was simulated")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated.SimulatedAnnotators, "labels", refuse)
        patch.setattr(simulated, "draw_judgments", refuse)
        result = run_campaign(config, folder, SilentWatcher(), EngineChoice())
    write_report(result, folder / "report.html")
    return JudgedRun(folder, config, result, prepare(config))


def test_the_test_set_is_what_was_adjudicated(
    run: JudgedRun, data_folder: Callable[..., Path]
) -> None:
    text = (data_folder("medical_treat") / "items.jsonl").read_text(encoding="utf-8")
    items = [json.loads(line) for line in text.splitlines()]
    adjudicated = {item["item_id"] for item in items if item["adjudicated"]}
    task = run.setting.lab.task
    tested = set(task.items["item_id"].iloc[task.test_positions])
    assert tested <= adjudicated
    assert len(tested) > 590  # a few were judged too seldom to know how hard they are
    assert sum(own.test_items for own in run.result.strata.values()) == len(tested)


def test_every_label_is_somebodys_answer(run: JudgedRun, data_folder: Callable[..., Path]) -> None:
    """Of each label, three judgments that stand in the file, none of those that cut the strata."""
    lab = run.setting.lab
    with (data_folder("medical_treat") / "judgments.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        said.setdefault(row["item_id"], []).append(
            (row["created_at"], row["annotator"], row["label"])
        )
    trial = lab.trial(lab.recipes["probe"], {"agreed": 40, "disputed": 40}, 0)
    assert trial.given is not None and trial.terms == ()
    ids = lab.task.items["item_id"].to_numpy()[trial.given.positions]
    for item_id, judgments in zip(ids, trial.given.judgments, strict=True):
        last = {}  # of several answers of one person the last counts
        for when, annotator, label in sorted(said[item_id]):
            last[annotator] = when, label
        there = Counter(label for _, label in sorted(last.values())[5:])
        drawn = Counter(("no", "yes")[code] for code in judgments)
        assert all(there[label] >= count for label, count in drawn.items())


def test_what_was_judged_is_what_a_later_plan_can_have(run: JudgedRun) -> None:
    for name, own in run.result.strata.items():
        if own.cost is not None:
            assert own.judged_items is not None, name
            assert 0 < own.judged_items <= own.pool_items


def test_it_is_told_who_answered(run: JudgedRun) -> None:
    collected = run.result.collected
    assert collected is not None
    assert collected.files == ["judgments.csv"]
    assert collected.judgments > 25_000 and collected.annotators > 200
    assert collected.judgments_for_strata == 5
    for name in ("agreed", "disputed"):
        own = collected.error_rates[name]
        assert own.method == "gold" and own.judgments > 1000
        assert own.low is not None and own.high is not None and 0 < own.low < own.high < 0.6
    agreed, disputed = (collected.error_rates[name].estimate for name in ("agreed", "disputed"))
    assert agreed is not None and disputed is not None and agreed < disputed


def test_all_was_trained_and_stays_within_the_budget(run: JudgedRun) -> None:
    assert run.result.plan.cost <= 90
    assert set(run.result.methods) == {"probe"}
    accuracy = run.result.accuracy
    assert {"plan", "all_agreed", "all_disputed", "equal_spend"} <= accuracy.keys()
    assert all(0 <= own.estimate <= 1 for own in accuracy.values() if own.estimate is not None)
    assert accuracy["plan"].seeds == 3


def test_the_report_says_that_people_answered(run: JudgedRun) -> None:
    text = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "own judgments" in text


def test_edited_judgments_are_other_trials(run: JudgedRun) -> None:
    """A label that somebody changed is not taken from the store."""
    lab = run.setting.lab
    trial = lab.trial(lab.recipes["probe"], {"disputed": 20}, 1)
    assert trial.given is not None
    edited = trial.given.judgments.copy()
    edited[3, 0] = 1 - edited[3, 0]
    assert lab.trial(lab.recipes["probe"], {"disputed": 20}, 1).key == trial.key
    changed = type(trial.given)(
        trial.given.positions, edited, trial.given.redraw_rates, trial.given.posteriors
    )
    assert changed.key != trial.given.key
    assert np.array_equal(changed.positions, trial.given.positions)
