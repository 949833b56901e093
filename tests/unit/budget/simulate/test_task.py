from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.errors import InputError
from budget.simulate.presets import with_defaults
from budget.simulate.stated import read_statements
from budget.simulate.task import Annotators, SimulatedTask, assumed_task, run_task
from budget.surface.response import ResponseSurface

Surface = Callable[..., ResponseSurface]
Store = Callable[..., Path]


def assumed(*given: str, draws: int = 400) -> SimulatedTask:
    return assumed_task(with_defaults(read_statements(given).statements), draws, 0)[0]


def column(task: SimulatedTask, name: str) -> NDArray[np.float64]:
    return task.surface.draws[:, task.surface.parameter_names.index(name)]


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("ceiling", "ceiling", 0.8),
        ("half-labels", "half_labels", 70),
        ("steepness", "steepness", 1.5),
        ("exponent", "exponent", 0.7),
        ("shape", "shape", 1.2),
        ("noise-power", "noise_power", 1.1),
        ("signal", "signal_easy", 1.4),
        ("transfer", "alignment_easy", 0.6),
        ("transfer", "alignment_easy", 1.0),
        ("transfer", "alignment_easy", -1.0),
    ],
)
def test_a_number_that_is_stated_holds_in_every_draw(
    name: str, parameter: str, value: float
) -> None:
    assert column(assumed(f"{name}={value}"), parameter) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "parameter", "low", "high"),
    [
        ("ceiling", "ceiling", 0.6, 0.9),
        ("half-labels", "half_labels", 40, 120),
        ("noise-power", "noise_power", 0.9, 1.3),
        ("signal", "signal_easy", 0.8, 1.6),
        ("transfer", "alignment_easy", 0.5, 0.95),
    ],
)
def test_an_interval_holds_ninety_percent_of_the_draws(
    name: str, parameter: str, low: float, high: float
) -> None:
    draws = column(assumed(f"{name}={low}:{high}"), parameter)
    # 400 draws in even strata: 20 in each tail, give or take the one at the edge.
    assert abs(int((draws < low).sum()) - 20) <= 1
    assert abs(int((draws > high).sum()) - 20) <= 1


def test_what_is_not_stated_keeps_the_prior() -> None:
    """Medians: half_labels e^4.0, signal e^.25, transfer tanh 1.2."""
    task = assumed("ceiling=0.8")
    assert np.median(column(task, "half_labels")) == pytest.approx(np.exp(4.0), rel=0.02)
    assert np.median(column(task, "signal_easy")) == pytest.approx(np.exp(0.25), rel=0.02)
    assert np.median(column(task, "alignment_easy")) == pytest.approx(np.tanh(1.2), rel=0.02)


def test_chance_follows_from_the_choices_unless_stated() -> None:
    assert column(assumed("choices=5"), "floor") == pytest.approx(0.2)
    assert column(assumed("choices=5", "chance=0.37"), "floor") == pytest.approx(0.37)


def test_a_ceiling_below_chance_is_told() -> None:
    with pytest.raises(InputError, match=r"ceiling of 0.2 should be above the chance of 0.25"):
        assumed("ceiling=0.2")


def test_the_seed_decides_the_draws() -> None:
    stated = with_defaults({})
    one, same, other = (assumed_task(stated, 30, seed)[0].surface.draws for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_with_transfer_changes_transfer_alone() -> None:
    task = assumed(draws=20)
    moved = task.with_transfer(0.25)
    assert column(moved, "alignment_easy") == pytest.approx(0.25)
    same = [name for name in task.surface.parameter_names if name != "alignment_easy"]
    assert all(np.array_equal(column(task, name), column(moved, name)) for name in same)


def test_clean_shares_by_kind_and_judgments() -> None:
    assert Annotators(4, "redraw").clean(0.2) == pytest.approx(0.8)
    assert Annotators(4, "flip").clean(0.3) == pytest.approx(1 - 0.4)
    # The majority of three answers of two choices, wrong with .2: 1 - (.2^3 + 3 .2^2 .8) = .896
    # right, a redraw rate of .208.
    assert Annotators(2, "flip", judgments=3).clean(0.2) == pytest.approx(1 - 0.208)


def test_a_run_brings_its_surface_and_its_terms(make_surface: Surface, store_run: Store) -> None:
    surface = make_surface({"easy": list(np.linspace(0.2, 0.8, 50))})
    task, stated, currency = run_task(store_run(probe=surface), None, 10)
    assert currency == "$"
    assert {name: own.text for name, own in stated.items()} == {
        "budget": "200",
        "cost-easy": "1",
        "cost-hard": "2",
        "error-easy": "0.1",
        "error-hard": "0.1",
    }
    assert task.annotators["hard"] == Annotators(0.25, "redraw", 1, 1000)
    signals = column(task, "signal_easy") ** 2
    assert (len(signals), signals[0], signals[-1]) == (10, pytest.approx(0.2), pytest.approx(0.8))


def test_fewer_draws_than_asked_for_are_all_kept(make_surface: Surface, store_run: Store) -> None:
    task, _, _ = run_task(store_run(probe=make_surface({"easy": [0.2, 0.5]})), None, 300)
    assert len(task.surface.draws) == 2


def test_a_method_that_the_run_has_not(make_surface: Surface, store_run: Store) -> None:
    folder = store_run(probe=make_surface({"easy": 0.5}))
    with pytest.raises(InputError, match="no method 'qlora'; choose one of probe"):
        run_task(folder, "qlora", 10)


def test_no_run_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        run_task(tmp_path, None, 10)
