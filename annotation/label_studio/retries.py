"""When a request to a server is repeated, and how long it waits before.

Waits grow exponentially and are drawn at random ("full jitter": Brooker 2015, Exponential Backoff
And Jitter, AWS Architecture Blog), so that many clients do not come back at the same moment.
"""

import json
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from annotation.errors import InputError

Result = TypeVar("Result")

_TEMPORARY_STATUSES = (408, 425, 429)
_NEVER_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class ServerUnavailableError(InputError):
    """The server did not answer for as long as we were willing to wait."""


class OutcomeUnknownError(Exception):
    """A request that must not be repeated blindly failed, and the server may have done it."""


@dataclass(frozen=True)
class Failure:
    """A failure that may pass.

    `reason` is for people. `may_have_happened` is False only where the server certainly did not
    act on the request. `retry_after` is how long the server asked us to wait, in seconds.
    """

    reason: str
    may_have_happened: bool
    retry_after: float | None = None


def temporary_failure(error: Exception) -> Failure | None:
    """What `error` means if it may pass: a lost connection, a time-out, 408, 425, 429, 5xx.

    None if it will not pass by waiting.
    """
    from label_studio_sdk.core.api_error import ApiError  # it takes a second to load

    if isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol):
        timed_out = isinstance(error, httpx.TimeoutException)
        reason = "no answer in time" if timed_out else "connection lost or refused"
        if _is_of_its_name(error):
            reason = "no host of that name is known; is the address spelt right?"
        return Failure(reason, not isinstance(error, _NEVER_REACHED))
    if isinstance(error, ApiError) and error.status_code is not None:
        status = error.status_code
        if status in _TEMPORARY_STATUSES or status >= 500:
            # 429 and 425 are refusals: the server says that it did nothing.
            return Failure(
                f"status {status}", status not in (425, 429), _retry_after(error.headers or {})
            )
    if isinstance(error, json.JSONDecodeError):  # a gateway's page while a token is refreshed
        return Failure("an answer that is not JSON", True)
    return None


def _is_of_its_name(error: BaseException) -> bool:
    """Whether a connection failed because its host's name could not be resolved."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, socket.gaierror):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, which holds a number or a date (RFC 9110, 10.2.3)."""
    value = {name.lower(): text for name, text in headers.items()}.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


@dataclass(frozen=True)
class RetryPolicy:
    """How long to go on, and how long to wait in between, all in seconds.

    `patience` is the longest time from the first failure to the last attempt. The k-th wait is
    drawn uniformly from 0 to min(longest_wait, first_wait * 2**k); where the server says
    Retry-After, it is at least that.
    """

    first_wait: float = 0.5
    longest_wait: float = 30.0
    patience: float = 300.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    draw: Callable[[], float] = field(default=random.random, repr=False)

    def wait(self, failures: int, retry_after: float | None) -> float:
        """Seconds to wait after so many failures in a row (1, 2, ...)."""
        ceiling = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 60))
        return max(retry_after or 0.0, self.draw() * ceiling)


class Attempts:
    """The failures of one piece of work, and the waits between them."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._first_failure = 0.0

    def wait_after(self, failure: Failure) -> None:
        """Wait before the next attempt.

        Raises ServerUnavailableError if that would be beyond our patience.
        """
        now = self._policy.clock()
        if self._failures == 0:
            self._first_failure = now
        self._failures += 1
        wait = self._policy.wait(self._failures, failure.retry_after)
        if now + wait - self._first_failure > self._policy.patience:
            raise ServerUnavailableError(
                f"gave up after {self._failures} attempts in {now - self._first_failure:.0f} s: "
                f"{failure.reason}"
            )
        self._policy.sleep(wait)


def repeated(call: Callable[[], Result], policy: RetryPolicy) -> Result:
    """Call until it does not fail for a passing reason; only for what may safely happen twice.

    Raises ServerUnavailableError when patience ends, and whatever else `call` raises.
    """
    from label_studio_sdk.core.api_error import ApiError

    attempts = Attempts(policy)
    while True:
        try:
            return call()
        except (httpx.HTTPError, ApiError, json.JSONDecodeError) as error:
            failure = temporary_failure(error)
            if failure is None:
                raise
        attempts.wait_after(failure)


def at_most_once(call: Callable[[], Result], policy: RetryPolicy) -> Result:
    """Call until it succeeds, or may have happened without our knowing.

    Raises OutcomeUnknownError where the server may have acted on a call that failed;
    ServerUnavailableError when patience ends, and whatever else `call` raises.
    """
    from label_studio_sdk.core.api_error import ApiError

    def guarded() -> Result:
        try:
            return call()
        except (httpx.HTTPError, ApiError, json.JSONDecodeError) as error:
            failure = temporary_failure(error)
            if failure is not None and failure.may_have_happened:
                raise OutcomeUnknownError(failure.reason) from None
            raise

    return repeated(guarded, policy)


def created_once(
    create: Callable[[], Result], look: Callable[[], Result | None], policy: RetryPolicy
) -> Result:
    """Create something exactly once: an attempt that may have happened is looked for first.

    Parameters
    ----------
    create
        Sends the request that must not happen twice.
    look
        Finds what an earlier attempt created; None if there is nothing. It is called only after an
        attempt whose outcome is unknown, and repeats itself where it must.

    Raises
    ------
    ServerUnavailableError
        When patience ends.
    """
    attempts = Attempts(policy)
    while True:
        try:
            return at_most_once(create, policy)
        except OutcomeUnknownError as error:
            attempts.wait_after(Failure(str(error), may_have_happened=True))
        found = look()
        if found is not None:
            return found
