from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.terms.cost import LabelTerms, mix_cost
from budget.market.market import Market
from budget.search.batches import on_the_way, rank_batches, training_parts
from budget.surface.fit import fit_surface
from budget.surface.parameters import Normal, Prior
from budget.surface.response import ResponseSurface
from tests.markets import standing_at

STRATA = ("easy", "hard")
GROUPS: NDArray[np.object_] = np.empty(0, dtype=object)


def terms(hard: str = "2") -> dict[str, LabelTerms]:
    return {
        "easy": LabelTerms(Decimal(1), 0.0, "redraw"),
        "hard": LabelTerms(Decimal(hard), 0.0, "redraw"),
    }


def prior_surface(prior: Prior | None = None, draws: int = 600) -> ResponseSurface:
    return fit_surface([], STRATA, "hard", None, 0.25, GROUPS, draws=draws, prior=prior)


def start(money: str = "600", hard: str = "2") -> Market:
    return standing_at(STRATA, terms(hard), dict.fromkeys(STRATA, 2000), {}, Decimal(money))


def sure(belief: Normal) -> Normal:
    return Normal(belief.centre, 0.0)


def test_where_all_is_known_nothing_can_be_learnt() -> None:
    prior = Prior()
    fixed = replace(
        prior,
        ceiling=sure(prior.ceiling),
        steepness=sure(prior.steepness),
        half_labels=sure(prior.half_labels),
        exponent=sure(prior.exponent),
        shape=sure(prior.shape),
        noise_power=sure(prior.noise_power),
        signal=sure(prior.signal),
        alignment=sure(prior.alignment),
    )
    ranked = rank_batches(prior_surface(fixed), start(), np.random.default_rng(0))
    assert max(batch.gain for batch in ranked) == pytest.approx(0, abs=1e-3)
    assert min(batch.gain for batch in ranked) > -0.2


def test_where_transfer_is_unknown_a_small_batch_is_worth_its_cost() -> None:
    ranked = rank_batches(prior_surface(), start(), np.random.default_rng(0))
    assert ranked[0].gain > 0.005
    assert [batch.gain for batch in ranked] == sorted((b.gain for b in ranked), reverse=True)
    assert "easy" in ranked[0].labels  # it is easy labels whose worth is unknown
    assert mix_cost(ranked[0].labels, terms()) <= 300


def test_no_batch_costs_more_than_half_the_money() -> None:
    for batch in rank_batches(prior_surface(), start("37"), np.random.default_rng(0)):
        assert mix_cost(batch.labels, terms()) <= Decimal("18.5")


def test_without_money_there_is_no_batch() -> None:
    assert rank_batches(prior_surface(), start("0"), np.random.default_rng(0)) == []
    assert on_the_way(prior_surface(), start("0"), 0.5) == {}


def test_on_the_way_is_a_part_of_the_best_purchase() -> None:
    # Hard labels that cost nothing more than easy ones, and clearly aligned easy labels of no use.
    useless = Prior(alignment=Normal(0.0, 0.01))
    part = on_the_way(prior_surface(useless), start("100", hard="1"), 0.25)
    assert part == {"hard": 25}


def test_parts_by_hand() -> None:
    parts = training_parts(np.array([8, 4]), (0.5, 1.0))
    assert parts.tolist() == [[4, 0], [4, 2], [8, 0], [0, 4], [8, 4]]  # 2 hard alone are too few


def test_parts_of_one_stratum() -> None:
    assert training_parts(np.array([8, 0]), (1.0,)).tolist() == [[8, 0]]
