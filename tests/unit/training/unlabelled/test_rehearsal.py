from decimal import Decimal

import numpy as np
import pytest

from annotation.terms.cost import LabelTerms
from tests.unit.training.unlabelled.conftest import NONE, Clusters
from training.unlabelled.guessing import Guess, Mixture
from training.unlabelled.rehearsal import (
    Guessed,
    Guesser,
    Known,
    imagined_purchase,
)

NOTHING = Mixture(np.zeros((2, 1)), np.zeros(2), np.zeros(1))


def guessed(probabilities: list[list[float]], first: int = 0) -> Guessed:
    said = np.array(probabilities)
    rows = np.arange(first, first + len(said))
    return Guessed(rows, Guess(said, said, NOTHING, 0.0), 0.0)


def test_answers_are_drawn_as_often_as_they_are_guessed() -> None:
    sure = guessed([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    rows, answers = sure.draw(2, np.random.default_rng(0))
    assert dict(zip(rows.tolist(), answers.tolist(), strict=True)) == {0: 0, 1: 2}
    unsure = guessed([[0.2, 0.5, 0.3]] * 5000)
    _, answers = unsure.draw(5000, np.random.default_rng(0))
    assert np.bincount(answers) / 5000 == pytest.approx([0.2, 0.5, 0.3], abs=0.03)


def test_fewer_are_the_beginning_of_more() -> None:
    own = guessed([[0.5, 0.5]] * 50)
    few, some = (own.draw(count, np.random.default_rng(3)) for count in (10, 50))
    assert few[0].tolist() == some[0][:10].tolist()


def test_imagined_labels_err_as_bought_ones_do() -> None:
    sure = {"easy": guessed([[1.0, 0.0]] * 4000), "hard": guessed([[0.0, 1.0]] * 4000, 4000)}
    terms = {
        "easy": LabelTerms(Decimal(1), 0.0, "redraw"),
        "hard": LabelTerms(Decimal(2), 0.3, "flip"),
    }
    rows, labels = imagined_purchase(
        sure,
        {"easy": 3000, "hard": 3000},
        terms,
        np.full(8000, 2),
        lambda name: np.random.default_rng(len(name)),
    )
    assert (rows[:3000] < 4000).all() and (rows[3000:] >= 4000).all()
    assert len(np.unique(rows)) == 6000
    assert (labels[:3000] == 0).all()
    assert (labels[3000:] == 0).mean() == pytest.approx(0.3, abs=0.03)


@pytest.fixture
def guesser(clusters: Clusters) -> Guesser:
    return Guesser(**clusters.guesser(np.arange(100, 200)))


def test_guesses_without_any_label_start_from_the_probe(guesser: Guesser) -> None:
    found = guesser.guess(np.arange(200, 400), NONE)
    assert found.rows.tolist() == list(range(200, 400))
    assert (found.guess.probabilities.argmax(1) == np.arange(200) % 2).mean() > 0.98
    assert found.surprise == 0.0
    assert abs(guesser.overconfidence(found, np.arange(100), np.arange(100) % 2)) < 0.01


def test_labels_that_contradict_the_guesses_surprise(guesser: Guesser) -> None:
    """Forty labels that are right, and forty of which a third is not."""
    rows = np.arange(200, 240)
    answers = rows % 2
    none = np.zeros(40)
    fine = guesser.guess(np.arange(240, 400), Known(rows, answers, none))
    assert fine.rows.tolist() == list(range(200, 400))
    assert fine.surprise < 1
    wrong = np.where(np.arange(40) % 3 == 0, 1 - answers, answers)
    assert guesser.guess(np.arange(240, 400), Known(rows, wrong, none)).surprise > 5
    # Told that a third is wrong, the same labels are what one would expect.
    expected = guesser.guess(np.arange(240, 400), Known(rows, wrong, np.full(40, 2 / 3)))
    assert expected.surprise < 1


def test_overconfidence_is_how_much_surer_than_right(guesser: Guesser) -> None:
    found = guesser.guess(np.arange(200, 400), NONE)
    wrong = 1 - np.arange(50) % 2
    assert guesser.overconfidence(found, np.arange(50), wrong) == pytest.approx(1.0, abs=0.01)
