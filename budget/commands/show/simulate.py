"""What `labelmix simulate` prints for a person."""

from rich.table import Table

from budget.commands.screen import Screen
from budget.simulate.presets import PRESETS
from budget.simulate.result import SimulationResult
from budget.simulate.wording import findings, short_name, table_rows

_WIDE = 110  # columns of a terminal


def show_simulation(result: SimulationResult) -> None:
    """Sentences, a table of a part of the cells, assumptions with their sources, notes."""
    console = Screen()
    console.print(result.title, style="bold")
    for sentence in findings(result):
        console.print(f"- {sentence}")
    console.print()
    heads, rows = table_rows(result, 7 if console.width >= _WIDE else 5)
    table = Table(
        f"{short_name(result.y)} \\ {short_name(result.x)}",
        *heads,
        title=f"Best buy, and how probably all {result.easy} beats all {result.target}",
        caption=f"? where 90 % of the draws leave open whether all {result.easy} or all "
        f"{result.target} is better",
    )
    for name, cells in rows:
        table.add_row(name, *cells)
    console.print(table)
    assumed = Table("name", "value", "source", title="What this rests on")
    for row in result.assumptions:
        assumed.add_row(row.name, row.value, row.source)
    console.print(assumed)
    for note in result.notes:
        console.print(f"note: {note}", style="yellow")


def show_presets() -> None:
    """Every preset with its numbers and where each comes from."""
    console = Screen()
    for preset in PRESETS.values():
        console.print(f"{preset.name}: {preset.title}", style="bold")
        console.print(f"  grid: {preset.x}, {preset.y}")
        for statement in preset.stated.values():
            console.print(f"  {statement.name} = {statement.text} ({statement.source})")
        console.print(f"  {preset.note}\n")
