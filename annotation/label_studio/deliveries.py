"""Deliveries that wait to be read: in bounded memory, from many threads to one."""

import threading
from collections import deque
from dataclasses import dataclass

MOST_BYTES = 64 << 20  # of bodies; about 20,000 annotations as Label Studio sends them
_OWN = 200  # bytes that a body takes besides its content


@dataclass(frozen=True)
class Taken:
    """What was delivered since the last time.

    Attributes
    ----------
    bodies : in the order in which they came
    is_all : whether nothing was refused for want of room, or for its size
    """

    bodies: tuple[bytes, ...]
    is_all: bool


class Deliveries:
    """Keeps what a `WebhookReceiver` hands on until it is taken.

    Parameters
    ----------
    most_bytes
        Deliveries that would take more are refused.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._changed = threading.Condition()
        self._bodies: deque[bytes] = deque()
        self._bytes = 0
        self._is_all = True

    def put(self, body: bytes | None) -> bool:
        """Keep a body, None for one too large to be read. False if there is no room for it."""
        with self._changed:
            self._changed.notify_all()
            size = 0 if body is None else len(body) + _OWN
            if body is None or self._bytes + size > self._most:
                self._is_all = False
                return False
            self._bodies.append(body)
            self._bytes += size
            return True

    def wait(self, seconds: float) -> bool:
        """Wait for a delivery; False if there was none before so many seconds had passed."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._bodies) or not self._is_all, seconds)

    def take(self) -> Taken:
        """Everything that was delivered and not taken yet; there is room again for more."""
        with self._changed:
            taken = Taken(tuple(self._bodies), self._is_all)
            self._bodies.clear()
            self._bytes, self._is_all = 0, True
            return taken
