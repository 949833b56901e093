"""How good the people of a collection are: agreement, error rates, mix-ups, times."""

import numpy as np
from pydantic import BaseModel

from analysis.estimates import Estimate
from annotation.team.report import JudgmentReport, ReportSettings, report_judgments
from annotation.truth.aggregation import Aggregate
from annotation.truth.coding import Coded
from budget.collection.steps import Collection
from budget.market.measured_terms import as_estimate

_MOST_CLASSES = 12  # of which mix-ups are told


class StratumTeam(BaseModel):
    """The judgments of one stratum; `alpha` is Krippendorff's, shares are of 1, times seconds."""

    stratum: str
    items: int
    judged_twice: int
    judgments: int
    agreement: Estimate
    alpha: Estimate
    wrong: Estimate
    label_wrong: Estimate
    seconds: Estimate


class PersonTeam(BaseModel):
    """One person; `agrees` is the share of others' judgments of the same items that say the same.

    Attributes
    ----------
    wrong : share of judgments that are wrong
    mixed_up : (classes, classes) expected judgments by right class (rows) and given one; None where
        items do not share their classes
    """

    supplier: str
    annotator: str
    judgments: int
    wrong: Estimate
    agrees: Estimate
    seconds: Estimate
    mixed_up: list[list[float]] | None


class TeamStatus(BaseModel):
    """Of judgments that nobody asked for because an item was in doubt.

    Attributes
    ----------
    classes : that items share; None where they do not, or are too many to be told
    method : how right answers were estimated where they are not known
    warnings : impossible times, and doubts about labels
    unknown : why there is nothing to tell; None where there is
    """

    confidence: float
    judgments: int
    strata: list[StratumTeam]
    people: list[PersonTeam]
    classes: list[str] | None
    method: str
    warnings: list[str]
    unknown: str | None = None


def team_status(collection: Collection) -> TeamStatus:
    """What the judgments so far tell; nothing is fetched or written for it."""
    so_far = collection.proposer.judgments_so_far()
    task = collection.contents.task
    table = so_far.not_chosen
    if table.empty:
        return TeamStatus(
            confidence=ReportSettings().confidence,
            judgments=0,
            strata=[],
            people=[],
            classes=None,
            method="",
            warnings=[],
            unknown="nobody has judged anything yet",
        )
    settings = ReportSettings(strata_order=tuple(task.strata.names))
    found = report_judgments(table, task.items, settings)
    who = dict(
        zip(table["annotator"], zip(table["supplier"], table["person"], strict=True), strict=True)
    )
    mixed_up = _mixed_up(found.coded, found.aggregate)
    return TeamStatus(
        confidence=found.confidence,
        judgments=found.judgments,
        strata=_strata(found),
        people=[
            PersonTeam(
                supplier=str(who[own.name][0]),
                annotator=str(who[own.name][1]),
                judgments=own.judgments,
                wrong=as_estimate(own.error.rate),
                agrees=as_estimate(own.agrees),
                seconds=as_estimate(own.work.median),
                mixed_up=None if mixed_up is None else mixed_up[own.name],
            )
            for own in found.annotators
        ],
        classes=None if mixed_up is None else list(found.coded.shared),
        method=found.aggregate.method,
        warnings=[*map(str, found.warnings), *found.notes],
    )


def _strata(found: JudgmentReport) -> list[StratumTeam]:
    return [
        StratumTeam(
            stratum=own.name,
            items=own.items,
            judged_twice=own.agreement.items,
            judgments=own.judgments,
            agreement=as_estimate(own.agreement.raw),
            alpha=as_estimate(own.agreement.krippendorff_alpha),
            wrong=as_estimate(own.error.rate),
            label_wrong=as_estimate(own.label_error),
            seconds=as_estimate(own.work.median),
        )
        for own in found.strata
    ]


def _mixed_up(coded: Coded, found: Aggregate) -> dict[str, list[list[float]]] | None:
    """Annotator -> expected judgments by right class and given one."""
    classes = len(coded.shared)
    if not 2 <= classes <= _MOST_CLASSES:
        return None
    counts = np.zeros((len(coded.annotators), classes, classes))
    # Gold items count as they are; what a model knows of the others is a chance.
    chances = found.posteriors[coded.item, :classes]
    np.add.at(counts, (coded.annotator, coded.label), chances)  # by given class and right one
    return {str(name): counts[code].T.tolist() for code, name in enumerate(coded.annotators)}
