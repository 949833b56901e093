"""`labelmix judgments`: what annotation work says of itself, and simulated work to try it on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from annotation.errors import InputError
from budget.commands.console import guarded
from budget.commands.options import (
    AnswersOption,
    ColumnOption,
    Control,
    CutOption,
    DataDir,
    DifferentServers,
    GroundTruthIsGold,
    Json,
    JudgmentFiles,
    JudgmentsForStrata,
    MeasureOption,
    Roles,
    StrataOfOtherJudgments,
    Strict,
    read_choices_or_count,
    read_columns,
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
    role: Roles = None,
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
    column: ColumnOption = None,
    measure: MeasureOption = None,
    cut: CutOption = None,
    judgments_for_strata: JudgmentsForStrata = None,
    strata_of_other_judgments: StrataOfOtherJudgments = False,
    answers: AnswersOption = None,
    answers_are_gold: Annotated[
        bool, typer.Option("--answers-are-gold", help="Take the items' own answers as right.")
    ] = False,
    ground_truth_is_gold: GroundTruthIsGold = False,
    different_servers: DifferentServers = False,
    control: Control = None,
    choices: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|A,B,...",
            help="Where no column of --items tells them: how many choices an item has, e.g. 4, or "
            "the classes of all items, e.g. yes,no.",
        ),
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
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="REPORT.html",
            help="Write all of it as one page that loads nothing, e.g. --html report.html.",
        ),
    ] = None,
    strict: Strict = False,
    currency: Annotated[
        str | None,
        typer.Option(
            help="Of what is paid, e.g. --currency EUR; default $. It is written into "
            "--suppliers-out where it is named."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Agreement, error rates, minutes and cost per label, by stratum and annotator.

    Rows that cannot be used are left out and named. Intervals are 90 % intervals. With --rate
    or --fee there is a bill, too.

    Example: labelmix judgments report export.json --rate 18 --out terms.toml
    """
    from annotation.judgments.item_checks import check_against_items
    from annotation.judgments.read_files import read_judgment_files
    from annotation.team.error_rates import check_error_method
    from annotation.team.report import ReportSettings, coded_judgments, report_judgments
    from annotation.terms.noise import check_error_kind
    from annotation.truth.aggregation import check_aggregator
    from annotation.truth.label_file import check_labels_path, labels_table, write_labels
    from annotation.whole_files import check_outputs
    from annotation.written_together import written_together
    from budget.commands.item_source import ItemSource, load_source
    from budget.commands.judged_strata import (
        OPTION,
        JudgedStrata,
        StrataFromJudgments,
        check_other_judgments,
        first_tell,
        items_tell,
    )
    from budget.commands.name_value import (
        minutes_to_seconds,
        read_counts,
        read_rates,
        read_roles,
    )
    from budget.commands.show.judgments import report_json, show_report
    from budget.commands.show.judgments_page import (
        check_page_path,
        judgments_page,
        write_judgments_page,
    )
    from budget.market.measured_suppliers import suppliers_toml
    from budget.market.measured_terms import check_terms_path, terms_toml, write_terms

    # What is asked is checked before a long file is read.
    classes, choice_count = read_choices_or_count(choices, MOST_CHOICES)
    asked = ItemSource(
        either="--config or --items",
        config=config,
        items=items,
        data_dir=data_dir,
        columns=read_columns(column),
        choices=classes,
        answers=answers,
        measure=measure if judgments_for_strata is None else None,
        cut=cut if judgments_for_strata is None else None,
    )
    by_first = None
    if judgments_for_strata is not None:
        if config is not None:
            raise InputError(f"{OPTION} makes strata, and so does --config; give one of the two.")
        by_first = StrataFromJudgments(judgments_for_strata, measure, cut)
    if answers_are_gold and not asked.names_items:
        raise InputError("--answers-are-gold needs items; give --items or --config.")
    named, currency = currency, currency or "$"
    check_error_kind(error_kind)
    check_error_method(errors)
    if aggregate is not None:
        check_aggregator(aggregate)
    if labels_out is not None:
        check_labels_path(labels_out)
    check_terms_path(out, "--out")
    check_terms_path(suppliers_out, "--suppliers-out")
    check_page_path(html)
    written = check_outputs((out, suppliers_out, labels_out, html), [*files, config, items])
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
        roles=read_roles(role),
        choice_count=choice_count,
        wanted=wanted,
        judgments_per_label=judgments_per_label,
        days=days,
        hours_per_day=hours_per_day,
    )
    reading = read_judgment_files(files, ground_truth_is_gold, different_servers, control)
    loaded = load_source(asked) if asked.names_items else None
    table = None if loaded is None else loaded.items
    if loaded is not None:
        check_outputs(written, loaded.files)
        told = loaded.stratum_by_id
        reading = check_against_items(reading, loaded.items, told, answers_are_gold)
    reading = reading.usable(strict)
    if by_first is not None:
        judged = first_tell(reading, table, by_first)
    else:
        judged = JudgedStrata(reading) if loaded is None else items_tell(reading, loaded)
    reading = judged.reading
    settings = replace(settings, strata_order=judged.names)
    coded = coded_judgments(reading.judgments, table, settings)
    if by_first is None and not strata_of_other_judgments:
        check_other_judgments(coded, table, judged.measure)
    found = report_judgments(reading.judgments, table, settings, coded)
    found = replace(found, notes=(*judged.notes, *found.notes))
    with written_together():
        if out is not None:
            planned = {name: count * judgments_per_label for name, count in wanted.items()}
            kind: Literal["redraw", "flip"] = "redraw" if error_kind == "redraw" else "flip"
            write_terms(terms_toml(found, kind, currency, planned), out)
        if suppliers_out is not None:
            text = suppliers_toml(found, judgments_per_label, hours_per_day, named)
            write_terms(text, suppliers_out)
        if labels_out is not None:
            write_labels(labels_table(found.coded, found.aggregate), labels_out)
        if html is not None:
            write_judgments_page(judgments_page(found, reading, currency, files), html)
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
    from annotation.judgments.table_files import write_judgments
    from annotation.labelling.simulated_team import Workplace, simulate_judgments, truth_of
    from annotation.whole_files import check_outputs, whole_file
    from annotation.written_together import written_together
    from budget.commands.name_value import read_counts, read_numbers

    check_outputs((out, truth))
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
    with written_together():
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
