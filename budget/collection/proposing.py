"""Working out the next batch: measure, train, choose, and find the items; nothing is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from annotation.arrays import Positions
from budget.collection.batching import Batching, asked_lines
from budget.collection.by_doubt import ItemsByDoubt, items_to_read
from budget.collection.choosing import BatchChoice, first_choice, next_choice
from budget.collection.existing_labels import measured_existing
from budget.collection.kinds import TEST_SET_KNOWN, buys_labels, kind_of
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
)
from budget.collection.orders import BatchRecord
from budget.collection.overheads import after_extra, after_overheads
from budget.collection.predicting import ItemsRead, read_items
from budget.collection.proposal import Proposal, about_bought_answers, against_commonest, priced
from budget.collection.random_share import drawn_at_random
from budget.collection.resources import CollectionResources
from budget.collection.said import said_of
from budget.collection.workload import Workload, first_workload, workload
from budget.market.market import Market
from training.engines import Watcher
from training.lab import Lab
from training.models.quiet import quiet_libraries
from training.models.source import find_model
from training.store import TrialStore

_AGAIN = (
    "No new items are left: this batch asks once more about items whose answer is still in doubt."
)


class Proposer:
    """Works out batches of a collection; `resources` is what it works with."""

    def __init__(self, resources: CollectionResources) -> None:
        self._own = resources

    def proposal(self, watcher: Watcher) -> Proposal:
        """The next batch, worked out from all that is known; nothing is kept or promised.

        The same judgments give the same batch.
        """
        batches = self._own.store.batches()
        bought = [own for own in batches if own.state == "complete" and buys_labels(own)]
        number = len(batches) + 1
        batching = self.batching(batches)
        left = self._own.store.balance().left
        so_far = self.judgments_so_far()
        measured = self.measured(so_far)
        labels = (
            None if so_far.is_empty else so_far.labels(measured, self._own.config.buying.aggregate)
        )
        if not bought or labels is None or not any(map(len, labels.labels.values())):
            market = self._market(measured, batching, {}, {}, left)
            choice = first_choice(
                after_extra(market, self._own.config.buying),
                self._own.config.buying,
                self._own.store.unit.currency,
            )
        else:
            choice = self._informed(labels, measured, batching, left, len(bought), watcher)
        buying, unit = self._own.config.buying, self._own.store.unit
        if buying.selection == "random":
            lines = batching.lines(choice.wanted)
            return priced(number, lines, batching.evidence, choice, buying, left, unit)
        read = None
        if choice.evidence.get("kind") != "first" and labels is not None:
            read = self._read(so_far, measured, labels, batching, watcher)
        items = self._by_doubt(so_far, measured, batching, batches, read)
        lines = items.lines(choice.wanted)
        found = priced(number, lines, items.evidence, choice, buying, left, unit)
        if found.lines or read is None:
            return found
        again = self._by_doubt(so_far, measured, batching, batches, read)
        lines = again.lines_again()
        if len(lines) < buying.least:
            return found
        choice = replace(found.choice, why=_AGAIN, evidence={**choice.evidence, "kind": "again"})
        last = priced(number, lines, again.evidence, choice, buying, left, unit)
        return last if last.lines else found

    def judgments_so_far(self) -> JudgmentsSoFar:
        """All judgments; error rates are those of items that were drawn at random."""
        store = self._own.store
        batches, judgments = store.batches(), store.judgments()
        drawn = drawn_at_random(batches, store.lines())
        known = [own.number for own in batches if kind_of(own) == TEST_SET_KNOWN]
        # Answers that were known are no judgments of anybody.
        judgments = judgments[~judgments["batch"].isin(known)].reset_index(drop=True)
        return JudgmentsSoFar(judgments, self._own.contents.task, drawn)

    def _by_doubt(
        self,
        so_far: JudgmentsSoFar,
        measured: Mapping[tuple[str, str], SupplierMeasured],
        batching: Batching,
        batches: Sequence[BatchRecord],
        read: ItemsRead | None,
    ) -> ItemsByDoubt:
        task, lines = self._own.contents.task, self._own.store.lines()
        return ItemsByDoubt(
            task,
            self._own.suppliers,
            batching,
            asked_lines(lines, batches),
            drawn_at_random(batches, lines) or {},
            said_of(so_far, measured, task),
            measured,
            read,
        )

    def _read(
        self,
        so_far: JudgmentsSoFar,
        measured: Mapping[tuple[str, str], SupplierMeasured],
        labels: MeasuredLabels,
        batching: Batching,
        watcher: Watcher,
    ) -> ItemsRead:
        """What a probe of the labels so far says of the items that can be asked about."""
        own, task = self._own, self._own.contents.task
        said = said_of(so_far, measured, task)
        others = items_to_read(task, batching, own.config.strata.buy)
        return read_items(
            self._lab(labels),
            said.judged,
            said.posteriors[said.judged],
            np.concatenate(list(others.values())),
            own.folder / "features",
            own.config.buying.seed,
            watcher,
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
            learnt.surface,
            after_overheads(market, config.buying),
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
            "wrong_test_answers": self._own.contents.wrong_answers,
            "trials": learnt.trials,
            "measured": [own.facts() for own in measured.values()],
        }
        notes = [own.sentence() for own in labels.shares]
        notes += about_bought_answers(self._own.contents.wrong_answers, task.target)
        notes += against_commonest(learnt.accuracy, evidence["commonest_class"], choice)
        return replace(choice, evidence={**evidence, "notes": notes}, notes=tuple(notes))

    def work(self) -> Workload | None:
        """What has to be trained before the next batch is planned; None where nothing ever is.

        A few items are read to see how long that takes; no more is done.
        """
        batches = self._own.store.batches()
        so_far = self.judgments_so_far()
        if so_far.is_empty or not any(
            own.state == "complete" and buys_labels(own) for own in batches
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
        others: Mapping[str, Positions] = {}
        if self._own.config.buying.selection == "doubt":
            others = items_to_read(self._own.contents.task, batching, self._own.config.strata.buy)
        with TrialStore(self._own.folder / "trials.sqlite") as store:
            return workload(lab, trials, self._own.folder / "features", store, others.values())

    def first_work(self, proposal: Proposal) -> Workload | None:
        """What a model will read before the second batch is planned, of which this is the first.

        A few items are read to see how long that takes; nothing is kept.

        Raises MachineError if the disk is full or fails.
        """
        own, place = self._own, self._own.contents.place
        asked = np.array([place[line.item_id] for line in proposal.lines], dtype=np.int64)
        quiet_libraries()
        source = find_model(own.config.model.path, own.config.model.dtype)
        with TemporaryDirectory() as scratch:
            return first_workload(own.contents.task, source, own.config, asked, Path(scratch))

    def _lab(self, labels: MeasuredLabels) -> Lab:
        """Where models are trained on these labels."""
        quiet_libraries()
        config, task = self._own.config, self._own.contents.task
        target = task.target
        doubt = 1 - labels.clean.get(target, min(labels.clean.values(), default=1.0))
        choices = float(task.choice_counts[task.pools[target]].mean())
        source = find_model(config.model.path, config.model.dtype)
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
