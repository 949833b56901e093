import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.accuracy import ItemClusters, difference_table
from analysis.efficiency import per_cost, sgr_per_cost
from analysis.estimates import Estimate

ITEMS = 200
CLUSTERS = ItemClusters(np.arange(ITEMS).astype(object))


def right(share: float, seeds: int = 2) -> NDArray[np.bool_]:
    """The first items right, as many as their share, the same for every seed."""
    return np.tile(np.arange(ITEMS) < round(share * ITEMS), (seeds, 1))


def efficiency(
    shares: dict[str, float], cost: dict[str, float], hard: float = 0.7
) -> dict[str, Estimate] | None:
    """Against a zero-shot accuracy of .30."""
    correct = {name: right(share) for name, share in shares.items()}
    return sgr_per_cost(correct, cost, right(hard), right(0.3, seeds=1), CLUSTERS)


def estimates(found: dict[str, Estimate] | None) -> dict[str, float | None]:
    assert found is not None
    return {name: own.estimate for name, own in found.items()}


def test_share_of_the_gap_over_its_cost() -> None:
    # The gap is .40 wide: .50 recovers half of it, .80 five quarters.
    found = efficiency({"all_easy": 0.5, "plan": 0.8}, {"all_easy": 100.0, "plan": 50.0})
    assert estimates(found) == pytest.approx({"all_easy": 0.5 / 100, "plan": 1.25 / 50})


def test_a_loss_is_multiplied_by_its_cost() -> None:
    # Both lose half of the gap; the dear one must come out worse.
    found = efficiency({"cheap": 0.1, "dear": 0.1}, {"cheap": 10.0, "dear": 20.0})
    assert estimates(found) == pytest.approx({"cheap": -5.0, "dear": -10.0})


def test_nothing_recovered_is_zero_at_any_cost() -> None:
    assert estimates(efficiency({"all_easy": 0.3}, {"all_easy": 7.0})) == {"all_easy": 0.0}


def test_what_costs_nothing_is_left_out() -> None:
    found = efficiency({"zero_shot": 0.3, "plan": 0.7}, {"zero_shot": 0.0, "plan": 4.0})
    assert estimates(found) == pytest.approx({"plan": 0.25})


def test_unresolved_gap_gives_none() -> None:
    assert efficiency({"plan": 0.7}, {"plan": 4.0}, hard=0.305) is None


def test_the_interval_is_that_of_the_share_end_by_end() -> None:
    rng = np.random.default_rng(0)
    plan, hard, untrained = (rng.random((3, ITEMS)) < share for share in (0.36, 0.7, 0.3))
    found = sgr_per_cost({"plan": plan}, {"plan": 4.0}, hard, untrained[:1], CLUSTERS)
    share = CLUSTERS.ratio(
        difference_table(plan, untrained[:1]), difference_table(hard, untrained[:1])
    )
    assert found is not None and share.low is not None and share.high is not None
    assert share.low < 0 < share.high
    assert (found["plan"].low, found["plan"].high) == pytest.approx((share.low * 4, share.high / 4))


def test_a_larger_share_never_comes_out_worse() -> None:
    shares = np.linspace(-1, 1, 21)
    told = [per_cost(share, 3.0) for share in shares]
    assert told == sorted(told)
