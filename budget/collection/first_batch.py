"""Whether a first batch can be had at all, asked before anything is kept."""

from collections.abc import Mapping
from decimal import Decimal

from annotation.errors import InputError
from budget.collection.batching import Batching, no_lines
from budget.collection.choosing import first_choice
from budget.collection.contents import Contents
from budget.collection.market import collection_market
from budget.collection.measuring import JudgmentsSoFar, no_judgments
from budget.collection.money_unit import MoneyUnit
from budget.collection.overheads import after_extra
from budget.collection.proposal import priced
from budget.collection.suppliers import Supplier
from budget.config.collection_config import CollectionConfig
from budget.market.supplier_file import SuppliersFile


def check_first_batch(
    config: CollectionConfig,
    file: SuppliersFile,
    suppliers: Mapping[str, Supplier],
    contents: Contents,
    unit: MoneyUnit,
    for_test_set: Decimal,
) -> None:
    """Whether the money and the items allow a first batch, before anything is kept.

    `for_test_set` is what the answers of the test items cost, taken off the budget.

    Raises InputError if they do not.
    """
    task, nothing = contents.task, JudgmentsSoFar(no_judgments(), contents.task)
    measured = {
        (name, stratum): nothing.of_supplier(own, stratum, file)
        for name, own in suppliers.items()
        for stratum in own.prices
    }
    buying, budget = config.buying, config.budget.total - for_test_set
    if budget <= 0:
        raise InputError(
            f"the answers of {task.test_positions.size:,} test items cost "
            f"{unit.shown(unit.units(for_test_set, 'what they cost'))}, and the budget for all of "
            f"it is {unit.shown(unit.units(config.budget.total, 'the budget'))}; raise it, take "
            "fewer test items by --test-items, or ask a cheaper supplier by test.supplier."
        )
    rest = "" if not for_test_set else ", once test items are paid,"
    batching = Batching(task, suppliers, buying, no_lines(), 1)
    market = collection_market(
        task, config.strata.buy, suppliers, file, measured, batching, {}, {}, budget
    )
    choice = first_choice(after_extra(market, buying), buying, unit.currency)
    lines = batching.lines(choice.wanted)
    proposal = priced(1, lines, batching.evidence, choice, buying, budget, unit)
    for own in proposal.choice.evidence.get("below_least", ()):
        raise InputError(
            f"a budget of {unit.shown(unit.units(budget, 'the budget'))}{rest} pays for "
            f"{own['most']:,} "
            f"{own['stratum']} labels from '{own['supplier']}', who takes no fewer than "
            f"{own['least']:,}; raise it, or name fewer suppliers or strata."
        )
    if not proposal.lines:
        raise InputError(
            f"a budget of {unit.shown(unit.units(budget, 'the budget'))}{rest} pays for no first "
            "batch; "
            "raise it, or set buying.first and buying.gold lower."
        )
