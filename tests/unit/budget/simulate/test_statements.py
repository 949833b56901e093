from decimal import Decimal
from pathlib import Path

import pytest

from annotation.errors import InputError
from budget.simulate.presets import with_defaults
from budget.simulate.stated import read_statements
from budget.simulate.statements import DEFAULTS, override


def problem(*given: str) -> str:
    with pytest.raises(InputError) as caught:
        read_statements(given)
    return str(caught.value)


def test_numbers_intervals_and_words() -> None:
    given = read_statements(["budget=900", "transfer=.6:.9", "error-kind=flip"])
    found = given.statements
    assert found["budget"].number == 900
    assert found["transfer"].value == (Decimal(".6"), Decimal(".9"))
    assert found["error-kind"].value == "flip"
    assert {own.source for own in found.values()} == {"--assume"}
    assert given.axes == {}


def test_the_last_one_counts() -> None:
    assert read_statements(["budget=900", "budget=800"]).statements["budget"].number == 800


def test_a_file_names_its_sources_and_axes(tmp_path: Path) -> None:
    path = tmp_path / "task.toml"
    path.write_text(
        'x = "budget=50:100:5"\nbudget = 70\ntransfer = [0.5, 0.9]\n'
        'error-hard = {value = 0.35, source = "our audit"}\nerror-kind = "flip"\n',
        encoding="utf-8",
    )
    given = read_statements([str(path), "budget=80"])
    found = given.statements
    assert given.axes == {"x": "budget=50:100:5"}
    assert (found["budget"].number, found["budget"].source) == (Decimal(80), "--assume")
    assert (found["error-hard"].number, found["error-hard"].source) == (
        Decimal("0.35"),
        "our audit",
    )
    assert found["transfer"].source == "stated in task.toml"
    assert found["transfer"].text == "0.5 to 0.9"


def test_a_rate_that_is_stated_drops_the_default_multiple() -> None:
    stated = with_defaults(read_statements(["error-hard=.35", "cost-hard=5"]).statements)
    assert not {"error-factor", "cost-ratio"} & set(stated)
    assert set(DEFAULTS) - set(stated) == {"error-factor", "cost-ratio"}


def test_a_multiple_that_is_stated_drops_a_rate() -> None:
    rate = read_statements(["error-hard=.35"]).statements
    multiple = read_statements(["error-factor=3"]).statements
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


TERMS = """
[annotators.easy]
cost = 0.0450  # per judgment; 90 % interval .04 to .05
error_rate = 0.0500
error_kind = "flip"
error_rate_low = 0.0100
error_rate_high = 0.1100

[annotators.medium]
# cost is not known: give --rate or --fee; with --rate, times have to be measured
error_rate = 0.1500
error_kind = "flip"

[annotators.hard]
cost = 0.1350
error_rate = 0.2500
error_kind = "flip"
"""


def test_measured_terms_state_costs_and_error_rates(tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text(TERMS, encoding="utf-8")
    given = read_statements([str(path)])
    assert {name: own.text for name, own in given.statements.items()} == {
        "cost-easy": "0.045",
        "error-easy": "0.05",
        "cost-hard": "0.135",
        "error-hard": "0.25",
        "error-kind": "flip",
    }
    assert given.statements["cost-easy"].number == Decimal("0.0450")
    assert given.statements["cost-easy"].source == "measured, annotators.easy of terms.toml"
    [remark] = given.remarks
    assert remark.startswith("Terms of medium in terms.toml are not used")


def test_measured_terms_of_the_strata_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text(TERMS, encoding="utf-8")
    given = read_statements([str(path)], ("easy", "medium"))
    assert given.statements["error-hard"].number == Decimal("0.1500")
    assert "cost-hard" not in given.statements
    assert "Terms of hard in terms.toml" in given.remarks[0]


def test_measured_terms_of_other_strata_are_told(tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text(TERMS.replace("easy", "short").replace("hard", "long"), encoding="utf-8")
    assert problem(str(path)).endswith(
        "annotators: a diagram is of two strata, easy and hard, and neither has a section here; "
        "got short, medium, long; rename the sections of the easy and the hard one."
    )
    path.write_text(TERMS.replace('"flip"', '"redraw"', 1), encoding="utf-8")
    assert "a diagram has one error_kind; got redraw of easy and flip of hard" in problem(str(path))
    path.write_text(TERMS.replace("0.0500", "1.5"), encoding="utf-8")
    assert "annotators.easy.error_rate" in problem(str(path))
