"""The schema of what `labelmix hardness --json` prints."""

from analysis.estimates import Record


class Bin(Record):
    """One bar of a histogram: items from `low` to below `high` (the last: to `high`).

    Of whole numbers those at `high` belong to it too.
    """

    low: float
    high: float  # equal to low where the bar stands for one value
    items: int


class StratumResult(Record):
    """One band of a measure."""

    name: str
    rule: str
    items: int
    share: float  # of the items that have the measure


class PredictionSummary(Record):
    """How unknown values of a measure were filled in, or why they were not."""

    rated: int
    predicted: int  # 0 where the features tell nothing about the measure
    spearman: float | None  # of measure and prediction, on rated items left out in turn
    explained_variance: float  # of these items, at most 1
    coverage: float  # nominal, of the intervals
    median_width: float  # of the intervals, in the measure's unit
    tells: bool  # whether predictions are better than chance; if not, none is filled in


class MeasureResult(Record):
    """One hardness measure of the items."""

    name: str
    family: str | None  # None: a column of the user's own
    meaning: str | None
    known: int
    minimum: float | None
    median: float | None
    maximum: float | None
    histogram: list[Bin]
    cut: str
    stratum_column: str | None  # of `out`, where strata were cut
    strata: list[StratumResult]  # empty where it cannot be cut so; a remark says why
    prediction: PredictionSummary | None
    remarks: list[str]


class HardnessResult(Record):
    """All measures of a table of items."""

    source: str
    items: int
    remarks: list[str]  # about how the items were read
    measures: list[MeasureResult]
    spearman: dict[str, dict[str, float | None]]
    out: str | None
