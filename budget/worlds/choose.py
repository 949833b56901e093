"""Which worlds a backtest is run in."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from annotation.errors import InputError, MachineError
from budget.worlds import generated, real
from budget.worlds.real import Sources
from budget.worlds.world import Half, World

FAMILIES: dict[str, Callable[[Sources], Iterator[World]]] = {
    generated.FAMILY: lambda _: generated.generated_worlds(),
    **real.FAMILIES,
}
_LONGEST_SEARCH = 100_000


def choose_worlds(
    families: Sequence[str], count: int, half: Half, sources: Sources, skip: int = 0
) -> tuple[list[World], list[str]]:
    """The first `count` worlds of each family in one half, and a line for each family left out.

    The very first `skip` are not counted: they may have been looked at before. A family has as
    many worlds as its grid of terms; generated ones have no end. A family whose data are absent is
    left out.

    Raises InputError if there is no such family, or no world is left.
    """
    chosen: list[World] = []
    skipped: list[str] = []
    for family in families:
        if family not in FAMILIES:
            raise InputError(f"worlds '{family}' are unknown; choose from {', '.join(FAMILIES)}.")
    for family in dict.fromkeys(families):
        try:
            worlds = islice(FAMILIES[family](sources), _LONGEST_SEARCH)
            own = (world for world in worlds if world.half == half)
            found = list(islice(own, skip, skip + count))
            if not found:
                skipped.append(f"worlds '{family}': there are none after the first {skip}.")
            chosen += found
        except MachineError:  # data that are absent are skipped, a disk that fails is not
            raise
        except InputError as error:
            skipped.append(str(error))
    if not chosen:
        raise InputError(" ".join(["there is no world to play in.", *skipped]))
    return chosen, skipped
