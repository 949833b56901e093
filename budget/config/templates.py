"""The configurations that come with labelmix."""

import tomllib
from pathlib import Path

from budget.config.read import parse_config
from budget.config.run import RunConfig

_HERE = Path(__file__).parent


def commented_config() -> str:
    """What `labelmix init` writes: every key with its default and its meaning."""
    return (_HERE / "template.toml").read_text(encoding="utf-8")


def demo_config() -> RunConfig:
    """What `labelmix demo` runs."""
    text = (_HERE / "demo.toml").read_text(encoding="utf-8")
    return parse_config(tomllib.loads(text), "demo.toml", _HERE)
