"""The configurations that come with labelmix."""

from pathlib import Path

from budget.config.read import parse_config
from budget.config.run import RunConfig
from budget.config.toml import read_toml

_HERE = Path(__file__).parent


def commented_config() -> str:
    """What `labelmix init` writes: every key with its default and its meaning."""
    return (_HERE / "template.toml").read_text(encoding="utf-8")


def demo_config() -> RunConfig:
    """What `labelmix demo` runs."""
    return parse_config(read_toml(_HERE / "demo.toml"), "demo.toml", _HERE)
