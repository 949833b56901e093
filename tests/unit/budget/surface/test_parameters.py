import numpy as np
import pytest
from numpy.typing import NDArray

from budget.surface.parameters import SHARED, Normal, ParameterSpace, Prior

Array = NDArray[np.float64]
THREE = ("easy", "medium", "hard")


def column(space: ParameterSpace, natural: Array, name: str) -> Array:
    return np.asarray(natural[:, space.names.index(name)])


def centre(space: ParameterSpace, floor: float = 0.25) -> dict[str, float]:
    """Natural parameters where every normal variable is at its centre."""
    natural = space.natural(np.zeros((1, space.size)), floor)[0]
    return dict(zip(space.names, natural.tolist(), strict=True))


def test_a_normal_variable_from_a_standard_one() -> None:
    assert Normal(2.0, 0.5)(np.array([-1.0, 0.0, 3.0])).tolist() == [1.5, 2.0, 3.5]


def test_names_and_size() -> None:
    space = ParameterSpace(THREE, "hard")
    others = ["signal_easy", "signal_medium", "alignment_easy", "alignment_medium"]
    assert space.names == ["floor", *SHARED, *others]
    assert space.size == len(space.names) - 1  # the floor is known
    assert space.others == ("easy", "medium")
    assert ParameterSpace(THREE, "medium").others == ("easy", "hard")


def test_one_stratum_has_the_shared_parameters_alone() -> None:
    space = ParameterSpace(("hard",), "hard")
    assert space.names == ["floor", *SHARED]
    natural = space.natural(np.zeros((3, space.size)), 0.2)
    assert natural.shape == (3, 7)
    assert np.isfinite(natural).all()


def test_what_is_believed_at_the_centre_by_hand() -> None:
    prior = Prior(
        ceiling=Normal(0.0, 1.0),
        steepness=Normal(np.log(2), 1.0),
        half_labels=Normal(np.log(50), 1.0),
        exponent=Normal(np.log(0.8), 1.0),
        shape=Normal(0.0, 1.0),
        noise_power=Normal(np.log(1.5), 1.0),
        signal=Normal(np.log(3), 1.0),
        alignment=Normal(np.arctanh(0.6), 1.0),
    )
    found = centre(ParameterSpace(("easy", "hard"), "hard", prior), floor=0.2)
    expected = {
        "floor": 0.2,
        "ceiling": 0.6,  # logit 0: half of the way from .2 to 1
        "steepness": 2,
        "half_labels": 50,
        "exponent": 0.8,
        "shape": 1,
        "noise_power": 1.5,
        "signal_easy": 3,
        "alignment_easy": 0.6,
    }
    assert found == pytest.approx(expected)


def test_spreads_by_hand() -> None:
    prior = Prior(half_labels=Normal(np.log(50), 0.5), alignment=Normal(1.0, 2.0))
    space = ParameterSpace(("easy", "hard"), "hard", prior)
    unit = np.zeros((2, space.size))
    unit[0, SHARED.index("half_labels")] = 2.0
    unit[0, -1] = -1.0
    natural = space.natural(unit, 0.25)
    assert column(space, natural, "half_labels") == pytest.approx(np.array([50 * np.e, 50]))
    assert column(space, natural, "alignment_easy") == pytest.approx(np.tanh([-1.0, 1.0]))
    assert (natural[0] != natural[1]).sum() == 2


def test_strata_between_are_expected_half_way() -> None:
    found = centre(ParameterSpace(THREE, "hard"))
    far, near = found["signal_easy"], found["signal_medium"]
    assert near == pytest.approx(np.sqrt(far))
    far, near = np.arccos(found["alignment_easy"]), np.arccos(found["alignment_medium"])
    assert near == pytest.approx(far / 2)


def test_strata_between_keep_to_what_lies_between() -> None:
    """They vary with the farthest one and a little by themselves."""
    space = ParameterSpace(THREE, "hard")
    unit = np.random.default_rng(0).standard_normal((20_000, space.size))
    natural = space.natural(unit, 0.25)
    log_far, log_near = (np.log(column(space, natural, f"signal_{n}")) for n in ("easy", "medium"))
    assert (log_near - log_far / 2).std() == pytest.approx(Prior().between_signal, rel=0.03)
    angles = [np.arccos(column(space, natural, f"alignment_{n}")) for n in ("easy", "medium")]
    inside = angles[1] < np.pi * 0.999
    between = np.log(angles[1] / angles[0] * 2)[inside]
    assert between.std() == pytest.approx(Prior().between_alignment, rel=0.03)


def test_every_draw_of_the_prior_is_a_surface() -> None:
    space = ParameterSpace(("a", "b", "c", "d"), "c")
    natural = space.natural(np.random.default_rng(1).standard_normal((5000, space.size)), 0.3)
    drawn = dict(zip(space.names, natural.T, strict=True))
    assert (drawn["floor"] == 0.3).all()
    assert (drawn["ceiling"] > 0.3).all() and (drawn["ceiling"] < 1).all()
    for name, values in drawn.items():
        if name.startswith("alignment"):
            assert (np.abs(values) <= 1).all()
        else:
            assert (values > 0).all(), name


def test_labels_far_away_may_harm_but_seldom_do() -> None:
    space = ParameterSpace(("easy", "hard"), "hard")
    natural = space.natural(np.random.default_rng(2).standard_normal((20_000, space.size)), 0.25)
    harmful = (column(space, natural, "alignment_easy") < 0).mean()
    assert 0 < harmful < 0.25
