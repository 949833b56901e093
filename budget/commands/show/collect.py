"""What `labelmix collect status` prints for a person."""

from rich.table import Table

from analysis.numbers import NOT_KNOWN, interval_name, percent, ratio, span
from budget.collection.money_unit import plain, shown
from budget.collection.quality import AlarmStatus, FinishStatus, QualityStatus
from budget.collection.status import CollectionStatus, TestAnswers
from budget.commands.screen import Screen

_NEXT = {
    "plan": "plan the next batch",
    "approve": "ask for an approval",
    "order": "order the batch that was approved",
    "pull": "fetch what annotators answered",
    "stop": "nothing",
}
_SIGNS = {"errors": "errs more", "faster": "faster", "slower": "slower"}
_MOST_ALARMS = 40  # that are shown
_MOST_CLASSES = 10  # whose confusion is shown; all of it is in --json


def show_status(status: CollectionStatus) -> None:
    """Print where a collection stands."""
    console = Screen()
    console.print(f"{status.name}: {status.state}", style="bold")
    console.print(
        f"{plain(status.paid, status.currency)} of {shown(status.budget, status.currency)} paid, "
        f"{plain(status.promised, status.currency)} promised, "
        f"{plain(status.left_to_spend, status.currency)} left"
    )
    if status.deadline is not None:
        console.print(f"deadline: {status.deadline}")
    if status.batches:
        console.print(_batches(status))
    if any(own.judgments for own in status.suppliers):
        console.print(_suppliers(status))
    if status.confusion and len({own.label for own in status.confusion}) <= _MOST_CLASSES:
        console.print(_confusion(status))
    for name, left in status.left.items():
        console.print(
            f"{name}: {status.labels.get(name, 0):,} labels{_quality_of(status, name)}; nobody was "
            f"asked about {left:,} items yet"
        )
    if status.test_answers is not None:
        console.print(_test_answers(status.test_answers))
    if status.accuracy is not None:
        beside = [f"guessing {percent(status.guessing)}"] if status.guessing is not None else []
        if status.commonest_class is not None:
            beside.append(f"always the commonest class {percent(status.commonest_class)}")
        console.print(
            f"a model of all labels at the last plan: {percent(status.accuracy)} right on "
            f"{status.target} test items ({', '.join(beside)})"
        )
    if status.quality is not None:
        _show_quality(console, status.quality, status.currency)
    for why, count in status.unpaid.items():
        console.print(f"not paid: {count:,} judgments ({why})")
    if status.ended is not None and status.next_step == "plan":
        console.print(f"the last plan: {status.ended}")
    console.print(f"next step: {_NEXT[status.next_step]}")


def _test_answers(own: TestAnswers) -> str:
    if own.answered is None:
        return "test set: its right answers are bought first"
    left_out = f", {own.left_out:,} left out (in doubt, or not answered)" if own.left_out else ""
    wrong = "" if own.wrong is None else f"; about {percent(own.wrong)} of the answers are wrong"
    return f"test set: {own.answered:,} items with an answer that was bought{left_out}{wrong}"


def _quality_of(status: CollectionStatus, stratum: str) -> str:
    """How many labels are wrong, and what a plan makes of it."""
    wrong, clean = status.wrong.get(stratum), status.clean.get(stratum)
    told = ""
    if wrong is not None:
        told = f", {span(wrong)} % of them wrong"
    if clean is not None:
        told += f", plans take {percent(clean)} for clean"
        told += " (as if nobody shared mistakes)" if wrong is not None else ""
    return told


def _batches(status: CollectionStatus) -> Table:
    table = Table(title="Batches", title_justify="left")
    for name in ("batch", "for", "state", f"at most, {status.currency}", "paid", "judgments"):
        table.add_column(name, justify="left" if name in ("for", "state") else "right")
    for own in status.batches:
        came = f"{own.received:,} of {own.wanted:,}"
        most, paid = plain(own.most, status.currency), plain(own.paid, status.currency)
        table.add_row(str(own.number), own.purpose, own.state, most, paid, came)
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


def _confusion(status: CollectionStatus) -> Table:
    table = Table(title="What is overlooked", title_justify="left")
    for name in ("supplier", "stratum", "right answer", "overlooked, %", "taken for", "known by"):
        table.add_column(name, overflow="fold")
    for own in status.confusion:
        overlooked = f"{percent(own.overlooked.estimate)} ({span(own.overlooked)})"
        taken_for = own.taken_for or ""
        table.add_row(own.supplier, own.stratum, own.label, overlooked, taken_for, own.known_by)
    return table


def _show_quality(console: Screen, quality: QualityStatus, currency: str) -> None:
    if quality.alarms:
        console.print(_alarms(quality, currency))
    if quality.unwatched is not None:
        console.print(f"alarms: none could be raised: {quality.unwatched}")
    else:
        console.print(
            f"alarms: {len(quality.alarms):,}; about {quality.false_alarms:.1f} would be raised if "
            f"nothing had changed, in {quality.watched:,} judgments"
        )
    for own in quality.finish:
        console.print(_finish(own, quality))


def _alarms(quality: QualityStatus, currency: str) -> Table:
    more = len(quality.alarms) - _MOST_ALARMS
    title = f"Alarms ({more:,} earlier ones in --json)" if more > 0 else "Alarms"
    table = Table(title=title, title_justify="left")
    table.add_column("annotator", overflow="fold")
    for name in ("stratum", "what", "since", "judgments", "before", "now", f"cost, {currency}"):
        table.add_column(name)
    for own in quality.alarms[-_MOST_ALARMS:]:
        cost = NOT_KNOWN if own.cost is None else plain(own.cost, currency)
        name = f"{own.supplier} / {own.annotator}"
        since = own.since[:16].replace("T", " ")
        table.add_row(
            *(name, own.stratum, _SIGNS[own.sign], since, f"{own.judgments:,}"),
            *(*_levels(own), "" if own.sign == "faster" else cost),
        )
    return table


def _levels(own: AlarmStatus) -> tuple[str, str]:
    if own.sign == "errors":
        return percent(own.before, 0), percent(own.after, 0)
    return f"{ratio(own.before)} s", f"{ratio(own.after)} s"


def _finish(own: FinishStatus, quality: QualityStatus) -> str:
    begun = f"batch {quality.batch}, {own.supplier}: {own.left:,} judgments left"
    if own.expected is None or own.earliest is None or own.latest is None or own.confidence is None:
        return f"{begun}; when they will be done cannot be told: {own.why}"
    ends = (_day(own.earliest), _day(own.latest))
    verdict = "" if own.verdict is None else f"; against the deadline: {own.verdict}"
    return (
        f"{begun}, done by {_day(own.expected)} ({interval_name(own.confidence)}: {ends[0]} to "
        f"{ends[1]}, {quality.zone}), as seen at {_day(own.seen_until or '')}{verdict}"
    )


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ")
