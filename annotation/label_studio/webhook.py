"""A receiver of webhooks that is only a bell: it says that something changed, never what.

What a delivery holds is not read, so one that is doubled, late, out of order or forged by someone
who knows the secret can do no more than cause a pull that finds nothing new.
"""

import hmac
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

from annotation.errors import InputError

SECRET_HEADER: Final = "X-Labelmix-Secret"
LARGEST_BODY: Final = 1 << 20  # bytes
_SLOWEST_SENDER = 10.0  # seconds between two bytes


class WebhookReceiver:
    """Answers POST requests that carry the secret with 204, and rings.

    Others are refused: 401 without the secret (compared in constant time), 404 for another path,
    411 and 413 for a body of unknown size or one above 1 MiB. It runs in threads of its own from
    `__enter__` to `__exit__`.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one, see `port`.
    path
        The path that is called.
    secret
        What the header X-Labelmix-Secret has to hold.
    ring
        Called for every delivery, from any thread; it should return at once, because Label Studio
        makes the annotator wait.

    Raises
    ------
    InputError
        If the address cannot be listened on.
    """

    def __init__(
        self, host: str, port: int, path: str, secret: str, ring: Callable[[], None]
    ) -> None:
        if not secret:
            raise ValueError("'secret' should not be empty.")
        self.secret = secret
        handler = _handler(path, secret.encode(), ring)
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a sender that hangs should not keep us from ending


def _handler(path: str, secret: bytes, ring: Callable[[], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SLOWEST_SENDER
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
                return 413
            left = int(length)
            while left:
                read = self.rfile.read(min(left, 1 << 16))
                if not read:
                    return 400
                left -= len(read)
            ring()
            return 204

        def _answer(self, status: int) -> None:
            self.close_connection = True
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tell nobody: a log would hold what strangers send."""

    return Handler
