"""How a request to an endpoint fails: whether it may pass, and whether it may have cost money."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

SERVER_FAILED: Final = "no answer from the server"
NOT_TAKEN: Final = "the server did not take the request"
TOO_LARGE: Final = "answer too large"


class AttemptError(Exception):
    """A request that failed.

    Attributes
    ----------
    reason : one of the reasons above, or `reply.MALFORMED`
    detail : for people, without the key
    may_pass : whether the same request may succeed later
    may_have_cost : False only where the endpoint certainly answered nothing
    ends_all : whether every other request would fail likewise
    retry_after : how long the server asked to wait, in seconds
    at_once : whether the next request asks for less, and needs no wait
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        may_pass: bool = False,
        may_have_cost: bool = False,
        ends_all: bool = False,
        retry_after: float | None = None,
        at_once: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.may_pass = may_pass
        self.may_have_cost = may_have_cost
        self.ends_all = ends_all
        self.retry_after = retry_after
        self.at_once = at_once


@dataclass(frozen=True)
class Patience:
    """How long an item is tried again, and the waits in between, all in seconds.

    `longest` is the time from an item's first failure to its last attempt. The k-th wait is drawn
    uniformly from half to all of min(30, 0.5 * 2**k), or as long as the server asks.
    """

    longest: float = 60.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    draw: Callable[[], float] = field(default=random.random, repr=False)

    def wait(self, failures: int, retry_after: float | None) -> float:
        """Seconds to wait after so many failures in a row (1, 2, ...)."""
        ceiling = min(30.0, 0.5 * 2.0 ** min(failures - 1, 60))
        return max(retry_after or 0.0, (0.5 + 0.5 * self.draw()) * ceiling)
