from decimal import Decimal

import numpy as np

from budget.market.market import Market
from budget.market.offers import Offer
from budget.market.whole_money import Ledger, Whole
from budget.search.supply_curves import Curve, curves_of, rungs


def offer(supplier: str, cost: float, redraw_rate: float, **more: object) -> Offer:
    return Offer("hard", supplier, 1, Decimal(str(cost)), redraw_rate, **more)  # type: ignore[arg-type]


def curves(
    *offers: Offer, items: int = 1000, hours: dict[str, Decimal] | None = None
) -> list[Curve]:
    ledger = Ledger(Market(("hard",), offers, {"hard": items}, hours=hours or {}))
    return curves_of(ledger, ledger.segments("hard"), items, 8)


def names(curve: Curve) -> list[str]:
    return [segment.offer.supplier for segment in curve.segments]


def filled(curve: Curve, left: list[list[int]]) -> list[list[int]]:
    parts, _, _ = curve.fill(np.array(left))
    return [[int(number) for number in part] for part in parts]


def test_the_offer_with_most_signal_for_its_money_leads() -> None:
    # clean^2 / cost: .81, .72, .25
    found = curves(offer("a", 1, 0.1), offer("b", 0.5, 0.4), offer("c", 1, 0.5))
    assert names(found[0]) == ["a"]
    # b buys more clean labels for its money, and leads where those count; c is worse in all.
    assert ["b"] in [names(own) for own in found]
    assert ["c"] not in [names(own) for own in found]


def test_where_a_supplier_runs_out_the_next_one_goes_on() -> None:
    first = curves(offer("a", 1, 0, capacity=10), offer("b", 2, 0), items=25)[0]
    assert names(first) == ["a", "b"]
    # 10 of a for 10, then b for 2 each, at most 15 of them.
    left: list[list[int]] = [[9], [11], [12], [100]]
    assert filled(first, left) == [[9, 10, 10, 10], [0, 0, 1, 15]]


def test_a_purchase_below_the_least_is_none() -> None:
    first = curves(offer("a", 1, 0, least=8), items=20)[0]
    assert filled(first, [[7], [8], [30]]) == [[0, 8, 20]]


def test_hours_end_one_supplier_and_money_ends_all() -> None:
    dear = offer("a", 1, 0, seconds=Decimal(60), role="expert")
    found = curves(dear, offer("b", 3, 0.1), hours={"expert": Decimal(1)})
    first = next(own for own in found if names(own) == ["a", "b"])
    # Columns are money and minutes of work.
    labels, left, stopped = first.fill(np.array([[5, 60], [100, 20], [5, 3]], dtype=np.int64))
    assert [part.tolist() for part in labels] == [[5, 20, 3], [0, 26, 0]]
    assert left.tolist() == [[0, 55], [2, 0], [2, 0]]
    assert stopped.tolist() == [True, True, True]
    # With money for all of a's hours and all of b, it is the supply that ends the purchase.
    _, _, by_money = first.fill(np.array([[10_000, 20]], dtype=np.int64))
    assert by_money.tolist() == [False]


def test_a_limit_on_labels() -> None:
    first = curves(offer("a", 1, 0, capacity=10), offer("b", 2, 0))[0]
    most: Whole = np.array([4, 13])
    parts, _, stopped = first.fill(np.array([[100], [100]]), most)
    assert [part.tolist() for part in parts] == [[4, 10], [0, 3]]
    assert not stopped.any()


def test_a_fixed_cost_counts_where_few_labels_are_bought() -> None:
    # Dear for few labels, cheap for many: both lead.
    found = curves(offer("a", 1, 0.1), offer("b", 0.2, 0.1, fixed_cost=Decimal(100)))
    assert {tuple(names(own)) for own in found} == {("a",), ("b",)}


def test_no_curve_without_anything_to_sell() -> None:
    assert curves(offer("a", 1, 0, capacity=3, least=4)) == []
    assert curves() == []


def test_rungs_double_and_hold_their_marks() -> None:
    assert rungs(0, 40, 1.0, [7, 50, 0]) == [0, 4, 7, 8, 16, 32, 40]
    # With 100 labels already there, 100 more are the first that double them.
    assert rungs(100, 1000, 1.0, []) == [0, 100, 300, 700, 1000]
