"""The `labelmix` command. Heavy imports happen inside the command that needs them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from budget.commands.hardness import hardness
from budget.commands.judgments import judgments_app
from budget.commands.labelstudio import labelstudio_app
from budget.commands.options import (
    DataDir,
    Json,
    ModelPath,
    RayAddress,
    RayGpus,
    RunFolder,
    Workers,
)
from budget.commands.plan import plan
from budget.commands.simulate import simulate

if TYPE_CHECKING:
    from analysis.run.result import RunResult
    from budget.config.run import RunConfig
    from training.engines.choice import EngineChoice

# Two threads on a busy machine are far slower than one (OpenMP spins); who has the machine to
# himself says so by OMP_NUM_THREADS. Set before numpy and torch read it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    help="Which labels should we buy? labelmix splits a labelling budget between easy and hard "
    "items, on the evidence of your own task.\n\nExample: labelmix demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
items_app = typer.Typer(
    help="Look at items before anything is bought.\n\n"
    "Example: labelmix items describe --source workshop",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(items_app, name="items")
app.add_typer(judgments_app, name="judgments")
app.add_typer(labelstudio_app, name="labelstudio")
app.command()(hardness)
app.command()(plan)
app.command()(simulate)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed_version

        try:
            told = installed_version("labelmix")
        except PackageNotFoundError:
            told = "(not installed: run from its source)"
        typer.echo(f"labelmix {told}")
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the report and everything kept.")] = Path(
        "runs/demo"
    ),
    workers: Workers = 2,
    as_json: Json = False,
) -> None:
    """Run the whole main job on generated items and the embedded model; needs no network.

    Example: labelmix demo --out runs/demo
    """
    from budget.commands.console import guarded
    from budget.config.templates import demo_config
    from training.engines.choice import EngineChoice

    guarded(lambda: _run(demo_config(), out, EngineChoice(workers), as_json))


@app.command()
def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to run.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; default runs/NAME-OF-CONFIG.")
    ] = None,
    data_dir: DataDir = None,
    model: ModelPath = None,
    workers: Workers = None,
    ray: RayAddress = None,
    ray_gpus: RayGpus = None,
    as_json: Json = False,
) -> None:
    """From items to a costed, tested buying decision: report.html and result.json.

    A run that was interrupted goes on where it was when it is started again.

    Example: labelmix run my-task.toml --out runs/my-task
    """
    from budget.commands.console import guarded
    from budget.config.read import read_config, with_overrides

    def work() -> None:
        chosen = with_overrides(read_config(config), data_dir=data_dir, model=model)
        from training.engines.choice import EngineChoice  # loads torch: a wrong file is told sooner

        engine = EngineChoice(workers, ray, ray_gpus)
        _run(chosen, out or Path("runs") / config.stem, engine, as_json)

    guarded(work)


@app.command()
def trial(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="Items, model, terms.")],
    method: Annotated[
        str,
        typer.Option(help="zero_shot, in_context, chain_of_thought, probe or qlora."),
    ],
    labels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRATUM=NUMBER",
            help="Labels to buy, e.g. easy=160; may be given for several strata.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Purchases, each trained and tested.")] = 5,
    out: Annotated[
        Path | None, typer.Option(help="Folder that keeps trials; default runs/NAME-OF-CONFIG.")
    ] = None,
    data_dir: DataDir = None,
    model: ModelPath = None,
    workers: Workers = None,
    ray: RayAddress = None,
    ray_gpus: RayGpus = None,
    as_json: Json = False,
) -> None:
    """Train and test one purchase with one method; plans nothing.

    Example: labelmix trial my-task.toml --method in_context --labels easy=10
    """
    from budget.commands.console import guarded, progress_watcher
    from budget.config.read import read_config, with_overrides

    def work() -> None:
        chosen = with_overrides(read_config(config, plans=False), data_dir=data_dir, model=model)

        from budget.single_trial import run_single_trial, show_single_trial
        from training.engines.choice import EngineChoice  # loads torch: a wrong file is told sooner
        from training.models.quiet import quiet_libraries

        quiet_libraries()
        folder = out or Path("runs") / config.stem
        engine = EngineChoice(workers, ray, ray_gpus)
        with progress_watcher() as watcher:
            found = run_single_trial(chosen, method, labels or [], seeds, folder, watcher, engine)
        if as_json:
            typer.echo(found.model_dump_json(indent=2))
        else:
            show_single_trial(found)

    guarded(work)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="File to write.")] = Path(
        "labelmix.toml"
    ),
    force: Annotated[bool, typer.Option(help="Overwrite the file if it is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a commented configuration to start from.

    Example: labelmix init my-task.toml
    """
    import json

    from annotation.errors import InputError
    from budget.commands.console import guarded
    from budget.config.templates import commented_config

    def work() -> None:
        if path.exists() and not force:
            raise InputError(f"{path}: is there already; give another name, or --force.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(commented_config(), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error}.") from None
        if as_json:
            typer.echo(json.dumps({"config": str(path)}))
        else:
            typer.echo(f"wrote {path}; edit it, then: labelmix run {path}")

    guarded(work)


@items_app.command("describe")
def items_describe(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG.toml]", help="Describe this run's items.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Instead of CONFIG: workshop, tabular, arc, sst5, ...")
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="File of the source 'tabular' (JSONL, CSV, Parquet).")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Show how many items there are, their choices, hardness measures and strata.

    Example: labelmix items describe my-task.toml
    """
    from budget.commands.console import guarded
    from budget.commands.items import describe_items, show_description

    def work() -> None:
        description = describe_items(config, source, path, data_dir)
        if as_json:
            typer.echo(description.model_dump_json(indent=2))
        else:
            show_description(description)

    guarded(work)


@app.command()
def report(
    run_folder: RunFolder,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default report.html in the folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the HTML report of a finished run again.

    Example: labelmix report runs/demo
    """
    import json

    from analysis.run.report import write_report
    from analysis.run.result import read_result
    from budget.commands.console import guarded

    def work() -> None:
        target = out or run_folder / "report.html"
        write_report(read_result(run_folder / "result.json"), target)
        typer.echo(json.dumps({"report": str(target)}) if as_json else f"wrote {target}")

    guarded(work)


@app.command()
def curves(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to train on.")],
    sizes: Annotated[
        str, typer.Option(help="Labels bought, increasing; a curve has a point for each.")
    ] = "10,20,40,80,160,320",
    error_rates: Annotated[
        str, typer.Option(help="Error rates p of easy labels; clean labels are always added.")
    ] = "0,.1,.2,.3",
    hard_factor: Annotated[
        float, typer.Option(help="Hard labels are bought at p and at so many times p, at most 1.")
    ] = 2.0,
    seeds: Annotated[
        int, typer.Option(help="Purchases of every size and error rate, each trained and tested.")
    ] = 10,
    method: Annotated[
        str | None, typer.Option(help="probe or qlora; default: the configuration's plan_with.")
    ] = None,
    data_dir: DataDir = None,
    model: ModelPath = None,
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
    from budget.commands.console import guarded, progress_watcher
    from budget.config.read import read_config, with_overrides

    def work() -> None:
        design = read_design(sizes, error_rates, hard_factor, seeds)
        chosen = with_overrides(read_config(config, plans=False), data_dir=data_dir, model=model)
        folder = out or Path("runs") / f"{config.stem}-curves"

        from budget.commands.show.curves import show_curves
        from budget.curves import run_curves
        from training.engines.choice import EngineChoice
        from training.models.quiet import quiet_libraries

        quiet_libraries()
        with progress_watcher() as watcher:
            engine = EngineChoice(workers, ray, ray_gpus)
            result = run_curves(chosen, design, method, folder, watcher, engine)
        if as_json:
            typer.echo(result.model_dump_json(indent=2))
        else:
            show_curves(result)
            typer.echo(f"\nfigure: {folder / 'curves.png'}\nnumbers: {folder / 'curves.json'}")

    guarded(work)


@app.command()
def backtest(
    worlds: Annotated[
        str, typer.Option(help="Families: generated, sst5, trec, subj, workshop.")
    ] = "generated",
    count: Annotated[int, typer.Option(help="Worlds of each family, at most.")] = 20,
    skip: Annotated[
        int, typer.Option(help="Worlds of each family left out first: looked at before.")
    ] = 0,
    seeds: Annotated[int, typer.Option(help="Markets that tell each mix's true worth.")] = 32,
    markets: Annotated[
        int | None, typer.Option(help="How many of these each policy plays; default all.")
    ] = None,
    policies: Annotated[
        str | None, typer.Option(help="Policies, e.g. planner,all_easy; default all.")
    ] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="The half of the worlds kept for a last look.")
    ] = False,
    penalty: Annotated[
        str, typer.Option(help="Of the probes: per_size, or cross_validated, which takes longer.")
    ] = "per_size",
    method: Annotated[
        str,
        typer.Option(
            help="What purchases train: probe, or qlora, where worlds have texts; seconds to "
            "minutes each."
        ),
    ] = "probe",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of data sets; default LABELMIX_DATA, or data."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Sentence encoder for worlds of texts.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for results; what is done is kept.")] = Path(
        "runs/backtest"
    ),
    workers: Annotated[int, typer.Option(help="Processes that play worlds side by side.")] = 1,
    as_json: Json = False,
) -> None:
    """Let policies spend money where every answer is known, and see what accuracy each forgoes.

    Writes backtest.json and backtest.csv; interrupted, it goes on where it was.

    Example: labelmix backtest --worlds generated,sst5 --count 10
    """
    from budget.commands.console import guarded, progress_watcher

    def work() -> None:
        from budget.commands.backtest import backtest_from_options
        from budget.commands.show.backtest import show_backtest
        from training.models.quiet import quiet_libraries

        quiet_libraries()
        with progress_watcher() as watcher:
            result = backtest_from_options(
                worlds=worlds,
                count=count,
                skip=skip,
                seeds=seeds,
                markets=markets,
                policies=policies,
                held_out=held_out,
                penalty=penalty,
                method=method,
                data_dir=data_dir,
                model=model,
                out=out,
                watcher=watcher,
                workers=workers,
            )
        if as_json:
            typer.echo(result.model_dump_json(indent=2))
        else:
            show_backtest(result)
            typer.echo(f"numbers: {out / 'backtest.json'}")

    guarded(work)


def _run(config: "RunConfig", out: Path, engine: "EngineChoice", as_json: bool) -> None:
    from analysis.run.report import write_report
    from budget.campaign.run import run_campaign
    from budget.commands.console import progress_watcher
    from training.models.quiet import quiet_libraries

    quiet_libraries()
    with progress_watcher() as watcher:
        result = run_campaign(config, out, watcher, engine)
    write_report(result, out / "report.html")
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    else:
        _show(result, out)


def _show(result: "RunResult", out: Path) -> None:
    from budget.commands.show.run import show_result

    show_result(result)
    typer.echo(f"\nreport: {out / 'report.html'}\nnumbers: {out / 'result.json'}")


def main() -> None:
    """Entry point of the `labelmix` command."""
    app(prog_name="labelmix")
