"""`labelmix replay`: a collection that is over, played again as labelmix would have bought it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotation.errors import InputError
from budget.commands.console import guarded, tell
from budget.commands.options import (
    AnswersOption,
    ChoicesOption,
    ColumnOption,
    Control,
    CutOption,
    DifferentServers,
    HourlyPay,
    Json,
    JudgmentFiles,
    JudgmentsForStrata,
    MeasureOption,
    ModelPath,
    PiecePay,
    Roles,
    StrataOfOtherJudgments,
    Strict,
    Workers,
    read_choices,
    read_columns,
)
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher

if TYPE_CHECKING:
    from budget.market.supplier_file import SuppliersFile
    from budget.replay.tables import PastTables

_FEWEST_SEEDS = 2  # of one nothing is known of luck


@guarded
def replay(
    files: JudgmentFiles,
    items: Annotated[Path, typer.Option(help="The items that were judged (JSONL, CSV, Parquet).")],
    test: Annotated[
        Path | None,
        typer.Option(help="Items with known answers to test on; default: some of --items."),
    ] = None,
    test_items: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many of --items with a known answer are tested; default: a third of "
            "them, at most 300.",
        ),
    ] = None,
    measure: MeasureOption = None,
    cut: CutOption = None,
    judgments_for_strata: JudgmentsForStrata = None,
    strata_of_other_judgments: StrataOfOtherJudgments = False,
    fee: PiecePay = None,
    rate: HourlyPay = None,
    suppliers: Annotated[
        Path | None,
        typer.Option(help="Prices as a file of suppliers, one for every role, instead."),
    ] = None,
    role: Roles = None,
    judgments_per_item: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...",
            help="How many judgments of an item can be ordered, e.g. 1,3; default 1, 3 and 5, as "
            "far as there are so many.",
        ),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Money of every replay; default: half of what was paid.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Sign or code, e.g. EUR; default: that of --suppliers, or $.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=_FEWEST_SEEDS, help="Replays, each with other draws.")
    ] = 8,
    config: Annotated[
        Path | None,
        typer.Option(help="Further settings of a collection (TOML), see docs/guide/collect.md."),
    ] = None,
    model: ModelPath = None,
    out: Annotated[
        Path,
        typer.Option(help="Folder for claim.json and replay.json, and for what was computed."),
    ] = Path("runs/replay"),
    column: ColumnOption = None,
    choices: ChoicesOption = None,
    answers: AnswersOption = None,
    different_servers: DifferentServers = False,
    control: Control = None,
    strict: Strict = False,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Play a finished collection again: what the plan would have bought, saved or lost.

    Label by label, with its real judgments, prices and seconds. What the plan claims is told
    before the outcome; then it is held against what was done, all easy, all hard and equal
    spend, with the same money. A role of the judgments is a supplier.

    Example: labelmix replay judgments.csv --items items.jsonl --fee .05 --judgments-for-strata 3
    """
    import tempfile

    from annotation.judgments.read_files import read_judgment_files
    from annotation.terms.cost import money
    from annotation.whole_files import check_folder, not_an_input
    from budget.commands.show.replay import show_outcome
    from budget.config.toml import read_toml
    from budget.market.currencies import check_currency
    from budget.replay.page import write_page
    from budget.replay.past import assemble, replay_config
    from budget.replay.playing import check_first_batch
    from budget.replay.result import write_record
    from budget.replay.run import (
        Folders,
        check_budget,
        played_again,
        replay_outcome,
        usual_budget,
    )
    from budget.replay.summarise import claim_of
    from budget.replay.tables import ItemFiles, StrataAsked, read_past
    from budget.replay.wording import before_sentences, claim_sentences
    from training.engines.choice import EngineChoice
    from training.models.quiet import quiet_libraries
    from training.models.source import find_model

    if test is not None and test_items is not None:
        raise InputError("--test and --test-items do not go together; give one of them.")
    if suppliers is not None and (fee or rate or judgments_per_item):
        raise InputError(
            "--suppliers holds prices and numbers of judgments; leave --fee, --rate and "
            "--judgments-per-item out."
        )
    given_choices = read_choices(choices)
    orders = _orders(judgments_per_item)
    check_folder(out)
    for name in ("claim.json", "replay.json", "replay.html"):
        not_an_input(out / name, [*files, items, test, suppliers, config])
    wanted = None if budget is None else money(budget)
    raw: dict[str, Any] = {} if config is None else read_toml(config)
    if model is not None:
        section = raw.get("model")
        raw["model"] = {**(section if isinstance(section, dict) else {}), "path": model}
    reading = read_judgment_files(files, False, different_servers, control).usable(strict)
    tables = read_past(
        ItemFiles(
            items,
            test,
            read_columns(column),
            None if given_choices is None else tuple(given_choices),
            answers,
        ),
        reading,
        StrataAsked(measure, cut, judgments_for_strata, strata_of_other_judgments),
    )
    tables, file = _priced(tables, suppliers, (rate, fee), role, orders)
    currency = currency or file.currency or "$"
    remedy = f"name it by --currency {file.currency}"
    check_currency(file.currency, str(suppliers), currency, "the replay", remedy)
    where = "the options" if config is None else str(config)
    past = assemble(tables, replay_config(raw, tables, currency, where), file, test_items)
    total = usual_budget(past) if wanted is None else wanted
    check_budget(past, total)

    quiet_libraries()
    find_model(past.config.model.path, past.config.model.dtype)

    def told(text: str) -> None:
        say(text, err=as_json)

    engine = EngineChoice(workers)
    with tempfile.TemporaryDirectory() as scratch, progress_watcher() as watcher:
        check_first_batch(past, total, Path(scratch))
        told("\n".join(before_sentences(past, total, seeds)))
        out.mkdir(parents=True, exist_ok=True)
        folders = Folders(out, Path(scratch))
        played = played_again(
            past, total, seeds, folders, engine, watcher, lambda text: say(text, err=True)
        )
        claim = claim_of(past, played)
        write_record(claim, out / "claim.json")
        told("\n".join(["", *claim_sentences(claim, past.task.target, currency), ""]))
        result = replay_outcome(past, total, played, claim, folders, engine, watcher)
    write_record(result, out / "replay.json")
    write_page(result, out / "replay.html")
    tell(result, as_json, show_outcome)
    told(f"page: {out / 'replay.html'}\nnumbers: {out / 'replay.json'}")


def _orders(text: str | None) -> tuple[int, ...] | None:
    """Read "1,3": numbers of judgments.

    Raises InputError if one is no whole number above 0.
    """
    from budget.market.offers import MOST_JUDGMENTS

    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    fits = [
        part.isascii() and part.isdecimal() and len(part) < 5 and 1 <= int(part) <= MOST_JUDGMENTS
        for part in parts
    ]
    if not all(fits):
        raise InputError(
            f"--judgments-per-item '{text}': should be whole numbers of 1 to {MOST_JUDGMENTS} with "
            "commas between them, e.g. 1,3."
        )
    return tuple(sorted({int(part) for part in parts}))


def _priced(
    tables: "PastTables",
    suppliers: Path | None,
    pay: tuple[list[str] | None, list[str] | None],
    role: list[str] | None,
    orders: tuple[int, ...] | None,
) -> "tuple[PastTables, SuppliersFile]":
    """Judgments with their suppliers, and what these are paid."""
    from dataclasses import replace

    from budget.commands.name_value import read_pay, read_roles
    from budget.market.supplier_file import read_suppliers_file
    from budget.replay.suppliers import ALONE, check_names, priced_suppliers, suppliers_of
    from budget.replay.tables import with_roles

    tables = with_roles(tables, read_roles(role))
    rate, fee = pay
    if suppliers is None and not rate and not fee:
        raise InputError("what was paid is missing; give --fee, --rate or --suppliers.")
    file = None if suppliers is None else read_suppliers_file(suppliers)
    only = ALONE if file is None or len(file.suppliers) > 1 else next(iter(file.suppliers))
    names = suppliers_of(tables.judgments, only)
    tables = replace(tables, judgments=tables.judgments.assign(supplier=names))
    if file is None:
        return tables, priced_suppliers(tables.judgments, read_pay(rate, fee), orders)
    check_names(tables.judgments, file)
    return tables, file
