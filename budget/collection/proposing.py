"""Working out the next batch: measure, train, choose, and find the items; nothing is kept of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from annotation.errors import InputError
from annotation.terms.cost import exact_decimal
from budget.collection.batching import Batching, asked_lines, fitting, no_lines
from budget.collection.choosing import BatchChoice, first_choice, next_choice
from budget.collection.contents import Contents
from budget.collection.existing_labels import is_existing, measured_existing
from budget.collection.learning import (
    collection_lab,
    commonest_class,
    learn,
    wanted_trials,
)
from budget.collection.market import collection_market
from budget.collection.measuring import (
    JudgmentsSoFar,
    MeasuredLabels,
    SupplierMeasured,
    no_judgments,
)
from budget.collection.money_unit import MoneyUnit
from budget.collection.orders import OrderLine, most_cost
from budget.collection.store.store import CollectionStore
from budget.collection.suppliers import Supplier
from budget.collection.workload import Workload, workload
from budget.config.collection_config import BuyingSection, CollectionConfig
from budget.market.market import Market
from budget.market.offers import Offer
from budget.market.supplier_file import SuppliersFile
from training.engines import Watcher
from training.engines.choice import EngineChoice
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
    """Works out batches of a collection.

    Parameters
    ----------
    folder : for features and trials that are kept
    store : where the collection stands
    config, file, suppliers : settings, and who labels
    contents : items and test set
    engine : where trials run
    """

    def __init__(
        self,
        folder: Path,
        store: CollectionStore,
        config: CollectionConfig,
        file: SuppliersFile,
        suppliers: Mapping[str, Supplier],
        contents: Contents,
        engine: EngineChoice,
    ) -> None:
        self._folder, self._store, self._config = folder, store, config
        self._file, self._suppliers = file, suppliers
        self._contents, self._engine = contents, engine

    def proposal(self, watcher: Watcher) -> Proposal:
        """The next batch, worked out from all that is known; nothing is kept or promised.

        The same judgments give the same batch.
        """
        batches = self._store.batches()
        bought = [own for own in batches if own.state == "complete" and not is_existing(own)]
        number = len(batches) + 1
        asked = asked_lines(self._store.lines(), batches)
        batching = Batching(
            self._contents.task, self._suppliers, self._config.buying, asked, number
        )
        left = self._store.balance().left
        so_far = JudgmentsSoFar(self._store.judgments(), self._contents.task)
        measured = self.measured(so_far)
        labels = None if so_far.is_empty else so_far.labels(measured, self._config.buying.aggregate)
        if not bought or labels is None or not any(map(len, labels.labels.values())):
            market = self._market(measured, batching, {}, {}, left)
            choice = first_choice(
                _after_extra(market, self._config.buying),
                self._config.buying,
                self._store.unit.currency,
            )
        else:
            choice = self._informed(labels, measured, batching, left, len(bought), watcher)
        return _priced(number, batching, choice, self._config.buying, left, self._store.unit)

    def measured(self, so_far: JudgmentsSoFar) -> dict[tuple[str, str], SupplierMeasured]:
        """(supplier, stratum) -> how it errs and how long it takes."""
        found = {
            (name, stratum): so_far.of_supplier(own, stratum, self._file)
            for name, own in self._suppliers.items()
            for stratum in own.prices
        }
        return found | measured_existing(so_far, self._contents.task.strata.names, self._file)

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
        config, task = self._config, self._contents.task
        counts = {name: len(own) for name, own in labels.labels.items()}
        market = self._market(measured, batching, counts, labels.clean, left)
        lab = self._lab(labels)
        with (
            TrialStore(self._folder / "trials.sqlite") as trials,
            self._engine.start(task, lab.source, self._folder / "features", trials) as engine,
        ):
            learnt = learn(lab, config, market, engine, watcher)
        rounds_left = max(1, config.buying.rounds - rounds)
        choice = next_choice(
            learnt.surface,
            self._after_overheads(market),
            rounds_left,
            config.buying,
            learnt.accuracy,
        )
        evidence = {
            **choice.evidence,
            "labels": counts,
            "clean": dict(labels.clean),
            "class_shares": [own.facts() for own in labels.shares],
            "accuracy_of_all_labels": learnt.accuracy,
            "guessing": lab.chance,
            "commonest_class": commonest_class(lab, config),
            "trials": learnt.trials,
            "measured": [own.facts() for own in measured.values()],
        }
        notes = [own.sentence() for own in labels.shares]
        notes += _against_commonest(learnt.accuracy, evidence["commonest_class"], choice)
        return replace(choice, evidence={**evidence, "notes": notes}, notes=tuple(notes))

    def work(self) -> Workload | None:
        """What has to be trained before the next batch is planned; None where nothing ever is.

        A few items are read to see how long that takes; no more is done.
        """
        batches = self._store.batches()
        so_far = JudgmentsSoFar(self._store.judgments(), self._contents.task)
        if so_far.is_empty or not any(
            own.state == "complete" and not is_existing(own) for own in batches
        ):
            return None
        measured = self.measured(so_far)
        labels = so_far.labels(measured, self._config.buying.aggregate)
        counts = {name: len(own) for name, own in labels.labels.items()}
        if not any(counts.values()):
            return None
        asked = asked_lines(self._store.lines(), batches)
        batching = Batching(
            self._contents.task, self._suppliers, self._config.buying, asked, len(batches) + 1
        )
        market = self._market(measured, batching, counts, labels.clean, Decimal(0))
        lab = self._lab(labels)
        trials = wanted_trials(lab, self._config, market)
        with TrialStore(self._folder / "trials.sqlite") as store:
            return workload(lab, trials, self._folder / "features", store)

    def _lab(self, labels: MeasuredLabels) -> Lab:
        """Where models are trained on these labels."""
        config, task = self._config, self._contents.task
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
            self._contents.task,
            self._config.strata.buy,
            self._suppliers,
            self._file,
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
                Fraction(offer.cost) * offer.judgments * self._config.buying.gold
                for offer in _dearest(market)
            ),
            Fraction(0),
        )
        money = Fraction(_after_extra(market, self._config.buying).money)
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


def batch_lines(proposal: Proposal, shown: Callable[[int], str]) -> list[str]:
    """A batch in lines, for people."""
    counts: dict[tuple[str, str, int], list[int]] = {}
    for line in proposal.lines:
        own = counts.setdefault((line.supplier, line.stratum, line.judgments), [0, 0])
        own[line.gold is not None] += 1
    told = [proposal.choice.why, *proposal.choice.notes]
    for (supplier, stratum, judgments), (items, gold) in counts.items():
        each = "one judgment" if judgments == 1 else f"{judgments} judgments"
        mixed = f", {gold} gold questions among them" if gold else ""
        told.append(f"  {supplier}: {items + gold} {stratum} items, {each} of each{mixed}")
    told.append(f"batch {proposal.number} costs {shown(proposal.most)} at most")
    return told


def _against_commonest(
    accuracy: float | None, commonest: float | None, choice: BatchChoice
) -> list[str]:
    """A sentence where no model beats answering the commonest class of the test items."""
    if accuracy is None or commonest is None or accuracy > commonest:
        return []
    told = (
        f"Always answering the commonest class of the test items is right in {100 * commonest:.1f} "
        f"%; all labels so far reach {100 * accuracy:.1f} %"
    )
    plan = choice.evidence["plan"]["expected_accuracy"]["estimate"]
    if plan is None or plan > commonest:
        return [f"{told}."]
    return [f"{told}, and no purchase is expected to beat it: look at the model or the question."]


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
        return Proposal(number, (), 0, replace(choice, wanted=(), why=nothing))
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
