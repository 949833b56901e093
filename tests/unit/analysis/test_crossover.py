import numpy as np
import pytest

from analysis.crossover import CrossoverBudget, crossover_budget, crossover_sentence
from tests import golden_pages

Numbers = list[float]
COSTS = np.array([20.0, 40.0, 80.0])
NAMES = ("easy", "hard")


def found(
    draws: list[Numbers], leads: Numbers, measured_up_to: float | None = None
) -> CrossoverBudget:
    """Of a lead of easy labels with these draws at `COSTS`."""
    return crossover_budget(COSTS, np.array(leads), np.array(draws), NAMES, 0.95, measured_up_to)


def numbers(of: CrossoverBudget) -> tuple[float | None, float | None, float | None]:
    return of.estimate, of.low, of.high


def test_a_crossover_and_its_interval_by_hand() -> None:
    # From 40 on the leads fall from a to -.1 at 80: they are lost at 40 + 40 a / (a + .1).
    lost_at = {0.025: 48.0, 0.1: 60.0, 0.3: 70.0}
    own = found([[0.2, a, -0.1] for a in lost_at for _ in range(100)], [0.2, 0.1, -0.1])
    assert (own.verdict, own.better_below, own.probability) == ("changes", "easy", 1)
    assert numbers(own) == pytest.approx((60, 48, 70))
    assert own.better_throughout == {"easy": 0, "hard": 0}


def test_a_crossover_the_other_way_round() -> None:
    own = found([[-0.2, -0.1, 0.1]] * 50, [-0.2, -0.1, 0.1])
    assert (own.verdict, own.better_below) == ("changes", "hard")
    assert own.estimate == pytest.approx(60)


def test_a_crossover_at_a_measured_cost() -> None:
    own = found([[0.2, 0.0, -0.1]] * 4, [0.2, 0.0, -0.1])
    assert (own.better_below, own.estimate) == ("easy", 40)


@pytest.mark.parametrize(
    ("leads", "better"),
    [
        ([0.1, 0.2, 0.3], "easy"),
        ([0.2, 0.01, 0.3], "easy"),
        ([-0.1, -0.2, -0.1], "hard"),
        ([0.0, 0.1, 0.2], "easy"),
        ([0.1, -0.001, 0.1], "easy"),  # there and back: less is wrong if nothing changes
    ],
)
def test_lines_that_do_not_cross_have_no_crossover(leads: Numbers, better: str) -> None:
    other = "hard" if better == "easy" else "easy"
    sure = found([leads] * 100, leads)
    assert (sure.verdict, sure.better_below) == ("never changes", None)
    assert sure.better_throughout == {better: 1, other: 0}
    # Where many draws cross all the same, it is open whether they do.
    unsure = found([leads] * 60 + [[0.1, 0.1, -0.1]] * 20 + [[-0.1, -0.1, 0.1]] * 20, leads)
    assert (unsure.verdict, numbers(unsure)) == ("not resolved", (None, None, None))
    assert unsure.probability == pytest.approx(0.4)
    assert unsure.better_throughout == pytest.approx({better: 0.6, other: 0})


def test_it_may_be_known_that_nothing_changes_and_not_which_is_better() -> None:
    own = found([[0.1, 0.1, 0.2]] * 70 + [[-0.1, -0.1, -0.2]] * 30, [0.1, 0.1, 0.1])
    assert (own.verdict, own.probability) == ("never changes", 0)
    assert own.better_throughout == pytest.approx({"easy": 0.7, "hard": 0.3})


@pytest.mark.parametrize("elsewhere", [[0.1, 0.2, 0.3], [-0.1, -0.2, -0.1]])
@pytest.mark.parametrize(("number", "resolved"), [(2, True), (3, False), (50, False)])
def test_a_crossover_that_many_draws_do_not_have_is_not_resolved(
    elsewhere: Numbers, number: int, resolved: bool
) -> None:
    own = found([[0.1, 0.1, -0.1]] * (100 - number) + [elsewhere] * number, [0.1, 0.1, -0.1])
    assert own.better_below == "easy"
    assert own.probability == pytest.approx(1 - number / 100)
    if resolved:  # two draws of a hundred are beyond the interval
        assert numbers(own) == pytest.approx((60, 60, 60))
    else:
        assert (own.verdict, numbers(own)) == ("not resolved", (None, None, None))


def test_draws_that_cross_the_other_way_are_none_of_this_crossover() -> None:
    own = found([[0.1, 0.1, -0.1]] * 90 + [[-0.1, -0.1, 0.1]] * 10, [0.1, 0.1, -0.1])
    assert (own.verdict, own.probability) == ("not resolved", 1)


@pytest.mark.parametrize("costs", [[20.0], [20.0, 20.0], [40.0, 20.0]])
def test_costs_that_do_not_rise_are_a_mistake(costs: Numbers) -> None:
    leads = np.zeros(len(costs))
    with pytest.raises(ValueError, match="'costs' should be two at least and rise"):
        crossover_budget(np.array(costs), leads, leads[None], NAMES, 0.95)


def test_what_is_said() -> None:
    changes, easy, hard = [0.1, 0.1, -0.1], [0.1, 0.1, 0.2], [-0.1, -0.2, -0.1]
    cases = {
        "changes": found([changes] * 99 + [easy], changes),
        "changes, hard first": found([[-each for each in changes]] * 9, [-0.1, -0.1, 0.1]),
        "never changes": found([hard] * 98 + [changes] * 2, hard),
        "never changes, certainly": found([easy] * 9, easy),
        "never changes, whichever it is": found([easy] * 7 + [hard] * 3, easy),
        "not resolved": found([changes] * 50 + [easy] * 49 + [hard], changes),
        "beyond what was measured": found([changes] * 9, changes, measured_up_to=40.0),
        "nothing measured with both": found([changes] * 9, changes, measured_up_to=10.0),
        "all measured": found([changes] * 9, changes, measured_up_to=80.0),
        "the same lines": found([[0.0, 0.0, 0.0]] * 9, [0.0, 0.0, 0.0]),
    }
    golden_pages.check(
        "crossover",
        golden_pages.page({name: crossover_sentence(own, "$") for name, own in cases.items()}),
    )
