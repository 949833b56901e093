"""`labelmix app`: runs and collections on a page, in a browser."""

import getpass
import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from budget.commands.console import guarded
from budget.commands.options import Json
from budget.commands.printing import say


@guarded
def web(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER...",
            help="Folders of runs and collections, or folders that hold some; default: here.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Others can reach any but the default, so they need "
            "--token-file; put a server with TLS in front."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8780,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What browsers call this machine, where it is neither localhost nor --host, e.g. "
            "--name labels.example.org; may be given several times.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with a long random word that has to be known to see the page."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="Who decides, as forms suggest it; default: your user name, or with --token-file "
            "nobody.",
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Time zone in which days begin, e.g. Europe/Berlin.")
    ] = "UTC",
    as_json: Json = False,
) -> None:
    """Show runs and collections in a browser: watch, approve, pause, explore.

    Serves this machine alone, unless --host says otherwise. Ends with Ctrl-C; nothing is lost.

    Example: labelmix app runs/demo my-collection
    """
    from budget.web.server import PageServer
    from budget.web.settings import WebSettings, read_token

    if zone != "UTC":
        from annotation.team.pay import time_zone

        time_zone(zone)
    token = None if token_file is None else read_token(token_file)
    usual = getpass.getuser() if token is None else ""
    settings = WebSettings(
        folders=tuple(folders or [Path()]),
        host=host,
        port=port,
        names=tuple(name or ()),
        token=token,
        who=by or usual,
        zone=zone,
    )
    server = PageServer(settings)
    told = f"labelmix app: open {server.address} (Ctrl-C ends it)"
    say(json.dumps({"address": server.address}) if as_json else told)
    with suppress(KeyboardInterrupt):  # the usual end
        server.run()
