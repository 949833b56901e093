import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from label_studio_sdk.core.api_error import ApiError

from annotation.label_studio.retries import (
    Failure,
    OutcomeUnknownError,
    RetryPolicy,
    ServerUnavailableError,
    at_most_once,
    created_once,
    repeated,
    temporary_failure,
)


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def policy(self, patience: float = 100.0, draw: float = 1.0) -> RetryPolicy:
        return RetryPolicy(
            first_wait=1.0,
            longest_wait=8.0,
            patience=patience,
            sleep=self.sleep,
            clock=lambda: self.now,
            draw=lambda: draw,
        )


def failing(*errors: Exception) -> Callable[[], str]:
    """A call that raises each error once, then answers."""
    left: Iterator[Exception] = iter(errors)

    def call() -> str:
        for error in left:
            raise error
        return "answer"

    return call


def status(code: int, **headers: str) -> ApiError:
    return ApiError(status_code=code, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_waits_double_up_to_the_longest() -> None:
    clock = Clock()
    assert repeated(failing(*[status(500)] * 6), clock.policy()) == "answer"
    assert clock.waits == [1, 2, 4, 8, 8, 8]


def test_waits_are_drawn_below_the_ceiling() -> None:
    clock = Clock()
    repeated(failing(*[status(503)] * 4), clock.policy(draw=0.25))
    assert clock.waits == [0.25, 0.5, 1, 2]


def test_retry_after_is_the_shortest_wait() -> None:
    clock = Clock()
    repeated(failing(status(429, Retry_After="7"), status(429, retry_after="0")), clock.policy())
    assert clock.waits == [7, 2]


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    failure = temporary_failure(status(503, Retry_After=at))
    assert failure is not None
    assert failure.retry_after == pytest.approx(30, abs=2)
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    assert temporary_failure(status(503, Retry_After=past)) == Failure("status 503", True, 0.0)
    assert temporary_failure(status(503, Retry_After="soon")) == Failure("status 503", True, None)


def test_patience_ends() -> None:
    clock = Clock()
    with pytest.raises(
        ServerUnavailableError, match=r"gave up after 4 attempts in 7 s: status 500"
    ):
        repeated(failing(*[status(500)] * 9), clock.policy(patience=14))
    assert clock.now == 7  # the next wait, of 8 s, would have ended after 15


@pytest.mark.parametrize(
    ("error", "may_have_happened"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.ReadTimeout("slow"), True),
        (httpx.WriteTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.RemoteProtocolError("cut off"), True),
        (status(408), True),
        (status(425), False),
        (status(429), False),
        (status(500), True),
        (status(502), True),
        (status(599), True),
        (json.JSONDecodeError("page", "<html>", 0), True),
    ],
)
def test_what_may_pass(error: Exception, may_have_happened: bool) -> None:
    failure = temporary_failure(error)
    assert failure is not None
    assert failure.may_have_happened == may_have_happened


@pytest.mark.parametrize(
    "error", [status(code) for code in (200, 301, 400, 401, 403, 404, 409)] + [ValueError("ours")]
)
def test_what_will_not_pass_is_raised_at_once(error: Exception) -> None:
    clock = Clock()
    assert temporary_failure(error) is None
    with pytest.raises(type(error)):
        repeated(failing(error), clock.policy())
    assert clock.waits == []


def test_refused_creation_is_repeated_and_a_doubtful_one_is_not() -> None:
    clock = Clock()
    call = failing(status(429), httpx.ConnectError("refused"), status(502))
    with pytest.raises(OutcomeUnknownError, match="status 502"):
        at_most_once(call, clock.policy())
    assert len(clock.waits) == 2


def test_doubtful_creation_is_looked_for_before_it_is_repeated() -> None:
    clock, made = Clock(), []

    def create() -> str:
        made.append("done")
        if len(made) < 3:
            raise httpx.ReadTimeout("slow")
        return "created"

    looks: Iterator[str | None] = iter([None, "found"])
    assert created_once(create, lambda: next(looks), clock.policy()) == "found"
    assert len(made) == 2
    assert len(clock.waits) == 2


def test_a_host_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpx.ConnectError) as caught:
        httpx.get("http://label-studoi.example/", trust_env=False)
    failure = temporary_failure(caught.value)
    assert failure is not None
    assert "no host of that name is known" in failure.reason
