import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from annotation.errors import InputError
from annotation.label_studio.webhook import LARGEST_BODY, SECRET_HEADER, WebhookReceiver

SECRET = "one secret of many"


class Bell:
    def __init__(self) -> None:
        self.rings = 0
        self._lock = threading.Lock()

    def ring(self) -> None:
        with self._lock:
            self.rings += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def receiver(bell: Bell) -> Iterator[WebhookReceiver]:
    with WebhookReceiver("127.0.0.1", 0, "/hook", SECRET, bell.ring) as listening:
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


def test_delivery_rings_and_a_doubled_one_rings_again(
    receiver: WebhookReceiver, bell: Bell
) -> None:
    assert [send(receiver), send(receiver, path="/hook?x=1"), send(receiver, body=b"")] == [204] * 3
    assert bell.rings == 3


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
def test_without_the_secret_nothing_rings(
    headers: dict[str, str], receiver: WebhookReceiver, bell: Bell
) -> None:
    assert send(receiver, headers=headers) == 401
    assert bell.rings == 0


def test_only_its_path_and_method(receiver: WebhookReceiver, bell: Bell) -> None:
    assert send(receiver, path="/") == 404
    assert send(receiver, method="GET") == 501
    assert bell.rings == 0


def test_size_of_the_body_is_limited(receiver: WebhookReceiver, bell: Bell) -> None:
    assert send(receiver, body=b" " * LARGEST_BODY) == 204
    for length, status in ((str(LARGEST_BODY + 1), 413), ("9" * 30, 413), ("-1", 411), ("x", 411)):
        connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=10)
        connection.putrequest("POST", "/hook")
        connection.putheader(SECRET_HEADER, SECRET)
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()
    assert bell.rings == 1


def test_body_that_ends_early_does_not_ring(receiver: WebhookReceiver, bell: Bell) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as raw:
        head = f"POST /hook HTTP/1.1\r\n{SECRET_HEADER}: {SECRET}\r\nContent-Length: 50\r\n\r\nabc"
        raw.sendall(head.encode())
        raw.shutdown(socket.SHUT_WR)
        assert b" 400 " in raw.recv(1000)
    assert bell.rings == 0


def test_it_ends_while_a_sender_hangs(bell: Bell) -> None:
    receiver = WebhookReceiver("127.0.0.1", 0, "/", SECRET, bell.ring)
    with socket.socket() as raw:
        with receiver:
            raw.connect(("127.0.0.1", receiver.port))
            raw.sendall(b"POST / HTTP/1.1\r\n")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", receiver.port), timeout=5)


def test_taken_address_is_told(receiver: WebhookReceiver, bell: Bell) -> None:
    with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{receiver.port}"):
        WebhookReceiver("127.0.0.1", receiver.port, "/", SECRET, bell.ring)
    with pytest.raises(ValueError, match="secret"):
        WebhookReceiver("127.0.0.1", 0, "/", "", bell.ring)
