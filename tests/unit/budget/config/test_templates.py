from pathlib import Path

import budget.config
from annotation.terms.cost import mix_cost
from budget.config.read import read_config
from budget.config.templates import commented_config, demo_config

FOLDER = Path(budget.config.__file__).parent


def test_the_demo_is_the_file_that_comes_along() -> None:
    assert demo_config() == read_config(FOLDER / "demo.toml")


def test_the_demo_follows_the_paper_in_its_terms() -> None:
    terms = demo_config().terms()
    assert terms["hard"].cost == 2 * terms["easy"].cost
    assert terms["hard"].error_rate == 2 * terms["easy"].error_rate


def test_the_demo_leaves_money_to_plan_with() -> None:
    config = demo_config()
    pilot = {str(name): config.pilot.labels for name in config.strata.buy}
    assert mix_cost(pilot, config.terms()) <= config.budget.total / 2


def test_the_template_says_how_to_run_it() -> None:
    text = commented_config()
    assert text.startswith("# A labelmix configuration. Run it with: labelmix run")
    assert text.endswith("\n")
    assert max(len(line) for line in text.splitlines()) <= 100
