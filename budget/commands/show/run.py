"""What a finished run prints for a person."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from analysis.numbers import (
    interval_name,
    labels_text,
    money,
    percent,
    span,
)
from analysis.over_untrained import MARK, told_of_marks
from analysis.run.before_buying import guessed_labels, scoring
from analysis.run.caveats import notices
from analysis.run.conclusion import WITHOUT_LABELS, conclude, not_above
from analysis.run.label_source import where_labels_came_from
from analysis.run.result import MethodResult, RunResult
from analysis.run.verdicts import plain_name, words_of
from analysis.run.wording import (
    after_the_pilot,
    break_even,
    crossovers,
    method_name,
    reason,
    recommendation,
    supervision_gap,
)
from budget.commands.screen import Screen


def show_result(result: RunResult) -> None:
    """The recommendation, the exchange rate, the SGR and a table per method."""
    console = Screen()
    found = conclude(result)
    console.print()
    console.print(recommendation(result, found), style="bold")
    for said in where_labels_came_from(result):
        console.print(said)
    console.print(after_the_pilot(result, found))
    console.print(reason(result, found))
    console.print(break_even(result.exchange_rate, result.confidence, found))
    for said in crossovers(result.methods[result.planning_method], result.currency, found):
        console.print(said)
    easy = result.exchange_rate.stratum
    console.print(supervision_gap(result.sgr, easy, result.target, result.confidence))
    for key, method in result.methods.items():
        for said in scoring(method, result.target):
            console.print(said)
        for said in guessed_labels(method, result.strata, result.target):
            console.print(said)
        below = {
            name: not_above(result, key, name)
            for name in method.accuracy
            if name not in WITHOUT_LABELS
        }
        console.print(_accuracy_table(result, method, below))
        for said in told_of_marks((plain_name(name), own) for name, own in below.items()):
            console.print(said)
    for notice in notices(result, found):
        console.print(f"note: {notice}", style="yellow", markup=False)


def _accuracy_table(
    result: RunResult, method: MethodResult, below: Mapping[str, Sequence[str]]
) -> Table:
    """A row per condition; what is not resolved to be above what needs no label is marked."""
    table = Table(
        "trained on",
        "labels",
        "cost",
        "accuracy",
        interval_name(result.confidence),
        title=f"Measured on {result.target} items, {method_name(method.method)}; "
        f"{words_of(result).trained_on}",
    )
    for name, condition in method.accuracy.items():
        table.add_row(
            plain_name(name),
            labels_text(condition.labels, result.strata),
            money(condition.cost, result.currency),
            percent(condition.estimate) + (f" {MARK}" if below.get(name) else ""),
            span(condition) if condition.seeds else "",  # nothing was drawn
        )
    if "guessing" not in method.accuracy:
        table.caption = f"guessing: {percent(result.chance_accuracy)}"
    return table
