"""Which purchases a campaign rehearses, and what it learns from them.

`labelmix run` and the backtest share this; they differ in how a rehearsal is trained.
"""

from collections.abc import Mapping, Sequence

from annotation.cost import affordable
from budget.planning.position import Position
from budget.policies import Mix
from budget.surface.observation import Observation
from budget.surface.rehearsal import Control, Guesses, Rehearsal, rehearsal
from training.probes.reading import MOST_READ
from training.probes.rehearsed import LEAST_LABELS, LEAST_TEST_ITEMS, Rehearsed

MOST_REHEARSED = 512  # labels of a rehearsed purchase
_LEAST_OF_TARGET = 4
_GROWN = 1.5  # times as many labels, before a stratum is rehearsed again


def control_size(curve: Sequence[Observation], for_sale: int, test_items: int) -> int:
    """How many labels of the target the control rehearses; 0 where nothing compares with it.

    As many as an observation of the lent `curve` has, the most that items `for_sale` suffice for.
    0 as well where the test set is too small for a control to be told from luck.
    """
    if test_items < LEAST_TEST_ITEMS:
        return 0
    most = min(for_sale, MOST_READ, MOST_REHEARSED)
    return max((own.borrowed for own in curve if own.borrowed <= most), default=0)


class CampaignRehearsals:
    """What a campaign has rehearsed so far.

    Without a sound control it rehearses nothing.
    """

    def __init__(
        self, curve: Sequence[Observation] = (), control: Sequence[Rehearsed] = (), size: int = 0
    ) -> None:
        """`control`: rehearsals of `size` labels of the target; `curve`: what was lent."""
        self.control: Control | None = None
        self._test_items = curve[0].correct.shape[1] if curve else 0
        if control:
            lent = next(own.accuracy for own in curve if own.borrowed == size)
            self.control = Control.of(control, lent)
        self._before: dict[str, int] = {}  # labels of a stratum when it was last rehearsed
        self._found: dict[str, list[Rehearsal]] = {}

    @property
    def found(self) -> list[Rehearsal]:
        """All rehearsals that count."""
        return [own for found in self._found.values() for own in found]

    def wanted(self, position: Position, target: str) -> dict[str, list[Mix]]:
        """Stratum -> purchases to rehearse now that labels have come in.

        What is there of the stratum once the money left has bought it, up to `MOST_REHEARSED`, and
        half of that beside half of the same of the target. Strata with too few labels to guess from
        are left out, those with few more than when they were last rehearsed, and the target.
        """
        if self.control is None or not self.control.sound:
            return {}
        wanted: dict[str, list[Mix]] = {}
        half = _reachable(position, target) // 2
        for name in position.strata:
            bought = position.bought.get(name, 0)
            least = max(LEAST_LABELS, _GROWN * self._before.get(name, 0))
            if name == target or bought < least:
                continue
            whole = _reachable(position, name)
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
            known = Guesses(bought[name], len(wanted[name]), self._test_items)
            told[name].append(rehearsal(mix, results, self.control, known))
        for name, found in told.items():
            self._before[name] = bought[name]
            self._found[name] = [own for own in found if own is not None]


def _reachable(position: Position, name: str) -> int:
    had = position.bought.get(name, 0)
    more = affordable(position.money, position.terms[name].cost)
    return min(had + more, position.capacity[name], MOST_READ, MOST_REHEARSED)
