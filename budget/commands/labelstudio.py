"""`labelmix labelstudio`: send a pilot to Label Studio and fetch what annotators answer."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from time import strftime
from typing import Annotated

import typer

from budget.commands.labelstudio_options import (
    JUDGMENTS,
    Anonymous,
    JudgmentFile,
    Patience,
    Pilot,
    Title,
    TokenFile,
    Url,
)
from budget.commands.options import DataDir, Json
from budget.commands.table_options import (
    ChoicesOption,
    ColumnOption,
    read_choices,
    read_columns,
)

STATE = "label_studio.sqlite"
CLOCK = "%H:%M:%S"  # before the lines of 'watch'

labelstudio_app = typer.Typer(
    help="Send a pilot to Label Studio and fetch what annotators answer.\n\n"
    "The token comes from LABEL_STUDIO_TOKEN or --token-file.\n\n"
    "Example: labelmix labelstudio pull runs/pilot",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@labelstudio_app.command()
def push(
    items: Annotated[
        Path,
        typer.Argument(
            metavar="ITEMS", help="Items (JSONL, CSV, Parquet), or the CONFIG.toml of a run."
        ),
    ],
    title: Annotated[str, typer.Option(help="Title of the project in Label Studio.")],
    tasks: Annotated[
        list[str],
        typer.Option(
            metavar="STRATUM=NUMBER", help="Tasks to send, e.g. easy=100; once for each stratum."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The pilot's folder: which tasks, which are gold.")],
    url: Url = None,
    column: ColumnOption = None,
    choices: ChoicesOption = None,
    measure: Annotated[
        str | None,
        typer.Option(help="Hardness measure that is cut; without it, all items are 'all'."),
    ] = None,
    cut: Annotated[
        str | None,
        typer.Option(help="quantiles:3 (the default), quantiles:.3,.7 or edges:2,>=5."),
    ] = None,
    overlap: Annotated[int, typer.Option(min=1, help="Annotators asked for each task.")] = 3,
    gold: Annotated[
        int, typer.Option(min=0, help="Of the tasks of each stratum, hidden gold questions.")
    ] = 0,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Predictions to show: a file with item_id, choice and score."),
    ] = None,
    instructions: Annotated[
        Path | None, typer.Option(help="File with what annotators read first (text or HTML).")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the draw; a pilot keeps the one it began with.")
    ] = 0,
    data_dir: DataDir = None,
    token_file: TokenFile = None,
    patience: Patience = 300,
    as_json: Json = False,
) -> None:
    """Send a stratified pilot; sending it again sends only what is not there yet.

    A larger pilot with the same seed contains a smaller one: give more tasks and push again.

    With strata: --measure steps --tasks easy=100 --tasks hard=100 --gold 10.

    Example: labelmix labelstudio push a.csv --title New --tasks all=9 --out new
    """

    def work() -> None:
        from annotation.files import readable
        from annotation.items.table_reader import FIRST_UNNAMED
        from annotation.label_studio.labelling_config import kind_of_items, labelling_config
        from annotation.label_studio.pilot import draw_pilot
        from annotation.label_studio.predictions import read_predictions
        from annotation.label_studio.project import ProjectSettings
        from annotation.label_studio.push import push as push_pilot
        from budget.commands.console import progress_watcher
        from budget.commands.item_source import items_and_strata
        from budget.commands.labelstudio_session import (
            opened_server,
            opened_state,
            push_lines,
            read_numbers,
        )

        numbers = read_numbers(tasks)
        table, strata = items_and_strata(
            items, measure, cut, data_dir, read_columns(column or []), read_choices(choices)
        )
        if table["item_id"].iloc[0] == FIRST_UNNAMED:
            typer.echo(
                f"note: items are called {FIRST_UNNAMED} and so on, by their place in the file; "
                "name a column of identifiers by --column item_id=COLUMN",
                err=True,
            )
        pilot = draw_pilot(table, strata, numbers, gold, seed)
        kind = kind_of_items(table)
        shown = read_predictions(predictions, pilot) if predictions else []
        text = None
        if instructions is not None:
            with readable(instructions):
                text = instructions.read_text(encoding="utf-8-sig")
        classes = table["choices"].iloc[0] if kind == "classification" else ()
        settings = ProjectSettings(title, labelling_config(kind, classes), overlap, text)
        with (
            opened_server(url, token_file, patience) as server,
            opened_state(out / STATE, new=True) as state,
            progress_watcher() as watcher,
        ):
            summary = push_pilot(server, state, pilot, settings, shown, watcher, seed)
            requests = server.connection.requests
        if as_json:
            typer.echo(json.dumps(asdict(summary) | {"requests": requests}, indent=2))
            return
        typer.echo("\n".join(push_lines(summary)))
        typer.echo(f"project: {summary.url}\nnext: labelmix labelstudio watch {out}")

    _run(work)


@labelstudio_app.command()
def pull(
    pilot: Pilot,
    url: Url = None,
    title: Title = None,
    judgments: JudgmentFile = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Read all tasks, not only what changed.")
    ] = False,
    anonymous: Anonymous = None,
    token_file: TokenFile = None,
    patience: Patience = 300,
    as_json: Json = False,
) -> None:
    """Fetch new, edited and deleted judgments into a judgment table.

    Example: labelmix labelstudio pull runs/pilot
    """

    def work() -> None:
        from annotation.label_studio.pull import pull as pull_judgments
        from budget.commands.console import progress_watcher
        from budget.commands.labelstudio_session import (
            adopt,
            anonymity,
            check_table_name,
            opened_server,
            opened_state,
            pull_lines,
            write_table,
        )

        target = judgments or pilot / JUDGMENTS
        check_table_name(target)
        is_new = not target.exists()
        with (
            opened_state(pilot / STATE, new=title is not None) as state,
            nullcontext(anonymity(state, anonymous)) as unnamed,
            opened_server(url or state.about("url"), token_file, patience) as server,
            progress_watcher() as watcher,
        ):
            adopt(server, state, title)
            summary = pull_judgments(server, state, watcher, whole)
            write_table(state, target, unnamed)
            requests = server.connection.requests
        if as_json:
            found = asdict(summary) | {"requests": requests, "judgments": str(target)}
            typer.echo(json.dumps(found, indent=2))
        else:
            typer.echo("\n".join([*pull_lines(summary, is_new), f"judgments: {target}"]))

    _run(work)


@labelstudio_app.command()
def watch(
    pilot: Pilot,
    url: Url = None,
    title: Title = None,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 30,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Also be called by Label Studio, e.g. 127.0.0.1:8090."
        ),
    ] = None,
    callback: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="How Label Studio reaches --listen; default http://HOST:PORT."
        ),
    ] = None,
    judgments: JudgmentFile = None,
    anonymous: Anonymous = None,
    token_file: TokenFile = None,
    patience: Patience = 60,
    as_json: Json = False,
) -> None:
    """Fetch judgments as they come, until Ctrl-C.

    With --listen, Label Studio is told to call whenever an annotation changes; the secret it has
    to send is LABELMIX_WEBHOOK_SECRET, or a new one each time. With --json every pull that
    changed something is one line of JSON.

    Example: labelmix labelstudio watch runs/pilot --every 60
    """

    def work() -> None:
        from annotation.label_studio.pull import PullSummary
        from annotation.label_studio.pull import pull as pull_judgments
        from annotation.label_studio.watch import Bell
        from annotation.label_studio.watch import watch as watch_server
        from budget.commands.labelstudio_session import (
            adopt,
            anonymity,
            check_table_name,
            ended_by_signals,
            listening,
            opened_server,
            opened_state,
            pull_lines,
            write_table,
        )

        target = judgments or pilot / JUDGMENTS
        check_table_name(target)
        bell = Bell()
        with (
            ended_by_signals(),
            opened_state(pilot / STATE, new=title is not None) as state,
            nullcontext(anonymity(state, anonymous)) as unnamed,
            opened_server(url or state.about("url"), token_file, patience) as server,
        ):
            adopt(server, state, title)

            def changed(summary: PullSummary) -> None:
                is_new = not target.exists()
                write_table(state, target, unnamed)
                if as_json:
                    typer.echo(json.dumps(asdict(summary)))
                else:
                    lines = "\n".join(pull_lines(summary, is_new))
                    typer.echo(f"{strftime(CLOCK)} {lines}")

            def trouble(line: str) -> None:
                typer.echo(f"{strftime(CLOCK)} labelmix: {line}", err=True)

            try:
                with listening(server, state, listen, callback, bell) as address:
                    called = f", and when called at {address}" if address else ""
                    typer.echo(f"looking every {every:g} s{called}; Ctrl-C ends", err=as_json)
                    watch_server(
                        lambda: pull_judgments(server, state), bell, every, changed, trouble
                    )
            except KeyboardInterrupt:
                write_table(state, target, unnamed)  # the last pull may have been cut short
                typer.echo(f"stopped; judgments: {target}", err=as_json)

    _run(work)


def _run(work: Callable[[], None]) -> None:
    """Run a command's work; when it is interrupted, everything is kept."""
    from budget.commands.console import guarded

    def interruptible() -> None:
        try:
            work()
        except KeyboardInterrupt:
            typer.echo(
                "labelmix: interrupted; what is done is kept, the same command goes on from there.",
                err=True,
            )
            raise typer.Exit(130) from None

    guarded(interruptible)
