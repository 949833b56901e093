"""What is refused before any page is asked: foreign hosts and origins, bodies too large or slow.

The page acts for whoever runs it, so no other site may reach it through that person's browser: by
a name of its own that leads here (DNS rebinding), by a form of its own, or by a frame around ours.
"""

from ipaddress import ip_address
from socket import gethostname
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from budget.web.settings import LOOPBACK, WebSettings

MOST_BYTES = 64 * 1024  # of a body: forms have a few hundred
MOST_SECONDS = 10.0  # to receive a body
_TOO_LARGE = f"More than {MOST_BYTES:,} bytes are not read."
_FOREIGN = "This came from another page than labelmix's own.\n"
_SAFE = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers then send the origin of our own forms as "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Around the application: it answers what it refuses itself, in one line of plain text."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        self._hosts = _Hosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = _Answer(send)
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, _Body(receive), answer)
        else:
            await PlainTextResponse(refusal[1], refusal[0])(scope, receive, answer)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._hosts.may_call(hosts[0]):
            return 421, "This page is not served under that name; see --name of labelmix app.\n"
        if scope["method"] not in _SAFE:
            origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
            if origin is not None and urlsplit(origin).netloc.lower() != hosts[0].lower():
                return 403, _FOREIGN
            if site not in ("same-origin", "none"):
                return 403, _FOREIGN
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 12 or int(length) > MOST_BYTES:
            return 413, f"{_TOO_LARGE}\n"
        return None


class _Hosts:
    """The names that this page goes by."""

    def __init__(self, settings: WebSettings) -> None:
        self._only_loopback = settings.is_loopback
        own = () if settings.is_loopback else (settings.host, gethostname())
        self._names = {name.lower() for name in (*LOOPBACK, *own, *settings.names)}

    def may_call(self, host: str) -> bool:
        """Whether a Host header holds one of the names.

        Beyond loopback any number of an address will do: a name that was led here from elsewhere is
        what is refused.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name.lower().rstrip(".") in self._names:
            return True
        if self._only_loopback:
            return False
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


class _Body:
    """Receives a body of limited size in limited time; raises HTTPException for another."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._until = anyio.current_time() + MOST_SECONDS
        self._ended = False

    async def __call__(self) -> Message:
        if self._ended:  # what is awaited now is that the browser goes
            return await self._receive()
        with anyio.move_on_after(max(0.0, self._until - anyio.current_time())) as limit:
            message = await self._receive()
        if limit.cancelled_caught:
            raise HTTPException(408, f"The body took more than {MOST_SECONDS:.0f} seconds.")
        self._bytes += len(message.get("body", b""))
        if self._bytes > MOST_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        self._ended = not message.get("more_body", False)
        return message


class _Answer:
    """Sends an answer with the headers that all have."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)
