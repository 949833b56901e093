"""Where a collection stands, as one object: for the terminal, for machines, for a page."""

from decimal import Decimal

from pydantic import BaseModel

from analysis.estimates import Estimate
from annotation.team.confusion import ClassConfusion
from budget.collection.contents import Contents
from budget.collection.evidence import ToldEvidence, told_evidence
from budget.collection.kinds import purpose_of
from budget.collection.ledger import Standing
from budget.collection.quality import QualityStatus, collection_quality
from budget.collection.steps import Collection
from budget.market.measured_terms import as_estimate


class BatchStatus(BaseModel):
    """One batch; amounts in the collection's currency, exactly.

    `purpose` is what it is for: labels, the test set, or labels there were.
    """

    number: int
    purpose: str
    state: str
    most: Decimal
    paid: Decimal
    wanted: int
    received: int
    approved_by: str | None
    why: str


class SupplierStatus(BaseModel):
    """One supplier in one stratum; the error rate is a share of wrong judgments."""

    supplier: str
    stratum: str
    judgments: int
    gold_answers: int
    error_rate: float
    low: float | None
    high: float | None
    is_measured: bool
    seconds: float | None


class ConfusionStatus(BaseModel):
    """What a supplier's people say of items of one class, in one stratum.

    Attributes
    ----------
    label : the right answer of these items
    known_by : "gold" questions, or people's "agreement"
    judgments : of such items
    overlooked : share of them that say another class
    taken_for : what they say most instead; None where nobody was wrong
    """

    supplier: str
    stratum: str
    label: str
    known_by: str
    judgments: float
    overlooked: Estimate
    taken_for: str | None


class TestAnswers(BaseModel):
    """The test items' right answers where they are bought.

    Attributes
    ----------
    answered : test items with an answer; None while answers are bought
    left_out : items whose answers stayed in doubt, or did not come
    wrong : share of the target's answers that is wrong, if people err independently
    """

    __test__ = False  # not a test class, whatever its name begins with

    answered: int | None
    left_out: int
    wrong: float | None


class SupplierMoney(BaseModel):
    """What is promised to a supplier and not paid yet, and what was paid."""

    supplier: str
    promised: Decimal
    paid: Decimal


class CollectionStatus(BaseModel):
    """Everything that `labelmix collect status` tells.

    Attributes
    ----------
    state : running, paused or closed
    next_step : what `step` would do
    ended : why no further batch was planned the last time; None where one was
    labels : stratum -> items that have a label
    clean : stratum -> share of them that is clean, as plans take it: as if nobody shared mistakes
    wrong : stratum -> share of them that is wrong, mistakes that people share allowed for
    left : stratum -> items that nobody was asked about
    accuracy : of all labels on the target's test items, as of the last plan; None before
    guessing, commonest_class : accuracy of either there
    test_answers : of the test items; None where they were known
    confusion : which class suppliers overlook, of items drawn at random that share their classes
    unpaid : judgments that nothing is paid for, and why -> how many
    quality : alarms and finish dates; None where they were not asked for
    """

    name: str
    state: str
    next_step: str
    ended: str | None
    currency: str
    budget: Decimal
    promised: Decimal
    paid: Decimal
    left_to_spend: Decimal
    deadline: str | None
    target: str
    batches: list[BatchStatus]
    suppliers: list[SupplierStatus]
    confusion: list[ConfusionStatus]
    money: list[SupplierMoney]
    labels: dict[str, int]
    clean: dict[str, float]
    wrong: dict[str, Estimate]
    left: dict[str, int]
    accuracy: float | None
    guessing: float | None
    commonest_class: float | None
    test_answers: TestAnswers | None
    unpaid: dict[str, int]
    quality: QualityStatus | None = None


def collection_status(
    collection: Collection, quality: bool = False, zone: str = "UTC"
) -> CollectionStatus:
    """Where a collection stands; nothing is fetched, trained or written for it.

    `quality` asks for alarms and finish dates as well, which takes longer; days begin in `zone`.

    Raises InputError if the time zone is unknown.
    """
    store, config = collection.store, collection.config
    task = collection.contents.task
    balance, batches = store.balance(), store.batches()
    so_far = collection.proposer.judgments_so_far()
    measured = collection.proposer.measured(so_far)
    labels: dict[str, int] = {}
    clean: dict[str, float] = {}
    wrong: dict[str, Estimate] = {}
    if not so_far.is_empty:
        found = so_far.labels(measured, config.buying.aggregate)
        labels = {name: len(own) for name, own in found.labels.items()}
        clean, wrong = dict(found.clean), {n: as_estimate(own) for n, own in found.wrong.items()}
    left = collection.proposer.batching(batches).left()
    evidence = {own.number: told_evidence(own, store.shown) for own in batches}
    last = next(
        (own for own in reversed(evidence.values()) if own.guessing is not None), ToldEvidence()
    )
    nothing = Standing(Decimal(0), Decimal(0))
    unpaid = store.unpaid()["why"].value_counts()
    return CollectionStatus(
        name=config.name,
        state=store.state(),
        next_step=collection.next_step(),
        ended=store.about("ended"),
        currency=config.budget.currency,
        budget=balance.budget,
        promised=balance.promised,
        paid=balance.paid,
        left_to_spend=balance.left,
        deadline=None if config.deadline is None else config.deadline.isoformat(),
        target=task.target,
        batches=[
            BatchStatus(
                number=own.number,
                purpose=purpose_of(own),
                state=own.state,
                most=own.most,
                paid=own.paid,
                wanted=own.wanted,
                received=own.received,
                approved_by=own.approved_by,
                why=own.why or evidence[own.number].why,
            )
            for own in batches
        ],
        suppliers=[SupplierStatus(**own.facts()) for own in measured.values()],
        confusion=[_confusion(own) for own in so_far.confusions()],
        money=[
            SupplierMoney(supplier=name, promised=own.promised, paid=own.paid)
            for name in dict.fromkeys([*collection.suppliers, *balance.by_supplier])
            for own in [balance.by_supplier.get(name, nothing)]
        ],
        labels=labels,
        clean=clean,
        wrong=wrong,
        left={name: left[name] for name in config.strata.buy},
        accuracy=last.accuracy_of_all_labels,
        guessing=last.guessing,
        commonest_class=last.commonest_class,
        test_answers=_test_answers(collection.contents),
        unpaid={str(why): int(count) for why, count in unpaid.items()},
        quality=collection_quality(collection, zone) if quality else None,
    )


def _confusion(own: ClassConfusion) -> ConfusionStatus:
    assert own.group is not None, "every judgment is some supplier's"
    return ConfusionStatus(
        supplier=own.group,
        stratum=own.stratum,
        label=own.label,
        known_by=own.known_by,
        judgments=own.judgments,
        overlooked=as_estimate(own.overlooked),
        taken_for=own.taken_for,
    )


def _test_answers(contents: Contents) -> TestAnswers | None:
    if contents.bought is None:
        return None
    settled = contents.bought.settled
    return TestAnswers(
        answered=None if settled is None else len(settled.answers),
        left_out=0 if settled is None else len(settled.left_out),
        wrong=contents.wrong_answers,
    )
