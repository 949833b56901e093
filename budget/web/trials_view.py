"""What was trained in a run, as a table: every purchase with its measured accuracy."""

from collections.abc import Iterator

from pydantic import BaseModel

from analysis.estimates import Estimate
from analysis.numbers import count, labels_text, money, percent, span
from analysis.run.result import MethodResult, RunResult
from analysis.run.verdicts import plain_name
from analysis.run.wording import WITHOUT_LABELS, method_name


class TrialRow(BaseModel):
    """One purchase that was trained on, or a condition without labels.

    `seeds` is how many trainings the mean is of; `fitted` what the response surface has there, None
    where it was not asked.
    """

    method: str
    what: str
    labels: dict[str, int]
    cost: float | None
    seeds: int | None
    accuracy: Estimate
    fitted: float | None


class TrialFacts(BaseModel):
    """All rows, and how many trials stand behind them."""

    name: str
    target: str
    currency: str
    trials: int
    rows: list[TrialRow]


def trials_of(result: RunResult) -> TrialFacts:
    """What `result.json` has of trainings, method by method."""
    return TrialFacts(
        name=result.name,
        target=result.target,
        currency=result.currency,
        trials=result.trials.total,
        rows=[row for own in result.methods.values() for row in _rows(own, result.target)],
    )


def _rows(own: MethodResult, target: str) -> Iterator[TrialRow]:
    without = {str(key): title for key, title in WITHOUT_LABELS.items()}
    for name, found in own.accuracy.items():
        yield TrialRow(
            method=own.method,
            what=without.get(name) or f"test: {plain_name(name)}",
            labels=found.labels,
            cost=found.cost,
            seeds=found.seeds,
            accuracy=Estimate(estimate=found.estimate, low=found.low, high=found.high),
            fitted=None,
        )
    for point in own.pilot_curve:
        yield TrialRow(
            method=own.method,
            what="to learn from",
            labels=point.labels,
            cost=point.cost,
            seeds=point.seeds,
            accuracy=point.accuracy,
            fitted=point.fitted,
        )
    for lent in own.lent_curve:
        yield TrialRow(
            method=own.method,
            what="lent by the test set",
            labels={target: lent.labels},
            cost=None,
            seeds=lent.seeds,
            accuracy=Estimate(estimate=lent.accuracy, low=None, high=None),
            fitted=lent.fitted,
        )


def trials_view(facts: TrialFacts) -> dict[str, object]:
    """What the template needs."""
    return {
        "name": facts.name,
        "target": facts.target,
        "trials": count(facts.trials),
        "rows": [_told(row, facts.currency) for row in facts.rows],
    }


def _told(row: TrialRow, currency: str) -> dict[str, object]:
    labels = labels_text(row.labels).removesuffix(" labels") if any(row.labels.values()) else ""
    return {
        "method": method_name(row.method),
        "what": row.what,
        "labels": labels or "none",
        "cost": "" if row.cost is None else money(row.cost, currency),
        "seeds": "" if row.seeds is None else count(row.seeds),
        "accuracy": percent(row.accuracy.estimate),
        "between": "" if row.accuracy.low is None else f"{span(row.accuracy)} %",
        "fitted": "" if row.fitted is None else percent(row.fitted),
    }
