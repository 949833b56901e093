"""`labelmix reproduce`: the claims of papers, put to the test on a data set and a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotation.errors import InputError
from budget.commands.console import guarded, tell
from budget.commands.options import FeaturesFolder, Json, Workers, features_folder
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher

if TYPE_CHECKING:
    from analysis.reproduce.result import Reproduction


@guarded
def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Experiments, as --list names them; default all."),
    ] = None,
    data: Annotated[
        str, typer.Option(help="workshop, arc, mmlu_stem, strategyqa or sst5.")
    ] = "workshop",
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model folder, hub id, pico or smollm2; default pico. May be given several times: "
            "all experiments are about the first, the others are compared with it, e.g. "
            "--model smollm2 --model pico.",
        ),
    ] = None,
    source_folder: Annotated[
        list[str] | None,
        typer.Option(
            "--source-folder",
            metavar="DATA=FOLDER",
            help="Local folder of a data set instead of the hub, e.g. arc=data/ai2_arc; may be "
            "given several times.",
        ),
    ] = None,
    judged: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG",
            help="Configuration of your own items and the judgments that were collected of them, "
            "e.g. my-task.toml; its model is trained, for the experiment uncertainty-aware. Name "
            "a stronger decoder by --model, to ask it how sure it is.",
        ),
    ] = None,
    cost_ratio: Annotated[
        list[float] | None,
        typer.Option(
            help="What a hard label costs, in easy ones, beside 1, 1.5, 2, 3 and 5, e.g. "
            "--cost-ratio 4; may be given several times.",
        ),
    ] = None,
    max_hours: Annotated[
        float | None,
        typer.Option(
            help="Begin no further trial after so many hours, e.g. 0.5; the same command goes on "
            "from there.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Tell trials, tokens, operations, hours and money, train and write nothing; a "
            "model by hub id need not be at hand.",
        ),
    ] = False,
    price: Annotated[
        float | None,
        typer.Option(
            min=0, help="Of --dry-run: what an hour of the machine costs, e.g. --price 2.5."
        ),
    ] = None,
    parameters: Annotated[
        float | None,
        typer.Option(
            help="Of --dry-run: parameters of a model that is not at hand, e.g. 7e9; default as "
            "its name says.",
        ),
    ] = None,
    tflops: Annotated[
        float,
        typer.Option(
            help="Of --dry-run: rate assumed for a model that is not at hand, in 10^12 operations "
            "a second; that of others is measured.",
        ),
    ] = 100.0,
    features: FeaturesFolder = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the page, tables and figures; default runs/reproduce-DATA."),
    ] = None,
    workers: Workers = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the experiments with their claims and leave.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put the claims of papers to the test: a verdict for each, with numbers and intervals.

    Without options on generated word problems and the embedded model. Writes reproduction.html,
    reproduction.json, tables (CSV, LaTeX) and figures (PNG, SVG).

    Example: labelmix reproduce easy-to-hard --data arc --max-hours 1
    """
    from analysis.reproduce.registry import find_experiments

    if judged is not None:
        names = _of_judgments(names)
        if dry_run:
            raise InputError(
                "--dry-run: trainings on judged items are not planned before they are done; leave "
                "--dry-run or --judged out."
            )
    chosen = find_experiments(names or ())
    if listed:
        from budget.commands.show.reproduce import show_experiments

        show_experiments(chosen, as_json)
        return
    if max_hours is not None and not 0 < max_hours < float("inf"):
        raise InputError(f"--max-hours {max_hours:g}: should be a number of hours above 0.")

    ratios = [("--cost-ratio", ratio) for ratio in cost_ratio or ()]
    for option, value in (*ratios, ("--parameters", parameters), ("--tflops", tflops)):
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"{option} {value:g}: should be a number above 0.")

    from analysis.reproduce.plan import MachineAssumed, plan_reproduction
    from analysis.reproduce.run import run_reproduction
    from annotation.whole_files import check_folder
    from budget.commands.name_value import read_pairs
    from budget.commands.show.reproduce import show_plan
    from budget.reproduction.judged import judged_study
    from budget.reproduction.study import make_study, parameters_elsewhere
    from training.engines.choice import EngineChoice
    from training.models.quiet import quiet_libraries

    quiet_libraries()
    folder = out or Path("runs") / f"reproduce-{data if judged is None else judged.stem}"
    check_folder(folder)
    pairs = read_pairs(source_folder, "--source-folder", "DATA=FOLDER, e.g. arc=data/ai2_arc")
    folders = {name: Path(place) for name, place in pairs.items()}
    kept = features_folder(out, features)
    with progress_watcher() as watcher:
        if judged is None:
            study = make_study(
                data, model or ["pico"], folders, kept, watcher, cost_ratio or (), dry_run
            )
        else:
            study = judged_study(judged, model or (), kept, watcher)
        if dry_run:
            assumed = MachineAssumed(tflops * 1e12, price)
            told = parameters_elsewhere(study.models[0], parameters)
            plan = plan_reproduction(study, chosen, folder, assumed, told)
            tell(plan, as_json, show_plan)
            return
        engine = EngineChoice(workers, features=kept)
        seconds = None if max_hours is None else 3600 * max_hours
        found = run_reproduction(study, chosen, folder, watcher, engine, seconds)
    tell(found.result, as_json, lambda result: _show(result, folder))


def _of_judgments(names: list[str] | None) -> list[str]:
    """The experiments on judged items: all that were asked for, or all that there are."""
    own = "uncertainty-aware"
    for name in names or ():
        if name.replace("_", "-") not in (own, "all"):
            raise InputError(
                f"experiment '{name}' is not one on judged items; with --judged ask for {own}, or "
                "leave --judged out."
            )
    return [own]


def _show(result: "Reproduction", folder: Path) -> None:
    from budget.commands.show.reproduce import show_reproduction

    show_reproduction(result)
    say(f"\npage: {folder / 'reproduction.html'}\nnumbers: {folder / 'reproduction.json'}")
