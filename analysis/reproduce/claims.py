"""Claims of a paper, the cases they are tried in, and what comes of them.

A case is one test: its numbers, and two p-values, one small where the claim holds there, the other
small where it does not. All cases of a claim are corrected together (Holm). A claim holds where all
of its cases do, and does not where one fails; else it is not resolved.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.accuracy import ItemClusters
from analysis.estimates import Estimate, Record
from analysis.numbers import joined
from analysis.reproduce.significance import LEVEL, above, beyond, equivalence, holm
from annotation.arrays import Array

ClaimVerdict = Literal["holds", "does not hold", "not resolved", "not applicable"]
Unit = Literal["percent", "points", "ratio"]


@dataclass(frozen=True)
class PaperClaim:
    """What somebody says.

    Attributes
    ----------
    key : a short name, unique among all experiments
    statement : the claim in a sentence
    source : who says so, and where
    rule : what counts as holding, in a sentence
    """

    key: str
    statement: str
    source: str
    rule: str


class CaseResult(Record):
    """One case of a claim."""

    name: str
    verdict: ClaimVerdict
    unit: Unit
    value: Estimate
    p: float | None = None  # of the direction the verdict is about, corrected; None: no test
    note: str | None = None


class ClaimResult(Record):
    """A claim with its verdict."""

    key: str
    statement: str
    source: str
    rule: str
    verdict: ClaimVerdict
    reason: str
    cases: list[CaseResult]


@dataclass(frozen=True)
class Case:
    """One test of a claim, before it is corrected for the number of tests.

    `holds` and `fails` are p-values, small where the claim holds or fails; None where nothing was
    tested, with the reason in `note`. What needs no test, such as a count, is `known`.
    """

    name: str
    value: Estimate
    holds: float | None = None
    fails: float | None = None
    known: bool | None = None
    unit: Unit = "points"
    note: str | None = None


def positive(name: str, clusters: ItemClusters, table: Array, unit: Unit = "points") -> Case:
    """The claim that the mean of a table (seeds, items) is above zero."""
    up = above(clusters, table)
    return Case(name, clusters.mean(table), min(1, 2 * up), min(1, 2 * (1 - up)), unit=unit)


def equivalent(name: str, clusters: ItemClusters, table: Array, margin: float) -> Case:
    """The claim that the mean of a table (seeds, items) is within `margin` of zero."""
    within, outside = equivalence(clusters, table, margin), beyond(clusters, table, margin)
    return Case(name, clusters.mean(table), within, outside)


def untested(name: str, value: Estimate, why: str, unit: Unit = "points") -> Case:
    """A case that cannot be told, and why."""
    return Case(name, value, note=why, unit=unit)


def judged(claim: PaperClaim, cases: Sequence[Case], level: float = LEVEL) -> ClaimResult:
    """The verdict on a claim, all its tests corrected together."""
    tested = [case for case in cases if case.holds is not None and case.fails is not None]
    holds = dict(zip(map(id, tested), holm([c.holds or 0.0 for c in tested]), strict=True))
    fails = dict(zip(map(id, tested), holm([c.fails or 0.0 for c in tested]), strict=True))
    results = []
    for case in cases:
        verdict: ClaimVerdict = "not resolved"
        p: float | None = None
        if case.known is not None:
            verdict = "holds" if case.known else "does not hold"
        elif id(case) in holds:
            for_it, against = holds[id(case)], fails[id(case)]
            verdict = (
                "holds" if for_it <= level else "does not hold" if against <= level else verdict
            )
            p = min(for_it, against)
        results.append(
            CaseResult(
                name=case.name,
                verdict=verdict,
                unit=case.unit,
                value=case.value,
                p=p,
                note=case.note,
            )
        )
    return ClaimResult(
        key=claim.key,
        statement=claim.statement,
        source=claim.source,
        rule=claim.rule,
        verdict=_of_all([result.verdict for result in results]),
        reason=_reason(results),
        cases=results,
    )


def without_cases(claim: PaperClaim, why: str) -> ClaimResult:
    """A claim that this data set or model cannot put to the test."""
    return ClaimResult(
        key=claim.key,
        statement=claim.statement,
        source=claim.source,
        rule=claim.rule,
        verdict="not applicable",
        reason=why,
        cases=[],
    )


def _of_all(verdicts: Sequence[ClaimVerdict]) -> ClaimVerdict:
    if not verdicts:
        return "not applicable"
    if "does not hold" in verdicts:
        return "does not hold"
    return "holds" if set(verdicts) == {"holds"} else "not resolved"


def _reason(results: Sequence[CaseResult]) -> str:
    counts: Counter[str] = Counter(result.verdict for result in results)
    told = [
        f"{words} {counts[verdict]}"
        for verdict, words in (
            ("holds", "holds in"),
            ("does not hold", "fails in"),
            ("not resolved", "not resolved in"),
        )
        if counts[verdict]
    ]
    text = f"{joined(told)} of {len(results)} {'case' if len(results) == 1 else 'cases'}."
    return text[:1].upper() + text[1:]
