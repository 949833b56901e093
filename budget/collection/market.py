"""What a collection can buy next: offers as measured, items nobody was asked about, money left."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np

from budget.collection.batching import Batching
from budget.collection.measuring import SupplierMeasured
from budget.collection.price import Price
from budget.collection.suppliers import Supplier
from budget.market.market import Market, TrainingCost
from budget.market.offers import ErrorRange, Offer
from budget.market.supplier_file import SuppliersFile, label_redraw_rate, terms_of
from training.task import Task

_SECONDS_OF_AN_HOUR = 3600


def collection_market(
    task: Task,
    for_sale: tuple[str, ...],
    suppliers: Mapping[str, Supplier],
    file: SuppliersFile,
    measured: Mapping[tuple[str, str], SupplierMeasured],
    batching: Batching,
    bought: Mapping[str, int],
    clean: Mapping[str, float],
    money: Decimal,
) -> Market:
    """The market in which the next batch is chosen.

    Parameters
    ----------
    task : for the number of choices of each stratum's items
    for_sale : strata, easy before hard
    suppliers, file : who labels, and what the file of suppliers states of them
    measured : (supplier, stratum) -> how it errs and how long it takes
    batching : what was asked before
    bought, clean : stratum -> labels there are, and the share of them that is clean
    money : that can still be promised
    """
    offers = tuple(
        offer
        for name in for_sale
        for supplier in suppliers.values()
        if name in supplier.prices
        for offer in _offers(supplier, name, task, file, measured[supplier.name, name], batching)
    )
    left = batching.left()
    return Market(
        for_sale,
        offers,
        {name: left[name] for name in for_sale},
        {name: bought.get(name, 0) for name in for_sale},
        {name: clean.get(name, 1.0) for name in for_sale},
        training=TrainingCost(),
        money=money,
    )


def expected_cost(price: Price, seconds: float | None) -> Decimal:
    """What a judgment should cost; by the hour, where no time is known, the most that it can."""
    paid = price.most_seconds
    if seconds is not None:
        paid = min(Decimal(str(round(seconds, 3))), paid) if paid else Decimal(0)
    by_hour = price.per_hour * paid / _SECONDS_OF_AN_HOUR
    return price.per_judgment + round(by_hour, 9)


def _offers(
    supplier: Supplier,
    stratum: str,
    task: Task,
    file: SuppliersFile,
    measured: SupplierMeasured,
    batching: Batching,
) -> Iterator[Offer]:
    terms = terms_of(file.suppliers[supplier.name], stratum)
    counts = task.choice_counts[task.pools[stratum]]
    choices = round(float(np.mean(counts))) if counts.size else 2
    capacity = terms.get("capacity")
    if capacity is not None:  # of the whole collection
        capacity = max(0, capacity - batching.asked_of(supplier.name, stratum))
    seconds = measured.seconds if measured.seconds is not None else terms.get("seconds")
    for judgments in supplier.judgments[stratum]:
        yield Offer(
            stratum=stratum,
            supplier=supplier.name,
            judgments=judgments,
            cost=expected_cost(
                supplier.prices[stratum], None if seconds is None else float(seconds)
            ),
            redraw_rate=label_redraw_rate(measured.error_rate, "flip", judgments, choices),
            least=terms.get("least", 1),
            capacity=capacity,
            seconds=Decimal(str(round(float(seconds or 0), 3))),
            role=supplier.name,
            error_range=_range(measured, judgments, choices),
        )


def _range(measured: SupplierMeasured, judgments: int, choices: int) -> ErrorRange | None:
    """Where the error rate may be; None where it was not measured."""
    error = measured.error
    if not measured.is_measured or error is None:
        return None
    low, high = error.rate.low, error.rate.high
    if low is None or high is None:
        return None
    low, high = min(low, measured.error_rate), max(high, measured.error_rate)
    return ErrorRange(
        low,
        high,
        label_redraw_rate(low, "flip", judgments, choices),
        label_redraw_rate(high, "flip", judgments, choices),
        error.shared_mistakes == "not excluded",
        error.more_gold,
    )
