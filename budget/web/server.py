"""One process that serves the page until it is interrupted."""

import socket
from dataclasses import replace

import uvicorn

from annotation.errors import InputError
from budget.web.application import make_application
from budget.web.settings import WebSettings

_SECONDS_TO_END = 1  # that streams of open pages may take
_MOST_AT_ONCE = 500  # requests, streams among them
_SECONDS_IDLE = 15  # that a connection is kept without a request


class PageServer:
    """Listens from the moment it is made, and serves while `run` runs.

    Port 0 takes a free one.

    Raises InputError if the address cannot be listened on.

    Attributes
    ----------
    address : of the first page
    """

    def __init__(self, settings: WebSettings) -> None:
        self._listener = _listening(settings)
        settings = replace(settings, port=int(self._listener.getsockname()[1]))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.address = f"http://{host}:{settings.port}/"
        config = uvicorn.Config(
            make_application(settings),
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
            timeout_keep_alive=_SECONDS_IDLE,
            limit_concurrency=_MOST_AT_ONCE,
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until Ctrl-C, or until `stop` is called in another thread."""
        with self._listener:
            self._server.run(sockets=[self._listener])

    def stop(self) -> None:
        """Let `run` end."""
        self._server.should_exit = True


def _listening(settings: WebSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError(
            f"cannot listen on {settings.host}:{settings.port}: {error}; choose another --port."
        ) from None
    return listener
