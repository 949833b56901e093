"""`labelmix labelstudio`: send a pilot to Label Studio and fetch what annotators answer."""

import json
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from time import strftime
from typing import Annotated

import typer

from budget.commands.console import guarded
from budget.commands.options import (
    AnswersOption,
    ChoicesOption,
    ColumnOption,
    DataDir,
    Json,
    read_choices,
    read_columns,
)
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher

STATE = "label_studio.sqlite"
JUDGMENTS = "judgments.csv"
CLOCK = "%H:%M:%S"  # before the lines of 'watch'

Url = Annotated[
    str | None,
    typer.Option(
        envvar="LABEL_STUDIO_URL", help="Address of Label Studio, e.g. http://localhost:8080."
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="File that holds the token; default: the variable LABEL_STUDIO_TOKEN."),
]
Pilot = Annotated[
    Path, typer.Argument(metavar="PILOT", help="The pilot's folder, that 'push' wrote.")
]
Title = Annotated[
    str | None,
    typer.Option(help="Fetch from this project, where the folder belongs to none yet."),
]
JudgmentFile = Annotated[
    Path | None,
    typer.Option(help=f"Judgment table, .csv or .parquet; default PILOT/{JUDGMENTS}."),
]
Anonymous = Annotated[
    bool | None,
    typer.Option(
        "--anonymous/--by-address",
        help="Name annotators user-1, ... or by e-mail address; default: as the last time, at "
        "first by address.",
    ),
]
Control = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of the page's controls the one whose answers are the labels, e.g. sentiment; "
        "default: as the last time.",
    ),
]
Patience = Annotated[
    float,
    typer.Option(
        min=0,
        help="Seconds to go on when the server stops answering; the first answer is waited for "
        "10 seconds.",
    ),
]
Listen = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Also be called by Label Studio, e.g. 127.0.0.1:8090."),
]
CallbackUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="How Label Studio reaches --listen; default http://HOST:PORT."
    ),
]

labelstudio_app = typer.Typer(
    help="Send a pilot to Label Studio and fetch what annotators answer.\n\n"
    "The token comes from LABEL_STUDIO_TOKEN or --token-file.\n\n"
    "Example: labelmix labelstudio pull runs/pilot",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@labelstudio_app.command()
@guarded
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
    answers: AnswersOption = None,
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
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt",
            help="Take over a project of that title which this folder did not make, e.g. as the "
            "folder that made it is lost.",
        ),
    ] = False,
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
    from annotation.files import readable
    from annotation.label_studio.labelling_config import kind_of_items, labelling_config
    from annotation.label_studio.pilot import draw_pilot
    from annotation.label_studio.predictions import read_predictions
    from annotation.label_studio.project import ProjectSettings
    from annotation.label_studio.push import push as push_pilot
    from budget.commands.item_source import ItemSource, config_or_items, load_source
    from budget.commands.labelstudio_session import opened_server, opened_state, push_lines
    from budget.commands.name_value import read_counts

    numbers = read_counts(tasks, "--tasks", "STRATUM=NUMBER, e.g. easy=100")
    config, file = config_or_items(items)
    asked = ItemSource(
        either="a file of items or CONFIG.toml",
        config=config,
        items=file,
        data_dir=data_dir,
        columns=read_columns(column),
        choices=read_choices(choices),
        answers=answers,
        measure=measure,
        cut=cut,
    )
    found = load_source(asked)
    for remark in (*found.remarks, *found.strata_remarks):
        say(f"note: {remark}", err=True)
    table = found.items
    pilot = draw_pilot(table, found.stratum_of_items, numbers, gold, seed)
    kind = kind_of_items(table)
    given = None if found.table is None else found.table.given_choices
    shown = read_predictions(predictions, pilot, given) if predictions else []
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
        summary = push_pilot(server, state, pilot, settings, shown, watcher, seed, adopt)
        requests = server.connection.requests
    if as_json:
        say(json.dumps(asdict(summary) | {"requests": requests}, indent=2))
        return
    say("\n".join(push_lines(summary)))
    say(f"project: {summary.url}\nnext: labelmix labelstudio watch {out}")


@labelstudio_app.command()
@guarded
def pull(
    pilot: Pilot,
    url: Url = None,
    title: Title = None,
    judgments: JudgmentFile = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Read all tasks, not only what changed.")
    ] = False,
    control: Control = None,
    anonymous: Anonymous = None,
    token_file: TokenFile = None,
    patience: Patience = 300,
    as_json: Json = False,
) -> None:
    """Fetch new, edited and deleted judgments into a judgment table.

    Example: labelmix labelstudio pull runs/pilot
    """
    from annotation.label_studio.pull import pull as pull_judgments
    from budget.commands.labelstudio_session import (
        adopt,
        anonymity,
        check_table_name,
        opened_pilot,
        pull_lines,
        write_table,
    )

    target = judgments or pilot / JUDGMENTS
    check_table_name(target)
    is_new = not target.exists()
    with (
        opened_pilot(pilot / STATE, url, title, token_file, patience) as (server, state),
        nullcontext(anonymity(state, anonymous)) as unnamed,
        progress_watcher() as watcher,
    ):
        remark = adopt(server, state, title)
        if remark:
            say(f"note: {remark}", err=True)
        summary = pull_judgments(server, state, watcher, whole, control)
        write_table(state, target, unnamed)
        requests = server.connection.requests
    if as_json:
        found = asdict(summary) | {"requests": requests, "judgments": str(target)}
        say(json.dumps(found, indent=2))
    else:
        say("\n".join([*pull_lines(summary, is_new), f"judgments: {target}"]))


@labelstudio_app.command()
@guarded
def watch(
    pilot: Pilot,
    url: Url = None,
    title: Title = None,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 30,
    listen: Listen = None,
    callback: CallbackUrl = None,
    judgments: JudgmentFile = None,
    control: Control = None,
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
        opened_pilot,
        pull_lines,
        write_table,
    )

    target = judgments or pilot / JUDGMENTS
    check_table_name(target)
    bell = Bell()
    with (
        ended_by_signals(),
        opened_pilot(pilot / STATE, url, title, token_file, patience) as (server, state),
        nullcontext(anonymity(state, anonymous)) as unnamed,
    ):
        remark = adopt(server, state, title)
        if remark:
            say(f"note: {remark}", err=True)

        def changed(summary: PullSummary) -> None:
            is_new = not target.exists()
            write_table(state, target, unnamed)
            if as_json:
                say(json.dumps(asdict(summary)))
            else:
                lines = "\n".join(pull_lines(summary, is_new))
                say(f"{strftime(CLOCK)} {lines}")

        def pull_once() -> PullSummary:
            return pull_judgments(server, state, control=control)

        def trouble(line: str) -> None:
            say(f"{strftime(CLOCK)} labelmix: {line}", err=True)

        try:
            with listening(server, state, listen, callback, bell) as address:
                called = f", and when called at {address}" if address else ""
                say(f"looking every {every:g} s{called}; Ctrl-C ends", err=as_json)
                watch_server(pull_once, bell, every, changed, trouble)
        except KeyboardInterrupt:
            write_table(state, target, unnamed)  # the last pull may have been cut short
            say(f"stopped; judgments: {target}", err=as_json)
