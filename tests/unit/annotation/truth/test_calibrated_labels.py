from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.truth.coding import NO_GOLD, code_judgments
from annotation.truth.fitted_models import FittedModels, votes
from annotation.truth.shared_mistakes import PUBLISHED

Make = Callable[..., pd.DataFrame]


@pytest.mark.parametrize("method", ["hardness", "dawid_skene", "one_coin"])
def test_labels_are_as_sure_as_shared_mistakes_let_them_be(method: str) -> None:
    coded = code_judgments(simulate_judgments(Workplace(), 1).judgments)
    models = FittedModels(coded)
    model = models.aggregate(method)  # type: ignore[arg-type]
    found = models.calibrated(method)  # type: ignore[arg-type]
    share = PUBLISHED.mean_share
    mixed = (1 - share) * model.posteriors + share * models.one_more_answer
    assert found.posteriors == pytest.approx(mixed)
    assert found.posteriors.sum(axis=1) == pytest.approx(np.ones(len(coded.item_ids)))
    assert found.confidence.mean() < model.confidence.mean()


def test_the_share_of_a_majority_is_taken_as_it_is() -> None:
    models = FittedModels(code_judgments(simulate_judgments(Workplace(), 1).judgments))
    assert models.calibrated("majority") is models.aggregate("majority")


@pytest.mark.parametrize("method", ["hardness", "dawid_skene", "majority"])
def test_a_gold_item_is_certain_but_what_judgments_say_of_it_is_kept(method: str) -> None:
    simulation = simulate_judgments(Workplace(gold=0.2), 1)
    coded = code_judgments(simulation.judgments)
    gold = np.flatnonzero(coded.gold != NO_GOLD)
    found = FittedModels(coded).aggregate(method)  # type: ignore[arg-type]
    assert (found.posteriors[gold, coded.gold[gold]] == 1).all()
    blind = found.unchecked[gold, coded.gold[gold]]
    assert blind.min() < 0.9
    # The parameters know gold; but for that, it is what a fit without gold says.
    none = FittedModels(replace(coded, gold=np.full_like(coded.gold, NO_GOLD)))
    without = none.aggregate(method).posteriors[gold, coded.gold[gold]]  # type: ignore[arg-type]
    assert np.corrcoef(blind, without)[0, 1] > 0.9
    rest = np.setdiff1d(np.arange(len(coded.item_ids)), gold)
    assert found.unchecked[rest] == pytest.approx(found.posteriors[rest], abs=1e-6)


def test_votes_are_counted_choice_by_choice(make: Make) -> None:
    rows = [("a", "x", "yes"), ("a", "y", "no"), ("a", "z", "no"), ("b", "x", "yes")]
    coded = code_judgments(make(rows))
    counts = {
        (str(coded.item_ids[item]), coded.text(item, code)): count
        for item, row in enumerate(votes(coded))
        for code, count in enumerate(row)
    }
    assert counts == {("a", "yes"): 1, ("a", "no"): 2, ("b", "yes"): 1, ("b", "no"): 0}
