from decimal import Decimal
from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.simulate.presets import with_defaults
from budget.simulate.statements import DEFAULTS, override, read_statements


def problem(*given: str) -> str:
    with pytest.raises(InputError) as caught:
        read_statements(given)
    return str(caught.value)


def test_numbers_intervals_and_words() -> None:
    found, axes = read_statements(["budget=900", "transfer=.6:.9", "error-kind=flip"])
    assert found["budget"].number == 900
    assert found["transfer"].value == (Decimal(".6"), Decimal(".9"))
    assert found["error-kind"].value == "flip"
    assert {own.source for own in found.values()} == {"--assume"}
    assert axes == {}


def test_the_last_one_counts() -> None:
    assert read_statements(["budget=900", "budget=800"])[0]["budget"].number == 800


def test_a_file_names_its_sources_and_axes(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text(
        'x = "budget=50:100:5"\nbudget = 70\ntransfer = [0.5, 0.9]\n'
        'error-hard = {value = 0.35, source = "our audit"}\nerror-kind = "flip"\n',
        encoding="utf-8",
    )
    found, axes = read_statements([str(path), "budget=80"])
    assert axes == {"x": "budget=50:100:5"}
    assert (found["budget"].number, found["budget"].source) == (Decimal(80), "--assume")
    assert (found["error-hard"].number, found["error-hard"].source) == (
        Decimal("0.35"),
        "our audit",
    )
    assert found["transfer"].source == "stated in task.toml"
    assert found["transfer"].text == "0.5 to 0.9"


def test_a_rate_that_is_stated_drops_the_default_multiple() -> None:
    stated = with_defaults(read_statements(["error-hard=.35", "cost-hard=5"])[0])
    assert not {"error-factor", "cost-ratio"} & set(stated)
    assert set(DEFAULTS) - set(stated) == {"error-factor", "cost-ratio"}


def test_a_multiple_that_is_stated_drops_a_rate() -> None:
    rate, _ = read_statements(["error-hard=.35"])
    multiple, _ = read_statements(["error-factor=3"])
    assert set(override(rate, multiple)) == {"error-factor"}
    assert override(rate, {}) == rate


def test_every_default_names_a_source() -> None:
    assert all(len(statement.source) > 5 for statement in DEFAULTS.values())


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("speed=3", "--assume speed=3: nothing is called so; choose one of budget"),
        ("budget=", "should be a number; got ''"),
        ("budget=1:2", "should be one number: intervals are for ceiling"),
        ("budget=0", "budget should be above 0"),
        ("cost-easy=0", "should be above 0"),
        ("cost-hard=-1", "should not be negative"),
        ("half-labels=0", "should be above 0"),
        ("half-labels=90:40", "first value should be below the second"),
        ("half-labels=1:2:3", "one number, or two for an interval"),
        ("transfer=.8:1", "write 0.99 for 1"),
        ("transfer=1.2", "transfer should be at least -1 and at most 1"),
        ("ceiling=1", "should be between 0 and 1"),
        ("chance=0", "should be between 0 and 1"),
        ("choices=1", "whole number within 2 and 1000"),
        ("choices=2.5", "whole number within 2 and 1000"),
        ("error-kind=typo", "error kind 'typo' is unknown"),
        ("error-easy=1.1", "error-easy should be at least 0 and at most 1"),
    ],
)
def test_a_wrong_statement_is_told(given: str, part: str) -> None:
    assert part in problem(given)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("budget = ", "not valid TOML"),
        ("budget = [1, 2, 3]", "budget should be a number, or two for an interval"),
        ("budget = true", "budget should be a number"),
        ("budget = {source = 'us'}", "budget should be a value, or {value"),
        ("budget = {value = 3, by = 'us'}", "budget should be a value, or {value"),
        ("speed = 3", "speed=3: nothing is called so"),
        ("x = 3", "x should be a text"),
        ("error-hard = 0.2\nerror-factor = 2", "error-hard and error-factor say the same thing"),
    ],
)
def test_a_wrong_file_is_told(text: str, part: str, tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text(text, encoding="utf-8")
    assert part in problem(str(path))


def test_two_ways_to_say_one_thing_are_refused() -> None:
    assert "give one of them" in problem("error-hard=.2", "error-factor=2")
    assert "give one of them" in problem("cost-hard=3", "cost-ratio=2")


def test_a_file_that_is_not_there() -> None:
    assert "no such file" in problem("nowhere.toml")
