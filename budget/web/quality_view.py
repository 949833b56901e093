"""How good people are, in words."""

from analysis.estimates import Estimate
from analysis.numbers import NOT_KNOWN, count, interval_name, percent, ratio, span
from budget.collection.team_status import PersonTeam, TeamStatus

NOTHING = ""
_METHODS = {
    "majority": "the majority of judgments",
    "dawid_skene": "by Dawid and Skene's model",
    "hardness": "by the hardness model",
    "glad": "by GLAD",
    "mace": "by MACE",
    "one_coin": "by the one-coin model",
}


def quality_view(team: TeamStatus, chosen: str) -> dict[str, object]:
    """What the template needs; `chosen` is the person whose mix-ups are shown, or "".

    A person is named "supplier / annotator", as one name may work for two suppliers.
    """
    whole = next((own for own in team.people if _name(own) == chosen), None)
    return {
        "unknown": team.unknown or "",
        "interval": interval_name(team.confidence),
        "judgments": count(team.judgments),
        "method": _METHODS.get(team.method, team.method),
        "warnings": team.warnings,
        "strata": [
            {
                "stratum": own.stratum,
                "items": count(own.items),
                "twice": count(own.judged_twice),
                "judgments": count(own.judgments),
                "agreement": _share(own.agreement),
                "alpha": _ratio(own.alpha),
                "wrong": _share(own.wrong),
                "label_wrong": _share(own.label_wrong),
                "seconds": _seconds(own.seconds),
            }
            for own in team.strata
        ],
        "people": [
            {
                "name": own.annotator,
                "whole": _name(own),
                "supplier": own.supplier,
                "judgments": count(own.judgments),
                "wrong": _share(own.wrong),
                "agrees": _share(own.agrees),
                "seconds": _seconds(own.seconds),
                "is_chosen": _name(own) == chosen,
            }
            for own in team.people
        ],
        "classes": team.classes or [],
        "chosen": NOTHING if whole is None else _name(whole),
        "mixed_up": _mixed_up(team, whole),
    }


def _name(own: PersonTeam) -> str:
    return f"{own.supplier} / {own.annotator}"


def _mixed_up(team: TeamStatus, whole: PersonTeam | None) -> list[dict[str, object]]:
    """Rows by right class: its judgments, and of them the share of every class that was given."""
    people = team.people if whole is None else [whole]
    tables = [own.mixed_up for own in people if own.mixed_up is not None]
    rows: list[dict[str, object]] = []
    for place, name in enumerate(team.classes or []):
        sums = [sum(table[place][k] for table in tables) for k in range(len(team.classes or []))]
        total = sum(sums)
        rows.append(
            {
                "name": name,
                "total": f"{total:,.0f}",
                "cells": [
                    {
                        "share": percent(own / total, 0) if total else NOTHING,
                        "shade": min(10, int(10 * own / total)) if total else 0,
                        "is_right": k == place,
                    }
                    for k, own in enumerate(sums)
                ],
            }
        )
    return rows


def _share(own: Estimate) -> tuple[str, str]:
    """A share and its interval, which is empty where nothing is known."""
    if own.estimate is None:
        return NOT_KNOWN, NOTHING
    between = f"{span(own)} %" if own.low is not None else NOTHING
    return percent(own.estimate), between


def _ratio(own: Estimate) -> tuple[str, str]:
    if own.estimate is None:
        return NOT_KNOWN, NOTHING
    return ratio(own.estimate, 2), (
        NOTHING if own.low is None or own.high is None
        else f"{ratio(own.low, 2)} to {ratio(own.high, 2)}"
    )  # fmt: skip


def _seconds(own: Estimate) -> tuple[str, str]:
    if own.estimate is None:
        return NOT_KNOWN, NOTHING
    between = NOTHING
    if own.low is not None and own.high is not None:
        between = f"{own.low:,.0f} to {own.high:,.0f} s"
    return f"{own.estimate:,.0f} s", between
