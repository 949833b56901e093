"""Options that the commands of `labelmix labelstudio` share."""

from pathlib import Path
from typing import Annotated

import typer

JUDGMENTS = "judgments.csv"
URL_VARIABLE = "LABEL_STUDIO_URL"

Url = Annotated[
    str | None,
    typer.Option(envvar=URL_VARIABLE, help="Address of Label Studio, e.g. http://localhost:8080."),
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
Patience = Annotated[
    float,
    typer.Option(
        min=0,
        help="Seconds to go on when the server stops answering; the first answer is waited for "
        "10 seconds.",
    ),
]
