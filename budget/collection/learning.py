"""What training on the labels so far tells: trials on parts of them, and a surface fitted to it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from annotation.arrays import Correct, Positions, generator
from annotation.labelling.labels import Labels
from annotation.labelling.purchased import PurchasedLabels
from annotation.labelling.simulated import SimulatedAnnotators
from annotation.terms.cost import LabelTerms
from budget.campaign.campaign import Campaign, TestSet
from budget.campaign.lab_evidence import LabEvidence
from budget.campaign.lent_curve import lent_curve
from budget.campaign.planner import Beforehand, Planner
from budget.campaign.play import Playing, Unlabelled, play
from budget.campaign.rehearsals import CampaignRehearsals
from budget.collection.class_shares import commonest_of_tested, shares_of_tested
from budget.collection.measuring import MeasuredLabels
from budget.config.collection_config import CollectionConfig
from budget.config.prepare import recipes_of
from budget.market.market import Market
from budget.surface.observation import Observation
from budget.surface.response import ResponseSurface
from budget.surface.separation import Separation, separations
from training.engines import Engine, SilentWatcher, Watcher
from training.lab import CollectedLabels, Lab
from training.models.source import ModelSource
from training.running.class_shares import CLASS_SHARES, with_class_shares
from training.task import Task
from training.trial import Trial, TrialResult

_DRAWS = 1000  # of the surface's posterior, as in a run
SEEDS = 5  # subsamples that every part of the labels is trained on


@dataclass(frozen=True)
class Learnt:
    """What training told.

    Attributes
    ----------
    surface : fitted to all that was trained
    accuracy : of all labels together on the target's test items, mean of seeds; None where too few
        were bought to train on
    trials : how many models were trained, or found among those trained before
    """

    surface: ResponseSurface
    accuracy: float | None
    trials: int


class LentAnswers:
    """Labels of test items for planning trials: their right answers, with errors as bought ones."""

    def __init__(self, task: Task, error_rate: float) -> None:
        terms = {task.target: LabelTerms(Decimal(0), error_rate, "flip")}
        self._annotators = SimulatedAnnotators(task.answers, task.choice_counts, task.pools, terms)
        self._target = task.target

    def of_items(self, positions: Positions, seed: int) -> Labels:
        """Their labels, in order."""
        return self._annotators.judged(positions, self._target, "lent errors", seed, self._target)


def collection_lab(
    task: Task,
    source: ModelSource,
    config: CollectionConfig,
    bought: MeasuredLabels,
    target_error: float,
) -> Lab:
    """The lab in which a collection's labels are trained on.

    `target_error` is how often a label of the target is wrong: labels that the test set lends err
    alike.
    """
    own = PurchasedLabels(bought.labels)
    pilot = PurchasedLabels(bought.labels, "pilot ")
    terms = {
        name: LabelTerms(Decimal(0), 1 - bought.clean.get(name, 1.0), "redraw")
        for name in config.strata.buy
    }
    labels = CollectedLabels(own, pilot, LentAnswers(task, target_error))
    recipes = recipes_of(config)
    shares = shares_of_tested(task) if config.buying.class_shares == "tested" else None
    if shares is not None:
        recipes["probe"] = with_class_shares(recipes["probe"], shares)
    return Lab(task, source, recipes, terms, labels)


def learn(
    lab: Lab, config: CollectionConfig, market: Market, engine: Engine, watcher: Watcher
) -> Learnt:
    """Train on parts of what was bought, and fit the surface.

    The same labels give the same surface, however often it is asked for: trials that were done are
    found in the engine's store.
    """
    method = config.methods.plan_with
    evidence = LabEvidence(lab, method, config.buying.seed, engine, watcher)
    unsupervised = evidence.zero_shot()[0] if method == "qlora" else None
    campaign = _campaign(lab, config, market, unsupervised)
    planner = Planner(draws=_DRAWS, seeds=SEEDS, seed=config.buying.seed, rehearse=False)
    rng = campaign.generator("collection")
    borrows = method == "probe"
    ((surface, observations),) = play(
        [_learning(planner, campaign, rng, borrows)], [campaign], evidence
    )
    whole = [own for own in observations if dict(own.labels) == _all_bought(market)]
    return Learnt(surface, whole[-1].accuracy if whole else None, len(evidence.finished))


def wanted_trials(lab: Lab, config: CollectionConfig, market: Market) -> list[Trial]:
    """The trials that `learn` asks for, done before or not; none of them is run."""
    method = config.methods.plan_with
    listing = _ListingEngine()
    evidence = LabEvidence(lab, method, config.buying.seed, listing, SilentWatcher())
    if method == "qlora":
        with suppress(_ListedError):
            evidence.zero_shot()
    campaign = _campaign(lab, config, market, None)
    planner = Planner(draws=_DRAWS, seeds=SEEDS, seed=config.buying.seed, rehearse=False)
    rng = campaign.generator("collection")
    asking = _asking(planner, campaign, rng, borrows=method == "probe")
    tested = int(lab.on_target.sum())
    with suppress(StopIteration):
        wanted = next(asking)
        while True:
            before = len(listing.trials)
            with suppress(_ListedError):
                evidence.answers([(campaign, wanted)])
            # What comes of it is not looked at; it only has to have the form of an answer.
            count = len(listing.trials) - before
            nothing: Any = [] if isinstance(wanted, Unlabelled) else np.zeros((count, tested), bool)
            wanted = asking.send(nothing)
    return listing.trials


class _ListedError(Exception):
    """Trials were written down, and not run."""


class _ListingEngine:
    """Writes trials down instead of running them."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []

    def run(
        self, trials: Sequence[Trial], watcher: Watcher, description: str
    ) -> dict[str, TrialResult]:
        self.trials += trials
        raise _ListedError


def _learning(
    planner: Planner, campaign: Campaign, rng: np.random.Generator, borrows: bool
) -> Playing[tuple[ResponseSurface, list[Observation]]]:
    curve, apart, observations = yield from _asking(planner, campaign, rng, borrows)
    before = Beforehand(curve, apart, CampaignRehearsals())
    surface = planner.fit(campaign, [*curve, *observations], before, turn=1)
    return surface, observations


def _asking(
    planner: Planner, campaign: Campaign, rng: np.random.Generator, borrows: bool
) -> Playing[tuple[list[Observation], Mapping[str, Separation], list[Observation]]]:
    curve = (yield from lent_curve(campaign)) if borrows else []
    apart = separations((yield Unlabelled()) if borrows else [])
    observations = yield from planner.train(campaign, rng)
    return curve, apart, observations


def _campaign(
    lab: Lab, config: CollectionConfig, market: Market, unsupervised: Correct | None
) -> Campaign:
    """A campaign that stands where the collection stands."""
    task = lab.task

    def scored(lent: int, seed: int) -> Correct:
        return task.scored(lent, seed)[lab.on_target]

    strata = config.strata.buy
    campaign = Campaign(
        {name: lab.terms[name] for name in lab.strata},
        {name: market.items[name] + market.bought.get(name, 0) for name in lab.strata},
        market.money,
        {name: market.bought_clean.get(name, 1.0) for name in lab.strata},
        TestSet(
            lab.target,
            without_labels(lab, config),
            task.test_groups[lab.on_target],
            scored,
            unsupervised,
            lab.lends,
        ),
        lambda purpose: generator(purpose, config.buying.seed, ""),
    )
    assert set(strata) == set(lab.strata)
    campaign.market = market
    return campaign


def without_labels(lab: Lab, config: CollectionConfig) -> float:
    """Accuracy on the target of a model that learnt nothing.

    A probe that knows how common classes are answers the commonest one.
    """
    shares = dict(lab.recipes[config.methods.plan_with].settings).get(CLASS_SHARES)
    return lab.chance if shares is None else max(lab.chance, *shares)


def commonest_class(lab: Lab, config: CollectionConfig) -> float | None:
    """Accuracy on the target of always answering its commonest class; None without classes.

    Which class that is, test items say where the model is told how common they are, else labels.
    """
    if CLASS_SHARES in dict(lab.recipes[config.methods.plan_with].settings):
        return commonest_of_tested(lab.task)
    commonest = lab.commonest_class(lab.target)
    return None if commonest is None else float(commonest.correct[lab.on_target].mean())


def _all_bought(market: Market) -> Mapping[str, int]:
    return {name: count for name, count in market.bought.items() if count}
