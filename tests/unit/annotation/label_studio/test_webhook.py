import http.client
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from annotation.errors import InputError
from annotation.label_studio.webhook import LARGEST_BODY, SECRET_HEADER, WebhookReceiver

SECRET = "one secret of many"


class Letterbox:
    """What was handed on; None stands for a body that was too large."""

    def __init__(self) -> None:
        self.bodies: list[bytes | None] = []
        self.room = 1_000_000
        self._lock = threading.Lock()

    def deliver(self, body: bytes | None) -> bool:
        with self._lock:
            self.bodies.append(body)
            return len(self.bodies) <= self.room


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture
def receiver(box: Letterbox) -> Iterator[WebhookReceiver]:
    with WebhookReceiver("127.0.0.1", 0, "/hook", SECRET, box.deliver) as listening:
        yield listening


def send(
    receiver: WebhookReceiver,
    method: str = "POST",
    path: str = "/hook",
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=10)
    try:
        connection.request(method, path, body, headers or {SECRET_HEADER: SECRET})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_delivery_is_handed_on_and_a_doubled_one_again(
    receiver: WebhookReceiver, box: Letterbox
) -> None:
    assert [send(receiver), send(receiver, path="/hook?x=1"), send(receiver, body=b"")] == [204] * 3
    assert box.bodies == [b"{}", b"{}", b""]


def test_where_there_is_no_room_the_sender_is_told(
    receiver: WebhookReceiver, box: Letterbox
) -> None:
    box.room = 1
    assert [send(receiver), send(receiver)] == [204, 503]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Other": "1"},
        {SECRET_HEADER: ""},
        {SECRET_HEADER: "wrong"},
        {SECRET_HEADER: SECRET.upper()},
        {SECRET_HEADER: SECRET + "x"},
        {SECRET_HEADER: "\xff"},
    ],
)
def test_without_the_secret_nothing_is_handed_on(
    headers: dict[str, str], receiver: WebhookReceiver, box: Letterbox
) -> None:
    assert send(receiver, headers=headers) == 401
    assert not box.bodies


def test_only_its_path_and_method(receiver: WebhookReceiver, box: Letterbox) -> None:
    assert send(receiver, path="/") == 404
    assert send(receiver, method="GET") == 501
    assert not box.bodies


def test_size_of_the_body_is_limited(receiver: WebhookReceiver, box: Letterbox) -> None:
    assert send(receiver, body=b" " * LARGEST_BODY) == 204
    for length, status in ((str(LARGEST_BODY + 1), 413), ("9" * 30, 413), ("-1", 411), ("x", 411)):
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=10)
        connection.putrequest("POST", "/hook")
        connection.putheader(SECRET_HEADER, SECRET)
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()
    # The first, and of the two that are too large only that they came.
    assert [body and len(body) for body in box.bodies] == [LARGEST_BODY, None, None]


def test_body_that_ends_early_is_not_handed_on(receiver: WebhookReceiver, box: Letterbox) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as raw:
        head = f"POST /hook HTTP/1.1\r\n{SECRET_HEADER}: {SECRET}\r\nContent-Length: 50\r\n\r\nabc"
        raw.sendall(head.encode())
        raw.shutdown(socket.SHUT_WR)
        assert b" 400 " in raw.recv(1000)
    assert not box.bodies


def test_who_sends_a_byte_now_and_then_is_cut_off(
    receiver: WebhookReceiver, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.label_studio.webhook.LONGEST", 0.3)
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as raw:
        raw.sendall(f"POST /hook HTTP/1.1\r\n{SECRET_HEADER}: {SECRET}\r\n".encode())
        began = time.monotonic()
        # Never a pause of the length that is allowed.
        while time.monotonic() - began < 10 and still_takes(raw, b"X-More: 1\r\n"):
            time.sleep(0.05)
        assert 0.3 < time.monotonic() - began < 5
    assert not box.bodies


def still_takes(raw: socket.socket, data: bytes) -> bool:
    try:
        raw.sendall(data)
    except OSError:
        return False
    return True


def test_more_senders_than_there_is_room_for_are_refused_and_places_come_free(
    receiver: WebhookReceiver, box: Letterbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotation.label_studio.webhook.MOST_AT_ONCE", 2)
    where = ("127.0.0.1", receiver.port)
    hanging = [socket.create_connection(where, timeout=10) for _ in "ab"]
    with socket.create_connection(where, timeout=10) as third:
        assert b" 503 " in third.recv(1000)
    for raw in hanging:
        raw.close()
    deadline = time.monotonic() + 10
    while not box.bodies:
        assert time.monotonic() < deadline
        with suppress(OSError):  # refused before it has sent all
            send(receiver)


def test_it_ends_while_a_sender_hangs(box: Letterbox) -> None:
    receiver = WebhookReceiver("127.0.0.1", 0, "/", SECRET, box.deliver)
    with socket.socket() as raw:
        with receiver:
            raw.connect(("127.0.0.1", receiver.port))
            raw.sendall(b"POST / HTTP/1.1\r\n")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", receiver.port), timeout=5)


def test_taken_address_is_told(receiver: WebhookReceiver, box: Letterbox) -> None:
    with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{receiver.port}"):
        WebhookReceiver("127.0.0.1", receiver.port, "/", SECRET, box.deliver)
    with pytest.raises(ValueError, match="secret"):
        WebhookReceiver("127.0.0.1", 0, "/", "", box.deliver)


def test_a_delivery_waits_little_for_work_of_this_process(box: Letterbox) -> None:
    before = sys.getswitchinterval()
    with WebhookReceiver("127.0.0.1", 0, "/", SECRET, box.deliver):
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before
