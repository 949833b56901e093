"""Order lines that ask a supplier for the right answers of test items, and what they cost."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from annotation.arrays import Positions, generator
from annotation.errors import InputError
from annotation.items.near_copies import group_items
from budget.collection.contents import Contents, read_pool
from budget.collection.kinds import TEST_SET
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine, most_cost
from budget.collection.suppliers import Supplier
from budget.collection.test_set.facts import BoughtTestSet
from budget.collection.test_set.size import (
    TOLD,
    TestSetSize,
    of_each_stratum,
    recommended_size,
    told_size,
)
from budget.collection.test_set.suppliers import answering_supplier
from budget.config.collection_config import CollectionConfig
from budget.market.supplier_file import SuppliersFile, terms_of
from training.split import split_strata


def answer_lines(
    supplier: Supplier, items: Iterable[tuple[str, str]], judgments: int
) -> list[OrderLine]:
    """A line for every (item, stratum); what is ordered is of the stratum "test set"."""
    return [
        OrderLine(supplier.name, item, TEST_SET, judgments, None, supplier.prices[stratum])
        for item, stratum in items
    ]


def most_of_answers(
    supplier: Supplier, by_stratum: Mapping[str, int], config: CollectionConfig, unit: MoneyUnit
) -> Decimal:
    """What answers cost at most, judgments above those ordered included."""
    asked = [(name, name) for name, count in by_stratum.items() for _ in range(count)]
    lines = answer_lines(supplier, asked, config.test.judgments)
    share = Decimal(str(config.buying.extra))
    return unit.amount(sum(most_cost(lines, share, unit).values())) if lines else Decimal(0)


def cost_of_test_set(
    config: CollectionConfig,
    file: SuppliersFile,
    suppliers: Mapping[str, Supplier],
    contents: Contents,
    unit: MoneyUnit,
) -> Decimal:
    """What the answers of a new collection's test items cost: at most, or what was paid for them.

    Raises InputError if a price is finer than the collection's money, or nobody can be asked.
    """
    task = contents.task
    if not config.test.is_bought:
        each = config.test.cost_per_answer
        unit.units(each, "test.cost_per_answer")
        return each * task.test_positions.size
    supplier = answering_supplier(config, file, suppliers, unit)
    return most_of_answers(supplier, Counter(task.test_strata.tolist()), config, unit)


def begun_test_set(
    config: CollectionConfig,
    file: SuppliersFile,
    suppliers: Mapping[str, Supplier],
    unit: MoneyUnit,
) -> BoughtTestSet:
    """The items of a new collection's test set, drawn where no table names them.

    Whole groups are drawn, so that no item of one stays for sale.

    Raises InputError if its answers cannot be asked for, or there are too few items.
    """
    supplier = answering_supplier(config, file, suppliers, unit)
    if TEST_SET in config.strata.names:
        raise InputError(
            f"strata.names: '{TEST_SET}' is what bought answers of test items are called on the "
            "ledger; choose another name for the stratum."
        )
    if config.test.path is not None:
        return BoughtTestSet()
    pool, strata = read_pool(config)
    there = _of_strata(strata.assign(pool), config.strata.buy)
    target = config.strata.target
    count = config.test.items or recommended_size(
        {name: own.size for name, own in there.items()},
        target,
        lambda wanted: most_of_answers(supplier, wanted, config, unit),
        config.budget.total,
    )
    wanted = of_each_stratum(count, config.strata.buy, target)
    for name, own in there.items():
        if not 0 < wanted[name] < own.size:
            raise InputError(
                f"test.items: of {count} test items {wanted[name]} would be of stratum '{name}' "
                f"({strata.rule(name)}), which has {own.size:,} items; say "
                f"{'fewer' if wanted[name] > 0 else 'more'}, or name test items of their own by "
                "--test."
            )
        capacity = terms_of(file.suppliers[supplier.name], name).get("capacity")
        if capacity is not None and wanted[name] > capacity:
            raise InputError(
                f"test.items: {wanted[name]} test items would be of stratum '{name}', and supplier "
                f"'{supplier.name}' labels {capacity:,} there at most; say fewer, or name another "
                "supplier by test.supplier."
            )
    split = split_strata(
        there,
        there,
        wanted,
        target,
        group_items(pool).codes,
        lambda name: generator("test", config.buying.seed, name),
    )
    if any(not split.pools[name].size for name in there):
        raise InputError(
            f"test.items: a test set of {count} leaves nothing to label in a stratum, as items of "
            "a group are tested or labelled, never both; say fewer."
        )
    drawn = np.sort(np.concatenate([split.test[name] for name in there]))
    return BoughtTestSet(tuple(pool["item_id"].iloc[drawn].tolist()))


def sizes_told(
    supplier: Supplier,
    tested: Mapping[str, int],
    there: Mapping[str, int],
    config: CollectionConfig,
    unit: MoneyUnit,
) -> Sequence[TestSetSize]:
    """What test sets of usual sizes tell and cost, this one of so many items a stratum included.

    `there`: how many items a stratum has, tested ones included. Where the test items are drawn from
    these, no size is told that would leave none of them for sale.
    """
    strata, target = config.strata.buy, config.strata.target
    sizes = {items: of_each_stratum(items, strata, target) for items in TOLD}
    counts = {
        items: own
        for items, own in sizes.items()
        if config.test.path is not None or all(own[name] < there[name] for name in strata)
    }
    counts[sum(tested.values())] = dict(tested)
    return [
        told_size(own, target, most_of_answers(supplier, own, config, unit), config.budget.total)
        for _, own in sorted(counts.items())
    ]


def _of_strata(names: NDArray[np.object_], strata: Sequence[str]) -> dict[str, Positions]:
    return {name: np.flatnonzero(names == name) for name in strata}
