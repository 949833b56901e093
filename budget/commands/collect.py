"""`labelmix collect`: a real collection, from the first batch to the last cent."""

import getpass
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotation.errors import InputError, short
from budget.commands.collect_session import By, Folder, opened_collection, opened_store
from budget.commands.console import guarded, progress_watcher, tell
from budget.commands.labelstudio import TokenFile, Url
from budget.commands.options import Json, Workers
from budget.commands.printing import say

if TYPE_CHECKING:
    from budget.collection.existing_labels import ExistingLabel
    from budget.collection.proposing import Proposal
    from budget.collection.steps import Collection, Done
    from budget.collection.store.history import CollectionState
    from budget.collection.store.store import CollectionStore
    from training.engines import Watcher

collect_app = typer.Typer(
    help="Collect labels for real: plan a batch, have it approved, order it, pull what people "
    "answer, train on it, plan again.\n\n"
    "Example: labelmix collect status my-collection",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Why = Annotated[str, typer.Option(help="The reason, which is kept.")]


@collect_app.command()
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
    currency: Annotated[str | None, typer.Option(help="Sign or code, e.g. EUR.")] = None,
    measure: Annotated[
        str | None, typer.Option(help="Column that says how hard an item is.")
    ] = None,
    cut: Annotated[
        str | None, typer.Option(help="quantiles:3, quantiles:.3,.7 or edges:2,>=5.")
    ] = None,
    deadline: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The last day of the collection.")
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

    With options alone: --items pool.csv --test test.csv --budget 100 --measure steps --cut
    quantiles:3.

    Example: labelmix collect new c --config c.toml --suppliers s.toml
    """
    from budget.collection.beginning import begin, check_beginning
    from budget.collection.existing_labels import read_existing_labels
    from budget.collection.existing_labels import told as lines_of_existing
    from budget.collection.suppliers import unit_of
    from budget.config.collection_config import parse_collection
    from budget.market.supplier_file import read_suppliers_file

    given = {
        ("items", "path"): None if items is None else str(items.absolute()),
        ("test", "path"): None if test is None else str(test.absolute()),
        ("budget", "total"): budget,
        ("budget", "currency"): currency,
        ("strata", "measure"): measure,
        ("strata", "cut"): cut,
    }
    raw = _settings(folder, config, given, deadline)
    if suppliers is None:
        raise InputError("--suppliers is missing; name the file that says who labels.")
    where = "the options" if config is None else str(config)
    beginning = check_beginning(parse_collection(raw, where), read_suppliers_file(suppliers))
    existing: Sequence[ExistingLabel] = ()
    if labels is not None:
        total, sign = beginning.config.budget.total, beginning.config.budget.currency
        unit = unit_of(beginning.suppliers, sign, total)
        existing = read_existing_labels(labels, beginning.contents, unit, total)
    begin(folder, beginning, by or getpass.getuser(), existing)
    with opened_collection(folder, None, None) as collection, progress_watcher() as watcher:
        proposal = collection.proposer.proposal(watcher)
        told = [*lines_of_existing(existing, beginning.config.budget.currency)]
        told += _new_lines(collection, proposal)
    if as_json:
        say(json.dumps({"folder": str(folder), "lines": told}, indent=2))
    else:
        say("\n".join(told))


@collect_app.command()
@guarded
def step(
    folder: Folder,
    enough: Annotated[
        bool, typer.Option("--enough", help="Take the open batch as complete as it is.")
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
        done = collection.step(watcher, enough)
    _tell([done], as_json)


@collect_app.command()
@guarded
def run(
    folder: Folder,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Look again and again for answers until all are there."),
    ] = False,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 60,
    url: Url = None,
    token_file: TokenFile = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Go on until an approval or annotators are waited for, or nothing is left to do.

    With --wait annotators are waited for here, until Ctrl-C; approvals never are.

    Example: labelmix collect run my-collection --wait
    """
    done: list[Done] = []
    with (
        opened_collection(folder, url, token_file, workers) as collection,
        progress_watcher() as watcher,
    ):
        while not done or done[-1].waits_for is None or (wait and _by_annotators(done[-1])):
            if done and _by_annotators(done[-1]):
                time.sleep(every)
            done.append(collection.step(watcher))
            if not as_json:
                _tell(done[-1:], False)
    if as_json:
        _tell(done, True)


@collect_app.command()
@guarded
def approve(
    folder: Folder,
    batch: Annotated[int, typer.Argument(metavar="BATCH", help="Its number, as 'status' says.")],
    by: By = None,
    as_json: Json = False,
) -> None:
    """Approve a batch: its money is promised, and it can be ordered.

    Example: labelmix collect approve my-collection 2
    """
    with opened_store(folder, "labelmix collect approve") as store:
        is_new = store.approve(batch, by or getpass.getuser())
        _tell_batch(store, batch, "approved", is_new, as_json)


@collect_app.command()
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


@collect_app.command()
@guarded
def cancel(
    folder: Folder,
    batch: Annotated[int, typer.Argument(metavar="BATCH", help="Its number, as 'status' says.")],
    why: Annotated[str, typer.Option(help="The reason, which is kept.")],
    by: By = None,
    as_json: Json = False,
) -> None:
    """Want no more of a batch; what was answered is paid, the rest of its money is free again.

    Tasks that are in Label Studio stay there: delete them, or nobody should answer them.

    Example: labelmix collect cancel my-collection 2 --why mistaken
    """
    with opened_store(folder, "labelmix collect cancel") as store:
        is_new = store.cancel(batch, by or getpass.getuser(), why)
        _tell_batch(store, batch, "cancelled", is_new, as_json)


@collect_app.command()
@guarded
def pause(folder: Folder, why: Why = "", by: By = None, as_json: Json = False) -> None:
    """Plan and approve nothing until the collection is resumed.

    Example: labelmix collect pause my-collection --why "holidays"
    """
    _set_state(folder, "paused", why, by, as_json)


@collect_app.command()
@guarded
def resume(folder: Folder, why: Why = "", by: By = None, as_json: Json = False) -> None:
    """Go on with a collection that was paused.

    Example: labelmix collect resume my-collection
    """
    _set_state(folder, "running", why, by, as_json)


@collect_app.command()
@guarded
def close(folder: Folder, why: Why = "", by: By = None, as_json: Json = False) -> None:
    """End the collection for good; its batches have to be complete or cancelled.

    Example: labelmix collect close my-collection --why "enough"
    """
    _set_state(folder, "closed", why, by, as_json)


@collect_app.command()
@guarded
def change(
    folder: Folder,
    budget: Annotated[str | None, typer.Option(help="The new budget, in all.")] = None,
    suppliers: Annotated[
        Path | None, typer.Option(help="A new file of suppliers, for batches to come.")
    ] = None,
    why: Why = "",
    by: By = None,
    as_json: Json = False,
) -> None:
    """Change the budget or the suppliers; what was ordered keeps its price.

    Example: labelmix collect change my-collection --budget 400
    """
    from budget.collection.beginning import change_suppliers, check_suppliers
    from budget.market.supplier_file import read_suppliers_file

    if budget is None and suppliers is None:
        raise InputError("nothing is to be changed; give --budget or --suppliers.")
    who = by or getpass.getuser()
    with opened_store(folder, "labelmix collect change") as store:
        file = None if suppliers is None else read_suppliers_file(suppliers)
        if file is not None:
            check_suppliers(folder, store, file)
        if budget is not None:
            store.set_budget(_amount(budget), who, why)
        if file is not None:
            change_suppliers(store, file, who, why)
        left = store.balance().left
        told = f"changed; {_left(store)}"
    say(json.dumps({"left": str(left)}) if as_json else told)


@collect_app.command()
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


def _tell_batch(
    store: "CollectionStore", batch: int, state: str, is_new: bool, as_json: bool
) -> None:
    if as_json:
        left = str(store.balance().left)
        say(json.dumps({"batch": batch, "changed": is_new, "left": left}))
    elif is_new:
        say(f"batch {batch} is {state}; {_left(store)}")
    else:
        say(f"batch {batch} was {state} already; {_left(store)}")


def _left(store: "CollectionStore") -> str:
    balance = store.balance()
    return f"{balance.left} {store.unit.currency} of the budget are neither promised nor paid"


def _amount(text: str) -> Decimal:
    """A budget as it is written.

    Raises InputError if it is no amount of money above 0.
    """
    from annotation.terms.cost import money

    try:
        found = money(text)
    except InputError as error:
        raise InputError(f"--budget: {error}") from None
    if not found:
        raise InputError(f"--budget: should be above 0; got {short(text)}.")
    return found


def _set_state(
    folder: Path, state: "CollectionState", why: str, by: str | None, as_json: bool
) -> None:
    with opened_store(folder, f"labelmix collect ({state})") as store:
        is_new = store.set_state(state, by or getpass.getuser(), why)
    if as_json:
        say(json.dumps({"state": state, "changed": is_new}))
    else:
        say(f"the collection is {state}" if is_new else f"the collection was {state} already")


def _settings(
    folder: Path,
    config: Path | None,
    given: dict[tuple[str, str], str | None],
    deadline: str | None,
) -> dict[str, Any]:
    """The settings as a file and the options say them."""
    from budget.config.collection_config import with_absolute_paths
    from budget.config.toml import read_toml

    raw: dict[str, Any] = {}
    if config is not None:
        raw = with_absolute_paths(read_toml(config), config.parent)
    for (section, key), value in given.items():
        if value is not None:
            own = raw.get(section, {})
            raw[section] = {**(own if isinstance(own, dict) else {}), key: value}
    if deadline is not None:
        raw["deadline"] = deadline
    raw.setdefault("name", folder.resolve().name)
    return raw


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
    from budget.collection.proposing import batch_lines

    task = collection.contents.task
    told = [f"note: {remark}" for remark in collection.contents.remarks]
    for name in collection.config.strata.buy:
        tested = int((task.test_strata == name).sum())
        told.append(
            f"{name} ({task.strata.rule(name)}): {task.pools[name].size:,} items to label, "
            f"{tested:,} test items"
        )
    told += ["", *batch_lines(proposal, collection.store.unit.shown), ""]
    told.append(f"next: labelmix collect run {collection.folder}")
    return told


def _dry_lines(collection: "Collection", watcher: "Watcher") -> list[str]:
    from budget.collection.proposing import batch_lines

    match collection.next_step():
        case "plan":
            proposal = collection.proposer.proposal(watcher)
            if not proposal.lines:
                return [proposal.choice.why]
            return ["would plan:", *batch_lines(proposal, collection.store.unit.shown)]
        case "approve":
            return ["would ask for an approval of the batch that was planned"]
        case "order":
            return ["would order the batch that was approved"]
        case "pull":
            return ["would fetch what annotators answered"]
        case _:
            return [f"the collection is {collection.store.state()}; nothing would be done"]
