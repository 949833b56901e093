"""From the words of a command line to a backtest."""

from pathlib import Path
from typing import cast, get_args

from annotation.errors import InputError
from budget.backtest.play_world import Design, TrainingMethod
from budget.backtest.policies.registry import find_policies
from budget.backtest.result import BacktestResult
from budget.backtest.run import run_backtest
from budget.backtest.trainer import penalty_rule
from budget.worlds.real import Sources, default_data_dir
from budget.worlds.task_items import WorldProgress
from training.engines.base import Watcher


def backtest_from_options(
    *,
    worlds: str,
    count: int,
    skip: int,
    seeds: int,
    markets: int | None,
    policies: str | None,
    held_out: bool,
    penalty: str,
    method: str,
    data_dir: Path | None,
    model: str | None,
    out: Path,
    watcher: Watcher,
    workers: int,
) -> BacktestResult:
    """Run the backtest that the options of `labelmix backtest` describe.

    Raises InputError if an option is wrong.
    """
    if data_dir is not None and not data_dir.is_dir():
        raise InputError(f"--data-dir {data_dir}: no such folder.")
    sources = Sources(
        data_dir or default_data_dir(),
        model,
        out / "features",
        feature_progress(watcher),
    )
    return run_backtest(
        families=_words(worlds, "--worlds"),
        count=count,
        skip=skip,
        half="held_out" if held_out else "design",
        policies=find_policies([] if policies is None else _words(policies, "--policies")),
        design=Design(
            seeds, seeds if markets is None else markets, penalty_rule(penalty), _method(method)
        ),
        sources=sources,
        out=out,
        watcher=watcher,
        workers=workers,
    )


def feature_progress(watcher: Watcher) -> WorldProgress:
    """Show features that are computed as a stage of their own."""
    shown: set[str] = set()

    def progress(what: str, items: int, of_all: int) -> None:
        if what not in shown:
            shown.add(what)
            watcher.stage(f"features, {what}", of_all)
        watcher.advance(items)

    return progress


def _method(name: str) -> TrainingMethod:
    for known in get_args(TrainingMethod):
        if name == known:
            return cast(TrainingMethod, name)
    names = ", ".join(get_args(TrainingMethod))
    raise InputError(f"--method '{name}' is unknown; choose one of {names}.")


def _words(text: str, option: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise InputError(f"{option} should be names with commas between them; got '{text}'.")
    return words
