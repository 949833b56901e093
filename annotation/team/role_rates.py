"""What the people of one role are like in one stratum: errors, times, costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotation.team.error_rates import ErrorRate, ErrorRates
from annotation.team.label_cost import LabelCost, Rates, label_cost
from annotation.team.timing import Timing, WorkTime
from annotation.terms.clean_share import common_redraw_rate
from annotation.truth.coding import UNNAMED, Coded


@dataclass(frozen=True)
class RoleStratum:
    """One role in one stratum where it judged; `role` is None for annotators without one.

    `annotators` people of the role gave `judgments` there; the rest is as for a stratum.
    """

    role: str | None
    stratum: str
    annotators: int
    judgments: int
    error: ErrorRate
    redraw_rate: float | None
    work: WorkTime
    cost: LabelCost | None


def role_rates(
    judgments: pd.DataFrame,
    coded: Coded,
    rates: ErrorRates,
    timing: Timing,
    roles: Sequence[str | None],
    pay: Rates,
) -> tuple[RoleStratum, ...]:
    """Role by role, and for each stratum by stratum, what was measured.

    `roles` are in the order of `timing.annotators`. Raises InputError as `label_cost` does.
    """
    role_of = dict(zip(timing.annotators, roles, strict=True))
    own_role = np.array([role_of[name] for name in coded.annotators], dtype=object)
    by_row = np.array(roles, dtype=object)[timing.annotator]
    strata_by_row = judgments["stratum"].to_numpy(dtype=object)
    found = []
    for role in sorted(set(roles), key=lambda name: (name is None, name or "")):
        whose = np.array([each == role for each in own_role], dtype=bool)
        has_role = np.array([each == role for each in by_row], dtype=bool)
        for code, stratum in enumerate(coded.strata):
            judged = (coded.judged_stratum == code) & whose[coded.annotator]
            if not judged.any():
                continue
            in_stratum = pd.isna(strata_by_row) if stratum == UNNAMED else strata_by_row == stratum
            error = rates.of_group(whose, code)
            share = error.rate.estimate
            counts = coded.choice_counts[coded.item[judged]]
            chosen = has_role & in_stratum
            found.append(
                RoleStratum(
                    role=role,
                    stratum=stratum,
                    annotators=int(np.unique(coded.annotator[judged]).size),
                    judgments=int(judged.sum()),
                    error=error,
                    redraw_rate=None if share is None else common_redraw_rate(share, counts),
                    work=timing.work(chosen),
                    cost=label_cost(timing, pay, roles, stratum, chosen) if pay.are_known else None,
                )
            )
    return tuple(found)
