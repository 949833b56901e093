"""Values of a result that do not fit one another are found by their place."""

from collections.abc import Mapping
from typing import Any

import pytest

from analysis.run.consistency import inconsistency
from analysis.run.result import RunResult
from tests.unit.budget.conftest import finished_run, known_surface


def test_sound_results_are_taken(
    resolved_result: RunResult,
    unresolved_gap_result: RunResult,
    collected_result: RunResult,
    three_strata_result: RunResult,
) -> None:
    planned = finished_run({"probe": known_surface({"easy": 0.6})})
    results = [resolved_result, unresolved_gap_result, collected_result, three_strata_result]
    results.append(planned)
    assert [inconsistency(own.model_dump()) for own in results] == [None] * len(results)


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("strata.easy.cost", 0.0, "strata.easy.cost: should be above 0"),
        (
            "strata.easy.judged_items",
            10**6,
            "strata.easy.judged_items: should be at most the 800 for sale",
        ),
        ("strata.easy.judgments", 0, "strata.easy.judgments: should be at least 1"),
        ("strata.easy.error_rate", 1.5, "strata.easy.error_rate: should be from 0 to 1"),
        ("strata.easy.items", -3, "strata.easy.items: should be at least 0"),
        ("target", "harder", "target: no stratum 'harder'"),
        ("planning_method", "voting", "planning_method: no method 'voting'"),
        ("choices_per_item", 0.0, "choices_per_item: should be at least 1"),
        ("budget", -200.0, "budget: should be at least 0"),
        ("budget", float("nan"), "budget: should be a number of at most 1e+15"),
        ("pilot.labels", {"gold": 3}, "pilot.labels: no stratum 'gold'"),
        ("methods.probe.method", "qlora", "methods.probe.method: should be 'probe'"),
        ("exchange_rate.stratum", "gold", "exchange_rate.stratum: no stratum 'gold'"),
        ("exchange_rate.low", 99.0, "exchange_rate: its low end lies above its high end"),
        (
            "methods.probe.fitted_curves.0.low",
            [0.5],
            "methods.probe.fitted_curves.0: its lists should be of one length",
        ),
        (
            "methods.probe.surface.strata",
            ["easy"],
            "methods.probe.surface.target: should be 'hard'",
        ),
        ("methods.probe.surface.draws", [], "methods.probe.surface.draws: there is none"),
        ("methods.probe.surface.draws.0", [1.0], "methods.probe.surface.draws.0: should have"),
        ("methods.probe.surface.clean", {"hard": 0.0}, "methods.probe.surface.clean: shares"),
        ("methods.probe.surface.luck", -1.0, "methods.probe.surface.luck: should be at least 0"),
    ],
)
def test_what_does_not_fit_is_told(
    place: str, value: object, told: str, resolved_result: RunResult
) -> None:
    result: dict[str, Any] = resolved_result.model_dump()
    node: Any = result
    *path, last = place.split(".")
    for key in path:
        node = node[key] if isinstance(node, Mapping) else node[int(key)]
    node[last if isinstance(node, Mapping) else int(last)] = value
    assert (inconsistency(result) or "").startswith(told)
