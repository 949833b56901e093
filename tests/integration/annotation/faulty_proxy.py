"""A proxy that loses, refuses, delays, cuts off and repeats requests, on a script."""

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

Fault = Literal[
    "none",  # passed on
    "reset before",  # the connection is reset, the request never arrives
    "reset after",  # the request arrives, its answer is lost
    "429",  # refused, to be tried again at once
    "500 before",  # an error, and nothing was done
    "500 after",  # an error, although it was done
    "cut off",  # the connection is reset in the middle of the answer
    "slow",  # the answer comes in drops
    "no answer",  # the request arrives, the answer takes longer than anyone waits
    "late",  # the request arrives late
    "twice",  # the request arrives twice
]
FAULTS: tuple[Fault, ...] = (
    "reset before",
    "reset after",
    "429",
    "500 before",
    "500 after",
    "cut off",
    "slow",
)


class FaultyProxy:
    """Passes requests on to `upstream`, each with the fault that `choose(method, path)` says.

    `faults` counts what was done. `hold` is how long "no answer" takes, in seconds.
    """

    def __init__(
        self, upstream: str, choose: Callable[[str, str], Fault], hold: float = 3.0
    ) -> None:
        parts = urlsplit(upstream)
        self.choose = choose
        self.faults: Counter[Fault] = Counter()
        self.hold = hold
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are written apart: the body would wait for the head's acknowledgement.
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                proxy._handle(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

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

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            fault = self.choose(handler.command, handler.path)
            self.faults[fault] += 1
        if fault == "reset before":
            _reset(handler)
        elif fault == "429":
            _answer(handler, 429, {"Retry-After": "0"}, b'{"detail": "slow down"}')
        elif fault == "500 before":
            _answer(handler, 500, {}, b'{"detail": "nothing was done"}')
        else:
            self._pass_on(handler, body, fault)

    def _pass_on(self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault) -> None:
        if fault == "late":
            time.sleep(0.3)
        status, headers, content = self._forward(handler, body)
        if fault == "twice":
            status, headers, content = self._forward(handler, body)
        if fault == "no answer":
            time.sleep(self.hold)
        if fault in ("reset after", "no answer"):
            _reset(handler)
        elif fault == "500 after":
            _answer(handler, 502, {}, b"<html>Bad gateway</html>")
        else:
            _answer(handler, status, headers, content, fault)

    def _forward(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        skipped = ("host", "connection", "content-length", "accept-encoding")
        headers = {k: v for k, v in handler.headers.items() if k.lower() not in skipped}
        try:
            connection.request(handler.command, handler.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            kept = {k: v for k, v in answer.getheaders() if k.lower() == "content-type"}
            return answer.status, kept, content
        finally:
            connection.close()


def _answer(
    handler: BaseHTTPRequestHandler,
    status: int,
    headers: dict[str, str],
    content: bytes,
    fault: Fault = "none",
) -> None:
    try:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if fault == "cut off" and content:
            handler.wfile.write(content[: len(content) // 2])
            _reset(handler)
        elif fault == "slow":
            for drop in range(5):
                part = len(content) // 5 + 1
                handler.wfile.write(content[drop * part : (drop + 1) * part])
                handler.wfile.flush()
                time.sleep(0.01)
        else:
            handler.wfile.write(content)
    except OSError:  # whoever asked has gone
        handler.close_connection = True


def _reset(handler: BaseHTTPRequestHandler) -> None:
    """End the connection with a reset instead of a proper close."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.shutdown(socket.SHUT_RD)
    handler.rfile.close()
    handler.connection.close()
