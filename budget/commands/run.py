"""`labelmix run` and its kin: `demo`, `trial`, `init`, `report`."""

import json
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
    RunFolder,
    Workers,
    features_folder,
)
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher

if TYPE_CHECKING:
    from analysis.run.result import RunResult
    from budget.config.run import RunConfig
    from training.engines.choice import EngineChoice


@guarded
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
    from budget.config.templates import demo_config
    from training.engines.choice import EngineChoice

    _run(demo_config(), out, EngineChoice(workers), as_json)


@guarded
def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What to run.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; default runs/NAME-OF-CONFIG.")
    ] = None,
    data_dir: DataDir = None,
    model: ModelPath = None,
    features: FeaturesFolder = None,
    workers: Workers = None,
    ray: RayAddress = None,
    ray_gpus: RayGpus = None,
    as_json: Json = False,
) -> None:
    """From items to a costed, tested buying decision: report.html and result.json.

    A run that was interrupted goes on where it was when it is started again.

    Example: labelmix run my-task.toml --out runs/my-task
    """
    from budget.config.read import read_config, with_overrides

    chosen = with_overrides(read_config(config), data_dir=data_dir, model=model)
    from training.engines.choice import EngineChoice  # loads torch: a wrong file is told sooner

    engine = EngineChoice(workers, ray, ray_gpus, features_folder(out, features))
    _run(chosen, out or Path("runs") / config.stem, engine, as_json)


def _run(config: "RunConfig", out: Path, engine: "EngineChoice", as_json: bool) -> None:
    from analysis.run.report import write_report
    from budget.campaign.run import run_campaign
    from training.models.quiet import quiet_libraries

    quiet_libraries()
    with progress_watcher() as watcher:
        result = run_campaign(config, out, watcher, engine)
    write_report(result, out / "report.html")
    tell(result, as_json, lambda result: _show(result, out))


def _show(result: "RunResult", out: Path) -> None:
    from budget.commands.show.run import show_result

    show_result(result)
    say(f"\nreport: {out / 'report.html'}\nnumbers: {out / 'result.json'}")


@guarded
def trial(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="Items, model, terms.")],
    method: Annotated[
        str | None,
        typer.Option(help="zero_shot, in_context, chain_of_thought, probe or qlora."),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRATUM=NUMBER",
            help="Labels to buy, e.g. easy=160; may be given for several strata.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Purchases, each trained and tested.")] = 5,
    compare_prompts: Annotated[
        bool,
        typer.Option(
            "--compare-prompts",
            help="Instead of a method: which prompt suits the model, on a sample of test items, "
            "e.g. labelmix trial my-task.toml --compare-prompts.",
        ),
    ] = False,
    sample: Annotated[
        int, typer.Option(min=20, help="Test items for --compare-prompts, e.g. --sample 400.")
    ] = 200,
    out: Annotated[
        Path | None, typer.Option(help="Folder that keeps trials; default runs/NAME-OF-CONFIG.")
    ] = None,
    data_dir: DataDir = None,
    model: ModelPath = None,
    features: FeaturesFolder = None,
    workers: Workers = None,
    ray: RayAddress = None,
    ray_gpus: RayGpus = None,
    as_json: Json = False,
) -> None:
    """Train and test one purchase with one method; plans nothing.

    Example: labelmix trial my-task.toml --method in_context --labels easy=10
    """
    from budget.commands.name_value import read_counts
    from budget.config.read import read_config, with_overrides

    if compare_prompts and (method is not None or labels):
        raise InputError("--compare-prompts trains nothing; leave --method and --labels out.")
    if method is None and not compare_prompts:
        raise InputError("give --method, e.g. --method zero_shot, or --compare-prompts.")
    mix = read_counts(labels, "--labels", "STRATUM=NUMBER, e.g. easy=40", at_least=1)
    chosen = with_overrides(read_config(config, plans=False), data_dir=data_dir, model=model)
    for remark in chosen.unused_terms():
        say(f"note: {remark}", err=True)

    from analysis.prompts_compared import compare_prompts_of
    from analysis.single_trial import method_that_takes, run_single_trial
    from budget.commands.show.trial import show_compared_prompts, show_single_trial
    from budget.config.prepare import prepare
    from training.engines.choice import EngineChoice  # loads torch: a wrong file is told sooner
    from training.models.quiet import quiet_libraries

    quiet_libraries()
    folder = out or Path("runs") / config.stem
    engine = EngineChoice(workers, ray, ray_gpus, features_folder(out, features))
    if method is None:
        lab = prepare(chosen, plans=False).lab
        with progress_watcher() as watcher:
            compared = compare_prompts_of(lab, folder, watcher, engine, sample)
        tell(compared, as_json, show_compared_prompts)
        return
    known = method_that_takes(method, mix)
    lab = prepare(chosen, plans=False).lab
    with progress_watcher() as watcher:
        found = run_single_trial(lab, known, mix, seeds, folder, watcher, engine)
    tell(found, as_json, show_single_trial)


@guarded
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
    from annotation.whole_files import whole_file
    from budget.config.templates import commented_config

    if path.exists() and not force:
        raise InputError(f"{path}: is there already; give another name, or --force.")
    with whole_file(path) as unfinished:
        unfinished.write_text(commented_config(), encoding="utf-8")
    if as_json:
        say(json.dumps({"config": str(path)}))
    else:
        say(f"wrote {path}; edit it, then: labelmix run {path}")


@guarded
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
    from analysis.run.report import write_report
    from analysis.run.result import read_result
    from annotation.whole_files import check_outputs

    target = out or run_folder / "report.html"
    numbers = run_folder / "result.json"
    check_outputs([target], [numbers, run_folder / "trials.sqlite"])
    write_report(read_result(numbers), target)
    say(json.dumps({"report": str(target)}) if as_json else f"wrote {target}")
