"""Who sold the judgments of a collection that is over, and at what price."""

from collections.abc import Sequence
from decimal import Decimal

import pandas as pd

from annotation.errors import InputError
from annotation.team.pay import PayTerms
from budget.market.supplier_file import SupplierSection, SuppliersFile

ALONE = "annotators"
"""The one supplier where judgments tell no roles."""
_USUAL = (1, 3, 5)  # judgments of an item that can be ordered, as far as there are so many
_LONGEST_PAID = 4  # times the usual seconds of a judgment, by the hour


def suppliers_of(judgments: pd.DataFrame, only: str = ALONE) -> pd.Series:
    """The supplier of every judgment, (judgments,): its role, or `only` where there are none.

    Raises InputError if some have a role and others none.
    """
    role = judgments["role"]
    without = role.isna()
    if without.all():
        return pd.Series(only, index=judgments.index, dtype=object)
    if without.any():
        raise InputError(
            f"{int(without.sum()):,} judgments have no role and {int((~without).sum()):,} have "
            f"one, and a role is a supplier here; say it of "
            f"'{judgments['annotator'][without].iloc[0]}' and the others too, by --role "
            "ANNOTATOR=ROLE or in the column 'role'."
        )
    return role


def priced_suppliers(
    judgments: pd.DataFrame, pay: PayTerms, orders: Sequence[int] | None
) -> SuppliersFile:
    """Suppliers as roles are paid, with numbers of judgments that there are to order.

    Parameters
    ----------
    judgments : with their `supplier`
    pay : by role, or the same for all
    orders : numbers of judgments of an item that can be ordered; None for 1, 3 and 5, as far as
        most items have so many

    Raises InputError if nothing says what a role is paid, or a price is of nobody.
    """
    names = sorted(set(judgments["supplier"]))
    for name in (*pay.per_hour, *pay.per_judgment):
        if name not in names:
            raise InputError(
                f"'{name}' has a price but is none of the suppliers, which are: "
                f"{', '.join(names)}. A replay has one price for everybody of a role."
            )
    return SuppliersFile(
        suppliers={
            name: _section(name, judgments[judgments["supplier"] == name], pay, orders)
            for name in names
        }
    )


def check_names(judgments: pd.DataFrame, file: SuppliersFile) -> None:
    """Raise InputError if the file lacks a supplier of judgments, or has one of none."""
    names = set(judgments["supplier"])
    missing, idle = sorted(names - set(file.suppliers)), sorted(set(file.suppliers) - names)
    if missing:
        raise InputError(
            f"the file of suppliers lacks '{missing[0]}', whose judgments there are; it has: "
            f"{', '.join(file.suppliers)}."
        )
    if idle:
        raise InputError(
            f"supplier '{idle[0]}' made none of the judgments, which are of: "
            f"{', '.join(sorted(names))}; take it out of the file, or name its role (--role)."
        )


def _section(
    name: str, own: pd.DataFrame, pay: PayTerms, orders: Sequence[int] | None
) -> SupplierSection:
    hourly, piece = _price(name, pay)
    seconds = own["seconds"].dropna()
    if hourly and seconds.empty:
        raise InputError(
            f"'{name}' is paid by the hour, and none of its judgments tells its seconds; give "
            "--fee, or judgments with seconds."
        )
    usual = Decimal(str(round(float(seconds.median()), 3))) if len(seconds) else None
    section: dict[str, object] = {"cost": piece, "judgments": _orders(own, orders)}
    if hourly and usual is not None:
        section |= {
            "per_hour": hourly,
            "seconds": usual,
            "most_seconds": usual * _LONGEST_PAID,
        }
    return SupplierSection.model_validate(section)


def _price(name: str, pay: PayTerms) -> tuple[Decimal, Decimal]:
    """What a supplier's people get per hour and per judgment."""
    try:
        return pay.of_annotator(name, None)
    except InputError:
        raise InputError(
            f"nothing says what '{name}' is paid; give --fee {name}=AMOUNT for every judgment, or "
            f"--rate {name}=AMOUNT for an hour, or one amount for all."
        ) from None


def _orders(own: pd.DataFrame, orders: Sequence[int] | None) -> tuple[int, ...]:
    if orders is not None:
        return tuple(orders)
    there = int(own.groupby("item_id").size().median())
    found = tuple(number for number in _USUAL if number <= there)
    return (1, 2) if there == 2 else found
