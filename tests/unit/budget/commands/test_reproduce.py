"""`labelmix reproduce`: what it lists, and what it refuses in one line before any work."""

import json
from pathlib import Path

import pytest

from analysis.reproduce.registry import EXPERIMENTS
from tests.unit.budget.commands.command_line import labelmix, one_line


def test_the_list_has_every_experiment_with_its_claims() -> None:
    told = json.loads(labelmix("reproduce", "--list", "--json").stdout)
    assert [own["name"] for own in told] == [own.name for own in EXPERIMENTS]
    assert [len(own["claims"]) for own in told] == [len(own.claims) for own in EXPERIMENTS]
    [alone] = json.loads(labelmix("reproduce", "noise", "--list", "--json").stdout)
    assert set(alone["claims"][0]) == {"key", "statement", "source", "rule"}


def test_the_list_for_a_person() -> None:
    text = labelmix("reproduce", "cost", "--list").stdout
    assert text.startswith("cost: Learning curves and cost\n")
    assert "arXiv:2401.06751" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["costs"], "experiment 'costs' is unknown; did you mean 'cost'?"),
        (["--data", "ark"], "--data 'ark' is unknown; choose from workshop, arc"),
        (["--max-hours", "0"], "--max-hours 0: should be a number of hours above 0."),
        (["--max-hours", "nan"], "--max-hours nan: should be"),
        (["--tflops", "0", "--dry-run"], "--tflops 0: should be a number above 0."),
        (["--parameters", "-7", "--dry-run"], "--parameters -7: should be a number above 0."),
        (["--source-folder", "arc=/nowhere"], "--source-folder arc=/nowhere: no such folder."),
        (["--source-folder", "arc"], "--source-folder"),
        (["--source-folder", "workshop=."], "its items are generated"),
        (["--source-folder", "ark=."], "--source-folder 'ark' is unknown"),
        (["--model", "nobody/thing", "--dry-run"], "give --parameters"),
        (["--model", "./nowhere", "--dry-run"], "model './nowhere': no config.json there"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert message in one_line(labelmix("reproduce", "--out", out, *arguments))
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("meta-llama/Llama-2-7b-hf", 7e9),
        ("Qwen/Qwen2.5-0.5B", 5e8),
        ("some/model-135M-chat", 1.35e8),
        ("some/13b", 13e9),
    ],
)
def test_a_models_size_is_read_off_its_name(name: str, parameters: float) -> None:
    from budget.reproduction.study import parameters_elsewhere, studied_elsewhere

    assert parameters_elsewhere(studied_elsewhere(name), None) == parameters
    assert parameters_elsewhere(studied_elsewhere(name), 3e9) == 3e9
