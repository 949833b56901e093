import numpy as np
import pytest

from budget.surface.fit import fit_surface
from budget.surface.rehearsal import Control, GuessBasis, Rehearsal, rehearsal
from training.unlabelled.told import Rehearsed


def seeds(
    accuracies: tuple[float, ...], surprise: float = 0.0, over: float = 0.0
) -> list[Rehearsed]:
    return [Rehearsed(own, surprise, over) for own in accuracies]


@pytest.mark.parametrize(
    ("accuracies", "over", "chance", "sound"),
    [
        ((0.68, 0.7), 0.02, 0.5, True),
        ((0.64, 0.66), 0.02, 0.5, True),  # 5 points below
        ((0.63, 0.65), 0.02, 0.5, False),
        ((0.76, 0.77), 0.02, 0.5, False),  # above is no better
        ((0.68, 0.7), 0.12, 0.5, False),
        ((0.68, 0.7), 0.02, 0.61, False),  # lent labels teach 9 points: nothing is told
    ],
)
def test_control(accuracies: tuple[float, float], over: float, chance: float, sound: bool) -> None:
    control = Control.of(seeds(accuracies, over=over), 0.7, chance)
    assert control.learnt == pytest.approx(0.7 - chance)
    assert control.missed == pytest.approx(sum(accuracies) / 2 - 0.7)
    assert control.overconfidence == pytest.approx(over)
    assert control.sound == sound


@pytest.mark.parametrize(("test_items", "times"), [(1000, 1.0), (4000, 1.0), (250, 2.0)])
def test_deviation_by_hand(test_items: int, times: float) -> None:
    """.012, half of what was missed, 1 / labels and luck of two seeds, added as lengths are.

    The first of them is twice as much with a quarter of the test items.
    """
    evidence = GuessBasis(50, 2, test_items)
    found = rehearsal({"easy": 368}, seeds((0.6, 0.62)), Control(-0.02, 0.0, 0.2), evidence)
    assert found is not None
    assert found.labels == {"easy": 368}
    assert found.accuracy == pytest.approx(0.61)
    parts = (0.012 * times) ** 2 + 0.01**2 + 0.02**2 + 0.27**2 / 400 / 2
    assert found.deviation == pytest.approx(np.sqrt(2 * parts))


def test_guesses_that_bought_labels_contradict_are_not_told() -> None:
    told = [*seeds((0.6,)), *seeds((0.6,), surprise=3.0)]
    assert rehearsal({"easy": 100}, told, Control(0.0, 0.0, 0.2), GuessBasis(50, 1, 1000)) is None


def test_the_fit_follows_rehearsals() -> None:
    """Of easy labels nothing is known but a rehearsal: the surface goes where it says."""

    def easy(rehearsals: list[Rehearsal]) -> tuple[float, float]:
        surface = fit_surface(
            [],
            ("easy", "hard"),
            "hard",
            None,
            0.5,
            np.array(["a", "b"], dtype=object),
            rehearsals=rehearsals,
        )
        draws = surface.predict([{"easy": 300}], offset=False)
        return float(draws.mean()), float(draws.std())

    _, wide = easy([])
    for accuracy in (0.55, 0.75):
        mean, deviation = easy([Rehearsal({"easy": 300}, accuracy, 0.01)])
        assert mean == pytest.approx(accuracy, abs=0.01)
        assert deviation < 0.02 < wide
