"""What `labelmix suppliers` prints for a person, and as JSON."""

from dataclasses import asdict
from typing import Any

import numpy as np
from rich.table import Table

from analysis.numbers import NOT_KNOWN, count, percent
from annotation.intervals import CONFIDENCE, Interval
from annotation.machines.labels import MachineLabels
from annotation.machines.measured import MachineErrors, MeasuredErrors
from annotation.machines.routing import Promise, Route
from budget.commands.screen import Screen


def measured_json(found: MachineErrors, labels: MachineLabels) -> dict[str, Any]:
    """The measurement as plain values; shares from 0 to 1, unknown ones null."""
    said = asdict(found)
    said["confusion"] = found.confusion.tolist()
    said["confidence_level"] = CONFIDENCE
    said["items"] = len(labels)
    said["without_answer"] = int((~labels.answered).sum())
    return said


def show_measured(found: MachineErrors, labels: MachineLabels) -> None:
    """Print how often the machine is wrong, where, and in which direction."""
    console = Screen()
    own = found.overall
    if not own.checked:
        console.print(
            "Nobody has checked the machine yet. --ask 200 --out to_check.csv writes items for "
            "people to answer; give their answers by --checked."
        )
    else:
        console.print(
            f"The machine is wrong on {_interval(own.wrong)} of {count(own.items)} items, by "
            f"{count(own.checked)} that people checked.",
            style="bold",
        )
    if not labels.answered.all():
        console.print(f"It gave no answer to {count(int((~labels.answered).sum()))} items.")
    if found.unused:
        console.print(
            f"note: {count(found.unused)} answers of people are left out: those items were not "
            "drawn at random with this seed. If they were drawn in another way: "
            "--drawn-at-random.",
            style="yellow",
        )
    if own.checked:
        console.print(_errors_table(found))
        if found.classes:
            console.print(_classes_table(found))


def _errors_table(found: MachineErrors) -> Table:
    table = Table(
        "items",
        "number",
        "checked",
        f"wrong, {percent(CONFIDENCE, 0)} interval",
        "it says it is sure",
        "to check for ±5 points",
        title="Where the machine is wrong",
    )
    groups: list[tuple[str, tuple[MeasuredErrors, ...]]] = [("", (found.overall,))]
    if len(found.strata) > 1:
        groups.append(("", found.strata))
    groups.append(("sure ", found.bands))
    for prefix, rows in groups:
        for own in rows:
            table.add_row(
                f"{prefix}{own.name}",
                count(own.items),
                count(own.checked),
                _interval(own.wrong),
                NOT_KNOWN if own.stated is None else percent(own.stated, 0),
                count(own.more_checks),
            )
        table.add_section()
    return table


def _classes_table(found: MachineErrors) -> Table:
    table = Table(
        "class",
        "the machine says it of",
        "people of",
        "missed",
        "said wrongly",
        "taken for",
        title="In which direction it is wrong",
    )
    for own in found.classes:
        table.add_row(
            own.name,
            percent(own.said),
            _interval(own.true),
            _interval(own.missed),
            _interval(own.false),
            own.taken_for or "",
        )
    table.caption = (
        "missed: of the items of this class; said wrongly: of the items that the machine calls so"
    )
    return table


def route_json(
    found: Route, labels: MachineLabels, promise: Promise, rehearsed: bool
) -> dict[str, Any]:
    """The route as plain values."""
    names = labels.items["item_id"].astype(str).tolist()
    said: dict[str, Any] = {
        "error_at_most": promise.error_at_most,
        "sure": promise.sure,
        "items": len(labels),
        "decided": found.is_decided,
        "ask": [names[place] for place in found.ask.tolist()],
        "why": list(found.why),
        "by_people": int(found.by_people.sum()),
        "by_machine": int(found.by_machine.sum()),
        "expected_by_people": found.expected,
        "sample": found.sample,
        "audit_rate": found.audit_rate,
        "audited_errors_allowed": found.allowed,
        "audited_errors": found.found,
    }
    if rehearsed:
        said["wrong_labels"] = _wrong_share(found, labels)
    return said


def show_route(found: Route, labels: MachineLabels, promise: Promise, rehearsed: bool) -> None:
    """Print what to ask next, or who labelled what."""
    console = Screen()
    kept = (
        f"at most {percent(promise.error_at_most)} of the labels wrong, with a probability of at "
        f"least {percent(promise.sure, 0)}"
    )
    if found.is_decided:
        machine, total = int(found.by_machine.sum()), len(labels)
        verb = "would have labelled" if rehearsed else "labels"
        console.print(
            f"The machine {verb} {count(machine)} of {count(total)} items "
            f"({percent(machine / total)}): {kept}.",
            style="bold",
        )
        people = int(found.by_people.sum())
        console.print(
            f"People {'would have been asked' if rehearsed else 'were asked'} {count(people)}, "
            f"{count(found.sample)} of them drawn at random at first."
        )
        if rehearsed:
            console.print(f"Wrong would have been {percent(_wrong_share(found, labels))}.")
        if found.sample and not machine:
            console.print(
                "The sample shows too many errors: no audit would take less than labelling all."
            )
        return
    reasons = {
        "sample": "drawn at random, to see how often the machine is wrong",
        "audit": "audits of what the machine may label",
        "doubtful": "too doubtful for the machine",
        "no answer": "the machine gave no answer",
    }
    console.print(f"Ask people next: {count(found.ask.size)} items.", style="bold")
    for why, told in reasons.items():
        number = found.why.count(why)
        if number:
            console.print(f"- {count(number)}: {told}")
    if found.expected is not None:
        console.print(
            f"People are expected to label {count(found.expected)} of {count(len(labels))} items "
            f"in all: {kept}."
        )
    console.print("They must not see the machine's answers. Then run the same command again.")


def _wrong_share(found: Route, labels: MachineLabels) -> float:
    return float(np.mean(found.by_machine & (labels.said != labels.people)))


def _interval(own: Interval) -> str:
    if own.estimate is None or own.low is None or own.high is None:
        return NOT_KNOWN
    return f"{percent(own.estimate)} ({100 * own.low:.1f} to {100 * own.high:.1f})"
