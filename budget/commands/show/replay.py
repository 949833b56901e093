"""What `labelmix replay` prints for a person once the outcome is known."""

from rich.table import Table

from budget.commands.screen import Screen
from budget.replay.result import ReplayResult
from budget.replay.wording import HEADS, outcome_sentences, table_rows


def show_outcome(result: ReplayResult) -> None:
    """Sentences, then a table of everything that could have been bought with the money."""
    console = Screen()
    for sentence in outcome_sentences(result):
        console.print(f"- {sentence}")
    console.print()
    table = Table(*HEADS, caption="in brackets: 95 % intervals over test items and replays")
    for row in table_rows(result):
        table.add_row(*row)
    console.print(table)
