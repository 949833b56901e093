import pytest

from analysis.efficiency import sgr_per_cost
from analysis.estimates import Estimate, SupervisionGap


def point(value: float | None) -> Estimate:
    return Estimate(estimate=value, low=value, high=value)


def gap(unsupervised: float, hard: float, resolved: bool = True) -> SupervisionGap:
    return SupervisionGap(
        estimate=1.0 if resolved else None,
        low=1.0 if resolved else None,
        high=1.0 if resolved else None,
        resolved=resolved,
        easy=point(hard),
        hard=point(hard),
        unsupervised=point(unsupervised),
        gap=point(hard - unsupervised),
        labels=100,
    )


def test_share_of_the_gap_over_its_cost() -> None:
    # The gap is .40 wide: .50 recovers half of it, .80 five quarters.
    efficiency = sgr_per_cost(
        {"all_easy": 0.5, "plan": 0.8}, {"all_easy": 100.0, "plan": 50.0}, gap(0.3, 0.7)
    )
    assert efficiency == pytest.approx({"all_easy": 0.5 / 100, "plan": 1.25 / 50})


def test_a_loss_is_multiplied_by_its_cost() -> None:
    # Both lose half of the gap; the dear one must come out worse.
    efficiency = sgr_per_cost(
        {"cheap": 0.1, "dear": 0.1}, {"cheap": 10.0, "dear": 20.0}, gap(0.3, 0.7)
    )
    assert efficiency == pytest.approx({"cheap": -5.0, "dear": -10.0})


def test_nothing_recovered_is_zero_at_any_cost() -> None:
    efficiency = sgr_per_cost({"all_easy": 0.3}, {"all_easy": 7.0}, gap(0.3, 0.7))
    assert efficiency == {"all_easy": 0.0}


def test_what_costs_nothing_is_left_out() -> None:
    efficiency = sgr_per_cost(
        {"zero_shot": 0.3, "plan": 0.7}, {"zero_shot": 0.0, "plan": 4.0}, gap(0.3, 0.7)
    )
    assert efficiency == pytest.approx({"plan": 0.25})


def test_unresolved_gap_gives_none() -> None:
    assert sgr_per_cost({"plan": 0.7}, {"plan": 4.0}, gap(0.3, 0.31, resolved=False)) is None
