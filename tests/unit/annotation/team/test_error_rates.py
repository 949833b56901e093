from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.team.error_rates import FEWEST_GOLD, ErrorRates
from annotation.truth.coding import code_judgments

Make = Callable[..., pd.DataFrame]


def test_wrong_answers_to_gold_questions_are_counted(make: Make) -> None:
    rows = [
        (f"i{n}", who, "no" if n < 3 and who == "x" else "yes") for n in range(10) for who in "xy"
    ]
    coded = code_judgments(make(rows, gold=["yes"] * 20))
    rates = ErrorRates(coded)
    found = rates.stratum(0)
    assert (found.method, found.judgments) == ("gold", 20)
    assert found.rate.estimate == 0.15
    by_annotator = ErrorRates(coded, "gold").annotators()
    assert [each.rate.estimate for each in by_annotator] == [0.3, 0.0]


def test_too_few_gold_answers_leave_it_to_a_model() -> None:
    simulation = simulate_judgments(Workplace(items={"easy": 60, "hard": 60}, gold=0.05), 2)
    coded = code_judgments(simulation.judgments)
    on_gold = np.bincount(coded.judged_stratum[coded.gold[coded.item] >= 0], minlength=2)
    assert (on_gold < FEWEST_GOLD).all()
    found = ErrorRates(coded).stratum(1)
    assert found.method == "hardness"
    assert found.judgments == (coded.judged_stratum == 1).sum()


def test_gold_without_gold_questions_is_refused() -> None:
    coded = code_judgments(simulate_judgments(Workplace(), 0).judgments)
    with pytest.raises(InputError, match="no answers to gold questions"):
        ErrorRates(coded, "gold")
    with pytest.raises(InputError, match="error method 'guess' is unknown"):
        ErrorRates(coded, "guess")  # type: ignore[arg-type]


def test_a_posterior_gives_its_mean_probability_of_being_wrong(make: Make) -> None:
    rows = [(item, who, "no" if who == "z" else "yes") for item in "abcde" for who in "xyz"]
    found = ErrorRates(code_judgments(make([*rows, ("f", "x", "no")])), "majority").stratum(0)
    assert found.by_agreement is not None
    assert found.by_agreement.estimate == pytest.approx(5 * (1 / 3 + 1 / 3 + 2 / 3) / 16)
    assert found.shared_mistakes == "not excluded"
    assert found.rate.estimate is not None and found.by_agreement.estimate is not None
    assert found.rate.estimate > found.by_agreement.estimate


def test_without_overlap_nothing_is_known_of_errors() -> None:
    workplace = Workplace(items={"hard": 50}, judgments_per_item=1)
    rates = ErrorRates(code_judgments(simulate_judgments(workplace, 0).judgments))
    assert rates.stratum(0).rate.estimate is None
    assert rates.annotators()[0].rate.estimate is None
    assert rates.label_error(0, np.ones((50, 2), dtype=bool)) is None


def test_labels_that_are_drawn_err_by_the_chance_of_the_draw() -> None:
    simulation = simulate_judgments(Workplace(judgments_per_item=3), 3)
    rates = ErrorRates(code_judgments(simulation.judgments))
    posteriors = rates._calibrated.posteriors
    choices = posteriors.shape[1]
    first = np.tile(np.arange(choices) == 0, (len(posteriors), 1))
    two = np.tile(np.arange(choices) <= 1, (len(posteriors), 1))
    own = rates.coded.stratum == 0
    assert rates.label_error(0, first) == pytest.approx(1 - posteriors[own, 0].mean())
    assert rates.label_error(0, two) == pytest.approx(1 - posteriors[own, :2].mean())


def test_wrong_labels_are_fewer_than_wrong_judgments() -> None:
    simulation = simulate_judgments(Workplace(judgments_per_item=5), 3)
    coded = code_judgments(simulation.judgments)
    rates = ErrorRates(coded)
    aggregate = rates._models.aggregate()
    labels = aggregate.labels(coded)
    answers = dict(zip(simulation.item_ids, simulation.answers, strict=True))
    right = [coded.text(i, c) == answers[coded.item_ids[i]] for i, c in enumerate(labels)]
    for stratum in (0, 1):
        wrong = 1 - np.mean(np.array(right)[coded.stratum == stratum])
        found = rates.label_error(stratum, aggregate.likeliest)
        judged = rates.stratum(stratum).rate.estimate
        assert found is not None
        assert judged is not None
        assert found < judged
        # These people share no mistakes; that they might adds to what is said.
        own = np.flatnonzero(coded.stratum == stratum)
        by_model = 1 - rates._models.aggregate().posteriors[own, labels[own]].mean()
        assert by_model == pytest.approx(wrong, abs=0.08)
        assert by_model < found < by_model + 0.2
