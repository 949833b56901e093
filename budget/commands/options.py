"""Options that several commands share, each with one name, type and help."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes that run trials side by side, one thread each; default: one for every "
        "GPU, on a Ray cluster as many as it has room for.",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Run trials on a Ray cluster that is up, e.g. auto or 10.0.0.1:6379.",
    ),
]
RayGpus = Annotated[
    float | None,
    typer.Option(
        "--ray-gpus",
        min=0,
        metavar="NUMBER",
        help="GPUs of each worker on the Ray cluster; default 1 where this machine has one.",
    ),
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A folder that 'labelmix run' or 'demo' wrote.")
]
DataDir = Annotated[
    Path | None, typer.Option(help="Local folder of the source's data, instead of the hub.")
]
ModelPath = Annotated[
    str | None, typer.Option(help="Model folder or hub id, instead of the configured one.")
]
