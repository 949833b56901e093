import re

import pytest

from budget.simulate.result import AxisRecord, BreakEven, SimulationResult
from budget.simulate.wording import break_even_sentence, findings, place, sampled, table_rows
from tests import golden_pages


def axis(name: str) -> AxisRecord:
    return AxisRecord(name=name, label=name, scale="linear", values=[1.0, 2.0])


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("budget", 1234.5, "$1,234.50"),
        ("budget", 320.0, "$320"),
        ("cost-ratio", 2.345, "2.3"),
        ("error-easy", 0.3, "30 %"),
        ("error-hard", 0.125, "12.5 %"),
        ("transfer", 0.5, "0.50"),
        ("error-factor", 2.0, "2.0"),
    ],
)
def test_every_axis_has_its_unit(name: str, value: float, text: str) -> None:
    assert place(axis(name), value, "$") == text


def test_break_even_in_words(simulation: SimulationResult) -> None:
    """x is the budget, from $100 to $1,600; y the cost ratio."""

    def told(x: list[float], easy_from_here: list[bool], easy_at_the_end: bool) -> str:
        row = BreakEven(y=2.0, x=x, easy_from_here=easy_from_here, easy_at_the_end=easy_at_the_end)
        return break_even_sentence(simulation, row)

    golden_pages.check(
        "simulate_break_even",
        golden_pages.page(
            {
                "hard from $812.44 on": told([812.44], [False], False),
                "easy from $300 on": told([300.0], [True], True),
                "easy everywhere": told([], [], True),
                "easy from $200 on, hard from $400 on": told([200.0, 400.0], [True, False], False),
            }
        ),
    )


def test_findings_tell_the_given_terms_first(simulation: SimulationResult) -> None:
    first, second, *others = findings(simulation)
    assert first.startswith(
        "At the given terms, a budget of $500, a cost ratio of 3.0 and error rates of 10 % "
        "(easy) and 20 % (hard): "
    )
    here = simulation.here
    assert here is not None
    assert f"{100 * here.best:.1f} % expected on hard items" in first
    assert ("not resolved" in first) == here.unresolved
    assert second.startswith("Best buy, of 20 cells: all easy in ")
    shares = [int(number) for number in re.findall(r"in (\d+) %", second)]
    assert abs(sum(shares[:3]) - 100) <= 1
    told = [other.partition(":")[0] for other in others if other.startswith("At cost ratio")]
    assert told == ["At cost ratio 2.0", "At cost ratio 4.0"]


def test_no_given_terms_no_such_sentence(simulation: SimulationResult) -> None:
    assert findings(simulation.model_copy(update={"here": None})) == findings(simulation)[1:]


def test_rows_are_told_from_the_largest_y_on(simulation: SimulationResult) -> None:
    heads, rows = table_rows(simulation)
    assert heads == ["$100", "$200", "$400", "$800", "$1,600"]
    assert [name for name, _ in rows] == ["8.0", "4.0", "2.0", "1.0"]
    for row, (_, cells) in zip(reversed(range(4)), rows, strict=True):
        for column, text in enumerate(cells):
            region, unresolved = simulation.region[row][column], simulation.unresolved[row][column]
            probability = round(100 * simulation.probability_easy[row][column])
            assert text == f"{region}{'?' if unresolved else ''} {probability} %"


def test_a_large_grid_is_sampled_with_its_ends() -> None:
    assert sampled(3) == [0, 1, 2]
    assert sampled(7) == list(range(7))
    assert sampled(61) == [0, 10, 20, 30, 40, 50, 60]
