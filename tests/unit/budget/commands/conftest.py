"""A task to call commands on."""

import json
from pathlib import Path

import pytest

from tests.unit.budget.commands.command_line import CONFIG, item, write_rows


@pytest.fixture
def task_folder(tmp_path: Path) -> Path:
    """A configuration, 180 items, and a model of which there is only the configuration."""
    folder = tmp_path / "task"
    (folder / "model").mkdir(parents=True)
    architecture = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
    (folder / "model" / "config.json").write_text(json.dumps(architecture), encoding="utf-8")
    (folder / "task.toml").write_text(CONFIG, encoding="utf-8")
    write_rows(folder, [item(number) for number in range(180)])
    return folder
