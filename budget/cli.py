"""The `labelmix` command. Heavy imports happen inside the command that needs them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from analysis.result import RunResult
    from budget.config import RunConfig

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

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Workers = Annotated[
    int, typer.Option(min=1, help="Processes that train adapters side by side, one thread each.")
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A folder that 'labelmix run' or 'demo' wrote.")
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed_version

        typer.echo(f"labelmix {installed_version('labelmix')}")
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
    from budget.console import guarded
    from budget.templates import demo_config

    guarded(lambda: _run(demo_config(), out, workers, as_json))


@app.command()
def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to run.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; default runs/NAME-OF-CONFIG.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Local folder of the source's data, instead of the hub.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model folder or hub id, instead of the configured one.")
    ] = None,
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """From items to a costed, tested buying decision: report.html and result.json.

    A run that was interrupted goes on where it was when it is started again.

    Example: labelmix run my-task.toml --out runs/my-task
    """
    from budget.config import read_config, with_overrides
    from budget.console import guarded

    def work() -> None:
        chosen = with_overrides(read_config(config), data_dir=data_dir, model=model)
        _run(chosen, out or Path("runs") / config.stem, workers, as_json)

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
    from budget.console import guarded
    from budget.templates import commented_config

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
        str | None, typer.Option(help="Instead of CONFIG: workshop, tabular, arc or sst5.")
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="File of the source 'tabular' (JSONL, CSV, Parquet).")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Local folder of the source's data, instead of the hub.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show how many items there are, their choices, hardness measures and strata.

    Example: labelmix items describe my-task.toml
    """
    from budget.console import guarded
    from budget.describe import describe_items, show_description

    def work() -> None:
        description = describe_items(config, source, path, data_dir)
        if as_json:
            typer.echo(description.model_dump_json(indent=2))
        else:
            show_description(description)

    guarded(work)


@app.command()
def plan(
    run_folder: RunFolder,
    budget: Annotated[
        str | None, typer.Option(help="Another budget; default: the run's own.")
    ] = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRATUM=COST",
            help="Another cost per label, the pilot's included, e.g. hard=3.",
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Plan on another method's evidence: probe or qlora.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan again from a finished run, at other prices or another budget; trains nothing.

    Error rates stay as they were in the run: the exchange rate was measured with them.

    Example: labelmix plan runs/demo --budget 900 --cost hard=3
    """
    from budget.console import guarded
    from budget.replan import replan, show_replan

    def work() -> None:
        replanned = replan(run_folder, budget, cost or [], method)
        if as_json:
            typer.echo(replanned.model_dump_json(indent=2))
        else:
            show_replan(replanned)

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

    from analysis.report import write_report
    from analysis.result import read_result
    from budget.console import guarded

    def work() -> None:
        target = out or run_folder / "report.html"
        write_report(read_result(run_folder / "result.json"), target)
        typer.echo(json.dumps({"report": str(target)}) if as_json else f"wrote {target}")

    guarded(work)


def _run(config: "RunConfig", out: Path, workers: int, as_json: bool) -> None:
    from analysis.report import write_report
    from budget.campaign import run_campaign
    from budget.console import progress_watcher
    from training.quiet import quiet_libraries

    quiet_libraries()
    with progress_watcher() as watcher:
        result = run_campaign(config, out, watcher, workers)
    write_report(result, out / "report.html")
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    else:
        _show(result, out)


def _show(result: "RunResult", out: Path) -> None:
    from budget.summary import show_result

    show_result(result)
    typer.echo(f"\nreport: {out / 'report.html'}\nnumbers: {out / 'result.json'}")


def main() -> None:
    """Entry point of the `labelmix` command."""
    app(prog_name="labelmix")
