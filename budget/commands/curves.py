"""`labelmix curves`: learning curves of easy and hard labels, compared in pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotation.errors import InputError
from budget.commands.console import guarded, tell
from budget.commands.options import (
    DataDir,
    FeaturesFolder,
    Json,
    ModelPath,
    RayAddress,
    RayGpus,
    Workers,
    features_folder,
)
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher

if TYPE_CHECKING:
    from analysis.curves.result import CurvesResult
    from analysis.curves.summarise import CurveMethod


@guarded
def curves(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to train on.")],
    sizes: Annotated[
        str, typer.Option(help="Numbers of labels, increasing; a curve has a point for each.")
    ] = "10,20,40,80,160,320",
    error_rates: Annotated[
        str, typer.Option(help="Error rates p of easy labels; clean labels are always added.")
    ] = "0,.1,.2,.3",
    hard_factor: Annotated[
        float, typer.Option(help="Hard labels err at p and at so many times p, at most 1.")
    ] = 2.0,
    seeds: Annotated[
        int, typer.Option(help="Purchases of every size and error rate, each trained and tested.")
    ] = 10,
    method: Annotated[
        str | None, typer.Option(help="probe or qlora; default: the configuration's plan_with.")
    ] = None,
    data_dir: DataDir = None,
    model: ModelPath = None,
    features: FeaturesFolder = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the curves; default runs/NAME-OF-CONFIG-curves."),
    ] = None,
    workers: Workers = None,
    ray: RayAddress = None,
    ray_gpus: RayGpus = None,
    as_json: Json = False,
) -> None:
    """Learning curves of easy and hard labels: the same number, the same money, the same noise.

    Easy labels at error rate p, hard ones at p and at twice p, costs and kinds of error as
    configured. Writes curves.json, .csv, .png and .svg; interrupted, it goes on where it was.

    Example: labelmix curves my-task.toml --error-rates 0,.1,.2 --seeds 5
    """
    from analysis.curves.design import read_design
    from budget.config.read import read_config, with_overrides

    design = read_design(sizes, error_rates, hard_factor, seeds)
    chosen = with_overrides(read_config(config, plans=False), data_dir=data_dir, model=model)
    folder = out or Path("runs") / f"{config.stem}-curves"
    for remark in chosen.unused_terms():
        say(f"note: {remark}", err=True)

    from analysis.curves.run import run_curves
    from analysis.curves.summarise import Heading
    from budget.config.prepare import prepare
    from training.engines.choice import EngineChoice
    from training.models.quiet import quiet_libraries

    quiet_libraries()
    known = _method(method or chosen.methods.plan_with)
    lab = prepare(chosen, plans=False).lab
    heading = Heading(chosen.name, chosen.items.source, chosen.budget.currency)
    with progress_watcher() as watcher:
        engine = EngineChoice(workers, ray, ray_gpus, features_folder(out, features))
        result = run_curves(lab, heading, design, known, folder, watcher, engine)
    tell(result, as_json, lambda result: _show(result, folder))


def _method(name: str) -> "CurveMethod":
    match name:
        case "probe":
            return "probe"
        case "qlora":
            return "qlora"
        case other:
            raise InputError(f"--method {other}: no such method; choose probe or qlora.")


def _show(result: "CurvesResult", folder: Path) -> None:
    from budget.commands.show.curves import show_curves

    show_curves(result)
    say(f"\nfigure: {folder / 'curves.png'}\nnumbers: {folder / 'curves.json'}")
