"""What a campaign buys to learn from before its plan: a pilot, then batches that teach most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.run.result import RoundSummary
from annotation.terms.clean_share import clean_share
from annotation.terms.cost import mix_cost, money_left
from budget.campaign.lab_evidence import MethodTrials
from budget.campaign.rehearsals import CampaignRehearsals, control_point
from budget.config.prepare import Setting
from budget.market.position import Position
from budget.market.simple_rules import Mix
from budget.search.batches import Batch, choose_batch, rank_batches
from budget.surface.fit import fit_surface
from budget.surface.observation import Observation
from budget.surface.rehearsal import Control, Rehearsal
from budget.surface.response import ResponseSurface
from budget.surface.separation import Separation, separations


@dataclass(frozen=True)
class Explored:
    """What was bought before the plan, and what it taught.

    Attributes
    ----------
    rounds : every purchase so far, the pilot first
    bought : stratum -> labels of all of them together
    observations : of trials on parts of what was bought, and on labels that the test set lent
    surface : fitted to them
    separations : stratum -> what its unlabelled items say; the surface was told of it
    control : how a rehearsal of the target came out; None where none was tried
    rehearsals : of purchases with guessed labels; the surface was told of them
    """

    rounds: tuple[RoundSummary, ...]
    bought: Mix
    observations: Sequence[Observation]
    surface: ResponseSurface
    separations: Mapping[str, Separation]
    control: Control | None = None
    rehearsals: Sequence[Rehearsal] = ()


class Explorer:
    """Buys and learns with one training method; `unsupervised` (1, target test items)."""

    def __init__(
        self, setting: Setting, trials: MethodTrials, unsupervised: NDArray[np.bool_]
    ) -> None:
        self._setting, self._trials = setting, trials
        # Fine-tuning starts from what the model does anyway; a probe starts from guessing.
        self._floor = unsupervised[0] if trials.method == "qlora" else None
        self._borrowed = trials.borrowed_curve()
        self._separations = separations(trials.readings())
        target = setting.task.target
        self._rehearsals = CampaignRehearsals()
        lent = control_point(self._borrowed, setting.capacity[target])
        if lent and (control := trials.rehearse([{target: lent.borrowed}], {})):
            self._rehearsals = CampaignRehearsals(lent, control[0], setting.chance)

    def explore(self) -> Explored:
        """Buy the pilot, then, round by round, the batch that teaches most for the plan.

        Where no batch teaches anything, a part of what is best now is bought. Stops before its last
        round where nothing is to be bought.
        """
        setting = self._setting
        most = setting.config.exploring_rounds
        explored = self._learn((_round(setting, setting.pilot_mix, None),), setting.pilot_mix)
        for turn in range(1, most):
            batch = self._next_batch(explored, most - turn + 1, turn)
            if not batch.labels:
                break
            bought = {n: explored.bought[n] + batch.labels.get(n, 0) for n in setting.strata}
            rounds = (*explored.rounds, _round(setting, batch.labels, batch.gain))
            explored = self._learn(rounds, bought)
        return explored

    def learn_from(self, explored: Explored) -> Explored:
        """What this method learns from labels that another one has bought."""
        return self._learn(explored.rounds, explored.bought)

    def _next_batch(self, explored: Explored, rounds_left: int, turn: int) -> Batch:
        setting = self._setting
        here = self._position(explored.bought)
        rng = np.random.default_rng([setting.config.pilot.seed, turn])
        ranked = rank_batches(explored.surface, here, rng)
        return choose_batch(ranked, explored.surface, here, rounds_left)

    def _position(self, bought: Mix) -> Position:
        setting = self._setting
        money = money_left(setting.budget, bought, setting.terms)
        return Position(setting.strata, setting.terms, setting.capacity, bought, money)

    def _rehearse(self, bought: Mix) -> Sequence[Rehearsal]:
        """All that counts after a purchase, rehearsed anew where it is time."""
        wanted = self._rehearsals.wanted(self._position(bought), self._setting.task.target)
        mixes = [mix for own in wanted.values() for mix in own]
        if mixes:
            self._rehearsals.learn(wanted, self._trials.rehearse(mixes, bought), bought)
        return tuple(self._rehearsals.found)

    def _learn(self, rounds: tuple[RoundSummary, ...], bought: Mix) -> Explored:
        setting = self._setting
        observations = [*self._borrowed, *self._trials.parts_of(bought)]
        rehearsals = self._rehearse(bought)
        surface = fit_surface(
            observations,
            setting.strata,
            setting.task.target,
            self._floor,
            setting.chance,
            setting.task.test_groups[setting.on_target],
            pilot=bought,
            clean=clean_shares(setting),
            separations=self._separations,
            rehearsals=rehearsals,
        )
        control = self._rehearsals.control
        return Explored(
            rounds, bought, observations, surface, self._separations, control, rehearsals
        )


def clean_shares(setting: Setting) -> dict[str, float]:
    """Share of clean labels of every stratum for sale, as its terms state them."""
    task, judgments = setting.task, setting.config.targets.judgments
    return {
        name: clean_share(
            terms.error_rate, terms.error_kind, task.choice_counts[task.pools[name]], judgments
        )
        for name, terms in setting.terms.items()
    }


def _round(setting: Setting, labels: Mix, gain: float | None) -> RoundSummary:
    every = {name: labels.get(name, 0) for name in setting.strata}
    cost = float(mix_cost(every, setting.terms))
    return RoundSummary(labels=every, cost=cost, expected_gain=gain)
