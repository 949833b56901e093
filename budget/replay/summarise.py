"""From played collections and trained models to estimates with intervals."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.accuracy import CONFIDENCE, ItemClusters, difference_table
from analysis.estimates import Estimate
from annotation.arrays import Correct
from budget.replay.past import Past
from budget.replay.playing import Played
from budget.replay.purchases import DONE, PLAN, PastPurchase
from budget.replay.result import (
    AskedItems,
    ClaimRecord,
    DonePoint,
    PurchaseRecord,
    ReplayResult,
    SeedClaim,
)
from budget.replay.savings import saving
from training.task import Task

PurchaseKind = tuple[str, str | None, int | None]


def claim_of(past: Past, played: Sequence[Played]) -> ClaimRecord:
    """What the plans promised, before anything that they bought was tested."""
    last = [(own, own.claims[-1]) for own in played if own.claims]
    expected = [claim.plan.expected_accuracy for _, claim in last]
    asked: Counter[tuple[str, str, int]] = Counter()
    for own in played:
        for batch in own.batches:
            asked.update(batch)
    return ClaimRecord(
        seeds=len(played),
        cost=float(past.amount(round(np.mean([own.purchase.spent for own in played])))),
        gold_cost=float(past.amount(round(np.mean([own.gold for own in played])))),
        expected_accuracy=_mean(expected) if expected else None,
        bought=[
            AskedItems(supplier=s, stratum=t, judgments=n, items=count / len(played))
            for (s, t, n), count in sorted(asked.items())
        ],
        by_seed=[
            SeedClaim(
                seed=own.seed,
                batch=claim.batch,
                spent_before=float(claim.spent),
                expected_accuracy=claim.plan.expected_accuracy,
            )
            for own, claim in last
        ],
    )


def summarise(
    past: Past,
    played: Sequence[Played],
    claim: ClaimRecord,
    budget: float,
    bought: Sequence[Mapping[PurchaseKind, tuple[PastPurchase, Correct]]],
    curve: Sequence[tuple[float, Correct]],
) -> ReplayResult:
    """The whole result.

    Parameters
    ----------
    past, played, claim : what was replayed, and what it promised
    budget : of every replay
    bought : seed by seed, kind of purchase -> what was bought, and (target test items,) right
    curve : money -> (seeds, target test items) right, of what was done
    """
    task = past.task
    on_target = task.test_strata == task.target
    clusters = ItemClusters(task.test_groups[on_target])
    kinds = [kind for kind in bought[0] if all(kind in own for own in bought)]
    correct = {kind: np.stack([own[kind][1] for own in bought]) for kind in kinds}
    plan = (PLAN, None, None)
    arms = [
        _arm(past, kind, [own[kind][0] for own in bought], correct, clusters, plan)
        for kind in correct
    ]
    rules = [place for place, arm in enumerate(arms) if arm.name not in (PLAN, DONE)]
    best = max(rules, key=lambda place: arms[place].accuracy.estimate or 0.0)
    of_plan = correct[plan].mean(axis=1)
    points = sorted(curve, key=lambda own: own[0])
    spent = arms[[arm.name for arm in arms].index(PLAN)].cost
    return ReplayResult(
        judgments=len(past.for_sale),
        items={name: int(task.pools[name].size) for name in past.config.strata.buy},
        rules={name: task.strata.rule(name) for name in past.config.strata.buy},
        target=task.target,
        tested=int(on_target.sum()),
        model=past.config.model.path,
        method=past.config.methods.plan_with,
        currency=past.config.budget.currency,
        paid=float(past.amount(int(past.for_sale["cost"].sum()))),
        budget=budget,
        seeds=len(played),
        in_time_order=past.is_timed,
        confidence=CONFIDENCE,
        nothing_learnt=_nothing_learnt(task),
        claim=claim,
        kept_claims=_kept(claim, {p.seed: float(a) for p, a in zip(played, of_plan, strict=True)}),
        arms=arms,
        best_rule=best,
        done_curve=[
            DonePoint(money=money, accuracy=clusters.accuracy(own)) for money, own in points
        ],
        saving=saving(
            [money for money, _ in points],
            [float(own.mean() - correct[plan].mean()) for _, own in points],
            np.stack([clusters.draws(difference_table(own, correct[plan])) for _, own in points]),
            spent,
            CONFIDENCE,
        ),
        ended=dict(Counter(own.ended for own in played)),
        notes=list(past.notes),
    )


def _nothing_learnt(task: Task) -> float:
    """Accuracy on the target's test items of the better of two that learn nothing."""
    own = task.test_positions[task.test_strata == task.target]
    guessing = float((1 / task.choice_counts[own]).mean())
    if task.shared_choices is None:
        return guessing
    return max(guessing, float(np.bincount(task.answers[own]).max() / own.size))


def _arm(
    past: Past,
    kind: PurchaseKind,
    purchases: Sequence[PastPurchase],
    correct: Mapping[PurchaseKind, Correct],
    clusters: ItemClusters,
    plan: PurchaseKind,
) -> PurchaseRecord:
    name, supplier, judgments = kind
    own = correct[kind]
    difference = None
    if kind != plan:
        difference = clusters.difference(correct[plan], own)
    return PurchaseRecord(
        name=name,
        supplier=supplier,
        judgments=judgments,
        cost=float(past.amount(round(np.mean([each.spent for each in purchases])))),
        items=_items(past, purchases),
        accuracy=clusters.accuracy(own),
        plan_minus_this=difference,
        accuracy_by_seed=[float(value) for value in own.mean(axis=1)],
    )


def _items(past: Past, purchases: Sequence[PastPurchase]) -> dict[str, float]:
    """Stratum -> items of which something was bought to train on, mean."""
    stratum_of = past.for_sale.drop_duplicates("item_id").set_index("item_id")["stratum"]
    found: Counter[str] = Counter()
    for own in purchases:
        there = set(own.table["item_id"])
        found.update(stratum_of[stratum_of.index.isin(there)].tolist())
    return {name: found[name] / len(purchases) for name in past.config.strata.buy}


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    def mean(name: str) -> float:
        return float(np.mean([getattr(own, name) for own in estimates]))

    return Estimate(estimate=mean("estimate"), low=mean("low"), high=mean("high"))


def _kept(claim: ClaimRecord, accuracy: Mapping[int, float]) -> int:
    """How many replays came out within the interval that they claimed."""
    return sum(
        own.expected_accuracy.low is not None
        and own.expected_accuracy.high is not None
        and own.expected_accuracy.low <= accuracy[own.seed] <= own.expected_accuracy.high
        for own in claim.by_seed
    )
