"""What the work that was seen cost, and what the labels that are wanted will."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from annotation.errors import InputError
from annotation.team.label_cost import LabelCost, rounded_up

_CENTS = 2


@dataclass(frozen=True)
class StratumBill:
    """What the wanted labels of one stratum cost, recruiting included.

    `per_label` is of a finished label, all its judgments and its share of recruiting included.
    `to_be_safe` is the total at the upper end of the interval of a judgment's cost.
    """

    stratum: str
    labels: int
    judgments: int
    total: Decimal
    to_be_safe: Decimal
    per_label: Decimal


@dataclass(frozen=True)
class Bill:
    """Amounts rounded up to cents; `wanted` is empty where no labels are wanted.

    `so_far` is the cost of the judgments in the table, at the rates given and without recruiting;
    those without a time count as much as the others of their stratum. Those of strata in `unknown`,
    where no cost is known, are not in it; None: it is known of no stratum.
    """

    so_far: Decimal | None
    unknown: tuple[str, ...]
    wanted: tuple[StratumBill, ...]
    total: Decimal
    to_be_safe: Decimal


def bill(
    costs: Mapping[str, LabelCost | None],
    judged: Mapping[str, int],
    wanted: Mapping[str, int],
    judgments_per_label: int,
) -> Bill:
    """Add up what the judgments cost and what wanted labels will.

    Parameters
    ----------
    costs
        Stratum -> what one judgment costs that ends in a label; None where that is not known.
    judged
        Stratum -> judgments with a label in the table.
    wanted
        Stratum -> labels wanted.
    judgments_per_label
        How many each is made of.

    Raises
    ------
    InputError
        If labels are wanted of a stratum whose cost is not known.
    """
    known = {name: cost for name, cost in costs.items() if cost is not None}
    spent = sum(
        (Fraction(cost.per_judgment) * judged[name] for name, cost in known.items()), Fraction(0)
    )
    strata = []
    for name, labels in wanted.items():
        cost = costs.get(name)
        if cost is None:
            raise InputError(f"stratum '{name}' has no measured cost; no judgment there was timed.")
        strata.append(_of_stratum(name, cost, labels, labels * judgments_per_label))
    return Bill(
        so_far=rounded_up(spent, _CENTS) if known else None,
        unknown=tuple(name for name in costs if name not in known and judged[name]),
        wanted=tuple(strata),
        total=sum((each.total for each in strata), Decimal(0)),
        to_be_safe=sum((each.to_be_safe for each in strata), Decimal(0)),
    )


def _of_stratum(name: str, cost: LabelCost, labels: int, judgments: int) -> StratumBill:
    recruiting = Fraction(cost.recruiting) if labels else Fraction(0)
    total = Fraction(cost.per_judgment) * judgments + recruiting
    high = cost.interval.high
    upper = total if high is None else max(total, Fraction(str(high)) * judgments + recruiting)
    return StratumBill(
        stratum=name,
        labels=labels,
        judgments=judgments,
        total=rounded_up(total, _CENTS),
        to_be_safe=rounded_up(upper, _CENTS),
        per_label=rounded_up(total / max(labels, 1), _CENTS),
    )
