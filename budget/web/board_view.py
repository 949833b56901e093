"""The board of a collection in words: every number as its page shows it."""

import shlex
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from analysis.numbers import NOT_KNOWN, count, interval_name, percent, ratio, span
from budget.collection.money_unit import plain, shown
from budget.collection.progress import Decided, OrderGroup, PersonProgress
from budget.collection.quality import AlarmStatus, FinishStatus, QualityStatus
from budget.collection.status import BatchStatus, CollectionStatus, SupplierStatus
from budget.web.watched import BoardFacts

_SIGNS = {"errors": "errs more often", "faster": "faster", "slower": "slower"}
MOST_DECISIONS = 20  # that the page shows
MOST_PEOPLE = 200
MOST_ALARMS = 40


@dataclass(frozen=True)
class MoneyPart:
    """A part of a bar; `start` and `share` are thousandths of the whole."""

    name: str
    amount: str
    start: int
    share: int


@dataclass(frozen=True)
class Bar:
    """So many of so many; `share` are thousandths."""

    text: str
    share: int


@dataclass(frozen=True)
class Next:
    """What comes next, and the command that does it; no command where it is done on the page."""

    sentence: str
    command: str


def next_of(status: CollectionStatus, folder: Path) -> Next:
    """What comes next, and who does it."""
    run = f"labelmix collect run {shlex.quote(str(folder))}"
    last = status.batches[-1].number if status.batches else 0
    match status.next_step:
        case "plan":
            return Next("The next batch can be planned.", run)
        case "approve":
            return Next(f"Batch {last} waits for an approval.", "")
        case "order":
            return Next(f"Batch {last} is approved and can be ordered.", run)
        case "pull":
            return Next(f"People are at work on batch {last}.", f"{run} --wait")
        case _:
            return Next(f"The collection is {status.state}; nothing is planned or ordered.", "")


def money_parts(status: CollectionStatus) -> list[MoneyPart]:
    """Paid, promised, planned and left, as parts of the budget.

    What is planned is part of what is left: nothing is promised before it is approved.
    """
    planned = sum((own.most for own in status.batches if own.state == "planned"), 0 * status.paid)
    planned = min(planned, status.left_to_spend)
    amounts = {
        "paid": status.paid,
        "promised": status.promised,
        "planned": planned,
        "left": status.left_to_spend - planned,
    }
    parts, before = [], Decimal(0)
    for name, amount in amounts.items():
        start = _of_thousand(before, status.budget)
        before += amount
        share = _of_thousand(before, status.budget) - start
        parts.append(MoneyPart(name, shown(amount, status.currency), start, share))
    return parts


def _of_thousand(amount: Decimal, whole: Decimal) -> int:
    return round(1000 * amount / whole) if whole else 0


def progress(there: int, wanted: int) -> Bar:
    """Judgments that are there, of those wanted."""
    share = min(1000, round(1000 * there / wanted)) if wanted else 0
    return Bar(f"{count(there)} of {count(wanted)}", share)


def group_row(own: OrderGroup, currency: str) -> dict[str, object]:
    """One supplier and stratum of a batch."""
    prices = [(own.per_judgment, "a judgment"), (own.per_hour, "an hour")]
    price = " and ".join(f"{shown(a, currency)} {of}" for a, of in prices if a)
    return {
        "supplier": own.supplier,
        "stratum": own.stratum,
        "asked": count(own.items),
        "judgments": count(own.judgments),
        "gold": count(own.gold),
        "price": price or shown(Decimal(0), currency),
        "most": shown(own.most, currency),
        "progress": progress(own.received, own.wanted),
    }


def batch_row(own: BatchStatus, currency: str) -> dict[str, object]:
    """One batch."""
    return {
        "number": own.number,
        "state": own.state,
        "most": shown(own.most, currency),
        "paid": shown(own.paid, currency),
        "progress": progress(own.received, own.wanted),
        "approved_by": own.approved_by or "",
        "why": own.why,
    }


def supplier_row(own: SupplierStatus) -> dict[str, object]:
    """One supplier in one stratum."""
    between = ""
    if own.low is not None and own.high is not None:
        between = f"{percent(own.low)} to {percent(own.high)}"
    return {
        "supplier": own.supplier,
        "stratum": own.stratum,
        "judgments": count(own.judgments),
        "gold": count(own.gold_answers),
        "wrong": percent(own.error_rate),
        "between": between if own.is_measured else "not measured yet",
        "seconds": NOT_KNOWN if own.seconds is None else f"{own.seconds:.0f} s",
    }


def stratum_rows(status: CollectionStatus) -> list[dict[str, object]]:
    """Labels by stratum: how many, how many of them wrong, and what is left to ask about."""
    rows: list[dict[str, object]] = []
    for name, left in status.left.items():
        wrong, clean = status.wrong.get(name), status.clean.get(name)
        rows.append(
            {
                "stratum": name,
                "labels": count(status.labels.get(name, 0)),
                "wrong": NOT_KNOWN if wrong is None else f"{span(wrong)} %",
                "clean": NOT_KNOWN if clean is None else percent(clean),
                "left": count(left),
            }
        )
    return rows


def person_row(own: PersonProgress) -> dict[str, object]:
    """One person."""
    return {
        "supplier": own.supplier,
        "name": own.annotator,
        "judgments": count(own.judgments),
        "skipped": count(own.skipped),
        "seconds": NOT_KNOWN if own.seconds is None else f"{own.seconds:.0f} s",
        "last": NOT_KNOWN if own.last is None else moment(own.last),
    }


def alarm_row(own: AlarmStatus, currency: str) -> dict[str, object]:
    """One alarm."""
    if own.sign == "errors":
        before, after = f"{percent(own.before, 0)} wrong", f"{percent(own.after, 0)} wrong"
    else:
        before, after = f"{ratio(own.before)} s", f"{ratio(own.after)} s"
    cost = "" if own.sign == "faster" else NOT_KNOWN
    return {
        "who": own.annotator,
        "supplier": own.supplier,
        "stratum": own.stratum,
        "what": _SIGNS[own.sign],
        "since": moment(own.since),
        "judgments": count(own.judgments),
        "before": before,
        "after": after,
        "cost": cost if own.cost is None else shown(own.cost, currency),
    }


def finish_line(own: FinishStatus, quality: QualityStatus) -> dict[str, object]:
    """When a supplier is done with the open batch."""
    left = f"{count(own.left)} judgments left"
    if own.expected is None or own.earliest is None or own.latest is None or not own.confidence:
        told = f"When they will be done cannot be told: {own.why}."
        return {"supplier": own.supplier, "left": left, "told": told, "verdict": ""}
    told = (
        f"Done by {moment(own.expected)} {quality.zone} ({interval_name(own.confidence)}: "
        f"{moment(own.earliest)} to {moment(own.latest)}), as seen at "
        f"{moment(own.seen_until or '')}."
    )
    return {"supplier": own.supplier, "left": left, "told": told, "verdict": own.verdict or ""}


def alarm_line(quality: QualityStatus) -> str:
    """How many alarms there are, against how many chance would raise."""
    if quality.unwatched is not None:
        return f"No alarm could be raised: {quality.unwatched}."
    return (
        f"{count(len(quality.alarms))} alarms in {count(quality.watched)} judgments. If nothing "
        f"had changed, about {quality.false_alarms:.1f} would be raised."
    )


def decision_row(own: Decided, currency: str) -> dict[str, object]:
    """Who decided what."""
    what = {
        "budget": "set the budget to",
        "state": "set the collection",
        "batch": f"batch {own.batch}:",
    }[own.kind]
    value = shown(Decimal(own.value), currency) if own.kind == "budget" else own.value
    what = f"{what} {value}"
    return {"at": moment(own.at.isoformat()), "who": own.who, "what": what, "why": own.why}


def moment(text: str) -> str:
    """2031-03-05T14:07:09+00:00 -> 2031-03-05 14:07."""
    return text[:16].replace("T", " ")


def board_view(facts: BoardFacts, folder: Path) -> dict[str, object]:
    """What the template of the board needs."""
    status, currency = facts.status, facts.status.currency
    waiting = next((own for own in status.batches if own.state == "planned"), None)
    quality = status.quality
    assert quality is not None
    return {
        "stamp": facts.stamp,
        "name": status.name,
        "state": status.state,
        "deadline": status.deadline or "",
        "next": next_of(status, folder),
        "ended": status.ended if status.ended and status.next_step == "plan" else "",
        "waiting": None if waiting is None else batch_row(waiting, currency),
        "may_approve": status.state == "running",
        "waiting_groups": [group_row(own, currency) for own in facts.waiting],
        "out_groups": [group_row(own, currency) for own in facts.out],
        "out_batch": facts.out[0].batch if facts.out else 0,
        "budget": shown(status.budget, currency),
        "parts": money_parts(status),
        "money_rows": [
            {
                "supplier": own.supplier,
                "promised": plain(own.promised, currency),
                "paid": plain(own.paid, currency),
            }
            for own in status.money
        ],
        "currency": currency,
        "batches": [batch_row(own, currency) for own in reversed(status.batches)],
        "suppliers": [supplier_row(own) for own in status.suppliers],
        "strata": stratum_rows(status),
        "model": _model_line(status),
        "people": [person_row(own) for own in facts.people[:MOST_PEOPLE]],
        "more_people": max(0, len(facts.people) - MOST_PEOPLE),
        "alarms": [alarm_row(own, currency) for own in quality.alarms[: -MOST_ALARMS - 1 : -1]],
        "more_alarms": max(0, len(quality.alarms) - MOST_ALARMS),
        "alarm_line": alarm_line(quality),
        "finish": [finish_line(own, quality) for own in quality.finish],
        "unpaid": [f"{count(n)} judgments: {why}" for why, n in status.unpaid.items()],
        "decisions": [decision_row(own, currency) for own in facts.decided[:MOST_DECISIONS]],
    }


def _model_line(status: CollectionStatus) -> str:
    if status.accuracy is None:
        return ""
    beside = [f"guessing {percent(status.guessing)}"] if status.guessing is not None else []
    if status.commonest_class is not None:
        beside.append(f"always the commonest class {percent(status.commonest_class)}")
    told = f" ({', '.join(beside)})" if beside else ""
    return (
        f"A model of all labels at the last plan was right on {percent(status.accuracy)} of the "
        f"{status.target} test items{told}."
    )
