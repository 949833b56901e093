"""Pages hear of changes: a stream of server-sent events for every page that is open."""

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from annotation.errors import InputError

if TYPE_CHECKING:
    from budget.web.watched import WatchedCollection

EVERY = 0.5  # seconds between two looks
_QUIET = 15.0  # seconds after which a line says that the stream is still there
MOST_STREAMS = 200  # pages open at once


class Streams:
    """Counts the streams, so that no more are open than a process can serve."""

    def __init__(self) -> None:
        self._open = 0

    def of(self, collection: "WatchedCollection", seen: str) -> Response:
        """A stream that says whenever the store is not as it was `seen`."""
        if self._open >= MOST_STREAMS:
            return Response(f"{MOST_STREAMS} pages are open already.\n", 503)
        return StreamingResponse(
            self._counted(collection, seen),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},  # nginx would keep events back
        )

    async def _counted(self, collection: "WatchedCollection", seen: str) -> AsyncIterator[str]:
        self._open += 1
        try:
            async for text in _events(collection, seen):
                yield text
        finally:
            self._open -= 1


async def _events(collection: "WatchedCollection", seen: str) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    spoke = time.monotonic()
    while True:
        try:
            stamp = await run_in_threadpool(collection.stamp)
        except InputError:  # the page that is loaded now says what is wrong
            yield _changed("unreadable")
            return
        if stamp != seen:
            yield _changed(stamp)
            seen, spoke = stamp, time.monotonic()
        elif time.monotonic() - spoke > _QUIET:
            yield ": still here\n\n"
            spoke = time.monotonic()
        await anyio.sleep(EVERY)


def _changed(stamp: str) -> str:
    return f"id: {stamp}\nevent: changed\ndata: {stamp}\n\n"
