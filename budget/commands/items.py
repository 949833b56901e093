"""`labelmix items`: look at items before anything is bought."""

from pathlib import Path
from typing import Annotated

import typer

from budget.commands.console import guarded, tell
from budget.commands.options import (
    AnswersOption,
    ChoicesOption,
    ColumnOption,
    DataDir,
    Json,
    read_choices,
    read_columns,
)

items_app = typer.Typer(
    help="Look at items before buying labels.\n\n"
    "Example: labelmix items describe --source workshop",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@items_app.command()
@guarded
def describe(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG.toml]", help="Describe this run's items.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Instead of CONFIG: workshop, tabular, arc, sst5, ...")
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="File of the source 'tabular' (JSONL, CSV, Parquet).")
    ] = None,
    data_dir: DataDir = None,
    column: ColumnOption = None,
    choices: ChoicesOption = None,
    answers: AnswersOption = None,
    as_json: Json = False,
) -> None:
    """Show how many items there are, their choices, hardness measures and strata.

    Example: labelmix items describe my-task.toml
    """
    from budget.commands.item_source import ItemSource, load_source
    from budget.commands.show.items import describe_items, show_description

    asked = ItemSource(
        either="CONFIG.toml or --source; 'labelmix init' writes the former",
        config=config,
        source=source,
        path=path,
        data_dir=data_dir,
        columns=read_columns(column),
        choices=read_choices(choices),
        answers=answers,
    )
    tell(describe_items(load_source(asked, answered=True)), as_json, show_description)
