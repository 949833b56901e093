"""The page of a reproduction: every claim with its verdict, every table and figure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from analysis.html_page import filled_template
from analysis.numbers import count, joined
from analysis.reproduce.claims import CaseResult, ClaimResult
from analysis.reproduce.drawings import Drawing
from analysis.reproduce.result import ExperimentResult, Reproduction
from analysis.reproduce.tables import Table, cell_text, head_text
from annotation.whole_files import whole_file


def reproduction_page(result: Reproduction, drawings: Mapping[str, Sequence[Drawing]]) -> str:
    """The page; the same result gives the same bytes. All text is escaped."""
    claims = [claim for experiment in result.experiments for claim in experiment.claims]
    return filled_template(
        "analysis.reproduce",
        "page_template.html",
        data=result.data,
        models=joined([model.name for model in result.models]),
        headline=headline(claims),
        facts=[
            ("Items", count(result.items)),
            ("Claims", count(len(claims))),
            ("Trials", count(result.trials)),
            ("Labels compared", count(int(str(result.design["labels"])))),
        ],
        claims=[
            (_title(result, claim), claim.statement, claim.verdict, claim.reason)
            for claim in claims
        ],
        experiments=[_experiment(own, drawings.get(own.name, ())) for own in result.experiments],
        remarks=result.remarks,
        version=result.labelmix_version,
        confidence=count(round(100 * result.confidence)),
    )


def write_page(result: Reproduction, drawings: Mapping[str, Sequence[Drawing]], path: Path) -> None:
    """Write the page, whole or not at all.

    Raises InputError if the file cannot be written.
    """
    page = reproduction_page(result, drawings)
    with whole_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8", errors="backslashreplace")


def headline(claims: Sequence[ClaimResult]) -> str:
    """How many claims came to which verdict, in a sentence."""
    counts: Counter[str] = Counter(claim.verdict for claim in claims)
    if not claims:
        return "No claim was put to the test yet."
    told = [
        f"{counts[verdict]} {words}"
        for verdict, words in (
            ("holds", "held"),
            ("does not hold", "did not hold"),
            ("not resolved", "could not be resolved"),
            ("not applicable", "could not be asked of these items or models"),
        )
        if counts[verdict]
    ]
    return f"Of {len(claims)} {'claim' if len(claims) == 1 else 'claims'} {joined(told)}."


def _title(result: Reproduction, claim: ClaimResult) -> str:
    return next(own.title for own in result.experiments if claim in own.claims)


def _experiment(result: ExperimentResult, drawings: Sequence[Drawing]) -> dict[str, object]:
    return {
        "name": result.name,
        "title": result.title,
        "measures": result.measures,
        "status": result.status,
        "why": result.why or "",
        "claims": [_claim(claim) for claim in result.claims],
        "tables": [_table(own) for own in result.tables],
        "figures": [(Markup(own.svg()), own.title) for own in drawings],
        "notes": result.notes,
        "trials": count(result.trials),
    }


def _claim(claim: ClaimResult) -> dict[str, object]:
    return {
        "statement": claim.statement,
        "source": claim.source,
        "rule": claim.rule,
        "verdict": claim.verdict,
        "reason": claim.reason,
        "cases": [
            (case.name, case_number(case), case.verdict, _p_of(case), case.note or "")
            for case in claim.cases
        ],
    }


def case_number(case: CaseResult) -> str:
    """The number of a case for people, with its unit."""
    told = cell_text(case.value, case.unit)
    unit = {"percent": " %", "points": " points", "ratio": ""}[case.unit]
    return told if case.value.estimate is None else f"{told}{unit}"


def _p_of(case: CaseResult) -> str:
    return "" if case.p is None else cell_text(case.p, "p")


def _table(own: Table) -> dict[str, object]:
    return {
        "name": own.name,
        "title": own.title,
        "heads": [(head_text(column), column.kind == "text") for column in own.columns],
        "rows": [
            [
                (cell_text(cell, column.kind), column.kind == "text")
                for cell, column in zip(row, own.columns, strict=True)
            ]
            for row in own.rows
        ],
    }
