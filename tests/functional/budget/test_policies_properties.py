"""Simple rules: never above the budget, never above what there is."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from annotation.terms.cost import LabelTerms, mix_cost
from budget.market.simple_rules import baseline_mixes

STRATA = ("easy", "medium", "hard")
COSTS = st.one_of(
    st.sampled_from([Decimal(c) for c in ("0.333", "1.07", "0.1", "2", "1e-9")]),
    st.decimals("0.0001", 50, allow_nan=False, allow_infinity=False, places=4),
)
BUDGETS = st.decimals(0, 10_000, allow_nan=False, allow_infinity=False, places=2)
# 30 decimal places are more digits than Python's decimals keep unasked.
FINE_COSTS = st.integers(10**27, 10**31).map(lambda n: Decimal(f"{n}e-30"))


@given(
    strata=st.sampled_from([STRATA, STRATA[:2], ("medium", "hard"), ("hard",)]),
    costs=st.tuples(COSTS, COSTS, COSTS),
    capacity=st.tuples(*[st.integers(0, 5000)] * 3),
    budget=BUDGETS,
)
def test_every_rule_stays_within_money_and_items(
    strata: tuple[str, ...],
    costs: tuple[Decimal, ...],
    capacity: tuple[int, ...],
    budget: Decimal,
) -> None:
    terms = {n: LabelTerms(c, 0.0, "redraw") for n, c in zip(STRATA, costs, strict=True)}
    available = dict(zip(STRATA, capacity, strict=True))
    mixes = baseline_mixes(budget, terms, available, strata)
    assert mixes.keys() == {*(f"all_{name}" for name in strata), "equal_spend", "proportional"}
    for mix in mixes.values():
        assert mix.keys() <= set(strata)
        assert all(type(n) is int and 0 <= n <= available[name] for name, n in mix.items())
        assert mix_cost(mix, terms) <= budget
    for name in strata:
        one_more = {name: mixes[f"all_{name}"][name] + 1}
        assert one_more[name] > available[name] or mix_cost(one_more, terms) > budget


@given(
    costs=st.tuples(FINE_COSTS, FINE_COSTS, FINE_COSTS),
    labels=st.integers(1, 100),
    hair=st.integers(0, 2),
)
def test_amounts_of_30_digits_buy_what_they_buy_in_fractions(
    costs: tuple[Decimal, ...], labels: int, hair: int
) -> None:
    """The slow twin, with a budget at, or a hair below, so many labels of each stratum."""
    terms = {n: LabelTerms(c, 0.0, "redraw") for n, c in zip(STRATA, costs, strict=True)}
    exact = {name: Fraction(terms[name].cost) for name in STRATA}
    in_units = sum(exact.values()) * labels * 10**30 - hair
    assert in_units.denominator == 1
    budget = Decimal(f"{in_units.numerator}e-30")
    money = Fraction(budget)
    available = dict.fromkeys(STRATA, 7 * labels)
    assert baseline_mixes(budget, terms, available, STRATA) == {
        **{f"all_{n}": {n: min(7 * labels, int(money / exact[n]))} for n in STRATA},
        "equal_spend": {n: min(7 * labels, int(money / 3 / exact[n])) for n in STRATA},
        "proportional": dict.fromkeys(STRATA, labels if hair == 0 else labels - 1),
    }


@given(
    costs=st.tuples(COSTS, COSTS, COSTS),
    capacity=st.tuples(*[st.integers(0, 5000)] * 3),
    budget=BUDGETS,
    factor=st.sampled_from([Decimal(f) for f in ("0.01", "0.3", "7", "1000")]),
)
def test_another_currency_buys_the_same(
    costs: tuple[Decimal, ...], capacity: tuple[int, ...], budget: Decimal, factor: Decimal
) -> None:
    available = dict(zip(STRATA, capacity, strict=True))

    def mixes(scale: Decimal) -> dict[str, dict[str, int]]:
        terms = {
            n: LabelTerms(c * scale, 0.0, "redraw") for n, c in zip(STRATA, costs, strict=True)
        }
        return baseline_mixes(budget * scale, terms, available, STRATA)

    assert mixes(Decimal(1)) == mixes(factor)


@given(
    capacity=st.tuples(*[st.integers(1, 5000)] * 3),
    share=st.integers(0, 100),
    costs=st.tuples(COSTS, COSTS, COSTS),
)
def test_proportional_buys_the_same_share_of_every_stratum(
    capacity: tuple[int, ...], share: int, costs: tuple[Decimal, ...]
) -> None:
    terms = {n: LabelTerms(c, 0.0, "redraw") for n, c in zip(STRATA, costs, strict=True)}
    available = dict(zip(STRATA, capacity, strict=True))
    budget = mix_cost(available, terms) * share / 100
    mix = baseline_mixes(budget, terms, available, STRATA)["proportional"]
    for name, count in mix.items():
        assert share * available[name] // 100 - 1 <= count <= share * available[name] / 100
