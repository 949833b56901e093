"""What `labelmix hardness` prints for a person."""

from collections.abc import Sequence

from rich.table import Table

from analysis.hardness.result import Bin, HardnessResult, MeasureResult
from annotation.hardness.registry import MEASURES
from budget.commands.screen import Screen

_BAR_WIDTH = 40
_MATRIX_WIDTH = 9  # of a column of the correlation matrix


def show_hardness(result: HardnessResult) -> None:
    """Print strata, histograms and correlations."""
    console = Screen()
    console.print(f"{result.items:,} items from '{result.source}'")
    for remark in result.remarks:
        console.print(f"note: {remark}", soft_wrap=True)
    for measure in result.measures:
        _show_measure(console, measure, result.items)
    if len(result.measures) > 1:
        _show_correlations(console, result)
    if result.out is not None:
        columns = [m.stratum_column for m in result.measures if m.stratum_column]
        strata = f"; strata: {', '.join(columns)}" if columns else ""
        console.print(f"\nitems with their measures: {result.out}{strata}", soft_wrap=True)


def show_registry() -> None:
    """Print every measure there is, what it needs and what it costs."""
    console = Screen()
    table = Table(title="Hardness measures")
    table.add_column("measure", no_wrap=True, min_width=max(map(len, MEASURES)))
    for head in ("family", "meaning", "cost"):
        table.add_column(head)
    for measure in MEASURES.values():
        table.add_row(measure.name, measure.family, measure.meaning, measure.cost)
    console.print(table)


def _show_measure(console: Screen, measure: MeasureResult, items: int) -> None:
    console.print(f"\n{measure.name}" + (f": {measure.meaning}" if measure.meaning else ""))
    if measure.minimum is None or measure.median is None or measure.maximum is None:
        console.print(f"  known of none of the {items:,} items")
    else:
        console.print(
            f"  known of {measure.known:,} of {items:,} items; {_short(measure.minimum)} to "
            f"{_short(measure.maximum)}, median {_short(measure.median)}"
        )
    told = measure.prediction
    if told is not None:
        rank = "unknown" if told.spearman is None else f"{told.spearman:.2f}"
        made = (
            f"of these {told.predicted:,} predicted from" if told.tells else "none predicted from"
        )
        console.print(
            f"  {made} {told.rated:,} rated; on rated items left out: rank correlation {rank}, "
            f"{told.explained_variance:.0%} of the variance explained; {told.coverage:.0%} "
            f"intervals, median width {_short(told.median_width)}"
        )
    if measure.strata:
        table = Table("stratum", "rule", "items", "share", title=f"cut: {measure.cut}")
        for stratum in measure.strata:
            table.add_row(stratum.name, stratum.rule, f"{stratum.items:,}", f"{stratum.share:.1%}")
        console.print(table)
    for line in bars(measure.histogram):
        console.print(line)
    for remark in measure.remarks:
        console.print(f"  note: {remark}", soft_wrap=True)


def bars(histogram: Sequence[Bin]) -> list[str]:
    """A histogram as lines of text, the longest bar `_BAR_WIDTH` wide."""
    most = max((bar.items for bar in histogram), default=0)
    labels = [
        f"{bar.low:g}" if bar.low == bar.high else f"{_short(bar.low)} to {_short(bar.high)}"
        for bar in histogram
    ]
    width = max(map(len, labels), default=0)
    return [
        f"  {label:>{width}} {'#' * round(_BAR_WIDTH * bar.items / most)} {bar.items:,}"
        for label, bar in zip(labels, histogram, strict=True)
    ]


def _short(number: float) -> str:
    """Four digits, or a whole number."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def _show_correlations(console: Screen, result: HardnessResult) -> None:
    """One row per measure, numbered, so that many fit the width of a terminal."""
    names = [measure.name for measure in result.measures]
    longest = max(map(len, names))
    console.print("\nSpearman correlations")
    head = "".join(f"{f'({number})':>{_MATRIX_WIDTH - 1}}" for number in range(1, len(names) + 1))
    console.print(f"  {'':<{longest + 4}}{head}", soft_wrap=True)
    for number, name in enumerate(names, start=1):
        values = [result.spearman[name][other] for other in names[:number]]
        cells = ["-" if value is None else f"{value:.2f}" for value in values]
        line = "".join(f"{cell:>{_MATRIX_WIDTH - 1}}" for cell in cells)
        console.print(f"  {f'({number})':<4}{name:<{longest}}{line}", soft_wrap=True)
