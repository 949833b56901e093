"""SST-5 with a real encoder: clear sentences teach the mild ones, as is known of this task."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import t as student_t

from analysis.run import wording
from analysis.run.result import RunResult
from annotation.terms.cost import LabelTerms, money
from budget.config.prepare import prepare
from budget.config.read import read_config, with_overrides
from tests.trials import flat_trial
from training.engines import LocalEngine, SilentWatcher, local_engine
from training.lab import Lab
from training.store import TrialStore

pytestmark = pytest.mark.timeout(1800)

CONFIG = Path(__file__).resolve().parents[3] / "docs" / "examples" / "sst5.toml"
CLEAN = {"easy": 0.0, "hard": 0.0}
NOISY = {"easy": 0.2, "hard": 0.4}

PerSeed = NDArray[np.float64]


@dataclass
class Run:
    """A finished run of the example, its printed result and its folder."""

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
    data, folder = data_folder("sst5"), tmp_path_factory.mktemp("runs") / "sst5"
    printed = labelmix(
        "run", CONFIG, "--data-dir", data, "--model", minilm_path, "--out", folder, "--json"
    )
    return Run(folder, data, minilm_path, RunResult.model_validate_json(printed))


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
    assert rate.resolved
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
    assert wording.recommendation(run.result) in text
    assert f"Buy {plan.labels['easy']:,} easy and {plan.labels['hard']:,} hard labels" in text
    assert wording.break_even(run.result.exchange_rate, run.result.confidence) in text
    assert "easy labels are clearly the better buy" in text


@contextmanager
def engine_of(run: Run, store: Path) -> Iterator[tuple[Lab, LocalEngine]]:
    """The run's task and model with the features it has read already; a store of its own."""
    lab = prepare(with_overrides(read_config(CONFIG), run.data, str(run.model))).lab
    with (
        TrialStore(store) as trials,
        local_engine(lab.task, lab.source, run.folder / "features", trials) as engine,
    ):
        yield lab, engine


Measure = Callable[[str, int, dict[str, float], int], PerSeed]


@pytest.fixture(scope="module")
def measure(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measure]:
    """`measure(stratum, labels, error_rates, seeds)`: accuracy on hard items, (seeds,).

    The probe's penalty is chosen by cross-validation on the bought labels.
    """
    with engine_of(run, tmp_path_factory.mktemp("known") / "trials.sqlite") as (lab, engine):

        def accuracies(
            stratum: str, labels: int, error_rates: dict[str, float], seeds: int
        ) -> PerSeed:
            terms = {n: LabelTerms(money(1), rate, "redraw") for n, rate in error_rates.items()}
            trials = [
                flat_trial(
                    lab.task,
                    lab.source,
                    "probe",
                    {"penalty": None},
                    {stratum: labels},
                    terms,
                    seed,
                )
                for seed in range(seeds)
            ]
            results = engine.run(trials, SilentWatcher(), "known")
            correct = [results[trial.key].correct[lab.on_target] for trial in trials]
            return np.asarray(np.stack(correct).mean(axis=1))

        yield accuracies


def interval_of_mean(differences: PerSeed) -> tuple[float, float]:
    """Student's 95 % interval over paired seeds; the 800 test items are the same for all."""
    half = float(student_t.ppf(0.975, differences.size - 1)) * float(differences.std(ddof=1))
    mean = float(differences.mean())
    return mean - half / math.sqrt(differences.size), mean + half / math.sqrt(differences.size)


def test_160_easy_labels_beat_160_hard_ones(measure: Measure) -> None:
    easy, hard = measure("easy", 160, CLEAN, 32), measure("hard", 160, CLEAN, 32)
    assert 0.70 < easy.mean() < 0.76
    assert 0.68 < hard.mean() < 0.74
    low, high = interval_of_mean(easy - hard)
    assert low > 0
    assert high < 0.06


def test_noise_widens_the_advantage_of_easy_labels(measure: Measure) -> None:
    """Hard labels are twice as often wrong; seeds, items and their order are those of above."""
    easy, hard = measure("easy", 160, NOISY, 32), measure("hard", 160, NOISY, 32)
    assert 0.67 < easy.mean() < 0.74
    assert 0.59 < hard.mean() < 0.69
    assert interval_of_mean(easy - hard)[0] > 0
    clean = measure("easy", 160, CLEAN, 32) - measure("hard", 160, CLEAN, 32)
    assert interval_of_mean((easy - hard) - clean)[0] > 0


def test_the_advantage_is_gone_at_2500_labels(measure: Measure) -> None:
    easy, hard = measure("easy", 2500, CLEAN, 4), measure("hard", 2500, CLEAN, 4)
    assert easy.mean() > 0.73 and hard.mean() > 0.75  # both have learned more than from 160
    assert (easy - hard).mean() <= 0.005
