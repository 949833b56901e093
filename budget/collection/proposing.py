"""Working out the next batch: measure, train, choose, and find the items; nothing is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from annotation.errors import InputError
from annotation.terms.cost import exact_decimal
from budget.collection.batching import Batching, asked_lines, fitting, no_lines
from budget.collection.choosing import BatchChoice, first_choice, next_choice
from budget.collection.contents import Contents
from budget.collection.existing_labels import is_existing, measured_existing
from budget.collection.learning import collection_lab, learn, wanted_trials
from budget.collection.market import collection_market
from budget.collection.measuring import (
    JudgmentsSoFar,
    MeasuredLabels,
    SupplierMeasured,
    no_judgments,
)
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import BatchRecord, OrderLine, most_cost
from budget.collection.resources import CollectionResources
from budget.collection.suppliers import Supplier
from budget.collection.workload import Workload, first_workload, workload
from budget.config.collection_config import BuyingSection, CollectionConfig
from budget.market.market import Market
from budget.market.offers import Offer
from budget.market.supplier_file import SuppliersFile
from training.engines import Watcher
from training.lab import Lab
from training.models.source import find_model
from training.store import TrialStore


@dataclass(frozen=True)
class Proposal:
    """A batch that was worked out, and not kept yet; no `lines` where nothing is worth buying."""

    number: int
    lines: tuple[OrderLine, ...]
    most: int
    choice: BatchChoice


class Proposer:
    """Works out batches of a collection; `resources` is what it works with."""

    def __init__(self, resources: CollectionResources) -> None:
        self._own = resources

    def proposal(self, watcher: Watcher) -> Proposal:
        """The next batch, worked out from all that is known; nothing is kept or promised.

        The same judgments give the same batch.
        """
        batches = self._own.store.batches()
        bought = [own for own in batches if own.state == "complete" and not is_existing(own)]
        number = len(batches) + 1
        batching = self.batching(batches)
        left = self._own.store.balance().left
        so_far = JudgmentsSoFar(self._own.store.judgments(), self._own.contents.task)
        measured = self.measured(so_far)
        labels = (
            None if so_far.is_empty else so_far.labels(measured, self._own.config.buying.aggregate)
        )
        if not bought or labels is None or not any(map(len, labels.labels.values())):
            market = self._market(measured, batching, {}, {}, left)
            choice = first_choice(
                _after_extra(market, self._own.config.buying),
                self._own.config.buying,
                self._own.store.unit.currency,
            )
        else:
            choice = self._informed(labels, measured, batching, left, len(bought), watcher)
        return _priced(
            number, batching, choice, self._own.config.buying, left, self._own.store.unit
        )

    def measured(self, so_far: JudgmentsSoFar) -> dict[tuple[str, str], SupplierMeasured]:
        """(supplier, stratum) -> how it errs and how long it takes."""
        found = {
            (name, stratum): so_far.of_supplier(own, stratum, self._own.file)
            for name, own in self._own.suppliers.items()
            for stratum in own.prices
        }
        return found | measured_existing(
            so_far, self._own.contents.task.strata.names, self._own.file
        )

    def batching(self, batches: Sequence[BatchRecord]) -> Batching:
        """From numbers of labels to items, for the batch after these, which are all there are."""
        own = self._own
        asked = asked_lines(own.store.lines(), batches)
        number = len(batches) + 1
        return Batching(own.contents.task, own.suppliers, own.config.buying, asked, number)

    def _informed(
        self,
        labels: MeasuredLabels,
        measured: Mapping[tuple[str, str], SupplierMeasured],
        batching: Batching,
        left: Decimal,
        rounds: int,
        watcher: Watcher,
    ) -> BatchChoice:
        """What to buy after training on what there is."""
        config, task = self._own.config, self._own.contents.task
        counts = {name: len(own) for name, own in labels.labels.items()}
        market = self._market(measured, batching, counts, labels.clean, left)
        lab = self._lab(labels)
        with (
            TrialStore(self._own.folder / "trials.sqlite") as trials,
            self._own.engine.start(
                task, lab.source, self._own.folder / "features", trials
            ) as engine,
        ):
            learnt = learn(lab, config, market, engine, watcher)
        rounds_left = max(1, config.buying.rounds - rounds)
        choice = next_choice(
            learnt.surface, self._after_overheads(market), rounds_left, config.buying
        )
        commonest = lab.commonest_class(task.target)
        evidence = {
            **choice.evidence,
            "labels": counts,
            "clean": dict(labels.clean),
            "accuracy_of_all_labels": learnt.accuracy,
            "guessing": lab.chance,
            "commonest_class": (
                None if commonest is None else float(commonest.correct[lab.on_target].mean())
            ),
            "trials": learnt.trials,
            "measured": [own.facts() for own in measured.values()],
        }
        return replace(choice, evidence=evidence)

    def work(self) -> Workload | None:
        """What has to be trained before the next batch is planned; None where nothing ever is.

        A few items are read to see how long that takes; no more is done.
        """
        batches = self._own.store.batches()
        so_far = JudgmentsSoFar(self._own.store.judgments(), self._own.contents.task)
        if so_far.is_empty or not any(
            own.state == "complete" and not is_existing(own) for own in batches
        ):
            return None
        measured = self.measured(so_far)
        labels = so_far.labels(measured, self._own.config.buying.aggregate)
        counts = {name: len(own) for name, own in labels.labels.items()}
        if not any(counts.values()):
            return None
        batching = self.batching(batches)
        market = self._market(measured, batching, counts, labels.clean, Decimal(0))
        lab = self._lab(labels)
        trials = wanted_trials(lab, self._own.config, market)
        with TrialStore(self._own.folder / "trials.sqlite") as store:
            return workload(lab, trials, self._own.folder / "features", store)

    def first_work(self, proposal: Proposal) -> Workload | None:
        """What a model will read before the second batch is planned, of which this is the first.

        A few items are read to see how long that takes; no more is done.
        """
        own, place = self._own, self._own.contents.place
        asked = np.array([place[line.item_id] for line in proposal.lines], dtype=np.int64)
        source = find_model(own.config.model.path)
        return first_workload(own.contents.task, source, own.config, asked, own.folder / "features")

    def _lab(self, labels: MeasuredLabels) -> Lab:
        """Where models are trained on these labels."""
        config, task = self._own.config, self._own.contents.task
        target = task.target
        doubt = 1 - labels.clean.get(target, min(labels.clean.values(), default=1.0))
        choices = float(task.choice_counts[task.pools[target]].mean())
        source = find_model(config.model.path)
        lab = collection_lab(task, source, config, labels, doubt * (choices - 1) / choices)
        lab.require_choices("tabular")
        return lab

    def _market(
        self,
        measured: Mapping[tuple[str, str], SupplierMeasured],
        batching: Batching,
        bought: Mapping[str, int],
        clean: Mapping[str, float],
        money: Decimal,
    ) -> Market:
        return collection_market(
            self._own.contents.task,
            self._own.config.strata.buy,
            self._own.suppliers,
            self._own.file,
            measured,
            batching,
            bought,
            clean,
            money,
        )

    def _after_overheads(self, market: Market) -> Market:
        """The same once gold questions of the next batch are paid, too."""
        gold = sum(
            (
                Fraction(offer.cost) * offer.judgments * self._own.config.buying.gold
                for offer in _dearest(market)
            ),
            Fraction(0),
        )
        money = Fraction(_after_extra(market, self._own.config.buying).money)
        return replace(market, money=_rounded_down(max(Fraction(0), money - min(gold, money / 4))))


def check_first_batch(
    config: CollectionConfig,
    file: SuppliersFile,
    suppliers: Mapping[str, Supplier],
    contents: Contents,
    unit: MoneyUnit,
) -> None:
    """Whether the money and the items allow a first batch, before anything is kept.

    Raises InputError if they do not.
    """
    task, nothing = contents.task, JudgmentsSoFar(no_judgments(), contents.task)
    measured = {
        (name, stratum): nothing.of_supplier(own, stratum, file)
        for name, own in suppliers.items()
        for stratum in own.prices
    }
    buying, budget = config.buying, config.budget.total
    batching = Batching(task, suppliers, buying, no_lines(), 1)
    market = collection_market(
        task, config.strata.buy, suppliers, file, measured, batching, {}, {}, budget
    )
    choice = first_choice(_after_extra(market, buying), buying, unit.currency)
    if not _priced(1, batching, choice, buying, budget, unit).lines:
        raise InputError(
            f"a budget of {unit.shown(unit.units(budget, 'the budget'))} pays for no first batch; "
            "raise it, or set buying.first and buying.gold lower."
        )


def batch_lines(proposal: Proposal, unit: MoneyUnit) -> list[str]:
    """A batch in lines, for people."""
    groups: dict[tuple[str, str, int], list[OrderLine]] = {}
    for line in proposal.lines:
        groups.setdefault((line.supplier, line.stratum, line.judgments), []).append(line)
    told, most = [proposal.choice.why], 0
    for (supplier, stratum, judgments), own in groups.items():
        each = "one judgment" if judgments == 1 else f"{judgments} judgments"
        gold = sum(line.gold is not None for line in own)
        mixed = f", {gold} gold questions among them" if gold else ""
        cost = sum(line.judgments * line.price.most_cost(unit) for line in own)
        most += cost
        told.append(
            f"  {supplier}: {len(own)} {stratum} items, {each} of each{mixed}; "
            f"{unit.shown(cost)} at most"
        )
    if proposal.most > most:
        above = unit.shown(proposal.most - most)
        told.append(f"  judgments above those ordered, if some come: {above} at most")
    told.append(f"batch {proposal.number} costs {unit.shown(proposal.most)} at most")
    return told


def _priced(
    number: int,
    batching: Batching,
    choice: BatchChoice,
    buying: BuyingSection,
    left: Decimal,
    unit: MoneyUnit,
) -> Proposal:
    """The items of a choice, as many as the money surely pays for."""
    lines = batching.lines(choice.wanted)
    share = Decimal(str(buying.extra))

    def cost(own: Sequence[OrderLine]) -> int:
        return sum(most_cost(own, share, unit).values())

    kept = fitting(lines, cost, unit.units(left, "the money left")) if lines else []
    if sum(line.gold is None for line in kept) < _least(choice, buying):
        nothing = "The money left pays for no batch that is worth placing."
        return Proposal(number, (), 0, BatchChoice((), nothing, choice.evidence))
    return Proposal(number, tuple(kept), cost(kept) if kept else 0, choice)


def _least(choice: BatchChoice, buying: BuyingSection) -> int:
    """Labels that a batch has at least; none where nothing is wanted."""
    wanted = sum(own.labels for own in choice.wanted)
    return min(1 if choice.evidence.get("kind") == "first" else buying.least, wanted)


def _after_extra(market: Market, buying: BuyingSection) -> Market:
    """The market with the money that is left once judgments above those ordered are paid."""
    money = Fraction(market.money) / (1 + Fraction(str(buying.extra)))
    return replace(market, money=_rounded_down(money))


def _rounded_down(money: Fraction) -> Decimal:
    return exact_decimal(Fraction(int(money * 10**9), 10**9))


def _dearest(market: Market) -> list[Offer]:
    """Of every stratum its dearest offer."""
    return [
        max(own, key=lambda offer: offer.cost * offer.judgments)
        for name in market.strata
        if (own := market.of_stratum(name))
    ]
