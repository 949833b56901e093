"""What `labelmix collect status` prints for a person."""

from rich.table import Table

from analysis.numbers import percent
from budget.collection.status import CollectionStatus
from budget.commands.screen import Screen

_NEXT = {
    "plan": "plan the next batch",
    "approve": "ask for an approval",
    "order": "order the batch that was approved",
    "pull": "fetch what annotators answered",
    "stop": "nothing",
}


def show_status(status: CollectionStatus) -> None:
    """Print where a collection stands."""
    console = Screen()
    console.print(f"{status.name}: {status.state}", style="bold")
    console.print(
        f"{status.paid} of {status.budget} {status.currency} paid, {status.promised} promised, "
        f"{status.left_to_spend} left"
    )
    if status.deadline is not None:
        console.print(f"deadline: {status.deadline}")
    if status.batches:
        console.print(_batches(status))
    if any(own.judgments for own in status.suppliers):
        console.print(_suppliers(status))
    for name, left in status.left.items():
        clean = status.clean.get(name)
        told = "" if clean is None else f", {percent(clean)} of them clean as measured"
        console.print(
            f"{name}: {status.labels.get(name, 0):,} labels{told}; nobody was asked about "
            f"{left:,} items yet"
        )
    if status.accuracy is not None:
        beside = [f"guessing {percent(status.guessing)}"] if status.guessing is not None else []
        if status.commonest_class is not None:
            beside.append(f"always the commonest class {percent(status.commonest_class)}")
        console.print(
            f"a model of all labels at the last plan: {percent(status.accuracy)} right on "
            f"{status.target} test items ({', '.join(beside)})"
        )
    for why, count in status.unpaid.items():
        console.print(f"not paid: {count:,} judgments ({why})")
    if status.ended is not None and status.next_step == "plan":
        console.print(f"the last plan: {status.ended}")
    console.print(f"next step: {_NEXT[status.next_step]}")


def _batches(status: CollectionStatus) -> Table:
    table = Table(title="Batches", title_justify="left")
    for name in ("batch", "state", f"at most, {status.currency}", "paid", "judgments"):
        table.add_column(name, justify="left" if name == "state" else "right")
    for own in status.batches:
        came = f"{own.received:,} of {own.wanted:,}"
        table.add_row(str(own.number), own.state, str(own.most), str(own.paid), came)
    return table


def _suppliers(status: CollectionStatus) -> Table:
    table = Table(title="Suppliers", title_justify="left")
    for name in ("supplier", "stratum", "judgments", "wrong, %", "seconds"):
        table.add_column(name, justify="right" if name in ("judgments", "seconds") else "left")
    for own in status.suppliers:
        rate = percent(own.error_rate)
        if own.is_measured and own.low is not None and own.high is not None:
            rate += f" ({percent(own.low)} to {percent(own.high)})"
        elif not own.is_measured:
            rate += ", not measured yet"
        seconds = "" if own.seconds is None else f"{own.seconds:.0f}"
        table.add_row(own.supplier, own.stratum, f"{own.judgments:,}", rate, seconds)
    return table
