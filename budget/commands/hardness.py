"""`labelmix hardness`: measure how hard items are, in every way there is."""

from pathlib import Path
from typing import Annotated

import typer

from annotation.errors import InputError
from budget.commands.console import guarded, tell
from budget.commands.options import (
    SHARED_FEATURES,
    AnswersOption,
    ChoicesOption,
    ColumnOption,
    CutOption,
    DataDir,
    Json,
    JudgmentsForStrata,
    read_choices,
    read_columns,
)
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher


@guarded
def hardness(
    items: Annotated[
        Path | None,
        typer.Argument(
            metavar="[ITEMS]", help="Items (JSONL, CSV, Parquet), or the CONFIG.toml of a run."
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Instead of ITEMS: arc, mmlu_stem, strategyqa, gsm8k, ...")
    ] = None,
    data_dir: DataDir = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help="A measure of --list or a column of ITEMS; may be given several times. Default: "
            "what the items bring, and what their texts and --judgments tell."
        ),
    ] = None,
    column: ColumnOption = None,
    choices: ChoicesOption = None,
    answers: AnswersOption = None,
    judgments: Annotated[
        Path | None,
        typer.Option(help="Judgment table (CSV, Parquet), for disagreement and item response."),
    ] = None,
    judgments_for_strata: JudgmentsForStrata = None,
    cut: CutOption = None,
    predict: Annotated[
        bool, typer.Option("--predict", help="Predict measures of items that lack them.")
    ] = False,
    coverage: Annotated[
        float, typer.Option(help="Share of predictions whose interval should hold the truth.")
    ] = 0.9,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model folder, hub id, pico or smollm2, for measures that need one; default: "
            "that of CONFIG.toml, else pico."
        ),
    ] = None,
    features: Annotated[
        Path,
        typer.Option(
            help="Folder that keeps what the model makes of items, for all commands that read "
            "them, e.g. --features runs/my-task/features."
        ),
    ] = SHARED_FEATURES,
    seed: Annotated[int, typer.Option(min=0, help="Of samples, orders and folds.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write ITEMS (.jsonl, .csv, .parquet), all its columns as they are, with the "
            "measures and the strata that were shown."
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw histograms and correlations (.png, .svg, .pdf).")
    ] = None,
    registry: Annotated[bool, typer.Option("--list", help="List all measures and leave.")] = False,
    as_json: Json = False,
) -> None:
    """Add hardness measures to items; show strata, histograms and how measures agree.

    Example: labelmix hardness items.jsonl --out measured.jsonl
    """
    if registry:
        _show_registry(as_json)
        return
    from analysis.hardness.figure import figure_kind
    from analysis.hardness.items import MeasuredPool
    from analysis.hardness.measure import HardnessOptions, run_hardness
    from annotation.items.write import check_table_path
    from annotation.whole_files import check_outputs
    from budget.commands.item_source import ItemSource, config_or_items, load_source
    from budget.commands.show.hardness import show_hardness
    from budget.config.training_config import TrainingConfig

    # What is asked is checked before any work that takes long.
    if figure is not None:
        figure_kind(figure)
    _check_coverage(coverage)
    config, file = config_or_items(items)
    asked = ItemSource(
        either="ITEMS (a file) or --source",
        config=config,
        items=file,
        source=source,
        data_dir=data_dir,
        columns=read_columns(column),
        choices=read_choices(choices),
        answers=answers,
    )
    if out is not None:
        check_table_path(out)
    check_outputs((out, figure), [items, judgments])
    with progress_watcher() as watcher:
        found = load_source(asked, watcher)
        check_outputs((out, figure), found.files)
        sections = [] if found.config is None else [found.config.strata]
        pool = MeasuredPool(
            found.items,
            found.name,
            found.source,
            found.table,
            cuts={section.measure: section.as_cut for section in sections},
            names={section.measure: section.names for section in sections},
            remarks=found.remarks,
        )
        training = TrainingConfig() if found.config is None else found.config
        configured, prompt = training.model, training.prompt
        options = HardnessOptions(
            measures=tuple(measure or ()),
            judgments=judgments,
            judgments_for_strata=judgments_for_strata,
            cut=cut,
            model=model or configured.path,
            dtype=configured.dtype,
            prompt=prompt.choices,
            predict=predict,
            coverage=coverage,
            folder=features,
            out=out,
            figure=figure,
            seed=seed,
        )
        result = run_hardness(pool, options, watcher)
    tell(result, as_json, show_hardness)


def _show_registry(as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from annotation.hardness.registry import MEASURES
    from budget.commands.show.hardness import show_registry

    if as_json:
        say(json.dumps([asdict(measure) for measure in MEASURES.values()], indent=2))
    else:
        show_registry()


def _check_coverage(coverage: float) -> None:
    if not 0 < coverage < 1:
        raise InputError(f"--coverage should be within 0 and 1, e.g. 0.9; got {coverage:g}.")
