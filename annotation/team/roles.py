"""Roles of annotators, and names that people give to who is paid, held against the judgments."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from annotation.errors import InputError
from annotation.team.label_cost import Rates
from annotation.team.timing import Timing


def roles_of(judgments: pd.DataFrame, timing: Timing, given: Mapping[str, str]) -> list[str | None]:
    """Role of every annotator, in the order of `timing.annotators`: as given, else as told.

    Raises InputError if a role is given to somebody who made no judgment.
    """
    unknown = set(given) - set(timing.annotators)
    if unknown:
        raise InputError(
            f"annotator '{sorted(unknown)[0]}' has a role but made no judgment; the annotators "
            f"are: {', '.join(sorted(timing.annotators)[:10])}."
        )
    told = judgments["role"].to_numpy(dtype=object)
    known = np.flatnonzero(~pd.isna(told))
    roles: list[str | None] = [None] * len(timing.annotators)
    for code, role in zip(timing.annotator[known].tolist(), told[known], strict=True):
        roles[code] = role
    return [given.get(str(n), role) for n, role in zip(timing.annotators, roles, strict=True)]


def check_paid_names(
    rates: Rates, annotators: Sequence[str], roles: Sequence[str | None], strata: Sequence[str]
) -> None:
    """Check that everybody who is paid is there; a misspelt name would be ignored otherwise.

    Raises InputError that names the first rate or cost of recruiting that is nobody's.
    """
    there = sorted({role for role in roles if role is not None})
    for name in rates.per_hour:
        if name not in annotators and name not in there:
            raise InputError(
                f"'{name}' has an hourly rate but is no annotator and no role; roles: "
                f"{', '.join(there) or 'none'}; annotators: {', '.join(sorted(annotators)[:10])}."
            )
    for name in rates.recruiting:
        if name not in strata:
            raise InputError(
                f"stratum '{name}' has a cost of recruiting but no judgments; the strata are: "
                f"{', '.join(strata)}."
            )
