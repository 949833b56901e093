"""A receiver of webhooks: it hands on what was delivered by someone who knows the secret.

What becomes of a delivery is not its business, and no sender waits for that: Label Studio sends a
webhook while the annotator waits, gives it up after a second, and does not send it again. So an
answer that promised more would gain nothing, and what is missed is mended by a pull all the same.
"""

import hmac
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from annotation.errors import InputError

SECRET_HEADER: Final = "X-Labelmix-Secret"
LARGEST_BODY: Final = 1 << 20  # bytes
LONGEST = 10.0  # seconds for a whole delivery
MOST_AT_ONCE = 64  # connections, each with a thread and a body in memory
# Seconds for which Python lets another thread wait that wants to run. While this process works at
# something else, every turn of a delivery waits so long; with the usual .005 s it could answer some
# 400 a second.
_TURN = 0.0005
_WAITING = 1024  # connections that wait for their turn, which no burst should fill
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

Deliver = Callable[[bytes | None], bool]
"""Takes the body of a delivery, None for one too large to be read; False where there is no room.

Called from any thread; it should return at once.
"""


class WebhookReceiver:
    """Answers POST requests that carry the secret with 204, and hands on what they hold.

    Others are refused: 401 without the secret (compared in constant time), 404 for another path,
    411 and 413 for a body of unknown size or one above 1 MiB; and 503 where there is no room, here
    or where deliveries go. Who takes longer than 10 s is cut off. It runs in threads of its own
    from `__enter__` to `__exit__`.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one, see `port`.
    path
        The path that is called.
    secret
        What the header X-Labelmix-Secret has to hold.
    deliver
        Called for every delivery, see `Deliver`.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    """

    def __init__(self, host: str, port: int, path: str, secret: str, deliver: Deliver) -> None:
        if not secret:
            raise ValueError("'secret' should not be empty.")
        self.secret = secret
        handler = _handler(path, secret.encode(), deliver)
        try:
            self._server = _Server((host, port), handler)
        except (OSError, OverflowError) as error:
            raise InputError(f"cannot listen on {host}:{port}: {error}.") from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), daemon=True, name="webhooks"
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._usual = sys.getswitchinterval()
        sys.setswitchinterval(_TURN)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        sys.setswitchinterval(self._usual)


# What the library calls a request; here it always is a socket.
_Request = socket.socket | tuple[bytes, socket.socket]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a sender that hangs should not keep us from ending
    request_queue_size = _WAITING

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._lock = threading.Lock()
        self._began: dict[_Request, float] = {}  # open connections
        super().__init__(address, handler)

    def process_request(self, request: _Request, client_address: object) -> None:
        with self._lock:
            is_full = len(self._began) >= MOST_AT_ONCE
            if not is_full:
                self._began[request] = time.monotonic()
        if is_full:
            if isinstance(request, socket.socket):
                with suppress(OSError):
                    request.setblocking(False)
                    request.send(_FULL)
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: _Request) -> None:
        with self._lock:
            self._began.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off who sends a byte now and then, and so would hold a place for ever."""
        now = time.monotonic()
        with self._lock:
            for request, began in self._began.items():
                if now - began > LONGEST and isinstance(request, socket.socket):
                    with suppress(OSError):
                        request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell nobody that a sender went away: every stranger can make that happen."""


def _handler(path: str, secret: bytes, deliver: Deliver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = LONGEST
        server_version = "labelmix"
        sys_version = ""

        def do_POST(self) -> None:
            given = self.headers.get(SECRET_HEADER, "").encode("latin-1", "replace")
            if not hmac.compare_digest(given, secret):
                self._answer(401)
            elif self.path.partition("?")[0] != path:
                self._answer(404)
            else:
                self._answer(self._take_body())

        def _take_body(self) -> int:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdecimal()):
                return 411
            if len(length) > 9 or int(length) > LARGEST_BODY:
                deliver(None)
                return 413
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                return 400
            return 204 if deliver(body) else 503

        def _answer(self, status: int) -> None:
            self.close_connection = True
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tell nobody: a log would hold what strangers send."""

    return Handler
