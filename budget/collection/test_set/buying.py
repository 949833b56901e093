"""The right answers of test items: asked of people, asked again where in doubt, then settled."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from budget.collection.batching import asked_lines, fitting
from budget.collection.choosing import BatchChoice
from budget.collection.kinds import TEST_SET, TEST_SET_AGAIN, kind_of
from budget.collection.measuring import JudgmentsSoFar, SupplierMeasured
from budget.collection.orders import BatchRecord, OrderLine, most_cost
from budget.collection.proposal import Proposal
from budget.collection.resources import CollectionResources
from budget.collection.said import said_of
from budget.collection.suppliers import Supplier
from budget.collection.test_set.facts import ANSWERS, BoughtAnswer, SettledAnswers
from budget.collection.test_set.ordering import answer_lines, sizes_told
from budget.collection.test_set.size import size_lines
from budget.collection.test_set.suppliers import answering_supplier
from training.task import FEWEST_TESTED, Task

_MORE = 2  # judgments of an item that is asked again: with one, two could balance each other
NOBODY = "nobody answered"
IN_DOUBT = "its answer stayed in doubt"
_TOO_DEAR = "The money left pays for no answers of test items; raise the budget."


class TestSetBuyer:
    """Buys the answers of a collection's test items; `resources` is what it works with.

    Every step is decided from the store alone, so that it can be done again at any time.
    """

    __test__ = False  # not a test class, whatever its name begins with

    def __init__(self, resources: CollectionResources) -> None:
        self._own = resources

    def proposal(
        self, so_far: JudgmentsSoFar, measured: Mapping[tuple[str, str], SupplierMeasured]
    ) -> Proposal | None:
        """The next batch that asks for answers; None once they can be settled.

        One without lines where the money pays for none.

        Raises InputError if nobody can be asked.
        """
        batches = self._own.store.batches()
        complete = [own for own in batches if own.state == "complete"]
        supplier = self._supplier()
        if not any(kind_of(own) == TEST_SET for own in complete):
            return self._first(batches, supplier)
        if any(kind_of(own) == TEST_SET_AGAIN for own in batches):  # a cancelled one is no answer
            return None
        return self._again(batches, supplier, so_far, measured)

    def settle(
        self, so_far: JudgmentsSoFar, measured: Mapping[tuple[str, str], SupplierMeasured]
    ) -> tuple[tuple[str, ...], bool]:
        """Keep the answers, for good; what became of the test items, for people, and if they do.

        Models are scored by these answers: later changes of judgments do not change them, or
        batches could not be compared. Too few that are clear are not kept.
        """
        found = settled_answers(
            so_far,
            measured,
            self._own.contents.task,
            self._own.config.test.clear if self._own.config.test.judgments > 1 else 0.0,
        )
        task = self._own.contents.task
        target = [name for name, stratum in _tested(task) if stratum == task.target]
        there = sum(name in found.answers for name in target)
        if there < FEWEST_TESTED:
            why = (
                f"Only {there} of {len(target)} test items of the target stratum '{task.target}' "
                f"have a clear answer, and {FEWEST_TESTED} are needed: nobody can say how good a "
                "model is. Begin another collection, with better instructions, another supplier or "
                "more test items."
            )
            return (why, *_settled_lines(found)[1:]), False
        self._own.store.remember(**{ANSWERS: found.model_dump_json()})
        return tuple(_settled_lines(found)), True

    def _first(self, batches: Sequence[BatchRecord], supplier: Supplier) -> Proposal | None:
        task, config, unit = self._own.contents.task, self._own.config, self._own.store.unit
        asked = set(asked_lines(self._own.store.lines(), batches)["item_id"])
        items = [own for own in _tested(task) if own[0] not in asked]
        if not items:  # of a batch that was cancelled when all were answered
            return None
        tested = {name: int((task.test_strata == name).sum()) for name in config.strata.buy}
        there = {name: int((task.stratum_of == name).sum()) for name in config.strata.buy}
        sizes = sizes_told(supplier, tested, there, config, unit)
        told = size_lines(sizes, sum(tested.values()), config.strata.target, unit.currency)
        each = "one person" if config.test.judgments == 1 else f"{config.test.judgments} people"
        why = (
            f"The right answers of the test items come first: {each} of '{supplier.name}' "
            "answer each."
        )
        evidence = {"kind": TEST_SET, "sizes": [vars(own) for own in sizes]}
        lines = answer_lines(supplier, items, config.test.judgments)
        return self._priced(len(batches) + 1, lines, BatchChoice((), why, evidence, tuple(told)))

    def _again(
        self,
        batches: Sequence[BatchRecord],
        supplier: Supplier,
        so_far: JudgmentsSoFar,
        measured: Mapping[tuple[str, str], SupplierMeasured],
    ) -> Proposal | None:
        config, task = self._own.config, self._own.contents.task
        if config.test.judgments == 1:
            return None  # nothing to compare an answer with
        found = settled_answers(so_far, measured, task, config.test.clear)
        doubtful = {name for name, why in found.left_out.items() if why == IN_DOUBT}
        items = [own for own in _tested(task) if own[0] in doubtful]
        if not items:
            return None
        few = "one test item stays" if len(items) == 1 else f"{len(items):,} test items stay"
        why = (
            f"The answers of {few} in doubt (below {config.test.clear:.0%} sure): {_MORE} more "
            "people answer each. What is in doubt then is left out."
        )
        evidence = {"kind": TEST_SET_AGAIN, "clear": config.test.clear}
        lines = answer_lines(supplier, items, _MORE)
        own = self._priced(len(batches) + 1, lines, BatchChoice((), why, evidence))
        return own if own.lines else None

    def _priced(self, number: int, lines: Sequence[OrderLine], choice: BatchChoice) -> Proposal:
        unit = self._own.store.unit
        share = Decimal(str(self._own.config.buying.extra))

        def cost(own: Sequence[OrderLine]) -> int:
            return sum(most_cost(own, share, unit).values())

        left = self._own.store.balance().left
        kept = fitting(lines, cost, unit.units(left, "the money left"))
        if not kept:
            return Proposal(number, (), 0, BatchChoice((), _TOO_DEAR, {}))
        return Proposal(number, tuple(kept), cost(kept), choice)

    def _supplier(self) -> Supplier:
        own = self._own
        return answering_supplier(own.config, own.file, own.suppliers, own.store.unit)


def settled_answers(
    so_far: JudgmentsSoFar,
    measured: Mapping[tuple[str, str], SupplierMeasured],
    task: Task,
    clear: float,
) -> SettledAnswers:
    """The likeliest answer of every test item, and the items that have none that is clear.

    Each judgment errs as often as its supplier was measured to, independently of the others.

    Parameters
    ----------
    so_far, measured : the judgments, and (supplier, stratum) -> how it errs
    task : whose test items
    clear : probability from which on an answer is taken
    """
    said = said_of(so_far, measured, task, of_test_items=True)
    answers: dict[str, BoughtAnswer] = {}
    left_out: dict[str, str] = {}
    for position in task.test_positions.tolist():
        item = task.items.iloc[position]
        name, own = str(item["item_id"]), said.posteriors[position]
        best = int(np.argmax(own))
        if not said.given[position]:
            left_out[name] = NOBODY
        elif own[best] < clear or np.isclose(own, own[best]).sum() > 1:
            left_out[name] = IN_DOUBT
        else:
            posterior = min(1.0, float(own[best]))
            answers[name] = BoughtAnswer(answer=str(item["choices"][best]), posterior=posterior)
    return SettledAnswers(answers=answers, left_out=left_out)


def _tested(task: Task) -> list[tuple[str, str]]:
    """(item, stratum) of every test item."""
    names = task.items["item_id"].iloc[task.test_positions]
    return list(zip(names.tolist(), task.test_strata.tolist(), strict=True))


def _settled_lines(found: SettledAnswers) -> list[str]:
    count = len(found.answers)
    told = [f"the test set is settled: {count:,} items have an answer"]
    for why in (IN_DOUBT, NOBODY):
        own = [name for name, reason in found.left_out.items() if reason == why]
        if own:
            more = "" if len(own) == 1 else f" and {len(own) - 1:,} others"
            told.append(f"left out of it: '{own[0]}'{more} ({why}); nobody is asked about them")
    return told
