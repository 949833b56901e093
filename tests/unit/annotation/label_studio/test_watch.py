from collections.abc import Callable, Iterator

import pytest

from annotation.label_studio.pull import PullSummary
from annotation.label_studio.retries import ServerUnavailableError
from annotation.label_studio.watch import Bell, watch


def summary(changed: int) -> PullSummary:
    return PullSummary(1, "Pilot", changed, changed, 0, 1, 1, ())


def pulls(*outcomes: int | str) -> tuple[Callable[[], PullSummary], Callable[[], bool]]:
    """A pull with these outcomes, a text being an outage; and whether there are more."""
    left = list(outcomes)

    def pull_once() -> PullSummary:
        outcome = left.pop(0)
        if isinstance(outcome, str):
            raise ServerUnavailableError(outcome)
        return summary(outcome)

    return pull_once, lambda: bool(left)


def run(*outcomes: int | str, bell: Bell | None = None, every: float = 0.001) -> list[int | str]:
    told: list[int | str] = []
    pull_once, goes_on = pulls(*outcomes)
    watch(
        pull_once,
        bell or Bell(),
        every,
        changed=lambda found: told.append(found.changed),
        trouble=told.append,
        goes_on=goes_on,
        settle=0.001,
    )
    return told


def test_first_pull_and_changes_are_told() -> None:
    assert run(0, 0, 3, 0, 1) == [0, 3, 1]


def test_outage_is_told_and_watching_goes_on() -> None:
    assert run("away", "away", 2, "away", 0, 4) == ["away", "away", 2, "away", 4]


def test_ring_pulls_at_once_and_once_more_soon_after() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    # Without the ring the second pull would come after an hour; so would the third, without the
    # second look that a ring asks for.
    assert run(0, 0, 5, bell=bell, every=3600) == [0, 5]


def test_interruption_goes_through() -> None:
    outcomes: Iterator[Exception] = iter([KeyboardInterrupt()])  # type: ignore[list-item]

    def pull_once() -> PullSummary:
        raise next(outcomes)

    with pytest.raises(KeyboardInterrupt):
        watch(pull_once, Bell(), 1, changed=lambda _: None, trouble=lambda _: None)


def test_rings_while_nobody_waits_are_one() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)
