"""`labelmix suppliers`: machines that label, measured and routed before they are believed."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from budget.commands.console import guarded
from budget.commands.options import (
    AnswersOption,
    ChoicesOption,
    ColumnOption,
    Json,
    read_choices,
    read_columns,
)
from budget.commands.printing import say
from budget.commands.suppliers_llm import llm

if TYPE_CHECKING:
    from annotation.machines.labels import MachineLabels

suppliers_app = typer.Typer(
    help="Machines that label: how often they are wrong, and which items they may label.\n\n"
    "Example: labelmix suppliers measure items.jsonl --machine llm_label --confidence "
    "llm_confidence --ask 200 --out to_check.csv",
    no_args_is_help=True,
    rich_markup_mode=None,
)

suppliers_app.command()(llm)

ItemsFile = Annotated[
    Path,
    typer.Argument(
        metavar="ITEMS", help="Items with a column of the machine's answers (JSONL, CSV, Parquet)."
    ),
]
Machine = Annotated[
    str, typer.Option(metavar="COLUMN", help="The machine's answer, e.g. --machine llm_label.")
]
Confidence = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="How sure the machine says it is, 0 to 1; if it does."),
]
People = Annotated[
    str,
    typer.Option(metavar="COLUMN", help="What people answered, empty where nobody was asked."),
]
Checked = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Answers of people in a file of their own: item_id and label, one row an item.",
    ),
]
StratumColumn = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Strata that are told apart, e.g. topic.")
]
Seed = Annotated[int, typer.Option(min=0, help="Draws which items people check; keep it.")]
ToCheck = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the items that people are to answer, without the machine's answers.",
    ),
]


@suppliers_app.command()
@guarded
def measure(
    items: ItemsFile,
    machine: Machine,
    confidence: Confidence = None,
    people: People = "answer",
    checked: Checked = None,
    stratum: StratumColumn = None,
    ask: Annotated[
        int | None,
        typer.Option(min=1, help="How many items people should have checked in all; with --out."),
    ] = None,
    out: ToCheck = None,
    drawn_at_random: Annotated[
        bool,
        typer.Option(
            "--drawn-at-random",
            help="All answers of people are of items that were drawn at random, not by --ask.",
        ),
    ] = False,
    column: ColumnOption = None,
    choices: ChoicesOption = None,
    answers: AnswersOption = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """How often a machine is wrong, by stratum and by how sure it says it is, and in which way.

    People answer items that were drawn at random, and do not see what the machine said: who sees it
    tends to agree.

    Example: labelmix suppliers measure items.jsonl --machine llm_label --confidence llm_confidence
    """
    from annotation.errors import InputError
    from annotation.items.write import check_table_path
    from annotation.machines.checks import write_to_check
    from annotation.machines.measured import measured_errors, to_check
    from annotation.whole_files import check_outputs
    from budget.commands.show.suppliers import measured_json, show_measured

    if (ask is None) != (out is None):
        raise InputError("--ask goes with --out: how many are to be checked, and the file.")
    for path in check_outputs((out,), (items, checked)):
        check_table_path(path)
    labels = _read(items, machine, confidence, people, stratum, column, choices, answers, checked)
    found = measured_errors(labels, seed, drawn_at_random)
    asked = None
    if out is not None and ask is not None:
        asked = to_check(labels, ask, seed)
        if asked.size:
            write_to_check(labels, asked, out)
    if as_json:
        said = measured_json(found, labels)
        said["asked"] = None if asked is None else int(asked.size)
        say(json.dumps(said, indent=2))
        return
    show_measured(found, labels)
    if asked is not None and out is not None:
        number = int(asked.size)
        say(f"wrote {out}: {number} items for people to answer" if number else "nothing to ask")


@suppliers_app.command()
@guarded
def route(
    items: ItemsFile,
    machine: Machine,
    error_at_most: Annotated[
        float, typer.Option(help="Share of all labels that may be wrong, e.g. .05.")
    ],
    confidence: Confidence = None,
    people: People = "answer",
    checked: Checked = None,
    stratum: StratumColumn = None,
    sure: Annotated[float, typer.Option(help="The probability with which that is kept to.")] = 0.95,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="Items that people answer first; default: 30 to 200."),
    ] = None,
    ask_out: ToCheck = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Once all is decided: every label, and whether people gave it."
        ),
    ] = None,
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse",
            help="People have answered all items: how many of them would have been asked?",
        ),
    ] = False,
    column: ColumnOption = None,
    choices: ChoicesOption = None,
    answers: AnswersOption = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Let a machine label what it may, so that few labels are wrong; people label the rest.

    Says what to ask people next, as often as it takes. "Wrong" is what people would answer
    otherwise. The bound holds whatever the machine says of its confidence.

    Example: labelmix suppliers route items.csv --machine bot --error-at-most .05
    """
    from annotation.errors import InputError
    from annotation.items.write import check_table_path
    from annotation.machines.checks import write_routed, write_to_check
    from annotation.machines.routing import Promise
    from annotation.machines.routing import route as route_items
    from annotation.whole_files import check_outputs
    from budget.commands.show.suppliers import route_json, show_route

    promise = Promise(error_at_most, sure)
    for path in check_outputs((ask_out, out), (items, checked)):
        check_table_path(path)
    labels = _read(items, machine, confidence, people, stratum, column, choices, answers, checked)
    if rehearse and (labels.people < 0).any():
        missing = int((labels.people < 0).sum())
        raise InputError(
            f"{items}: --rehearse needs people's answers to all items; {missing} have none."
        )
    found = route_items(labels, promise, seed, sample)
    if ask_out is not None and found.ask.size:
        write_to_check(labels, found.ask, ask_out)
    if out is not None and found.is_decided:
        write_routed(labels, found, out)
    if as_json:
        say(json.dumps(route_json(found, labels, promise, rehearse), indent=2))
        return
    show_route(found, labels, promise, rehearse)
    if ask_out is not None and found.ask.size:
        say(f"wrote {ask_out}: {found.ask.size} items for people to answer")
    if out is not None and found.is_decided:
        say(f"wrote {out}")


def _read(
    items: Path,
    machine: str,
    confidence: str | None,
    people: str,
    stratum: str | None,
    column: list[str] | None,
    choices: str | None,
    answers: str | None,
    checked: Path | None,
) -> "MachineLabels":
    from annotation.machines.checks import with_checks
    from annotation.machines.labels import read_machine_labels

    labels = read_machine_labels(
        items,
        machine,
        confidence,
        people,
        stratum,
        columns=read_columns(column),
        choices=read_choices(choices),
        answers=answers,
    )
    return labels if checked is None else with_checks(labels, checked, answers)
