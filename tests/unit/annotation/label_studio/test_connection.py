"""Against a server in this process that answers as it is told."""

import gzip
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


@pytest.mark.parametrize(
    "location",
    [
        "https://me:hunter2@other.org/labels",
        "https://other.org/labels?token=hunter2&a=b",
        "https://other.org/labels#hunter2",
        "//me:hunter2@other.org/labels",
        "https:/me:hunter2@other.org/labels?hunter2",
        "/labels?next=x&token=hunter2",
        "/labels;session=hunter2",
    ],
)
def test_where_a_redirect_leads_is_told_without_secrets(server: Scripted, location: str) -> None:
    server.script = [(302, {"Location": location}, b"")]
    with pytest.raises(RefusedError, match=r"sends us on to \S*/?labels; give") as refusal:
        contact(server)
    assert "hunter2" not in str(refusal.value)


def test_addresses_that_a_server_names_are_told_without_secrets(server: Scripted) -> None:
    text = "see https://me:hunter2@x.org/help?token=hunter2 now, or ask?"
    server.script = [(400, {}, f'{{"detail": "{text}"}}'.encode())]
    with pytest.raises(RefusedError, match=r"see https://x\.org/help now, or ask\?") as refusal:
        contact(server)
    assert "hunter2" not in str(refusal.value)


def test_a_query_of_the_address_is_not_repeated() -> None:
    with pytest.raises(InputError) as refusal:
        checked_url("https://studio.org/?token=hunter2")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"id": 1, "email": "\xe9"}', "it is not UTF-8 text"),
        (b"[" * 200_000, "its brackets are nested too deeply"),
        (b'{"id": ' + b"1" * 5000 + b"}", "it holds a number of thousands of digits"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_cannot_be_read_is_one_line(
    server: Scripted, body: bytes, words: str, status: int
) -> None:
    server.script = [(status, {"Content-Type": "application/json"}, body)]
    with pytest.raises(InputError, match=f"the answer cannot be read: {words}") as told:
        contact(server)
    assert len(str(told.value)) < 300
    assert len(server.seen) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_without_bound_is_refused(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr("annotation.label_studio.connection._LARGEST_ANSWER", 100_000)
    body = b'"' + b"x" * 200_000 + b'"'
    headers = {"Content-Encoding": "gzip"} if packed else {}
    server.script = [(200, headers, gzip.compress(body) if packed else body)]
    with pytest.raises(InputError, match="more than 100,000 bytes"):
        contact(server)


def test_an_answer_badly_packed_is_one_short_line(server: Scripted) -> None:
    server.script = [(200, {"Content-Encoding": "gzip"}, b"x" * 5000)]
    with pytest.raises(InputError, match="DecodingError") as told:
        contact(server)
    assert len(str(told.value)) < 600
