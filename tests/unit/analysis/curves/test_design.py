import pytest

from analysis.curves.design import (
    ERROR_RATES,
    SIZES,
    CurvesDesign,
    read_design,
)
from annotation.errors import InputError


def test_the_defaults_are_the_papers_sizes() -> None:
    design = read_design(SIZES, ERROR_RATES, 2.0, 10)
    assert design.sizes == (10, 20, 40, 80, 160, 320)
    assert design.error_rates == (0.0, 0.1, 0.2, 0.3)
    assert design.hard_error_rates == (0.0, 0.2, 0.4, 0.6)
    assert design.all_hard_error_rates == (0.0, 0.1, 0.2, 0.3, 0.4, 0.6)


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        (".3,.1", (0.0, 0.1, 0.3)),  # in any order, clean added
        (" 0.1, 0.10 ", (0.0, 0.1)),
        ("-0.0", (0.0,)),
        ("1", (0.0, 1.0)),
    ],
)
def test_error_rates_rise_from_clean(text: str, rates: tuple[float, ...]) -> None:
    found = read_design("10", text, 2.0, 2).error_rates
    assert found == rates
    assert str(found[0]) == "0.0"  # no negative zero, which would be another trial


def test_the_multiple_is_cut_at_one() -> None:
    design = read_design("10", ".4,.5,.8", 2.0, 2)
    assert design.hard_error_rates == (0.0, 0.8, 1.0, 1.0)
    assert design.all_hard_error_rates == (0.0, 0.4, 0.5, 0.8, 1.0)


def test_a_multiple_that_is_a_rate_is_that_rate() -> None:
    """3 x .1 is .30000000000000004 in floating point: that would be a trial of its own."""
    assert 3 * 0.1 != 0.3
    design = read_design("10", ".1,.3", 3.0, 2)
    assert design.hard_error_rates == (0.0, 0.3, 0.9)
    assert design.all_hard_error_rates == (0.0, 0.1, 0.3, 0.9)


@pytest.mark.parametrize(
    "sizes", ["", "ten", "10,", "10.5", "10,10", "20,10", "0,10", "1", "-5,10", "10;20"]
)
def test_sizes_that_are_none(sizes: str) -> None:
    with pytest.raises(InputError, match=r"^--sizes .*: should be increasing whole numbers"):
        read_design(sizes, "0", 2.0, 2)


@pytest.mark.parametrize(
    ("rates", "part"),
    [
        ("0,1.1", "error rate should be within 0 and 1; got 1.1"),
        ("-.1", "error rate should be within 0 and 1; got -0.1"),
        ("nan", "error rate should be within 0 and 1; got nan"),
        ("a tenth", "should be numbers within 0 and 1, such as 0,.1,.2,.3"),
        ("", "should be numbers within 0 and 1"),
    ],
)
def test_error_rates_that_are_none(rates: str, part: str) -> None:
    with pytest.raises(InputError, match=f"^--error-rates {rates}: {part}"):
        read_design("10", rates, 2.0, 2)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_factors_that_are_none(factor: float) -> None:
    with pytest.raises(InputError, match=r"^--hard-factor .*: should be a number above 0"):
        read_design("10", "0", factor, 2)


@pytest.mark.parametrize("seeds", [1, 0, -3])
def test_fewer_seeds_than_two(seeds: int) -> None:
    with pytest.raises(InputError, match=f"^--seeds {seeds}: should be at least 2"):
        read_design("10", "0", 2.0, seeds)


def test_a_design_says_what_it_is() -> None:
    assert read_design("10,20", "0", 1.5, 3) == CurvesDesign((10, 20), (0.0,), 1.5, 3)
