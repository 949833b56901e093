"""`labelmix collect`: a real collection, from the first batch to the last cent."""

import getpass
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotation.errors import InputError, MachineError
from budget.commands.collect_session import By, Folder, opened_collection
from budget.commands.collect_settings import collection_settings, with_currency
from budget.commands.console import guarded, tell
from budget.commands.labelstudio import CallbackUrl, Listen, TokenFile, Url
from budget.commands.options import Json, Workers, read_choices, read_columns
from budget.commands.printing import say
from budget.commands.watchers import progress_watcher

if TYPE_CHECKING:
    from budget.collection.existing_labels import ExistingLabel
    from budget.collection.proposal import Proposal
    from budget.collection.steps import Collection, Done
    from training.engines import Watcher

collect_app = typer.Typer(
    help="Collect labels for real: plan a batch, have it approved, order it, pull what people "
    "answer, train on it, plan again.\n\n"
    "Example: labelmix collect status my-collection",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@guarded
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder to begin it in.")],
    items: Annotated[
        Path | None,
        typer.Option(help="Items to be labelled (JSONL, CSV, Parquet); answers may be missing."),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Test items whose answers are known, 50 to 300 of them; never bought."),
    ] = None,
    suppliers: Annotated[
        Path | None,
        typer.Option(
            help="Who labels, at which price: a file as 'judgments report --suppliers-out' writes."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Labels that exist already (JSONL, CSV, Parquet): item_id, label, where known "
            "annotator and cost. They are trained on, never asked for, and their cost is taken off "
            "the budget, e.g. --labels old.csv."
        ),
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Money for all labels, e.g. 250.00.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="Sign or code, e.g. EUR; default: that of --suppliers.")
    ] = None,
    measure: Annotated[
        str | None, typer.Option(help="Column that says how hard an item is.")
    ] = None,
    cut: Annotated[
        str | None, typer.Option(help="quantiles:3, quantiles:.3,.7 or edges:2,>=5.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME=COLUMN",
            help="What both tables call it, e.g. question=text; may be given several times.",
        ),
    ] = None,
    choices: Annotated[
        str | None,
        typer.Option(
            "--choices",
            metavar="A,B,...",
            help="What annotators choose among, where it is the same for all items, e.g. yes,no.",
        ),
    ] = None,
    answers: Annotated[
        str | None,
        typer.Option(
            "--answers",
            metavar="READING",
            help="How the test items name right answers, where that is not clear: text, letter, "
            "index0 or index1, e.g. --answers index1.",
        ),
    ] = None,
    right_answers: Annotated[
        str | None,
        typer.Option(
            "--right-answers",
            metavar="known|buy",
            help="Whether the test items' right answers are known (the default), or are bought "
            "first of all, e.g. --right-answers buy. Without --test some of --items are drawn.",
        ),
    ] = None,
    test_items: Annotated[
        int | None,
        typer.Option(
            "--test-items",
            help="With --right-answers buy: how many of --items are tested, e.g. --test-items 100; "
            "default: as many as their price allows, see the table that is shown.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model that is trained: a folder or hub id, e.g. "
            "--model sentence-transformers/all-MiniLM-L6-v2; default: the small embedded one, "
            "which reads stories and little else."
        ),
    ] = None,
    instructions: Annotated[
        Path | None,
        typer.Option(help="File with what annotators read first (text), e.g. instructions.txt."),
    ] = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day of the collection.")
    ] = None,
    selection: Annotated[
        str | None,
        typer.Option(
            help="Which items are asked about: random, or doubt (those whose answer is in doubt, "
            "and some again), e.g. --selection doubt. It holds for the whole collection."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Further settings (TOML), see docs/guide/collect.md; options win."),
    ] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Begin a collection; nothing is ordered yet.

    Shows the first batch, what it costs, and what is missing.

    With options alone: --items pool.csv --test test.csv --column question=text --choices yes,no
    --budget 100 --currency EUR --measure question_words --cut quantiles:2.

    Example: labelmix collect new c --config c.toml --suppliers s.toml
    """
    from budget.collection.beginning import begin, check_beginning
    from budget.collection.existing_labels import read_existing_labels
    from budget.collection.existing_labels import told as lines_of_existing
    from budget.config.collection_config import parse_collection
    from budget.market.currencies import check_currency
    from budget.market.supplier_file import read_suppliers_file

    given = {
        ("items", "path"): None if items is None else str(items.absolute()),
        ("test", "path"): None if test is None else str(test.absolute()),
        ("test", "right_answers"): right_answers,
        ("test", "items"): None if test_items is None else str(test_items),
        ("budget", "total"): budget,
        ("budget", "currency"): currency,
        ("strata", "measure"): measure,
        ("strata", "cut"): cut,
        ("model", "path"): model,
        ("buying", "selection"): selection,
    }
    raw = collection_settings(
        folder,
        config,
        given,
        read_columns(columns),
        read_choices(choices),
        answers,
        instructions,
        deadline,
    )
    if suppliers is None:
        raise InputError("--suppliers is missing; name the file that says who labels.")
    where = "the options" if config is None else str(config)
    file = read_suppliers_file(suppliers)
    settings = parse_collection(with_currency(raw, file.currency), where)
    counted = settings.budget.currency
    remedy = f"begin with --currency {file.currency}"
    check_currency(file.currency, str(suppliers), counted, "the collection", remedy)
    beginning = check_beginning(settings, file)
    existing: Sequence[ExistingLabel] = ()
    if labels is not None:
        left = beginning.config.budget.total - beginning.for_test_set
        existing = read_existing_labels(labels, beginning.contents, beginning.unit, left)
    begin(folder, beginning, by or getpass.getuser(), existing)
    with opened_collection(folder, None, None) as collection, progress_watcher() as watcher:
        proposal = collection.proposal(watcher)
        assert proposal is not None, "nothing is answered yet that could be settled"
        told = [*lines_of_existing(existing, beginning.config.budget.currency)]
        told += [f"note: {remark}" for remark in beginning.remarks]
        told += _new_lines(collection, proposal)
    if as_json:
        say(json.dumps({"folder": str(folder), "lines": told}, indent=2))
    else:
        say("\n".join(told))


@guarded
def step(
    folder: Folder,
    enough: Annotated[
        bool, typer.Option("--enough", help="Take the open batch as complete as it is.")
    ] = False,
    send_again: Annotated[
        bool,
        typer.Option(
            "--send-again",
            help="First send the open batch once more: tasks that somebody deleted in Label "
            "Studio, and the labelling page if it was changed.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the step would do, and do nothing.")
    ] = False,
    url: Url = None,
    token_file: TokenFile = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Do the one next thing, and say what it was.

    --dry-run first says how many models a plan trains and how long that should take. Working the
    plan out takes that long; what is trained is kept, and the step itself does not train it again.

    Example: labelmix collect step my-collection
    """
    from budget.collection.workload import work_line

    with (
        opened_collection(folder, url, token_file, workers) as collection,
        progress_watcher() as watcher,
    ):
        if dry_run:
            work = collection.proposer.work() if collection.next_step() == "plan" else None
            if work is not None and not as_json:
                say(work_line(work))  # before the long work
            told = _dry_lines(collection, watcher)
            plain = {"work": None if work is None else asdict(work), "would": told}
            say(json.dumps(plain) if as_json else "\n".join(told))
            return
        done = collection.step(watcher, enough, send_again)
    _tell([done], as_json)


@guarded
def run(
    folder: Folder,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Look again and again for answers until all are there."),
    ] = False,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 60,
    listen: Listen = None,
    callback: CallbackUrl = None,
    url: Url = None,
    token_file: TokenFile = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Go on until an approval or annotators are waited for, or nothing is left to do.

    With --wait annotators are waited for here, until Ctrl-C; approvals never are. With --listen as
    well, Label Studio calls whenever somebody answers: the judgment is kept and paid at once, and
    what it does not say is still found by the next look. The secret that it has to send is
    LABELMIX_WEBHOOK_SECRET, or a new one each time.

    Example: labelmix collect run my-collection --wait --listen 127.0.0.1:8090
    """
    from budget.commands.collect_waiting import waiting

    if listen is not None and not wait:
        raise InputError("--listen goes with --wait; without it nobody is there to be called.")
    done: list[Done] = []
    took = 0.0
    with (
        opened_collection(folder, url, token_file, workers) as collection,
        progress_watcher() as watcher,
        waiting(collection, every, listen, callback, quiet=as_json) as wait_for,
    ):
        while not done or done[-1].waits_for is None or (wait and _by_annotators(done[-1])):
            if done and _by_annotators(done[-1]):
                wait_for(done[-1].batch or 0, took)
            began = time.monotonic()
            done.append(_step_or_outage(collection, watcher, done[-1:]))
            took = time.monotonic() - began
            if not as_json:
                _tell(done[-1:], False)
                del done[:-1]
    if as_json:
        _tell(done, True)


@guarded
def status(
    folder: Folder,
    quality: Annotated[
        bool,
        typer.Option(
            "--quality",
            help="Also tell whose work changed, what that cost, and when the open batch will be "
            "done.",
        ),
    ] = False,
    zone: Annotated[
        str | None,
        typer.Option(help="With --quality: time zone in which days begin, e.g. Europe/Berlin."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Where the collection stands: money, batches, suppliers, labels.

    Example: labelmix collect status my-collection --quality
    """
    from budget.collection.status import collection_status
    from budget.commands.show.collect import show_status

    if zone is not None and not quality:
        raise InputError("--zone goes with --quality, which tells when the open batch is done.")
    with opened_collection(folder, None, None, alone=False) as collection:
        found = collection_status(collection, quality, zone or "UTC")
    tell(found, as_json, show_status)


@guarded
def export(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Folder for the data set, judgments and ledger.")],
    as_json: Json = False,
) -> None:
    """Write the training set (in the layout of the hub), the judgments, the ledger, the decisions.

    Example: labelmix collect export my-collection --out treat-1
    """
    from budget.collection.exporting import export as export_collection

    with opened_collection(folder, None, None, alone=False) as collection:
        paths = export_collection(collection, out)
    if as_json:
        say(json.dumps({name: str(path) for name, path in paths.items()}, indent=2))
    else:
        say("\n".join(f"{name}: {path}" for name, path in paths.items()))


def _step_or_outage(collection: "Collection", watcher: "Watcher", before: "list[Done]") -> "Done":
    """The next step; where annotators were waited for, an outage of Label Studio is waited out."""
    from annotation.label_studio.retries import ServerUnavailableError
    from budget.collection.steps import Done

    try:
        return collection.step(watcher)
    except ServerUnavailableError as error:
        if not before or not _by_annotators(before[0]):
            raise
        return Done("pull", (str(error),), "annotators", before[0].batch)


def _by_annotators(done: "Done") -> bool:
    return done.waits_for == "annotators"


def _tell(done: "list[Done]", as_json: bool) -> None:
    if as_json:
        found = [
            {"step": own.step, "lines": own.lines, "waits_for": own.waits_for, "batch": own.batch}
            for own in done
        ]
        say(json.dumps(found, indent=2))
        return
    for own in done:
        say("\n".join(own.lines))


def _new_lines(collection: "Collection", proposal: "Proposal") -> list[str]:
    from budget.collection.proposal import batch_lines
    from budget.collection.workload import reading_line

    task = collection.contents.task
    told = [f"note: {remark}" for remark in collection.contents.remarks]
    for name in collection.config.strata.buy:
        tested = int((task.test_strata == name).sum())
        told.append(
            f"{name} ({task.strata.rule(name)}): {task.pools[name].size:,} items to label, "
            f"{tested:,} test items"
        )
    told += ["", *batch_lines(proposal, collection.store.unit), ""]
    if collection.contents.awaits_answers:
        return [*told, f"next: labelmix collect run {collection.folder}"]
    try:
        work = collection.proposer.first_work(proposal)
    except MachineError as error:  # the collection is begun all the same
        told.append(f"note: how long reading takes could not be tried: {error}")
        work = None
    if work is not None and work.reading_seconds is not None:
        told.append(f"to plan batch 2: {reading_line(work, work.reading_seconds)}")
    told.append(f"next: labelmix collect run {collection.folder}")
    return told


def _dry_lines(collection: "Collection", watcher: "Watcher") -> list[str]:
    from budget.collection.proposal import batch_lines

    match collection.next_step():
        case "plan":
            proposal = collection.proposal(watcher)
            if proposal is None:
                return ["would settle the answers of the test items"]
            if not proposal.lines:
                return [proposal.choice.why]
            return ["would plan:", *batch_lines(proposal, collection.store.unit)]
        case "approve":
            return ["would ask for an approval of the batch that was planned"]
        case "order":
            return ["would order the batch that was approved"]
        case "pull":
            return ["would fetch what annotators answered"]
        case _:
            return [f"the collection is {collection.store.state()}; nothing would be done"]
