"""`labelmix judgments`: what annotation work says of itself, and simulated work to try it on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from annotation.errors import InputError
from budget.commands.console import guarded
from budget.commands.options import (
    AnswersOption,
    Control,
    DataDir,
    DifferentServers,
    Json,
    JudgmentFiles,
    Strict,
)
from budget.commands.printing import say

MOST_CHOICES = 1000  # more is a slip of the hand, and would not fit into memory

judgments_app = typer.Typer(
    help="Measure error rates, times and costs from annotators' judgments.\n\n"
    "Example: labelmix judgments report export.json --rate 18",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@judgments_app.command()
@guarded
def report(
    files: JudgmentFiles,
    rate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]AMOUNT", help="Hourly rate: of an annotator, a role, or all others."
        ),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(metavar="ANNOTATOR=ROLE", help="Who is what.")
    ] = None,
    fee: Annotated[
        str | None,
        typer.Option(help="Paid per judgment with a label, alone or beside --rate, e.g. .05."),
    ] = None,
    recruiting: Annotated[
        list[str] | None,
        typer.Option(metavar="STRATUM=AMOUNT", help="Paid once to find a stratum's experts."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A run's CONFIG.toml: its items, choices and strata.")
    ] = None,
    data_dir: DataDir = None,
    items: Annotated[
        Path | None, typer.Option(help="Items (JSONL, CSV, Parquet), instead of --config.")
    ] = None,
    measure: Annotated[
        str | None, typer.Option(help="Cut --items by this measure, not by what judgments say.")
    ] = None,
    cut: Annotated[
        str | None, typer.Option(help="paper, quantiles:3 or edges:5,>=8; default quantiles:3.")
    ] = None,
    answers: AnswersOption = None,
    answers_are_gold: Annotated[
        bool, typer.Option("--answers-are-gold", help="Take the items' own answers as right.")
    ] = False,
    ground_truth_is_gold: Annotated[
        bool,
        typer.Option(
            "--ground-truth-is-gold", help="Label Studio's ground truths are right answers."
        ),
    ] = False,
    different_servers: DifferentServers = False,
    control: Control = None,
    choices: Annotated[
        int | None,
        typer.Option(min=2, max=MOST_CHOICES, help="Choices per item, where no item table tells."),
    ] = None,
    errors: Annotated[
        str,
        typer.Option(
            help="Error rates by gold, hardness, majority, dawid_skene, one_coin, glad, mace; "
            "auto: gold where there is enough, else what fits."
        ),
    ] = "auto",
    aggregate: Annotated[
        str | None,
        typer.Option(
            help="Labels by majority, dawid_skene, one_coin, glad, mace, hardness; default: what "
            "fits."
        ),
    ] = None,
    same_annotators: Annotated[
        bool,
        typer.Option(
            "--same-annotators", help="Intervals for these very annotators, not for others too."
        ),
    ] = False,
    idle_cap: Annotated[float, typer.Option(help="Minutes above which there was a break.")] = 10,
    floor: Annotated[float, typer.Option(help="Seconds below which no one can answer.")] = 1,
    need: Annotated[
        list[str] | None,
        typer.Option(metavar="STRATUM=LABELS", help="Labels wanted, to tell how many people."),
    ] = None,
    judgments_per_label: Annotated[
        int, typer.Option(min=1, help="Judgments that a wanted label takes.")
    ] = 1,
    days: Annotated[float | None, typer.Option(help="Working days until the deadline.")] = None,
    hours_per_day: Annotated[float, typer.Option(help="Hours an annotator works a day.")] = 6,
    out: Annotated[
        Path | None, typer.Option(metavar="TERMS.toml", help="Write terms for a configuration.")
    ] = None,
    suppliers_out: Annotated[
        Path | None,
        typer.Option(
            metavar="SUPPLIERS.toml", help="Write suppliers for 'labelmix plan', role by role."
        ),
    ] = None,
    error_kind: Annotated[
        str, typer.Option(help="In --out: flip, the share that is wrong, or redraw.")
    ] = "flip",
    labels_out: Annotated[
        Path | None, typer.Option(help="Write labels with posteriors (.jsonl, .parquet).")
    ] = None,
    strict: Strict = False,
    currency: Annotated[str, typer.Option(help="For people.")] = "$",
    as_json: Json = False,
) -> None:
    """Agreement, error rates, minutes and cost per label, by stratum and annotator.

    Rows that cannot be used are left out and named. Intervals are 90 % intervals. With --rate
    or --fee there is a bill, too.

    Example: labelmix judgments report export.json --rate 18 --out terms.toml
    """
    from annotation.files import is_same_file, not_an_input
    from annotation.judgments.item_checks import check_against_items
    from annotation.judgments.read_files import read_judgment_files
    from annotation.team.error_rates import check_error_method
    from annotation.team.report import ReportSettings, report_judgments
    from annotation.terms.noise import check_error_kind
    from annotation.truth.aggregation import check_aggregator
    from annotation.truth.label_file import check_labels_path, labels_table, write_labels
    from budget.commands.item_source import ItemSource, load_source
    from budget.commands.name_value import (
        minutes_to_seconds,
        read_counts,
        read_pairs,
        read_rates,
    )
    from budget.commands.show.judgments import report_json, show_report
    from budget.market.measured_suppliers import suppliers_toml
    from budget.market.measured_terms import check_terms_path, terms_toml, write_terms

    # What is asked is checked before a long file is read.
    asked = ItemSource(
        either="--config or --items",
        config=config,
        items=items,
        data_dir=data_dir,
        answers=answers,
        measure=measure,
        cut=cut,
    )
    if answers_are_gold and not asked.names_items:
        raise InputError("--answers-are-gold needs items; give --items or --config.")
    check_error_kind(error_kind)
    check_error_method(errors)
    if aggregate is not None:
        check_aggregator(aggregate)
    if labels_out is not None:
        check_labels_path(labels_out)
    check_terms_path(out, "--out")
    check_terms_path(suppliers_out, "--suppliers-out")
    written = [path for path in (out, suppliers_out, labels_out) if path is not None]
    for number, path in enumerate(written):
        not_an_input(path, [*files, config, items])
        if any(is_same_file(path, other) for other in written[:number]):
            raise InputError(f"{path}: is written twice; name another file.")
    wanted = read_counts(need, "--need", "STRATUM=LABELS, e.g. hard=100")
    if days is not None and not wanted:
        raise InputError("--days goes with --need, which says how many labels are wanted.")
    if judgments_per_label > 1 and not wanted and suppliers_out is None:
        raise InputError("--judgments-per-label goes with --need or --suppliers-out.")
    settings = ReportSettings(
        error_method=errors,  # type: ignore[arg-type]
        aggregator=aggregate,  # type: ignore[arg-type]
        scope="these" if same_annotators else "like_these",
        idle_cap=minutes_to_seconds(idle_cap, "--idle-cap"),
        floor=floor,
        rates=read_rates(rate, fee, recruiting),
        roles=read_pairs(role, "--role", "ANNOTATOR=ROLE, e.g. bob=expert"),
        choice_count=choices,
        wanted=wanted,
        judgments_per_label=judgments_per_label,
        days=days,
        hours_per_day=hours_per_day,
    )
    reading = read_judgment_files(files, ground_truth_is_gold, different_servers, control)
    table = None
    strata: tuple[str, ...] = ()
    if asked.names_items:
        loaded = load_source(asked)
        table = loaded.items
        strata = () if loaded.strata is None else loaded.strata.names
        reading = check_against_items(reading, table, loaded.stratum_by_id, answers_are_gold)
    reading = reading.usable(strict)
    settings = replace(settings, strata_order=strata)
    found = report_judgments(reading.judgments, table, settings)
    texts: dict[Path, str] = {}  # all of them, before the first is written
    if out is not None:
        planned = {name: count * judgments_per_label for name, count in wanted.items()}
        is_redraw = error_kind == "redraw"
        texts[out] = terms_toml(found, "redraw" if is_redraw else "flip", currency, planned)
    if suppliers_out is not None:
        texts[suppliers_out] = suppliers_toml(found, judgments_per_label, hours_per_day, currency)
    for path, text in texts.items():
        write_terms(text, path)
    if labels_out is not None:
        write_labels(labels_table(found.coded, found.aggregate), labels_out)
    if as_json:
        say(json.dumps(report_json(found, reading), indent=2))
    else:
        show_report(found, reading, currency)
        for path in written:
            say(f"wrote {path}")


@judgments_app.command()
@guarded
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Judgments (.csv, .parquet).")],
    items: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRATUM=ITEMS",
            help="Of easy, medium, hard, or one with a --hardness; default easy=100 and hard=100.",
        ),
    ] = None,
    hardness: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STRATUM=NUMBER", help="Mean of its items; easy -2, medium -1, hard 0."
        ),
    ] = None,
    annotators: Annotated[int, typer.Option(min=1, help="How many people.")] = 10,
    overlap: Annotated[int, typer.Option(min=1, help="Judgments of every item.")] = 3,
    choices: Annotated[int, typer.Option(min=2, max=MOST_CHOICES, help="Of every item.")] = 4,
    gold: Annotated[float, typer.Option(help="Share of items that are gold questions.")] = 0.0,
    seconds: Annotated[float, typer.Option(help="Median time of a hard item.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Of all random numbers.")] = 0,
    truth: Annotated[
        Path | None, typer.Option(help="Write the true rates, times and answers (.json).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate annotation work whose truth is known.

    Annotators differ in ability and speed, items in hardness; some judgments are cancelled, some
    contain breaks. The same options give the same file.

    Example: labelmix judgments simulate pilot.csv --gold .2 --truth truth.json
    """
    from annotation.files import is_same_file, whole_file
    from annotation.judgments.table_files import write_judgments
    from annotation.labelling.simulated_team import Workplace, simulate_judgments, truth_of
    from budget.commands.name_value import read_counts, read_numbers

    if truth is not None and is_same_file(truth, out):
        raise InputError(f"--truth {truth}: is where the judgments go; name another file.")
    counts = read_counts(
        items or ["easy=100", "hard=100"], "--items", "STRATUM=ITEMS, e.g. easy=100"
    )
    means = read_numbers(hardness, "--hardness", "STRATUM=NUMBER, e.g. hard=0")
    workplace = Workplace(
        items=counts,
        hardness={**Workplace().hardness, **means},
        annotators=annotators,
        judgments_per_item=overlap,
        choices=choices,
        gold=gold,
        seconds=seconds,
    )
    simulation = simulate_judgments(workplace, seed)
    write_judgments(simulation.judgments, out)
    if truth is not None:
        with whole_file(truth, private=True) as unfinished:
            text = json.dumps(truth_of(simulation), indent=2)
            unfinished.write_text(text + "\n", encoding="utf-8")
    if as_json:
        done = {"judgments": str(out), "rows": len(simulation.judgments)}
        say(json.dumps({**done, "truth": str(truth) if truth else None}))
    else:
        say(f"wrote {len(simulation.judgments):,} judgments to {out}")
        if truth is not None:
            say(f"wrote {truth}")
