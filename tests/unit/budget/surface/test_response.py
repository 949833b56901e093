import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from budget.surface.parameters import SHARED
from budget.surface.response import ResponseSurface

Array = NDArray[np.float64]
Surface = Callable[..., ResponseSurface]
MIXES: list[dict[str, int]] = [
    {},
    {"hard": 40},
    {"easy": 9},
    {"easy": 7, "medium": 0, "hard": 3},
    {"medium": 100, "easy": 1},
    {"easy": 2000, "medium": 300, "hard": 50},
]


def random_values(draws: int, seed: int = 0) -> dict[str, Array]:
    """Draws of every parameter of a surface over three strata, harm and all."""
    rng = np.random.default_rng(seed)
    floor = rng.uniform(0.1, 0.4, draws)
    values = {
        "floor": floor,
        "ceiling": rng.uniform(0.5, 0.9, draws),
        "test_offset": rng.normal(0, 0.02, draws),
    }
    for name in SHARED[1:]:
        values[name] = np.exp(rng.normal(0, 0.4, draws))
    values["half_labels"] = rng.uniform(5, 500, draws)
    for name in ("easy", "medium"):
        values[f"signal_{name}"] = rng.uniform(0.2, 3, draws)
        values[f"alignment_{name}"] = rng.uniform(-0.5, 1, draws)
    return values


def plain_agreement(
    v: Mapping[str, float], mix: Mapping[str, int], clean: Mapping[str, float]
) -> float:
    """The slow twin of the formula, one draw and one mix."""
    if not any(mix.values()):
        return 0.0
    along = beside = 0.0
    for name, labels in mix.items():
        pull = labels * clean.get(name, 1.0) ** v["noise_power"]
        if name == "hard":
            along += pull
        else:
            cosine = v[f"alignment_{name}"]
            along += pull * v[f"signal_{name}"] * cosine
            beside += pull * v[f"signal_{name}"] * math.sqrt(1 - cosine**2)
    length = math.hypot(along, beside)
    one_label = v["half_labels"] * (2 ** (1 / v["shape"]) - 1) ** (1 / v["exponent"])
    grown = length**2 / (one_label * sum(mix.values()))
    return along / length * float((1 + grown ** -v["exponent"]) ** -v["shape"])


def plain_accuracy(
    v: Mapping[str, float], mix: Mapping[str, int], clean: Mapping[str, float]
) -> float:
    steepness = v["steepness"] / math.sqrt(2)
    grown = math.erf(steepness * plain_agreement(v, mix, clean)) / math.erf(steepness)
    return v["floor"] + (v["ceiling"] - v["floor"]) * grown


def test_predict_by_hand(make_surface: Surface) -> None:
    # Clean easy labels are .5^2 of what they would be: 40 * .25 * .5 = 5, of which .6 * 5 = 3 are
    # along the target and .8 * 5 = 4 beside it. V = (33, 4), |V|^2 = 1105, N = 70, D = 50:
    # x = 1105 / 3500 = .31571, learnt = x / (1 + x) = .23996, cosine = 33 / sqrt(1105) = .99273.
    surface = make_surface(
        {"easy": 0.25}, alignment_easy=0.6, half_labels=50.0, noise_power=2.0, clean={"easy": 0.5}
    )
    agreement = 0.23996 * 0.99273
    found = surface.predict([{"easy": 40, "hard": 30}])[0, 0]
    assert found == pytest.approx(0.3 + 0.6 * agreement, abs=1e-5)


def test_a_steep_answer_by_hand(make_surface: Surface) -> None:
    # 100 labels learn half. erf(1 / sqrt 2) = .6827 and erf(.5 / sqrt 2) = .3829, those of the
    # normal distribution within one and within half a standard deviation.
    found = make_surface({"easy": 1.0}, steepness=1.0).predict([{"hard": 100}])[0, 0]
    assert found == pytest.approx(0.3 + 0.6 * 0.38292 / 0.68269, abs=1e-5)


@pytest.mark.parametrize("clean", [{}, {"easy": 0.9, "medium": 0.02, "hard": 0.5}])
def test_predict_is_a_plain_loop_over_the_formula(
    make_surface: Surface, clean: dict[str, float]
) -> None:
    values = random_values(7)
    surface = make_surface({"easy": 1.0, "medium": 1.0}, clean=clean, **values)
    expected = np.empty((7, len(MIXES)))
    for row in range(7):
        v = {name: float(draws[row]) for name, draws in values.items()}
        for column, mix in enumerate(MIXES):
            expected[row, column] = plain_accuracy(v, mix, clean)
    np.testing.assert_allclose(surface.predict(MIXES, offset=False), expected, rtol=1e-6)
    with_offset = (expected + values["test_offset"][:, None]).clip(0, 1)
    np.testing.assert_allclose(surface.predict(MIXES), with_offset, rtol=1e-6)


def test_labels_may_be_as_clean_as_one_asks(make_surface: Surface) -> None:
    values = random_values(5)
    bought = make_surface({"easy": 1.0, "medium": 1.0}, clean={"hard": 0.4}, **values)
    other = make_surface({"easy": 1.0, "medium": 1.0}, clean={"easy": 0.3}, **values)
    asked = bought.predict(MIXES, clean={"easy": 0.3})
    assert np.array_equal(asked, other.predict(MIXES))
    assert (asked != bought.predict(MIXES)).any()


def test_half_labels_learn_half(make_surface: Surface) -> None:
    values = random_values(20) | {"steepness": np.full(20, 1e-6), "test_offset": np.zeros(20)}
    values["half_labels"] = np.full(20, 64.0)
    found = make_surface({"easy": 1.0, "medium": 1.0}, **values).predict([{"hard": 64}])[:, 0]
    np.testing.assert_allclose(found, (values["floor"] + values["ceiling"]) / 2, rtol=1e-6)


def test_one_stratum_is_linear_discriminant_analysis() -> None:
    """With exponent 1 and shape 1/2: the cosine of a mean of n draws to the mean, n / (n + D)."""
    names = ResponseSurface(("hard",), "hard", np.empty((0, 0)), 0.0, 0.0).parameter_names
    assert names == ["floor", *SHARED, "test_offset"]
    own = {"floor": 0.0, "ceiling": 1.0, "steepness": 1e-6, "half_labels": 20.0}
    own |= {"exponent": 1.0, "shape": 0.5, "noise_power": 1.0, "test_offset": 0.0}
    surface = ResponseSurface(("hard",), "hard", np.array([[own[n] for n in names]]), 0.0, 0.0)
    # Half is learnt where n / (n + D) = 1 / 4: D = 3 * 20.
    expected = [math.sqrt(n / (n + 60)) for n in (1, 20, 300)]
    found = surface.predict([{"hard": n} for n in (1, 20, 300)])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_accuracy_is_predicted_beyond_one_or_below_zero(make_surface: Surface) -> None:
    draws = make_surface({"easy": [1.0, 1.0]}, floor=0.5, test_offset=np.array([0.6, -0.6]))
    assert draws.predict([{}]).tolist() == [[1.0], [0.0]]
    assert draws.predict([{}], offset=False).tolist() == [[0.5], [0.5]]


def test_the_target_need_not_be_the_hardest_stratum(make_surface: Surface) -> None:
    middle = make_surface({"easy": 4.0, "hard": 0.25}, target="medium", half_labels=50.0)
    assert middle.others == ("easy", "hard")
    assert [n for n in middle.parameter_names if n.startswith("signal_")] == [
        "signal_easy",
        "signal_hard",
    ]
    assert middle.rates("medium", 9).tolist() == [1.0]
    assert middle.rates("hard", 9) == pytest.approx(0.25)
    # (10 + 2 * 15 + 20 / 2)^2 / 45 = 55.56, of 50 at half
    mix = {"easy": 15, "medium": 10, "hard": 20}
    expected = 0.3 + 0.6 * 55.5556 / 105.5556
    assert middle.predict([mix])[0, 0] == pytest.approx(expected, abs=1e-6)


# -- mixtures ---------------------------------------------------------------------------------


def test_labels_that_point_the_same_way_are_interchangeable(make_surface: Surface) -> None:
    found = make_surface({"easy": 1.0}).predict([{"hard": 90}, {"easy": 30, "hard": 60}])
    assert found[0, 0] == pytest.approx(found[0, 1])


def test_labels_that_point_elsewhere_level_off_lower_and_harm_better_ones(
    make_surface: Surface,
) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=0.5)
    few, many, hard, both = surface.predict(
        [{"easy": 100}, {"easy": 10**9}, {"hard": 1000}, {"easy": 10_000, "hard": 1000}]
    )[0]
    assert few < many
    assert many == pytest.approx(0.3 + 0.6 * 0.5)  # a cosine of .5 and nothing left to chance
    assert both < hard


def test_noisy_labels_among_clean_ones_add_more_chance_than_they_teach(
    make_surface: Surface,
) -> None:
    surface = make_surface({"easy": 1.0}, clean={"easy": 0.1})
    # (100 + .1 * 100)^2 / 200 = 60.5, against 100 without them
    both, alone = surface.predict([{"easy": 100, "hard": 100}, {"hard": 100}])[0]
    assert both == pytest.approx(0.3 + 0.6 * 60.5 / 160.5)
    assert alone == pytest.approx(0.6)


# -- exchange rates ---------------------------------------------------------------------------


def test_rates_by_hand(make_surface: Surface) -> None:
    surface = make_surface({"easy": [2.0, 4.0]}, clean={"easy": 0.9, "hard": 0.8})
    # Rates of clean labels, times (.9 / .8)^2 for the signal that errors leave.
    for labels in (0, 1, 50):
        np.testing.assert_allclose(surface.rates("easy", labels), [2 * 1.265625, 4 * 1.265625])
    assert surface.rates("hard", 50).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("labels", [1, 30, 900])
def test_a_rate_is_how_many_target_labels_teach_as_much(make_surface: Surface, labels: int) -> None:
    """Against the definition: search the target's own curve for the accuracy of these labels."""
    values = random_values(12) | {"floor": np.zeros(12)}  # small gains are not lost to rounding
    values["alignment_easy"] = np.random.default_rng(1).uniform(0.2, 0.95, 12)
    clean = {"easy": 0.8, "hard": 0.6}
    surface = make_surface({"easy": 1.0, "medium": 1.0}, clean=clean, **values)
    shares = surface.clean_shares()[None]
    for row, rate in enumerate(surface.rates("easy", labels)):
        v = {name: float(draws[row]) for name, draws in values.items()}
        wanted = plain_accuracy(v, {"easy": labels}, clean)
        low, high = -30.0, 60.0  # logs of numbers of labels
        for _ in range(200):
            middle = (low + high) / 2
            counts = np.array([[0.0, 0.0, math.exp(middle)]])
            enough = surface.accuracy(counts, shares)[row, 0] >= wanted
            low, high = (low, middle) if enough else (middle, high)
        assert rate * labels == pytest.approx(math.exp(low), rel=1e-6)


@pytest.mark.parametrize("alignment", [0.0, -0.4])
def test_labels_that_teach_nothing_or_harm_are_worth_nothing(
    make_surface: Surface, alignment: float
) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=alignment)
    assert surface.rates("easy", 50).tolist() == [0.0]


def test_rates_fall_where_labels_level_off_lower(make_surface: Surface) -> None:
    surface = make_surface({"easy": 1.0}, alignment_easy=0.6)
    rates = [float(surface.rates("easy", labels)[0]) for labels in (1, 10, 100, 1000, 10**6)]
    assert rates == sorted(rates, reverse=True)
    # However many, .6 of the way: that of n / (n + 100) = .6, so 150 hard labels.
    assert rates[-1] * 10**6 == pytest.approx(150, rel=1e-3)


def test_a_stratum_that_is_not_for_sale_has_no_rate(make_surface: Surface) -> None:
    with pytest.raises(ValueError, match="not in"):
        make_surface({"easy": 1.0}).rates("medium", 0)


def test_marginal_rates_by_hand(make_surface: Surface) -> None:
    # h hard and e easy labels count as (h + 2 e)^2 / (h + e) = (h + e) s^2. At h = e, s = 1.5, one
    # easy label more adds 2 * 2 s - s^2 = 3.75 and a hard one 2 s - s^2 = .75: five times as much.
    surface = make_surface({"easy": 4.0}, half_labels=1e5)
    mix = {"easy": 10_000, "hard": 10_000}
    assert surface.marginal_rates("easy", mix)[0] == pytest.approx(5, rel=1e-3)
    assert surface.marginal_rates("hard", mix).tolist() == [1.0]


def test_marginal_rates_are_differences_of_accuracy(make_surface: Surface) -> None:
    values = random_values(9)
    surface = make_surface({"easy": 1.0, "medium": 1.0}, **values)
    mix, step = {"easy": 20, "hard": 35}, 4
    more = [mix, {"easy": 20, "medium": 4, "hard": 35}, {"easy": 20, "hard": 39}]
    here, own, target = surface.predict(more, offset=False).T
    found = surface.marginal_rates("medium", mix, step)
    for row in range(9):
        if target[row] > here[row]:
            assert found[row] == pytest.approx((own[row] - here[row]) / (target[row] - here[row]))
        else:
            assert np.isnan(found[row])


def test_the_first_label_has_a_marginal_rate_too(make_surface: Surface) -> None:
    # One label alone: 4 / 104 against 1 / 101 of the way.
    found = make_surface({"easy": 4.0}).marginal_rates("easy", {})
    assert found[0] == pytest.approx((4 / 104) / (1 / 101), rel=1e-6)


def test_labels_that_harm_have_a_negative_marginal_rate(make_surface: Surface) -> None:
    surface = make_surface({"easy": [1.0, 1.0]}, alignment_easy=np.array([-0.5, 1.0]))
    harmful, helpful = surface.marginal_rates("easy", {"hard": 50}, step=10)
    assert harmful < 0 < helpful
    assert helpful == pytest.approx(1)


def test_where_target_labels_add_nothing_no_marginal_rate_can_be_told(
    make_surface: Surface,
) -> None:
    surface = make_surface({"easy": 1.0}, ceiling=0.3)
    assert np.isnan(surface.marginal_rates("easy", {"hard": 50})).all()


# -- what a purchase will score ---------------------------------------------------------------


def test_measured_adds_the_luck_of_a_purchase_and_of_the_test_items(make_surface: Surface) -> None:
    plain = make_surface({"easy": np.ones(40_000)}, test_offset=0.1)
    surface = ResponseSurface(
        plain.strata, "hard", plain.draws, 0.0, 0.0, luck=0.3, item_deviation=0.04
    )
    found = surface.measured([{"hard": 68}, {"hard": 868}], np.random.default_rng(0))
    # On this test set, so without what the choice of test items does to all mixes alike.
    expected = 0.3 + 0.6 * np.array([68 / 168, 868 / 968])
    np.testing.assert_allclose(found.mean(0), expected, atol=1e-3)
    # .3 / sqrt(68 + 32) = .03 and .04: .05. .3 / sqrt(868 + 32) = .01 and .04.
    np.testing.assert_allclose(found.std(0), [0.05, math.hypot(0.01, 0.04)], rtol=0.02)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.02  # two purchases, not one


def test_no_score_lies_beyond_one_or_below_zero(make_surface: Surface) -> None:
    surface = make_surface({"easy": np.ones(2000)}, floor=0.0, ceiling=1.0)
    found = surface.measured([{}, {"hard": 1}, {"hard": 10**7}], np.random.default_rng(0))
    assert found[:, 1].min() == 0 and found[:, 2].max() == 1
    assert np.array_equal(found[:, 0], np.zeros(2000))  # nothing bought, no luck
