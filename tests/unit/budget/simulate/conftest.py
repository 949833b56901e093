"""A task whose surface is known, and a small result."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from budget.simulate.result import SimulationResult
from budget.simulate.run import run_simulation
from budget.simulate.scene import SimulateOptions
from budget.simulate.statements import Statement, Statements
from budget.simulate.task import Annotators, SimulatedTask
from budget.surface.response import ResponseSurface
from training.engines.base import SilentWatcher

Surface = Callable[..., ResponseSurface]


@pytest.fixture
def make_task(make_surface: Surface) -> Callable[..., SimulatedTask]:
    """`make_task({"easy": 0.6}, capacity=50)`: four choices, redraws, the known surface."""

    def make(
        rates: dict[str, object], capacity: int | None = None, **parameters: object
    ) -> SimulatedTask:
        surface = make_surface(rates, **parameters)
        who = Annotators(4, "redraw", 1, capacity)
        return SimulatedTask(surface, {surface.others[0]: who, surface.target: who})

    return make


@pytest.fixture
def state() -> Callable[..., Statements]:
    """`state(budget=100, cost_ratio=2)`; what is not named: cost 1, ratio 1, no errors."""

    def make(**values: object) -> Statements:
        names = {"budget": 100, "cost_easy": 1, "cost_ratio": 1, "error_easy": 0, "error_hard": 0}
        return {
            (name := key.replace("_", "-")): Statement(name, Decimal(str(value)), "a test")
            for key, value in {**names, **values}.items()
        }

    return make


@pytest.fixture(scope="session")
def simulation() -> SimulationResult:
    """Stated terms on a small grid."""
    options = SimulateOptions(
        assume=("transfer=0.7:0.9", "budget=500", "cost-ratio=3", "half-labels=60:120"),
        x="budget=100:1600:5",
        y="cost-ratio=1:8:4",
        draws=60,
    )
    return run_simulation(options, SilentWatcher())
