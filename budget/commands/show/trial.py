"""What `labelmix trial` prints for a person."""

from rich.table import Table

from analysis.accuracy import CONFIDENCE
from analysis.numbers import interval_name, labels_text, percent, span
from analysis.single_trial import SingleTrial
from budget.commands.screen import Screen


def show_single_trial(found: SingleTrial) -> None:
    """A table of accuracy per stratum."""
    console = Screen()
    bought = labels_text(found.labels, tuple(found.labels)) if found.labels else "nothing"
    table = Table(
        "test items",
        "accuracy",
        interval_name(CONFIDENCE),
        title=f"{found.method.replace('_', '-')} on {found.model}, bought {bought}, "
        f"{found.seeds} seed{'s' if found.seeds > 1 else ''}",
    )
    for name, accuracy in found.accuracy.items():
        table.add_row(name, percent(accuracy.estimate), span(accuracy))
    console.print(table)
    told = ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}" for name, value in found.details.items()
    )
    console.print(f"{found.seconds:.1f} s a seed" + (f"; {told}" if told else ""))
    if found.details.get("no_answer_share", 0) > 0.5:
        console.print("note: most of what the model wrote holds no answer that can be read.")
    for remark in found.remarks:
        console.print(f"note: {remark}", soft_wrap=True)
