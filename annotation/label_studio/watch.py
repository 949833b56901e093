"""Pull whenever the bell rings, and every so often besides."""

import threading
import time
from collections.abc import Callable

from annotation.label_studio.pull import PullSummary
from annotation.label_studio.retries import ServerUnavailableError

# A burst of deliveries makes one pull; and what a delivery tells of may not be committed yet.
SETTLE = 0.5  # seconds
REST = 3.0  # times as long as a pull took, before the next


class Bell:
    """Rung from any thread, waited for by one; rings while nobody waits are one ring."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        self._event.set()

    def deliver(self, body: bytes | None) -> bool:
        """Ring for a webhook. What it holds is not read: it may be doubled, late or forged."""
        self.ring()
        return True

    def wait(self, seconds: float) -> bool:
        """Whether it rang before so many seconds had passed; the ring is then used up."""
        rang = self._event.wait(seconds)
        self._event.clear()
        return rang


def watch(
    pull_once: Callable[[], PullSummary],
    bell: Bell,
    every: float,
    changed: Callable[[PullSummary], None],
    trouble: Callable[[str], None],
    goes_on: Callable[[], bool] = lambda: True,
    settle: float = SETTLE,
) -> None:
    """Pull at once, then after every ring and every so many seconds, until `goes_on` says no.

    An outage of the server ends nothing: it is told, and the next pull tries again. Ctrl-C
    (KeyboardInterrupt) goes through to the caller; what was pulled is kept.

    Parameters
    ----------
    pull_once
        Pulls, and may raise ServerUnavailableError.
    bell
        Rung by the webhook receiver.
    every
        Seconds between two pulls when nothing rings.
    changed
        Told of the first pull and of every one that changed something.
    trouble
        Told, in one line, when the server does not answer.
    goes_on
        Asked after every pull.
    settle
        Seconds between a ring and its pull, at least; longer after a pull that took long.
    """
    told = rang = False
    while True:
        began = time.monotonic()
        try:
            summary = pull_once()
        except ServerUnavailableError as error:
            trouble(str(error))
        else:
            if summary.changed or not told:
                changed(summary)
            told = True
        took = time.monotonic() - began
        if not goes_on():
            return
        # A ring may come before what it tells of can be read: look once more soon after it.
        rang = bell.wait(min(every, 4 * settle) if rang else every)
        if rang:
            # Where every second brings a ring, pulling should not become the server's main work.
            time.sleep(min(every, settle + REST * took))
