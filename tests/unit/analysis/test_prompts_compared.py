"""Prompts are compared on a sample of test items, in pairs; a better one is named if resolved."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.estimates import Estimate
from analysis.prompts_compared import (
    ComparedPrompt,
    ComparedPrompts,
    compare_prompts,
    prompt_remarks,
)
from annotation.arrays import Positions
from budget.commands.app import app
from budget.config.prepare import prepare
from budget.config.read import read_config
from training.engines import LocalEngine, SilentWatcher, local_engine
from training.lab import Lab
from training.models.load import load_model
from training.prompts import find_prompt
from training.scoring.choices import encode_items, score_items
from training.store import TrialStore

CONFIG = """
[items]
source = "workshop"
size = 900
[strata]
measure = "steps"
easy_at_most = 2
hard_at_least = 5
[test]
items = 60
other_items = 40
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "task.toml"
    path.write_text(CONFIG)
    return path


@contextmanager
def engine_of(lab: Lab, folder: Path) -> Iterator[LocalEngine]:
    with (
        TrialStore(folder / "trials.sqlite") as store,
        local_engine(lab.task, lab.source, folder / "features", store) as engine,
    ):
        yield engine


def slow_accuracy(lab: Lab, positions: Positions, version: str, normalisation: str) -> float:
    """One item at a time, scores of their own."""
    loaded, right = load_model(lab.source), 0
    for position in positions:
        row = lab.task.items.iloc[int(position)]
        prompt = find_prompt(version, lab.source.label)
        encoded = encode_items(loaded, [row["question"]], [row["choices"]], ["one"], prompt)
        scores = score_items(loaded, encoded, normalisation=normalisation)[0].tolist()  # type: ignore[arg-type]
        right += scores.index(max(scores)) == row["answer"]
    return right / len(positions)


def test_accuracies_are_those_of_every_way(config: Path, tmp_path: Path) -> None:
    """Of all test items here, as they are fewer than are sampled."""
    lab = prepare(read_config(config, plans=False), plans=False).lab
    with engine_of(lab, tmp_path / "out") as engine:
        found = compare_prompts(lab, engine, SilentWatcher())
    assert found.items == lab.task.test_positions.size == 140
    assert len({(way.prompt, way.normalisation) for way in found.ways}) == len(found.ways) == 6
    assert (found.ways[0].prompt, found.ways[0].normalisation) == ("0040-mended", "sum")
    assert found.ways[0].over_asked is None
    assert found.without_model == pytest.approx(0.25)
    for way in found.ways[::2]:
        expected = slow_accuracy(lab, lab.task.test_positions, way.prompt, way.normalisation)
        assert way.accuracy.estimate == pytest.approx(expected)
        assert way.accuracy.low is not None and way.accuracy.low <= expected
        if way.over_asked is not None:
            asked = found.ways[0].accuracy.estimate
            assert way.over_asked.estimate == pytest.approx(expected - (asked or 0.0))


def way(prompt: str, accuracy: float, over: tuple[float, float] | None) -> ComparedPrompt:
    return ComparedPrompt(
        prompt=prompt,
        normalisation="sum",
        accuracy=Estimate(estimate=accuracy, low=accuracy - 0.05, high=accuracy + 0.05),
        over_asked=over and Estimate(estimate=sum(over) / 2, low=over[0], high=over[1]),
    )


def compared(asked: float, *others: ComparedPrompt) -> ComparedPrompts:
    ways = [way("0040-mended", asked, None), *others]
    return ComparedPrompts(model="tiny", items=200, without_model=0.25, ways=ways)


def test_a_better_prompt_is_named() -> None:
    found = compared(0.24, way("0306-mended", 0.41, (0.05, 0.29)), way("x", 0.42, (-0.01, 0.37)))
    assert prompt_remarks(found) == [
        "asked by prompt 0040-mended (sum) tiny is right on 24.0 % of 200 test items, by "
        '0306-mended (sum) on 41.0 %: set [prompt] choices = "0306-mended" and normalisation = '
        '"sum".'
    ]


def test_a_prompt_at_chance_is_told_and_a_good_one_is_not() -> None:
    worse = way("0306-mended", 0.2, (-0.2, 0.1))
    [told] = prompt_remarks(compared(0.28, worse))
    assert told.endswith(
        "28.0 % of 200 test items, which is not resolved to be above the 25.0 % that need no "
        "model; no other prompt is resolved to be better."
    )
    assert prompt_remarks(compared(0.5, worse)) == []


def test_the_sample_is_as_large_as_asked_for(config: Path) -> None:
    """By the command; items are read once, so that a second call needs no model."""
    out = str(config.parent / "out")
    asked = ["trial", str(config), "--compare-prompts", "--sample", "50", "--out", out]
    result = CliRunner().invoke(app, [*asked, "--json"])
    assert result.exit_code == 0, result.stderr
    found = ComparedPrompts.model_validate(json.loads(result.stdout))
    assert found.items == 50
    shown = CliRunner().invoke(app, asked)
    assert "configured" in shown.stdout and "0306-mended" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--compare-prompts", "--method", "probe"], "leave --method and --labels out"),
        (["--compare-prompts", "--labels", "easy=10"], "leave --method and --labels out"),
        ([], "give --method, e.g. --method zero_shot, or --compare-prompts"),
    ],
)
def test_options_that_do_not_go_together(config: Path, arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["trial", str(config), *arguments])
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


def test_an_encoder_is_asked_nothing(config: Path, minilm_path: Path) -> None:
    asked = ["trial", str(config), "--compare-prompts", "--model", str(minilm_path)]
    result = CliRunner().invoke(app, [*asked, "--out", str(config.parent / "out")])
    assert result.exit_code == 2
    assert "is an encoder, which no prompt asks" in " ".join(result.stderr.split())
