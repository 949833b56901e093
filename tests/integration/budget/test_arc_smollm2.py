"""ARC put to a real decoder: zero-shot accuracy by grade is that of a slow computation."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from annotation.arrays import Array
from budget.config.prepare import prepare
from budget.config.read import read_config, with_overrides
from training.features import FeatureStore
from training.lab import Lab
from training.models.load import LoadedModel
from training.prompts import find_prompt

pytestmark = pytest.mark.timeout(1800)

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "arc-smollm2.toml"
MOST_CHOICES = 5


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with a small test set."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in (("\nitems = 600", "\nitems = 14"), ("other_items = 100", "other_items = 6")):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("arc") / "arc-smollm2.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lab(config: Path, data_folder: Callable[[str], Path], smollm2_path: Path) -> Lab:
    own = with_overrides(read_config(config), data_folder("ai2_arc"), str(smollm2_path))
    return prepare(own).lab


@pytest.fixture(scope="module")
def out(
    config: Path,
    data_folder: Callable[[str], Path],
    smollm2_path: Path,
    labelmix: Callable[..., str],
) -> Path:
    folder = config.with_name("out")
    said = labelmix(
        *("trial", config, "--method", "zero_shot", "--json"),
        *("--data-dir", data_folder("ai2_arc"), "--model", smollm2_path, "--out", folder),
    )
    folder.joinpath("said.json").write_text(said, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def slow(lab: Lab, smollm2_path: Path) -> Array:
    """Summed log-probabilities (items, choices): every text by itself, by transformers alone."""
    model = AutoModelForCausalLM.from_pretrained(smollm2_path, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(smollm2_path)
    found = np.full((lab.task.test_positions.size, MOST_CHOICES), -np.inf)
    for row, position in enumerate(lab.task.test_positions):
        item = lab.task.items.iloc[int(position)]
        asked = f"Q: {item['question']}\nA:"
        before = len(tokenizer(asked)["input_ids"])
        for slot, choice in enumerate(item["choices"]):
            ids = torch.tensor(tokenizer(f"{asked} {choice}")["input_ids"])
            with torch.no_grad():
                chances = model(input_ids=ids[None]).logits[0].double().log_softmax(-1)
            places = torch.arange(before, len(ids))
            found[row, slot] = float(chances[places - 1, ids[places]].sum())
    return found


def test_log_probabilities_are_those_of_every_text_by_itself(
    out: Path, lab: Lab, slow: Array
) -> None:
    prompt = find_prompt("0306-mended")
    store = FeatureStore(out / "features", lab.task, lab.source, prompt)

    def never() -> LoadedModel:
        raise AssertionError("the command has read these items")

    kept = store.scores(lab.task.test_positions, never).by("sum")
    there = np.isfinite(kept)
    np.testing.assert_array_equal(there, np.isfinite(slow[:, : kept.shape[1]]))
    difference = np.abs(kept[there] - slow[:, : kept.shape[1]][there])
    assert difference.max() <= 1e-4 + 1e-5 * np.abs(kept[there]).max()


def test_accuracy_by_grade_is_that_of_the_slow_computation(
    out: Path, lab: Lab, slow: Array
) -> None:
    """The likeliest choice by log-probability per character."""
    rows = lab.task.items.iloc[lab.task.test_positions]
    right = []
    for scores, choices, answer in zip(slow, rows["choices"], rows["answer"], strict=True):
        by_character = [own / len(text) for own, text in zip(scores, choices, strict=False)]
        right.append(by_character.index(max(by_character)) == answer)
    said = json.loads((out / "said.json").read_text(encoding="utf-8"))
    assert said["prompt"] == "0306-mended"
    grades = rows["grade"].to_numpy()
    bands = {"easy": grades <= 5, "medium": (grades > 5) & (grades < 8), "hard": grades >= 8}
    assert {name: int(of.sum()) for name, of in bands.items()} == said["test_items"]
    for name, of_band in bands.items():
        expected = float(np.array(right)[of_band].mean())
        assert said["accuracy"][name]["estimate"] == pytest.approx(expected, abs=0.02)
    assert np.mean(right) > 0.25  # what guessing gives
