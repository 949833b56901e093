"""Ways to cut a hardness measure: the paper's cut-offs, quantiles, explicit edges.

A cut is written as `paper`, `quantiles:3`, `quantiles:.3,.7` or `edges:5,>=8`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from annotation.arrays import Array
from annotation.errors import InputError, short
from annotation.items.table import measures, no_such_measure
from annotation.strata.bands import Edge, Strata, make_strata, usual_names
from annotation.strata.quantiles import quantile_strata

# Hase et al. 2024 (arXiv:2401.06751), human measures: easy at most the first, hard at least the
# second. (source, measure) -> cut.
PAPER_CUTS: dict[tuple[str, str], Strata] = {
    (source, measure): Strata.easy_medium_hard(measure, easy_at_most, hard_at_least)
    for source, measure, easy_at_most, hard_at_least in (
        ("arc", "grade", 5, 8),
        ("arc", "difficulty", 1, 3),
        ("arc", "bloom", 2, 4),
        ("arc", "depth_of_knowledge", 1, 3),
        ("mmlu_stem", "level", 0, 1),
        ("strategyqa", "num_steps", 2, 4),
        ("gsm8k", "num_steps", 4, 7),
    )
}
# Of the paper's figure 1, where third-graders' questions teach college.
THIRD_GRADE_TO_COLLEGE = Strata.easy_medium_hard("grade", 3, 8)
# Counts and what models say: easy up to the first quantile, hard from the second on.
PAPER_SHARES = (0.3, 0.7)

_MOST_STRATA = 100
_NOTED_DIFFERENCE = 0.05  # of a stratum's share from the one asked for


@dataclass(frozen=True)
class StratumSize:
    """One stratum: its rule, how many items, and which share of those with a known measure."""

    name: str
    rule: str
    items: int
    share: float


@dataclass(frozen=True)
class StrataSizes:
    """What a cut makes of items.

    `unknown` counts items without the measure, which are in no stratum; `remarks` tell in
    sentences of empty strata and of ties that keep shares from what was asked.
    """

    strata: tuple[StratumSize, ...]
    unknown: int
    remarks: tuple[str, ...]


def paper_strata(source: str, measure: str, items: pd.DataFrame) -> Strata:
    """The paper's cut of a measure: fixed for human ones, 30 % and 70 % quantiles for others.

    Ties go to the outer strata, as in the paper, so that a stratum may be empty; `strata_sizes`
    tells so.

    Raises InputError if the items lack the measure, or its two quantiles are the same.
    """
    values = _known(items, measure)
    if (source, measure) in PAPER_CUTS:
        return PAPER_CUTS[source, measure]
    return quantile_strata(values, measure, PAPER_SHARES, ties="outer")


def read_cut(
    text: str,
    measure: str,
    items: pd.DataFrame,
    source: str = "",
    names: Sequence[str] = (),
) -> Strata:
    """Cut a measure as a text says.

    - "paper": the cut of Hase et al. 2024, see `paper_strata`.
    - "quantiles:3": so many strata of like size; "quantiles:.3,.7": of these cumulative shares.
    - "edges:2,5": bands up to and including each number. ">=8" (or "<8") instead of a number has
      the items at 8 begin the next band: "edges:5,>=8" is easy up to 5 and hard from 8 on.

    Parameters
    ----------
    text
        The cut.
    measure
        The measure that is cut.
    items
        Item table, with that measure.
    source
        Where the items are from, for "paper".
    names
        What the strata are called, easiest first; empty: the usual names (`cut_names`).

    Raises
    ------
    InputError
        If the text is none of these, the items lack the measure, it cannot be cut so, or there are
        not as many names as strata, all different.
    """
    kind, parts = _kind_and_parts(text)
    values = _known(items, measure)
    if kind == "paper":
        strata = paper_strata(source, measure, items)
    elif kind == "quantiles":
        strata = quantile_strata(values, measure, _asked_shares(text) or ())
    else:
        strata = make_strata(measure, [_edge(part, text) for part in parts])
    return strata.named(names) if names else strata


def cut_names(text: str) -> tuple[str, ...]:
    """What the strata of a cut are called, easiest first, whatever the items.

    Raises InputError if the text is no cut, see `read_cut`.
    """
    kind, parts = _kind_and_parts(text)
    if kind == "edges":
        return make_strata("the measure", [_edge(part, text) for part in parts]).names
    return usual_names(len(_asked_shares(text) or ()) + 1)


def _kind_and_parts(text: str) -> tuple[str, list[str]]:
    """The parts of a cut, "edges", ["5", ">=8"]; raises InputError if the text is none."""
    kind, _, rest = text.strip().partition(":")
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    if (kind == "paper" and not parts) or (kind in ("quantiles", "edges") and parts):
        return kind, parts
    raise InputError(
        f"cut '{text}' is unknown; write paper, quantiles:3, quantiles:.3,.7 or edges:5,>=8."
    )


def cut_items(
    text: str,
    measure: str,
    items: pd.DataFrame,
    source: str = "",
    names: Sequence[str] = (),
) -> tuple[Strata, StrataSizes]:
    """Cut a measure as `read_cut` does, and count what comes out.

    Raises InputError as `read_cut` does.
    """
    strata = read_cut(text, measure, items, source, names)
    asked = None if (source, measure) in PAPER_CUTS and text == "paper" else _asked_shares(text)
    return strata, strata_sizes(strata, items[measure].to_numpy(dtype=np.float64), asked)


def strata_sizes(
    strata: Strata, values: Array, asked: Sequence[float] | None = None
) -> StrataSizes:
    """Count the items of every stratum.

    `values` (items,) of the measure, NaN unknown; `asked` cumulative shares, as for
    `quantile_strata`, where ties may have kept the strata from them.
    """
    names = strata.assign_values(values)
    unknown = int(np.isnan(values).sum())
    known = max(1, len(values) - unknown)
    sizes = tuple(
        StratumSize(name, strata.rule(name), count, count / known)
        for name in strata.names
        for count in [int((names == name).sum())]
    )
    remarks = [
        f"stratum '{size.name}' ({size.rule}) is empty: no item has such a value."
        for size in sizes
        if not size.items
    ]
    if asked is not None:
        remarks += _tie_remarks(sizes, asked)
    if unknown:
        remarks.append(f"{unknown:,} items have no '{strata.measure}' and are in no stratum.")
    return StrataSizes(sizes, unknown, tuple(remarks))


def _tie_remarks(sizes: Sequence[StratumSize], asked: Sequence[float]) -> list[str]:
    """What to say where a stratum is far from the share that was asked for it."""
    wanted = np.diff([0.0, *asked, 1.0]).tolist()
    got = [size.share for size in sizes]
    if max(abs(a - b) for a, b in zip(wanted, got, strict=True)) <= _NOTED_DIFFERENCE:
        return []
    asked_text, got_text = (" / ".join(f"{100 * s:.0f}" for s in each) for each in (wanted, got))
    return [
        f"items with equal values stay together: strata of {asked_text} % were asked for, "
        f"{got_text} % came out."
    ]


def _known(items: pd.DataFrame, measure: str) -> Array:
    """The measure, (items,); raises InputError if the items have none or it is never known."""
    if measure not in measures(items):
        raise InputError(no_such_measure(items, measure))
    values: Array = items[measure].to_numpy(dtype=np.float64)
    if np.isnan(values).all():
        raise InputError(f"hardness measure '{measure}' is unknown for every item.")
    return values


def _asked_shares(text: str) -> tuple[float, ...] | None:
    """The cumulative shares that a cut asks for; None if it asks for none."""
    kind, parts = _kind_and_parts(text)
    if kind == "paper":
        return PAPER_SHARES
    if kind != "quantiles":
        return None
    if len(parts) > 1 or not parts[0].isdecimal():
        return tuple(_number(part, text) for part in parts)
    strata = int(parts[0])
    if not 2 <= strata <= _MOST_STRATA:
        raise InputError(f"cut '{text}': the number of strata should be 2 to {_MOST_STRATA}.")
    return tuple(number / strata for number in range(1, strata))


def _number(part: str, text: str) -> float:
    try:
        number = float(part)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f"cut '{text}': {short(part)} should be a number.")
    return number


def _edge(part: str, text: str) -> Edge:
    for sign, side in (("<=", "easier"), (">=", "harder"), ("<", "harder"), (">", "easier")):
        if part.startswith(sign):
            value = _number(part.removeprefix(sign).strip(), text)
            return Edge(value, "easier" if side == "easier" else "harder")
    return Edge(_number(part, text))
