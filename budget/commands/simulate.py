"""`labelmix simulate`: where easy labels, hard labels or a mix are the best buy."""

from pathlib import Path
from typing import Annotated

import typer

from budget.commands.console import guarded
from budget.commands.options import Json
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher


@guarded
def simulate(
    run: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Use the surface that a finished run has fitted."),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Of the run: probe or qlora; default: the one it plans with.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Assumptions from the literature; --list names them.")
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A number, NAME=LOW:HIGH for its 90 % interval, or a TOML file of such; may be "
            "given several times. Terms: budget, cost-easy, cost-hard, cost-ratio, error-easy, "
            "error-hard, error-factor, error-kind, choices, chance. The task: ceiling, transfer, "
            "half-labels, steepness, exponent, shape, signal, noise-power.",
        ),
    ] = None,
    x: Annotated[
        str | None,
        typer.Option(
            "--x",
            metavar="NAME=LOW:HIGH:POINTS",
            help="Horizontal axis: budget, cost-ratio, error-easy, error-hard, error-factor or "
            "transfer. budget and cost-ratio are spaced on a log scale, the others on a linear "
            "one; another :log or :linear says otherwise.",
        ),
    ] = None,
    y: Annotated[
        str | None, typer.Option("--y", metavar="NAME=LOW:HIGH:POINTS", help="Vertical axis.")
    ] = None,
    margin: Annotated[
        float, typer.Option(help="Points by which a mix has to beat all easy and all hard.")
    ] = 0.5,
    draws: Annotated[int, typer.Option(help="Draws of the response surface.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws of stated assumptions.")] = 0,
    currency: Annotated[
        str | None, typer.Option(help="Shown beside money; default the run's, or $.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder for simulate.html, .png, .json and .csv.")
    ] = Path("runs/simulate"),
    presets: Annotated[
        bool, typer.Option("--list", help="List the presets with their sources and leave.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Map where easy labels, hard labels or a mix are the best buy; trains nothing.

    Over a grid of two of: budget, cost ratio, error rates, transfer. Without --run, --assume or
    --preset it works from what labelmix believes of a task before it has seen any of it.

    Example: labelmix simulate --assume transfer=.6:.9 --x budget=200:5000:100
    """
    if presets:
        _show_presets(as_json)
        return
    from annotation.whole_files import check_folder
    from annotation.written_together import written_together
    from budget.commands.show.simulate import show_simulation
    from budget.simulate.figure import write_figure
    from budget.simulate.page import write_page
    from budget.simulate.result import write_simulation
    from budget.simulate.run import run_simulation
    from budget.simulate.scene import SimulateOptions

    options = SimulateOptions(
        run=run,
        method=method,
        preset=preset,
        assume=tuple(assume or ()),
        x=x,
        y=y,
        margin=margin,
        draws=draws,
        seed=seed,
        currency=currency,
    )
    check_folder(out)
    with progress_watcher() as watcher:
        result = run_simulation(options, watcher)
    with written_together():
        write_simulation(result, out)
        write_figure(result, out)
        write_page(result, out)
    if as_json:  # on one line: its matrices are long
        say(result.model_dump_json())
    else:
        show_simulation(result)
        say(f"page: {out / 'simulate.html'}\nnumbers: {out / 'simulate.json'}")


def _show_presets(as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from budget.commands.show.simulate import show_presets
    from budget.simulate.presets import PRESETS

    if as_json:
        say(json.dumps([asdict(preset) for preset in PRESETS.values()], indent=2, default=str))
    else:
        show_presets()
