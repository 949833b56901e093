"""What `labelmix collect run --wait` does between two pulls."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from annotation.errors import InputError
from budget.commands.labelstudio import CLOCK
from budget.commands.printing import say

if TYPE_CHECKING:
    from budget.collection.channels.label_studio import LabelStudioChannel
    from budget.collection.steps import Collection

Wait = Callable[[int, float], None]
"""Waits for a batch's annotators, after a pull that took so many seconds, until the next is due."""


@contextmanager
def waiting(
    collection: "Collection", every: float, listen: str | None, callback: str | None, quiet: bool
) -> Iterator[Wait]:
    """How to wait: so many seconds, or where `listen` says HOST:PORT as long as webhooks bring all.

    Label Studio is told to call when a project is first waited for, and no longer at the end. What
    came by webhook is told in a line, on standard error where `quiet`.

    Raises InputError if the address is malformed or taken, or no supplier is in Label Studio.
    """
    from annotation.label_studio.deliveries import Deliveries
    from budget.collection.arriving import Arrivals
    from budget.commands.labelstudio_session import ended_by_signals, receiving

    deliveries = Deliveries()
    with ExitStack() as stack:
        called = stack.enter_context(receiving(listen, callback, deliveries.put))
        if called is None:
            yield lambda batch, took: time.sleep(every)
            return
        channels = collection.label_studio
        if not channels:
            raise InputError(
                "--listen: no supplier of this collection works in Label Studio, so nobody calls; "
                "leave it out."
            )

        def tell(line: str) -> None:
            say(f"{time.strftime(CLOCK)} {line}", err=quiet)

        stack.enter_context(ended_by_signals())
        stack.callback(_unregister, channels)
        arrivals = Arrivals(collection.store, channels, deliveries, tell)

        def wait(batch: int, took: float) -> None:
            new = [own.register(called.address, called.headers) for own in channels.values()]
            if any(new):
                tell(f"Label Studio calls {called.address} when somebody answers")
                return  # what was answered before that is pulled at once
            arrivals.until_a_pull_is_due(batch, every, took)

        yield wait


def _unregister(channels: "Mapping[str, LabelStudioChannel]") -> None:
    from budget.commands.labelstudio_session import PARTING

    for channel in channels.values():
        with suppress(InputError):  # left behind, they are set anew the next time
            channel.unregister(PARTING)
