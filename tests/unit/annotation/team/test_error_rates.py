from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from annotation.errors import InputError
from annotation.judgments.table import validate_judgments
from annotation.labelling.simulated_team import Workplace, simulate_judgments
from annotation.team.error_rates import FEWEST_GOLD, ErrorRates
from annotation.truth.coding import Coded, code_judgments

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


@pytest.mark.parametrize(
    ("people", "overlap", "gold", "highest"),
    [(10, 5, 20, 0.16), (5, 5, 30, 0.15), (3, 3, 29, 0.18)],
)
def test_a_crowd_without_a_mistake_is_said_to_make_few(
    people: int, overlap: int, gold: int, highest: float
) -> None:
    coded = clean_crowd(people, overlap, gold)
    rates = ErrorRates(coded)
    found = rates.stratum(0)
    assert found.method == "gold"
    assert found.rate.estimate == pytest.approx(0.0, abs=0.005)
    low, high = found.rate.bounds
    assert low == pytest.approx(0.0, abs=0.005)
    assert 1 - 0.05 ** (1 / gold) - 0.02 < high < highest
    assert (found.more_gold or 0) < 10
    labels = rates.label_error(0, rates._models.calibrated().likeliest_unchecked)
    assert labels.estimate is not None and labels.estimate < 0.06
    assert labels.low == pytest.approx(0.0, abs=0.005)


def test_a_few_right_gold_answers_never_make_a_rate_worse() -> None:
    without = ErrorRates(clean_crowd(2, 2, 0)).stratum(0).rate
    few = ErrorRates(clean_crowd(2, 2, 9)).stratum(0).rate
    assert without.estimate is not None and few.estimate is not None
    assert few.estimate < without.estimate
    assert few.bounds[1] < without.bounds[1]


def clean_crowd(people: int, overlap: int, gold: int) -> Coded:
    """100 items of three classes, all judged right by some of the people; the first are gold."""
    rng = np.random.default_rng(1)
    rows = []
    for item in range(100):
        label = f"c{item % 3}"
        for person in rng.choice(people, overlap, replace=False):
            rows.append((f"i{item}", f"p{person}", label, label if item < gold else None))
    columns = ["item_id", "annotator", "label", "gold"]
    return code_judgments(
        validate_judgments(pd.DataFrame(rows, columns=columns).astype(object), "clean")
    )


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
    assert rates.label_error(0, np.ones((50, 2), dtype=bool)).estimate is None


def test_labels_that_are_drawn_err_by_the_chance_of_the_draw() -> None:
    simulation = simulate_judgments(Workplace(judgments_per_item=3), 3)
    rates = ErrorRates(code_judgments(simulation.judgments))
    posteriors = rates._models.calibrated().posteriors
    rank = (-posteriors).argsort(axis=1).argsort(axis=1)
    best = -np.sort(-posteriors, axis=1)
    own = rates.coded.stratum == 0
    for several in (1, 2):
        found = rates.label_error(0, rank < several)
        assert found.estimate == pytest.approx(1 - best[own, :several].mean())
        assert found.estimate is not None
        assert found.bounds[0] < found.estimate < found.bounds[1]


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
        found = rates.label_error(stratum, aggregate.likeliest).estimate
        judged = rates.stratum(stratum).rate.estimate
        assert found is not None
        assert judged is not None
        assert found < judged
        # These people share no mistakes; that they might adds to what is said.
        own = np.flatnonzero(coded.stratum == stratum)
        by_model = 1 - rates._models.aggregate().posteriors[own, labels[own]].mean()
        assert by_model == pytest.approx(wrong, abs=0.08)
        assert by_model < found < by_model + 0.2
