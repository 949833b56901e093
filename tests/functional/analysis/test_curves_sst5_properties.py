"""What is known of SST-5 with MiniLM: clear sentences teach the mild ones, the more so with noise.

Hard labels here are those of mildly worded sentences. The learning curves are measured on a part of
the data that is large enough for ten purchases of 320 labels.
"""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.curves.design import ERROR_RATES, SIZES, CurvesDesign, read_design
from analysis.curves.result import CountDifference, CurvesResult
from analysis.curves.run import run_curves
from analysis.curves.summarise import Heading
from budget.config.prepare import prepare
from budget.config.read import read_config
from budget.config.run import RunConfig
from training.engines import SilentWatcher
from training.engines.choice import EngineChoice

ROOT = Path(__file__).resolve().parents[3]
STRONG = (0, 4)
POOL, TEST = 1000, 800  # of easy and of hard sentences to buy; hard ones to test on


@pytest.fixture(scope="module")
def config(
    data_folder: Callable[[str], Path],
    minilm_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunConfig:
    """The example's configuration on the first sentences of the data."""
    folder = tmp_path_factory.mktemp("sst5")
    wanted = Counter(easy=POOL + 20, hard=POOL + TEST + 20)  # some are left out as copies
    kept = []
    with (data_folder("sst5") / "train.jsonl").open(encoding="utf-8") as file:
        for line in file:
            label = json.loads(line)["label"]
            stratum = "easy" if label in STRONG else "hard"
            if label != 2 and wanted[stratum] > 0:
                wanted[stratum] -= 1
                kept.append(line)
    assert not +wanted
    (folder / "data").mkdir()
    (folder / "data" / "train.jsonl").write_text("".join(kept), encoding="utf-8")
    text = (ROOT / "docs" / "examples" / "sst5.toml").read_text(encoding="utf-8")
    for old, new in (
        ('source = "sst5"', 'source = "sst5"\ndata_dir = "data"'),
        ('path = "sentence-transformers/all-MiniLM-L6-v2"', f'path = "{minilm_path}"'),
        ("\nitems = 800", f"\nitems = {TEST}"),
        ("other_items = 200", "other_items = 10"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "sst5.toml").write_text(text, encoding="utf-8")
    return read_config(folder / "sst5.toml")


def measured(config: RunConfig, design: CurvesDesign, folder: Path) -> CurvesResult:
    heading = Heading(config.name, config.items.source, config.budget.currency)
    lab = prepare(config, plans=False).lab
    return run_curves(lab, heading, design, "probe", folder, SilentWatcher(), EngineChoice())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "curves"


@pytest.fixture(scope="module")
def curves(config: RunConfig, folder: Path) -> CurvesResult:
    """Ten seeds, 10 to 320 labels, error rates 0 to .3, twice as many errors in hard labels."""
    design = read_design(SIZES, ERROR_RATES, 2.0, 10)
    return measured(config, design, folder)


@pytest.fixture(scope="module")
def many_seeds(curves: CurvesResult, config: RunConfig, folder: Path) -> CurvesResult:
    """Clean labels, bought thirty times: the difference is small. Ten of them are there already."""
    design = read_design("80,160", "0", 2.0, 30)
    return measured(config, design, folder)


def at(differences: list[CountDifference], labels: int) -> list[CountDifference]:
    """The differences at one size, by rising error rate."""
    return [difference for difference in differences if difference.labels == labels]


def low(estimate: CountDifference) -> float:
    assert estimate.low is not None
    return estimate.low


def high(estimate: CountDifference) -> float:
    assert estimate.high is not None
    return estimate.high


def middle(estimate: CountDifference) -> float:
    assert estimate.estimate is not None
    return estimate.estimate


def test_accuracies_of_160_labels_are_where_they_are_known_to_be(curves: CurvesResult) -> None:
    at_160 = {(p.stratum, p.error_rate): p.estimate for p in curves.points if p.labels == 160}
    known = {
        ("easy", 0.0): (0.70, 0.76),
        ("hard", 0.0): (0.68, 0.74),
        ("easy", 0.2): (0.67, 0.74),
        ("hard", 0.4): (0.59, 0.69),
    }
    for condition, (low, high) in known.items():
        accuracy = at_160[condition]
        assert accuracy is not None and low < accuracy < high, condition


def test_clean_easy_labels_beat_as_many_hard_ones(many_seeds: CurvesResult) -> None:
    for labels in (80, 160):
        [difference] = at(many_seeds.equal_count, labels)
        assert low(difference) > 0 and high(difference) < 0.07


def test_noise_twice_as_strong_in_hard_labels_widens_the_advantage(curves: CurvesResult) -> None:
    for labels in (160, 320):
        clean, *_, noisiest = differences = at(curves.equal_count, labels)
        assert [d.hard_error_rate for d in differences] == pytest.approx([0, 0.2, 0.4, 0.6])
        steps = np.diff([middle(d) for d in differences])
        assert all(steps > (0 if labels == 160 else -0.01))  # at 320 the first step is small
        assert low(noisiest) > high(clean)
        assert middle(noisiest) > middle(clean) + 0.05


def test_at_the_same_error_rate_easy_labels_stay_ahead(curves: CurvesResult) -> None:
    at_160 = at(curves.equal_noise, 160)
    assert [d.easy_error_rate for d in at_160] == [d.hard_error_rate for d in at_160]
    assert all(middle(difference) > 0 for difference in at_160)
    # And nowhere does it turn round: hard labels are at no size shown to be better.
    assert not any(high(difference) < 0 for difference in curves.equal_noise)
    # The advantage at (p, 2p) is mostly the second p, not the kind of sentence.
    for same, doubled in zip(at_160[1:], at(curves.equal_count, 160)[1:], strict=True):
        assert middle(same) < middle(doubled)


def test_for_the_same_money_easy_labels_are_far_better(curves: CurvesResult) -> None:
    differences = [difference for difference in curves.equal_cost if difference.cost >= 40]
    assert {difference.cost for difference in differences} == {40, 80, 160, 320}
    assert all((difference.estimate or 0) > 0.02 for difference in differences)
    assert sum(difference.resolved for difference in differences) >= 14  # of 16
    assert {own.verdict for own in curves.crossovers} == {"never changes"}


def test_accuracy_rises_with_labels_and_falls_with_errors(curves: CurvesResult) -> None:
    for stratum, rates in (("easy", (0, 0.1, 0.2, 0.3)), ("hard", (0, 0.1, 0.2, 0.3, 0.4, 0.6))):
        points = [p for p in curves.points if p.stratum == stratum]
        heights = np.array([p.estimate for p in points]).reshape(len(rates), len(curves.sizes))
        assert [p.error_rate for p in points[:: len(curves.sizes)]] == pytest.approx(rates)
        assert np.all(np.diff(heights, axis=1) > -0.03)  # chance may bend a line, not turn it
        assert np.all(heights[:, -1] > heights[:, 0] + 0.05)
        assert np.all(np.diff(heights[:, -1]) < 0.01)
        for first, last in zip(points[::6], points[5::6], strict=True):
            assert first.high is not None and last.low is not None
            assert first.high < last.low or last.error_rate == 0.6


def test_labels_of_which_three_in_ten_are_wrong_teach_little(curves: CurvesResult) -> None:
    """Redrawn at .6 among two choices."""
    found = {p.error_rate: p for p in curves.points if (p.stratum, p.labels) == ("hard", 320)}
    noisy, clean = found[0.6], found[0.0]
    assert noisy.true_flip_rate == pytest.approx(0.3)
    assert noisy.high is not None and clean.low is not None and clean.estimate is not None
    assert noisy.high < clean.low
    assert (noisy.estimate or 0) < clean.estimate - 0.07


def test_what_is_measured_is_measured_once(
    curves: CurvesResult, config: RunConfig, folder: Path
) -> None:
    design = read_design(SIZES, ERROR_RATES, 2.0, 10)
    again = measured(config, design, folder)
    assert again.timing["training_seconds"] == curves.timing["training_seconds"]  # as they were
    assert again.model_copy(update={"timing": curves.timing}) == curves
