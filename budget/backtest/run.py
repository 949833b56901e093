"""A whole backtest: worlds chosen, played, summarised and written."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from analysis.accuracy import CONFIDENCE
from annotation.errors import InputError
from annotation.locks import exclusive
from annotation.spreadsheet_cells import guarded_row
from annotation.whole_files import append_line, whole_file
from annotation.written_together import written_together
from budget.backtest.journal import Journal
from budget.backtest.play_world import Design, play_world, steps_of
from budget.backtest.regret import KINDS, side_of_best, summarise, world_summary
from budget.backtest.result import BacktestResult, WorldSummary
from budget.backtest.workers import Choice, play_in_workers
from budget.campaign.play import FORECAST_CONFIDENCE, Policy
from budget.worlds.choose import choose_worlds
from budget.worlds.real import Sources
from budget.worlds.world import Half, check_tunable
from training.engines.base import Watcher

_LARGEST_COUNT = 10_000
_MOST_WORKERS = 256


def run_backtest(
    families: Sequence[str],
    count: int,
    half: Half,
    policies: Sequence[Policy],
    design: Design,
    sources: Sources,
    out: Path,
    watcher: Watcher,
    workers: int = 1,
    skip: int = 0,
) -> BacktestResult:
    """Play policies in `count` worlds of each family; write backtest.json and .csv into `out`.

    The first `skip` worlds of each family are left out.

    With `workers` above 1 worlds are played in as many processes; the result is the same.
    What is finished is kept in `out/backtest.jsonl`: the same backtest goes on where it was.
    Worlds of the held-out half are noted in `out/held_out.jsonl` before they are played.

    Raises InputError if a number is out of range, there is no such family or no world is left, or
    `out` cannot be written.
    """
    _check(count, skip, design, workers)
    worlds, skipped = choose_worlds(families, count, half, sources, skip)
    if design.method != "probe":
        for world in worlds:
            check_tunable(world)
    summaries: list[WorldSummary] = []
    with exclusive(out, "labelmix backtest"), Journal(out / "backtest.jsonl") as journal:
        if half == "held_out":
            _note_held_out(out / "held_out.jsonl", [world.name for world in worlds], policies)
        for first in {world.family: world for world in reversed(worlds)}.values():
            first.items  # noqa: B018 - computes features before the stage that counts worlds
        watcher.stage(
            f"backtest, steps of {len(worlds)} {half} worlds", len(worlds) * steps_of(policies)
        )
        if workers > 1:
            choice = Choice(tuple(families), count, half, sources, skip)
            names = [world.name for world in worlds]
            worlds.clear()
            summaries += play_in_workers(names, choice, policies, design, journal, watcher, workers)
        while worlds:
            # Taken out of the list: its items are let go of when it is done.
            played = play_world(worlds.pop(0), policies, design, journal, watcher)
            summaries.append(world_summary(played))
    result = _result(summaries, families, skipped, half, design, skip)
    with written_together():
        with whole_file(out / "backtest.json") as path:
            path.write_text(result.model_dump_json(indent=2), encoding="utf-8")
        with whole_file(out / "backtest.csv") as path:
            _write_csv(result, path)
    return result


def _check(count: int, skip: int, design: Design, workers: int) -> None:
    if not 1 <= workers <= _MOST_WORKERS:
        raise InputError(f"--workers should be 1 to {_MOST_WORKERS}; got {workers}.")
    if not 1 <= count <= _LARGEST_COUNT:
        raise InputError(f"--count should be 1 to {_LARGEST_COUNT}; got {count}.")
    if not 0 <= skip <= _LARGEST_COUNT:
        raise InputError(f"--skip should be 0 to {_LARGEST_COUNT}; got {skip}.")
    if design.seeds < 2:
        raise InputError(f"--seeds should be at least 2; got {design.seeds}.")
    if not 1 <= design.markets <= design.seeds:
        raise InputError(f"--markets should be 1 to --seeds {design.seeds}; got {design.markets}.")


def _result(
    worlds: list[WorldSummary],
    families: Sequence[str],
    skipped: list[str],
    half: Half,
    design: Design,
    skip: int,
) -> BacktestResult:
    from analysis.version import labelmix_version

    by_kind = {kind: [world for world in worlds if world.kind == kind] for kind in KINDS}
    return BacktestResult(
        labelmix_version=labelmix_version(),
        half=half,
        families=list(families),
        skipped=skipped,
        seeds=design.seeds,
        markets=design.markets,
        skip=skip,
        penalty_rule=design.rule,
        method=design.method,
        confidence=CONFIDENCE,
        forecast_confidence=FORECAST_CONFIDENCE,
        overall=summarise(worlds),
        side_of_best=side_of_best(worlds),
        by_kind={kind: summarise(own) for kind, own in by_kind.items() if own},
        worlds=worlds,
    )


def _note_held_out(path: Path, worlds: Sequence[str], policies: Sequence[Policy]) -> None:
    """Write down that, when and with what held-out worlds were looked at."""
    note = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "policies": [policy.name for policy in policies],
        "worlds": list(worlds),
    }
    append_line(path, json.dumps(note))


def _write_csv(result: BacktestResult, path: Path) -> None:
    """A row per world and policy."""
    names = list(dict.fromkeys(name for world in result.worlds for name in world.parameters))
    of_world = (
        "name",
        "family",
        "kind",
        "best",
        "all_easy",
        "all_hard",
        "side_of_best",
        "optimism",
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        header_written = False
        for world in result.worlds:
            for own in world.policies:
                values = own.model_dump()
                if not header_written:
                    rows.writerow(guarded_row([*of_world, *names, *values]))
                    header_written = True
                known = [getattr(world, name) for name in of_world]
                own_parameters = [world.parameters.get(name) for name in names]
                rows.writerow(guarded_row([*known, *own_parameters, *values.values()]))
