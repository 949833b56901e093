"""Who is asked for the right answers of test items."""

from collections.abc import Mapping

from annotation.errors import InputError, short
from budget.collection.money_unit import MoneyUnit
from budget.collection.suppliers import Supplier
from budget.config.collection_config import CollectionConfig
from budget.market.supplier_file import SuppliersFile, terms_of


def answering_supplier(
    config: CollectionConfig,
    file: SuppliersFile,
    suppliers: Mapping[str, Supplier],
    unit: MoneyUnit,
) -> Supplier:
    """The supplier whom the settings name; else the most accurate, else the dearest.

    The most accurate is the one of the lowest error rate that its file states, where it states all
    of them. Only suppliers who label every stratum for sale can be asked.

    Raises InputError if the one who is named is unknown or labels too little, or nobody labels all.
    """
    strata = config.strata.buy
    able = {name: own for name, own in suppliers.items() if set(strata) <= set(own.prices)}
    wanted = config.test.supplier
    if wanted is not None:
        if wanted not in suppliers:
            raise InputError(
                f"test.supplier: there is no supplier {short(wanted)}; choose from "
                f"{', '.join(suppliers)}."
            )
        if wanted not in able:
            missing = next(name for name in strata if name not in suppliers[wanted].prices)
            raise InputError(
                f"test.supplier: '{wanted}' does not label stratum '{missing}', which test items "
                "are of too; give it a price there, or name another supplier."
            )
        return able[wanted]
    if not able:
        raise InputError(
            "test.supplier: no supplier labels every stratum, as whoever answers the test items "
            "has to; give one a price for each."
        )
    target = config.strata.target
    stated = {name: terms_of(file.suppliers[name], target).get("error_rate") for name in able}
    rates = {name: float(rate) for name, rate in stated.items() if rate is not None}

    def rank(name: str) -> tuple[float, int]:
        error = rates[name] if len(rates) == len(able) else 0.0
        return error, -able[name].prices[target].most_cost(unit)

    return able[min(able, key=rank)]
