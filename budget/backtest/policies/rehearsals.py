"""Rehearsals in a market: the control before anything is bought, then as labels come in."""

from collections.abc import Generator, Sequence

from budget.campaign.play import Rehearsing
from budget.campaign.rehearsals import CampaignRehearsals, control_point
from budget.market.market import Market
from budget.market.position import Position
from budget.surface.observation import Observation
from budget.surface.rehearsal import Rehearsal
from training.unlabelled.told import Rehearsed

_Told = list[list[Rehearsed]]


def start_rehearsals(
    market: Market, curve: Sequence[Observation]
) -> Generator[Rehearsing, _Told, CampaignRehearsals]:
    """Rehearse the target against its lent `curve`; use by `yield from`."""
    lent = control_point(curve, market.capacity[market.target])
    if lent is None:
        return CampaignRehearsals()
    (rehearsed,) = yield Rehearsing((((market.target, lent.borrowed),),))
    return CampaignRehearsals(lent, rehearsed, market.chance)


def rehearse(
    rehearsals: CampaignRehearsals, position: Position, target: str
) -> Generator[Rehearsing, _Told, list[Rehearsal]]:
    """All that counts after a purchase, rehearsed anew where it is time; use by `yield from`."""
    wanted = rehearsals.wanted(position, target)
    if wanted:
        mixes = tuple(tuple(mix.items()) for own in wanted.values() for mix in own)
        rehearsals.learn(wanted, (yield Rehearsing(mixes)), position.bought)
    return rehearsals.found
