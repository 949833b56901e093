"""ARC with a sentence encoder: no supervision gap is resolved, and the run says exactly that."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.run import wording
from analysis.run.conclusion import conclude
from analysis.run.result import RunResult

pytestmark = pytest.mark.timeout(1800)

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "arc.toml"


@pytest.fixture(scope="module")
def folder(
    labelmix: Callable[..., str],
    data_folder: Callable[[str], Path],
    minilm_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The example at half its sizes."""
    data, folder = data_folder("ai2_arc"), tmp_path_factory.mktemp("runs") / "arc"
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in (
        ("total = 960", "total = 480"),
        ("labels = 160", "labels = 80"),
        ("seeds = 5", "seeds = 3"),
        ("\nitems = 600", "\nitems = 400"),
    ):
        assert old in text
        text = text.replace(old, new)
    config = folder.with_name("arc.toml")
    config.write_text(text, encoding="utf-8")
    labelmix("run", config, "--data-dir", data, "--model", minilm_path, "--out", folder, "--json")
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> RunResult:
    return RunResult.model_validate_json((folder / "result.json").read_text())


def test_the_gap_is_not_resolved_and_has_no_number(result: RunResult) -> None:
    assert list(result.methods) == ["probe"]
    gaps = [(result.sgr, result.sgr_per_cost)]
    gaps += [(method.sgr, method.sgr_per_cost) for method in result.methods.values()]
    for gap, per_cost in gaps:
        assert gap.resolved is False
        assert gap.estimate is None
        assert gap.low is None and gap.high is None
        assert per_cost is None


def test_the_three_terms_are_there_all_the_same(result: RunResult) -> None:
    """Guessing is right on a quarter; the cosine of question and choice on about two fifths."""
    assert result.chance_accuracy == pytest.approx(0.25, abs=0.01)
    for term in (result.sgr.easy, result.sgr.hard, result.sgr.unsupervised):
        assert term.low is not None and term.estimate is not None and term.high is not None
        assert 0.25 < term.estimate < 0.50
        assert term.low < term.estimate < term.high
    assert result.sgr.gap.low is not None
    assert result.sgr.gap.low < 0


def test_the_report_says_exactly_that(
    folder: Path, result: RunResult, report_text: Callable[[Path], str]
) -> None:
    text = report_text(folder)
    assert "The supervision gap is not resolved" in text
    assert "so no SGR is given." in text
    gap = wording.supervision_gap(result.sgr, "easy", "hard", result.confidence)
    assert gap in text


def test_the_report_holds_no_number_of_the_gap_recovered(
    folder: Path, report_text: Callable[[Path], str]
) -> None:
    text = report_text(folder)
    assert "SGR per" not in text  # the column of the table
    assert not re.search(r"SGR\W*\d", text)
    assert not re.search(r"gives \S+ % of what", text)
    assert not re.search(r"\b(nan|None|null|inf)\b", text)


def test_the_recommendation_is_not_to_buy_yet(
    folder: Path, result: RunResult, report_text: Callable[[Path], str]
) -> None:
    assert conclude(result).advice == "not_yet"
    assert wording.recommendation(result, conclude(result)).startswith("Do not buy yet")
    text = report_text(folder)
    assert "Recommendation Do not buy yet" in text
    assert not re.search(r"Recommendation Buy \d", text)
    assert result.plan.cost <= result.budget
