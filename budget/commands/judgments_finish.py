"""`labelmix judgments finish`: when the judgments that are left will be done."""

import json
from pathlib import Path
from typing import Annotated

import typer

from budget.commands.console import guarded
from budget.commands.options import Control, DifferentServers, Json, JudgmentFiles, Strict
from budget.commands.printing import say


@guarded
def finish(
    files: JudgmentFiles,
    left: Annotated[int, typer.Option(min=0, help="Judgments that are still to be made.")],
    past: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Judgments of a finished collection like this; nine or more, each given by an "
            "option of its own, make the interval.",
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Time zone in which days begin, e.g. Europe/Berlin.")
    ] = "UTC",
    confidence: Annotated[float, typer.Option(help="Of the interval.")] = 0.8,
    different_servers: DifferentServers = False,
    control: Control = None,
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """When the judgments that are left will be done, with an interval.

    It follows from the times of the judgments so far: days of the week, people who get faster,
    people who leave and people who come. 'Now' is the last judgment's time.

    Example: labelmix judgments finish export.json --left 2000
    """
    from annotation.judgments.read_files import read_judgment_files
    from annotation.monitoring.finish_date import finish_date
    from annotation.team.pay import time_zone
    from budget.commands.show.finish import finish_json, show_finish

    place = time_zone(zone)
    reading = read_judgment_files(files, False, different_servers, control).usable(strict)
    finished = [
        read_judgment_files([path], False, False, control if path.suffix == ".json" else None)
        .usable(strict)
        .judgments
        for path in past or ()
    ]
    found = finish_date(reading.judgments, left, past=finished, zone=zone, confidence=confidence)
    if as_json:
        say(json.dumps(finish_json(found, reading, place), indent=2))
    else:
        show_finish(found, reading, place, len(finished))
