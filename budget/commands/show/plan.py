"""What `labelmix plan` prints for a person."""

from collections.abc import Mapping

from rich.table import Table

from analysis.crossover import crossover_sentence
from analysis.estimates import Estimate
from analysis.label_words import words_for
from analysis.numbers import (
    count,
    interval_name,
    labels_text,
    money,
    percent,
    points,
    span,
)
from analysis.run.verdicts import plain_name
from analysis.run.wording import WITHOUT_LABELS, method_name
from budget.commands.screen import Screen
from budget.decision import negotiation_wording
from budget.decision import wording as sentences
from budget.decision.headline import against_forecast, headline
from budget.decision.replan import Replan
from budget.decision.result import Decision, Negotiation, Target


def show_replan(replanned: Replan) -> None:
    """Print a decision, what it was chosen from, and what would change it."""
    console = Screen()
    decision, currency = replanned.decision, replanned.currency
    rule, pilot = replanned.better_rule, replanned.pilot.labels
    first, then = headline(decision, replanned.action, currency, pilot, rule)
    console.print(first, style="bold")
    if then:
        console.print(then)
    if rule is not None and replanned.action != "rule":
        console.print(against_forecast(rule))
    console.print(_ledger(replanned))
    console.print(sentences.what_it_gives(decision, replanned.target, replanned.confidence))
    if replanned.measured is not None:
        measured, confidence = replanned.measured, replanned.confidence
        words = words_for(replanned.collected)
        console.print(sentences.what_was_measured(measured, replanned.target, confidence, words))
    if decision.target is not None:
        console.print(sentences.what_reaches(decision.target))
        console.print(_insurance_table(decision, decision.target, currency))
    if decision.plan.lines:
        console.print(sentences.runner_up(decision, currency))
        advised = replanned.action not in ("not_yet", "rule", "stop")
        title = "To buy" if advised else "The plan by the forecast, which is not advised"
        console.print(_purchase_table(decision, currency, title))
    console.print(_others_table(replanned))
    for side in decision.sides:
        console.print(f"\n{side.stratum} or {side.target}?", style="bold")
        for sentence in sentences.sides(side, currency):
            console.print(f"- {sentence}")
        if (crossover := replanned.crossovers.get(side.stratum)) is not None:
            console.print(f"- {crossover_sentence(crossover, currency)}")
        if (tested := replanned.tested_sides.get(side.stratum)) is not None:
            console.print(f"- {sentences.tested_in_the_run(side, tested)}")
    if decision.negotiation is not None:
        _show_negotiation(console, decision.negotiation, currency)
    console.print()
    for rate in replanned.exchange_rates.values():
        console.print(sentences.rate_of_the_pilot(rate, replanned.confidence))
    if replanned.rehearsed:
        console.print(sentences.what_was_guessed(replanned.rehearsed))
    if len(decision.rates) > 1:
        console.print(_rates_table(replanned))
    if decision.next_round is not None and decision.tells_next_round:
        console.print(sentences.next_step(decision.next_round, currency))
    if decision.worth is not None:
        console.print(sentences.worth(decision.worth, currency))
    for doubt in decision.error_doubts:
        depends = doubt.at_low is not None or doubt.at_high is not None
        console.print(sentences.error_doubt(doubt), style="yellow" if depends else None)
    for warning in replanned.warnings:
        console.print(f"note: {warning}", style="yellow")


def _show_negotiation(console: Screen, found: Negotiation, currency: str) -> None:
    """What to ask of suppliers; nothing where there is nobody to ask."""
    some = [own for own in found.fewer_errors if own.worth is not None]
    if not (found.pairs or some):
        return
    console.print("\nTo negotiate", style="bold")
    for pair in found.pairs:
        told = [negotiation_wording.who_is_ahead(pair)]
        told.append(negotiation_wording.what_to_ask(pair, currency))
        if not pair.is_tie:
            told.append(negotiation_wording.from_which_volume(pair, currency))
        console.print(f"- {' '.join(told)}")
    for own in some:
        console.print(f"- {negotiation_wording.fewer_errors(own, currency)}")


def _ledger(replanned: Replan) -> str:
    currency, plan = replanned.currency, replanned.plan
    words = words_for(replanned.collected)
    text = f"{sentences.pilot_of(replanned.pilot, words, currency)}; with it the plan"
    if replanned.budget is None:
        return f"{text} costs {money(plan.cost, currency)} in all."
    left = money(plan.money_left, currency)
    total = money(replanned.budget, currency)
    text = f"{text} costs {money(plan.cost, currency)} of {total}, {left} are left"
    because = replanned.decision.left_because
    return f"{text}: {sentences.why_money_is_left(because)}." if because else f"{text}."


def _purchase_table(decision: Decision, currency: str, title: str) -> Table:
    table = Table(title=title)
    for name in ("stratum", "from", "labels", "judgments", "clean", "a label", "cost"):
        table.add_column(name)
    plan = decision.plan
    if plan.hours:
        table.add_column("hours")
    for line in plan.lines:
        hours = [f"{line.hours:,.1f} {line.role}"] if line.role else [""]
        table.add_row(
            line.stratum,
            sentences.supplier_name(line.supplier),
            count(line.labels),
            str(line.judgments),
            percent(line.clean_share, 0),
            money(line.cost / line.labels, currency),
            money(line.cost, currency),
            *(hours if plan.hours else []),
        )
    table.caption = "clean: share of labels that tell something; the others are as good as random"
    if any(line.judgments > 1 for line in plan.lines):
        table.caption += "; of several judgments, as if people shared no mistakes"
    return table


def _insurance_table(decision: Decision, target: Target, currency: str) -> Table:
    """What it costs to lower the risk of missing the target."""
    table = Table(
        f"risk of missing {percent(target.accuracy)}",
        "labels to buy",
        "cost",
        "more than the plan",
        title="What a smaller risk costs",
    )
    for own in decision.insurance:
        risk = percent(own.risk, 0)
        if own.cost is None or own.more is None:
            table.add_row(risk, "not with all that is for sale", "", "")
            continue
        labels = labels_text(own.labels) if any(own.labels.values()) else "none"
        more = money(round(own.more, 2), currency)
        table.add_row(risk, labels, money(own.cost, currency), more)
    table.caption = "beyond the pilot; what is beyond the budget is told all the same"
    return table


def _others_table(replanned: Replan) -> Table:
    """The plan, other kinds of purchase after the pilot, and simple rules without one."""
    decision, currency = replanned.decision, replanned.currency
    title = f"Expected on {replanned.target} items, {method_name(replanned.method)}; not trained"
    table = Table(title=title)
    table.add_column("purchase", no_wrap=True)
    table.add_column("labels to buy")
    table.add_column("cost", no_wrap=True)
    table.add_column(f"expected, {interval_name(replanned.confidence)}")
    table.add_column("plan better by")

    def add(
        name: str, mix: Mapping[str, int], cost: float, expected: Estimate, better: str
    ) -> None:
        labels = labels_text(dict(mix)).removesuffix(" labels") if any(mix.values()) else "none"
        accuracy = f"{percent(expected.estimate)} ({span(expected)})"
        table.add_row(name, labels, money(cost, currency), accuracy, better)

    own = decision.plan
    add("plan", own.labels, own.cost, own.expected_accuracy, "")
    for other in decision.others:
        chance = sentences.probability(other.probability_plan_better)
        better = f"{points(other.plan_minus_this.estimate)} ({chance})"
        add(other.kind, other.labels, other.cost, other.expected_accuracy, better)
    if replanned.alternatives:
        table.add_section()
    for name, rule in replanned.alternatives.items():
        add(plain_name(name), rule.labels, rule.cost, rule.expected_accuracy, "")
    table.add_section()
    for key, accuracy in replanned.without_labels.items():
        told = percent(accuracy.estimate)
        if accuracy.low is not None:
            told += f" ({span(accuracy)})"
        table.add_row(WITHOUT_LABELS[key], "none", money(0, currency), told, "")
    below = "below the line: " if replanned.alternatives else "last: "
    rules = "simple rules that buy no pilot; then " if replanned.alternatives else ""
    table.caption = f"{below}{rules}what needs no label, as the run measured it"
    return table


def _rates_table(replanned: Replan) -> Table:
    table = Table(
        "after spending",
        "one label of",
        f"is worth {replanned.target} labels",
        interval_name(replanned.confidence),
        title="Exchange rate of the next labels, along the plan",
    )
    for point in replanned.decision.rates:
        table.add_row(
            money(replanned.pilot.cost + point.cost, replanned.currency),
            point.stratum,
            sentences.rate_text(point.estimate),
            span(point, "ratio"),
        )
    return table
