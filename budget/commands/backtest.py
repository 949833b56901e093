"""`labelmix backtest`: policies spend money where every answer is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from annotation.errors import InputError
from budget.commands.console import guarded, tell
from budget.commands.options import Json
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher

if TYPE_CHECKING:
    from budget.backtest.play_world import TrainingMethod
    from budget.backtest.result import BacktestResult
    from budget.worlds.task_items import WorldProgress
    from training.engines.base import Watcher


@guarded
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
    from budget.backtest.play_world import Design
    from budget.backtest.policies.registry import find_policies
    from budget.backtest.run import run_backtest
    from budget.backtest.trainer import penalty_rule
    from budget.worlds.real import Sources, default_data_dir
    from training.models.quiet import quiet_libraries

    quiet_libraries()
    if data_dir is not None and not data_dir.is_dir():
        raise InputError(f"--data-dir {data_dir}: no such folder.")
    played = seeds if markets is None else markets
    with progress_watcher() as watcher:
        progress = _feature_progress(watcher)
        result = run_backtest(
            families=_words(worlds, "--worlds"),
            count=count,
            skip=skip,
            half="held_out" if held_out else "design",
            policies=find_policies([] if policies is None else _words(policies, "--policies")),
            design=Design(seeds, played, penalty_rule(penalty), _method(method)),
            sources=Sources(data_dir or default_data_dir(), model, out / "features", progress),
            out=out,
            watcher=watcher,
            workers=workers,
        )
    tell(result, as_json, lambda result: _show(result, out))


def _show(result: "BacktestResult", out: Path) -> None:
    from budget.commands.show.backtest import show_backtest

    show_backtest(result)
    say(f"numbers: {out / 'backtest.json'}")


def _feature_progress(watcher: "Watcher") -> "WorldProgress":
    """Show features that are computed as a stage of their own."""
    shown: set[str] = set()

    def progress(what: str, items: int, of_all: int) -> None:
        if what not in shown:
            shown.add(what)
            watcher.stage(f"features, {what}", of_all)
        watcher.advance(items)

    return progress


def _method(name: str) -> "TrainingMethod":
    from budget.backtest.play_world import TrainingMethod

    if name not in get_args(TrainingMethod):
        raise InputError(
            f"--method '{name}' is unknown; choose one of {', '.join(get_args(TrainingMethod))}."
        )
    return cast("TrainingMethod", name)


def _words(text: str, option: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise InputError(f"{option} should be names with commas between them; got '{text}'.")
    return words
