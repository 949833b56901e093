"""What a finished run prints, in pages of tests/golden."""

import re

import pytest

from analysis.estimates import Estimate
from analysis.over_untrained import MARK
from analysis.run.result import RunResult
from budget.commands.show.run import show_result
from tests import golden_pages
from tests.unit.analysis.runs_by_hand import collected_from, run_result


@pytest.fixture
def finished() -> RunResult:
    return run_result(["easy", "hard"], {"easy": 520, "hard": 100}, {"easy": 100, "hard": 100})


def shown(result: RunResult, capsys: pytest.CaptureFixture[str]) -> str:
    show_result(result)
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")


def test_a_simulated_run(finished: RunResult, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(finished, capsys)
    assert not re.findall(r"\b(bought|paid|already|still to buy)\b", text, re.I)
    golden_pages.check("terminal_simulated", text.strip())


def test_a_run_on_collected_judgments(
    finished: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(collected_from(finished), capsys)
    assert "people's own judgments" in text
    assert text.count("simulated") == 1  # No annotator was.
    assert "ordered" not in text
    golden_pages.check("terminal_collected", text.strip())


def test_an_accuracy_that_is_not_above_zero_shot_is_marked(
    finished: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    below = Estimate(estimate=0.01, low=-0.02, high=0.04)
    above = Estimate(estimate=0.2, low=0.16, high=0.24)
    own = finished.methods["qlora"]
    over = {"plan": {"zero_shot": below, "guessing": above}}
    changed = {**finished.methods, "qlora": own.model_copy(update={"over_untrained": over})}
    text = shown(finished.model_copy(update={"methods": changed}), capsys)
    of_adapters = text.split("QLoRA; ")[-1]
    marked = [line for line in of_adapters.splitlines() if MARK in line]
    assert len(marked) == 2
    assert "plan" in marked[0]
    assert marked[1].strip() == f"{MARK} not resolved to be above (plan: zero-shot)"
