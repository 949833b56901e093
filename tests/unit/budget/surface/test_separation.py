import pytest

from budget.surface.separation import Separation, separations
from training.unlabelled.reading import Reading
from training.unlabelled.told import reading_size


def reading(scatter: float, lift: float = 1.0) -> Reading:
    """Noise of 1; the target's lift adds half of its square."""
    return Reading(1.0, lift, {"easy": scatter}, {"easy": 0.5}, {"easy": 0.01})


def test_what_scatters_above_the_noise_is_separation() -> None:
    """The target's own .5 above the noise, three times over: .65 of the 3 is believed."""
    found = separations([reading(2.5)])["easy"]
    assert found.square == pytest.approx(0.65 * 3)
    # .4 of the 3, .07 of the noise against .5, and the sampling error
    assert found.deviation == pytest.approx((1.2**2 + 0.14**2 + 0.02**2) ** 0.5, abs=0.002)


def test_that_a_stratum_is_just_like_the_target_is_within_a_deviation() -> None:
    found = separations([reading(1.5)])["easy"]
    assert found.square < 1 < found.square + found.deviation


def test_less_scatter_than_noise_is_no_separation() -> None:
    found = separations([reading(0.8)])["easy"]
    assert found.square == 0.0
    assert found.deviation == pytest.approx(0.14, abs=0.01)


def test_a_probe_that_hardly_tells_the_classes_says_little() -> None:
    assert separations([reading(1.05, lift=0.2)])["easy"].deviation > 3


def test_readings_are_averaged() -> None:
    assert separations([reading(1.2), reading(1.6)]) == separations([reading(1.4)])


@pytest.mark.parametrize("nothing", [[], [reading(2.0, lift=-0.5)]])
def test_nothing_to_say(nothing: list[Reading]) -> None:
    assert separations(nothing) == {}


def test_deviations_are_those_of_the_square() -> None:
    assert Separation(1.0, 0.44).at(1) == pytest.approx(1.2)
    assert [Separation(1.0, 0.44).at(own) for own in (0, -3)] == [1.0, 0.0]


def test_half_of_the_test_set_teaches() -> None:
    assert [reading_size(items) for items in (0, 19, 20, 101)] == [0, 0, 10, 50]
