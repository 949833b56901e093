from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from budget.simulate import phase as phase_module
from budget.simulate.axes import read_axis
from budget.simulate.phase import EASY, HARD, MIX, Phase, plan_here, simulate_phase
from budget.simulate.statements import Statements
from budget.simulate.task import SimulatedTask

State = Callable[..., Statements]
MakeTask = Callable[..., SimulatedTask]


def curve(labels: float) -> float:
    return 0.3 + 0.6 * labels / (labels + 100)


def test_one_cell_by_hand(make_task: MakeTask, state: State) -> None:
    """100 easy labels are worth 60 hard ones; the same money buys 50 of these."""
    cell = plan_here(make_task({"easy": 0.6}), state(cost_ratio=2), 0.005)
    assert cell.all_easy[0] == pytest.approx(curve(60))
    assert cell.all_hard[0] == pytest.approx(curve(50))
    # 50 easy ones of signal .6^.5 and 25 hard ones: (50 * .7746 + 25)^2 / 75
    assert cell.equal_spend[0] == pytest.approx(curve((50 * np.sqrt(0.6) + 25) ** 2 / 75))
    assert (cell.region[0], cell.best_easy_share[0], cell.probability_easy[0]) == (EASY, 1, 1)
    assert (cell.best_easy_labels[0], cell.best_hard_labels[0]) == (100, 0)
    difference = curve(60) - curve(50)
    assert cell.difference_low[0] == pytest.approx(difference)
    assert cell.difference_high[0] == pytest.approx(difference)
    assert not cell.unresolved[0]
    assert cell.value_of_knowing[0] == 0


def test_errors_shrink_what_labels_are_worth(make_task: MakeTask, state: State) -> None:
    """With redraws at .2 and a noise power of 1, n labels are worth n * .8^2."""
    stated = state(error_easy=0.2, error_hard=0.5)
    cell = plan_here(make_task({"easy": 1.0}), stated, 0.005)
    assert cell.all_easy[0] == pytest.approx(curve(64))
    assert cell.all_hard[0] == pytest.approx(curve(25))


def test_the_probability_counts_draws(make_task: MakeTask, state: State) -> None:
    """Of five draws easy wins in two; in one both are equal."""
    task = make_task({"easy": [0.1, 0.3, 0.5, 0.9, 1.2]})
    cell = plan_here(task, state(cost_ratio=2), 0.005)
    assert cell.probability_easy[0] == pytest.approx(0.5)
    assert cell.unresolved[0]
    differences = [curve(100 * rate) - curve(50) for rate in (0.1, 0.3, 0.5, 0.9, 1.2)]
    low, high = np.quantile(differences, [0.05, 0.95])
    assert (cell.difference_low[0], cell.difference_high[0]) == (
        pytest.approx(low),
        pytest.approx(high),
    )


def test_the_value_of_knowing(make_task: MakeTask, state: State) -> None:
    """Two draws: in one easy is far better, in the other hard. Knowing takes the best of each."""
    task = make_task({"easy": [0.01, 4.0]})
    cell = plan_here(task, state(cost_ratio=2), 0.005)
    best_of_each = []
    for rate in (0.01, 4.0):
        easy = np.arange(0, 101, 5)
        hard = np.floor((100 - easy) / 2)
        worth = (easy * np.sqrt(rate) + hard) ** 2 / (easy + hard)
        best_of_each.append(max(curve(n) for n in worth))
    assert cell.value_of_knowing[0] == pytest.approx(np.mean(best_of_each) - cell.best[0])
    assert cell.value_of_knowing[0] > 0.01


def test_a_mix_has_to_beat_both_by_the_margin(make_task: MakeTask, state: State) -> None:
    """Easy labels point 37 degrees off: some help to grow, all of them lead astray."""
    task = make_task({"easy": 1.0}, alignment_easy=0.8)
    stated = state(budget=400, cost_ratio=2)
    cell = plan_here(task, stated, 0.0)
    ahead = float(cell.best[0] - max(cell.all_easy[0], cell.all_hard[0]))
    assert 0 < cell.best_easy_share[0] < 1 and ahead > 0
    assert cell.region[0] == MIX
    assert plan_here(task, stated, ahead * 0.99).region[0] == MIX
    assert plan_here(task, stated, ahead * 1.01).region[0] != MIX


def test_the_share_is_found_in_twentieths(make_task: MakeTask, state: State) -> None:
    """The best of all 21 shares, by going through them."""
    task = make_task({"easy": 1.0}, alignment_easy=0.8)
    cell = plan_here(task, state(budget=400, cost_ratio=2), 0.0)
    expected = []
    for share in range(21):
        mix = {"easy": share * 400 // 20, "hard": (20 - share) * 400 // 40}
        expected.append(task.surface.predict([mix], offset=False).mean())
    assert cell.best_easy_share[0] * 20 == np.argmax(expected)
    assert cell.best[0] == pytest.approx(max(expected))


def test_a_budget_that_buys_nothing(make_task: MakeTask, state: State) -> None:
    cell = plan_here(make_task({"easy": 0.6}), state(budget=0.5, cost_ratio=2), 0.005)
    assert cell.all_easy[0] == cell.all_hard[0] == cell.best[0] == pytest.approx(0.3)
    assert cell.unresolved[0] and cell.probability_easy[0] == 0.5


def test_a_grid_is_its_cells(make_task: MakeTask, state: State) -> None:
    task = make_task({"easy": [0.3, 0.6]})
    x, y = read_axis("budget=50:200:3", "--x"), read_axis("cost-ratio=1:4:2", "--y")
    grid = simulate_phase(task, state(), x, y, 0.005)
    assert grid.best.shape == (2, 3)
    for row, ratio in enumerate(y.values):
        for column, budget in enumerate(x.values):
            cell = plan_here(task, state(budget=budget, cost_ratio=ratio), 0.005)
            for own in fields(Phase):
                found = getattr(grid, own.name)[row, column]
                assert found == pytest.approx(getattr(cell, own.name)[0], abs=1e-12), own.name


def test_swapped_axes_give_the_transposed_grid(make_task: MakeTask, state: State) -> None:
    task = make_task({"easy": [0.3, 0.6]})
    x, y = read_axis("transfer=0:1:3", "--x"), read_axis("budget=50:200:4", "--y")
    one = simulate_phase(task, state(cost_ratio=2), x, y, 0.005)
    other = simulate_phase(task, state(cost_ratio=2), y, x, 0.005)
    assert one.best.shape == (4, 3)
    for own in fields(Phase):
        assert np.array_equal(getattr(one, own.name), getattr(other, own.name).T), own.name


def test_blocks_change_nothing(
    make_task: MakeTask, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task({"easy": [0.3, 0.6]})
    x, y = read_axis("budget=50:200:5", "--x"), read_axis("error-hard=0:.6:4", "--y")
    whole = simulate_phase(task, state(), x, y, 0.005)
    monkeypatch.setattr(phase_module, "_BLOCK", 6)
    parts = simulate_phase(task, state(), x, y, 0.005)
    for own in fields(Phase):
        assert getattr(whole, own.name) == pytest.approx(getattr(parts, own.name), abs=1e-12)


def test_strata_between_are_left_out(make_task: MakeTask, state: State) -> None:
    """Of easy, medium and hard only easy and hard are bought."""
    three = make_task({"easy": 0.6, "medium": 0.9})
    two = make_task({"easy": 0.6})
    stated = state(cost_ratio=2)
    assert plan_here(three, stated, 0.005).best == pytest.approx(plan_here(two, stated, 0.005).best)


def test_a_target_that_is_not_the_hardest(make_task: MakeTask, state: State) -> None:
    task = make_task({"hard": 0.6}, target="easy")
    assert (task.easy, task.hard) == ("hard", "easy")
    cell = plan_here(task, state(cost_ratio=2), 0.005)
    assert cell.all_easy[0] == pytest.approx(curve(60))
    assert cell.region[0] == EASY


def test_progress_is_told_once_a_row(make_task: MakeTask, state: State) -> None:
    told: list[int] = []
    x, y = read_axis("budget=50:200:3", "--x"), read_axis("transfer=0:1:4", "--y")
    simulate_phase(make_task({"easy": 0.6}), state(), x, y, 0.005, lambda: told.append(1))
    assert len(told) == 4


def test_dearer_hard_labels_move_the_buy_to_easy(make_task: MakeTask, state: State) -> None:
    x, y = read_axis("cost-ratio=1:8:8", "--x"), read_axis("budget=100:200:2", "--y")
    regions = simulate_phase(make_task({"easy": 0.4}), state(), x, y, 0.1).region[0]
    # Break-even where 1 / ratio is .4.
    ratios = np.array([float(value) for value in x.values])
    assert regions.tolist() == np.where(ratios > 2.5, EASY, HARD).tolist()


def test_capacity_stops_a_purchase(make_task: MakeTask, state: State) -> None:
    task = make_task({"easy": 0.6}, capacity=40)
    cell = plan_here(task, state(), 0.0)
    assert cell.all_easy[0] == pytest.approx(curve(24))
    assert (cell.best_easy_labels[0], cell.best_hard_labels[0]) == (40, 40)
    unlimited = replace(
        task, annotators={n: replace(a, capacity=None) for n, a in task.annotators.items()}
    )
    assert plan_here(unlimited, state(), 0.0).all_hard[0] == pytest.approx(curve(100))
