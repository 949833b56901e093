"""Which purchases a campaign rehearses, and what it learns from them.

`labelmix run` and the backtest share this; they differ in who trains a rehearsal.
"""

from collections.abc import Mapping, Sequence

from annotation.terms.cost import affordable
from budget.campaign.campaign import Campaign
from budget.campaign.play import Playing, Rehearsing
from budget.market.market import Market
from budget.market.simple_rules import Mix
from budget.surface.observation import Observation
from budget.surface.rehearsal import Control, GuessBasis, Rehearsal, rehearsal
from training.unlabelled.reading import MOST_READ
from training.unlabelled.told import LEAST_LABELS, LEAST_TEST_ITEMS, Rehearsed

MOST_REHEARSED = 512  # labels of a rehearsed purchase
_LEAST_CONTROL = 64  # labels: what fewer score is near chance, where bad guesses look good
_LEAST_OF_TARGET = 4
_GROWN = 1.5  # times as many labels, before a stratum is rehearsed again


def control_point(curve: Sequence[Observation], for_sale: int) -> Observation | None:
    """The observation of the lent `curve` that the control is compared with.

    Of those with as many labels as items `for_sale` suffice to rehearse, the one with most. None
    where that is fewer than 64, or where the test set is too small to tell a control from luck.
    """
    most = min(for_sale, MOST_READ, MOST_REHEARSED)
    fitting = [
        own
        for own in curve
        if _LEAST_CONTROL <= own.borrowed <= most and own.test_items >= LEAST_TEST_ITEMS
    ]
    return max(fitting, key=lambda own: own.borrowed, default=None)


class CampaignRehearsals:
    """What a campaign has rehearsed so far.

    Without a sound control it rehearses nothing.
    """

    def __init__(
        self,
        lent: Observation | None = None,
        rehearsed: Sequence[Rehearsed] = (),
        chance: float = 0.0,
    ) -> None:
        """`rehearsed`: as many labels of the target as `lent` has; none where it was not tried.

        `chance` is the accuracy of guessing.
        """
        self.control: Control | None = None
        self._test_items = 0
        if lent and rehearsed:
            self.control = Control.of(rehearsed, lent.accuracy, chance)
            self._test_items = lent.test_items
        self._before: dict[str, int] = {}  # labels of a stratum when it was last rehearsed
        self._found: dict[str, list[Rehearsal]] = {}

    @property
    def found(self) -> list[Rehearsal]:
        """All rehearsals that count."""
        return [own for found in self._found.values() for own in found]

    def wanted(self, market: Market, target: str) -> dict[str, list[Mix]]:
        """Stratum -> purchases to rehearse now that labels have come in.

        What is there of the stratum once the money left has bought it, up to `MOST_REHEARSED`, and
        half of that beside half of the same of the target. Strata with too few labels to guess from
        are left out, those with few more than when they were last rehearsed, and the target.
        """
        if self.control is None or not self.control.sound:
            return {}
        wanted: dict[str, list[Mix]] = {}
        half = _reachable(market, target) // 2
        for name in market.strata:
            bought = market.bought.get(name, 0)
            least = max(LEAST_LABELS, _GROWN * self._before.get(name, 0))
            if name == target or bought < least:
                continue
            whole = _reachable(market, name)
            wanted[name] = [{name: whole}]
            if half >= _LEAST_OF_TARGET:
                wanted[name].append({name: max(1, whole // 2), target: half})
        return wanted

    def learn(
        self,
        wanted: Mapping[str, Sequence[Mix]],
        rehearsed: Sequence[Sequence[Rehearsed]],
        bought: Mapping[str, int],
    ) -> None:
        """Take in what `wanted` came to: `rehearsed` by mix, in their order, and seed.

        Raises ValueError if there are not as many, or there was no control.
        """
        if self.control is None:
            raise ValueError("there is no control, so nothing should be rehearsed.")
        mixes = [(name, mix) for name, own in wanted.items() for mix in own]
        told: dict[str, list[Rehearsal | None]] = {name: [] for name in wanted}
        for (name, mix), results in zip(mixes, rehearsed, strict=True):
            known = GuessBasis(bought[name], len(wanted[name]), self._test_items)
            told[name].append(rehearsal(mix, results, self.control, known))
        for name, found in told.items():
            self._before[name] = bought[name]
            self._found[name] = [own for own in found if own is not None]


def _reachable(market: Market, name: str) -> int:
    had = market.bought.get(name, 0)
    more = affordable(market.money, market.terms[name].cost)
    return min(had + min(more, market.items[name]), MOST_READ, MOST_REHEARSED)


def start_rehearsals(
    campaign: Campaign, curve: Sequence[Observation]
) -> Playing[CampaignRehearsals]:
    """Rehearse the target against its lent `curve`; use by `yield from`."""
    lent = control_point(curve, campaign.capacity[campaign.target])
    if lent is None:
        return CampaignRehearsals()
    told = yield Rehearsing((((campaign.target, lent.borrowed),),))
    return CampaignRehearsals(lent, told[0], campaign.test.chance) if told else CampaignRehearsals()


def rehearse(rehearsals: CampaignRehearsals, campaign: Campaign) -> Playing[list[Rehearsal]]:
    """All that counts after a purchase, rehearsed anew where it is time; use by `yield from`."""
    wanted = rehearsals.wanted(campaign.market, campaign.target)
    if wanted:
        mixes = tuple(tuple(mix.items()) for own in wanted.values() for mix in own)
        rehearsals.learn(wanted, (yield Rehearsing(mixes)), campaign.bought)
    return rehearsals.found
