"""SST-5 with a real encoder: clear sentences teach the mild ones, as is known of this task.

What few labels teach stands in tests/functional/analysis/test_curves_sst5_properties.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from analysis.run import wording
from analysis.run.conclusion import conclude
from analysis.run.result import RunResult
from annotation.terms.cost import LabelTerms, money
from budget.config.prepare import prepare
from budget.config.read import read_config, with_overrides
from tests.trials import flat_trial
from training.engines import SilentWatcher, local_engine
from training.store import TrialStore

pytestmark = pytest.mark.timeout(1800)

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "sst5.toml"


@dataclass
class Run:
    """A finished run of the example, its printed result and its folder."""

    config: Path
    folder: Path
    data: Path
    model: Path
    result: RunResult


@pytest.fixture(scope="module")
def run(
    labelmix: Callable[..., str],
    data_folder: Callable[[str], Path],
    minilm_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """The example with half as many seeds: half of its time goes into their probes."""
    data, folder = data_folder("sst5"), tmp_path_factory.mktemp("runs") / "sst5"
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count("seeds = 10") == 2  # of the pilot and of the test
    config = folder.with_name("sst5.toml")
    config.write_text(text.replace("seeds = 10", "seeds = 5"), encoding="utf-8")
    printed = labelmix(
        "run", config, "--data-dir", data, "--model", minilm_path, "--out", folder, "--json"
    )
    return Run(config, folder, data, minilm_path, RunResult.model_validate_json(printed))


def test_the_plan_is_within_the_budget_and_near_the_best_rule(run: Run) -> None:
    """Any split between all easy and one third of the money on easy is within a point."""
    plan, accuracy = run.result.plan, run.result.accuracy
    assert plan.cost == plan.labels["easy"] * 1 + plan.labels["hard"] * 2
    assert plan.cost <= run.result.budget == 1500
    measured = {name: accuracy[name].estimate or 0.0 for name in run.result.baselines}
    found = accuracy["plan"].estimate
    assert found is not None
    assert found > measured["all_hard"]
    assert found > max(measured.values()) - 0.02


def test_easy_labels_are_the_better_buy_at_half_the_price(run: Run) -> None:
    rate = run.result.exchange_rate
    assert rate.rate_resolved
    assert rate.stratum == "easy" and rate.cost_ratio == 0.5
    assert rate.estimate is not None and rate.estimate > rate.cost_ratio
    assert rate.probability_better_buy is not None and rate.probability_better_buy >= 0.9


def test_label_for_label_easy_ones_gave_more(run: Run) -> None:
    accuracy = run.result.accuracy
    easy, hard = accuracy["easy_equal_count"], accuracy["hard_equal_count"]
    assert easy.labels == {"easy": 750} and hard.labels == {"hard": 750}
    assert easy.estimate is not None and hard.estimate is not None
    assert easy.estimate > hard.estimate


def test_the_report_says_so(run: Run, report_text: Callable[[Path], str]) -> None:
    text, plan = report_text(run.folder), run.result.plan
    assert wording.recommendation(run.result, conclude(run.result)) in text
    assert f"Buy {plan.labels['easy']:,} easy and {plan.labels['hard']:,} hard labels" in text
    assert (
        wording.break_even(run.result.exchange_rate, run.result.confidence, conclude(run.result))
        in text
    )
    assert "easy labels are clearly the better buy" in text


def test_the_advantage_is_gone_at_2500_labels(run: Run, tmp_path: Path) -> None:
    """Both have learned more by then than from 160. Penalties are cross-validated."""
    lab = prepare(with_overrides(read_config(run.config), run.data, str(run.model))).lab
    terms = dict.fromkeys(("easy", "hard"), LabelTerms(money(1), 0.0, "redraw"))
    trials = {
        (stratum, seed): flat_trial(
            lab.task, lab.source, "probe", {"penalty": None}, {stratum: 2500}, terms, seed
        )
        for stratum in ("easy", "hard")
        for seed in range(4)
    }
    with (
        TrialStore(tmp_path / "trials.sqlite") as store,
        local_engine(lab.task, lab.source, run.folder / "features", store) as engine,
    ):
        results = engine.run(list(trials.values()), SilentWatcher(), "known")
    scores = {of: results[trial.key].correct[lab.on_target].mean() for of, trial in trials.items()}
    easy, hard = (
        np.mean([scores[stratum, seed] for seed in range(4)]) for stratum in ("easy", "hard")
    )
    assert easy > 0.73 and hard > 0.75
    assert easy - hard <= 0.005
