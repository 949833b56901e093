"""Against a server in this process that answers as it is told."""

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from annotation.errors import InputError
from annotation.label_studio.connection import Connection, RefusedError, checked_url
from annotation.label_studio.retries import RetryPolicy, ServerUnavailableError
from annotation.label_studio.token import Token

TOKEN = "feedfacefeedfacefeedfacefeedfacefeedface"
POLICY = RetryPolicy(first_wait=0.001, longest_wait=0.002, patience=0.3)


class Scripted(ThreadingHTTPServer):
    """Gives the answers of `script` in turn, (status, headers, body); the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        self.script: list[tuple[int, dict[str, str], bytes]] = []
        self.seen: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.seen.append(self.headers.get("Authorization", ""))
                status, headers, body = (
                    server.script.pop(0) if len(server.script) > 1 else server.script[0]
                )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as scripted:
        threading.Thread(target=scripted.serve_forever, args=(0.02,), daemon=True).start()
        yield scripted
        scripted.shutdown()


FINE = (200, {"Content-Type": "application/json"}, b'{"id": 1, "email": "a@x.org"}')


def contact(server: Scripted) -> Connection:
    with Connection(server.url, Token(TOKEN), POLICY) as connection:
        connection.first_contact()
    return connection


def test_failures_that_pass_are_repeated_and_counted(server: Scripted) -> None:
    server.script = [(429, {"Retry-After": "0"}, b"{}"), (500, {}, b"oops"), (503, {}, b"{}"), FINE]
    assert contact(server).requests == 4
    assert set(server.seen) == {f"Token {TOKEN}"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "message"),
    [
        (401, {}, b'{"detail": "Invalid token."}', r"refuses the token \(401: Invalid token\.\)"),
        (403, {}, b'{"detail": "No."}', r"owner may not do this \(403: No\.\)"),
        (404, {}, b"<html>not here</html>", r"the server refuses \(404\)"),
        (302, {"Location": "https://other.org/"}, b"", r"sends us on to https://other\.org/"),
        (200, {}, b"<html>welcome</html>", r"the answer is not Label Studio's"),
        (
            400,
            {},
            b'{"detail": "Validation error", "validation_errors": {"a": ["one", "two"]}}',
            r"refuses \(400: one; two\)",
        ),
    ],
)
def test_refusals_are_told_in_one_line(
    status: int, headers: dict[str, str], body: bytes, message: str, server: Scripted
) -> None:
    server.script = [(status, headers, body)]
    with pytest.raises(RefusedError, match=message) as refusal:
        contact(server)
    assert refusal.value.status == status
    assert refusal.value.__cause__ is None
    assert "\n" not in str(refusal.value)
    assert len(server.seen) == 1


def test_token_is_in_no_error_and_no_log(
    server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f'{{"detail": "you sent {TOKEN} and eyJabc.eyJdef.sig"}}'.encode()
    cookie = {"Set-Cookie": "sessionid=hidden"}
    told = []
    for status in (400, 401, 403, 418):
        server.script = [(status, cookie, echo)]
        with pytest.raises(InputError) as refusal:
            contact(server)
        told.append(f"{refusal.value!r} {refusal.value}")
    assert "you sent *** and ***" in told[0]
    for secret in (TOKEN, "eyJ", "hidden"):
        assert secret not in " ".join(told)
    assert caplog.records
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("before", range(350, 400, 7))
def test_no_part_of_a_token_is_told_where_a_long_answer_is_cut(
    server: Scripted, before: int
) -> None:
    echo = f'{{"detail": "{"x" * before} {TOKEN} was sent"}}'.encode()
    server.script = [(400, {}, echo)]
    with pytest.raises(InputError) as refusal:
        contact(server)
    parts = (TOKEN[start : start + 6] for start in range(len(TOKEN) - 5))
    assert not any(part in str(refusal.value) for part in parts)


def test_server_that_stays_away_is_given_up() -> None:
    with (
        Connection("http://127.0.0.1:9", Token(TOKEN), POLICY) as connection,
        pytest.raises(ServerUnavailableError, match=r"127\.0\.0\.1:9: connecting: gave up after"),
    ):
        connection.first_contact()


def test_expired_token_is_told() -> None:
    expired = (  # {"token_type": "refresh", "exp": 1}, unsigned
        "eyJhbGciOiJub25lIn0.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MX0."
    )
    with pytest.raises(InputError, match="API key has expired") as refusal:
        Connection("http://127.0.0.1:9", Token(expired))
    assert "eyJ" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["", "localhost:8080", "ftp://host", "http://", "http://[::1", "http://host:99999"]
)
def test_address_should_be_one(url: str) -> None:
    with pytest.raises(InputError, match="should look like http"):
        checked_url(url)


def test_address_holds_no_password_and_no_query() -> None:
    with pytest.raises(InputError, match="holds a user name or password") as refusal:
        checked_url("https://me:hunter2@studio.org")
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(InputError, match="should end before"):
        checked_url("https://studio.org/?a=1")
    assert checked_url(" https://studio.org/labels/ ") == "https://studio.org/labels"
