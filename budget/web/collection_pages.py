"""The pages of a collection: its board, what is decided there, and the stream of its changes."""

from threading import Lock
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from budget.web.changes import Streams
from budget.web.forms import read_form
from budget.web.pages import Pages
from budget.web.places import ShownFolder, place_named
from budget.web.sessions import Sessions
from budget.web.settings import WebSettings

if TYPE_CHECKING:
    from budget.web.watched import WatchedCollection, WatchedCollections


class CollectionPages:
    """Answers all that is asked about collections."""

    def __init__(self, settings: WebSettings, pages: Pages, sessions: Sessions) -> None:
        self._settings, self._pages, self._sessions = settings, pages, sessions
        self._watched: WatchedCollections | None = None
        self._lock = Lock()
        self._streams = Streams()

    def close(self) -> None:
        """Close the stores."""
        if self._watched is not None:
            self._watched.close()

    def routes(self) -> list[Route]:
        """Addresses below /folder/NAME."""
        return [
            Route("/folder/{place}/board", self._board),
            Route("/folder/{place}/board.json", self._board),
            Route("/folder/{place}/board/changes", self._changes),
            Route("/folder/{place}/quality", self._quality),
            Route("/folder/{place}/quality.json", self._quality),
            Route("/folder/{place}/data", self._data),
            Route("/folder/{place}/data.json", self._data),
            Route("/folder/{place}/board/{action}", self._decide, methods=["POST"]),
        ]

    def _place(self, request: Request) -> ShownFolder:
        place = place_named(self._settings.folders, request.path_params["place"])
        if place.kind != "collection":
            raise HTTPException(404)
        return place

    def _collection(self, place: ShownFolder) -> "WatchedCollection":
        return self.prepared().of(place.folder)

    def prepared(self) -> "WatchedCollections":
        """What all pages of collections import: it takes seconds, once, in one thread."""
        with self._lock:
            if self._watched is None:
                from budget.web import (  # noqa: F401
                    board_view,
                    data_view,
                    deciding,
                    quality_view,
                )
                from budget.web.watched import WatchedCollections
                from training.models.quiet import quiet_libraries

                quiet_libraries()
                self._watched = WatchedCollections(self._settings.zone)
            return self._watched

    def _board(self, request: Request) -> Response:
        place = self._place(request)
        facts = self._collection(place).facts()
        from budget.web.board_view import board_view

        is_part = request.headers.get("hx-request") == "true"
        template = "board_part.html" if is_part else "board.html"
        view = board_view(facts, place.folder)
        return self._pages.answer(request, template, facts, place, board=view)

    def _quality(self, request: Request) -> Response:
        place = self._place(request)
        own = self._collection(place)
        from budget.web.quality_view import quality_view

        team, (name, _) = own.team(), own.name_and_strata()
        view = quality_view(team, request.query_params.get("person", ""))
        return self._pages.answer(request, "quality.html", team, place, quality=view, name=name)

    def _data(self, request: Request) -> Response:
        place = self._place(request)
        own = self._collection(place)
        from budget.collection.judged_items import item_page
        from budget.web.data_view import data_view, read_choice

        index, (name, strata) = own.items(), own.name_and_strata()
        page = item_page(index, *read_choice(request.query_params, strata))
        view = data_view(page, strata)
        return self._pages.answer(request, "data.html", page, place, data=view, name=name)

    async def _changes(self, request: Request) -> Response:
        place = await run_in_threadpool(self._place, request)
        collection = await run_in_threadpool(self._collection, place)
        seen = request.headers.get("last-event-id") or request.query_params.get("seen", "")
        return self._streams.of(collection, seen)

    async def _decide(self, request: Request) -> Response:
        place = await run_in_threadpool(self._place, request)
        action = request.path_params["action"]
        await run_in_threadpool(self.prepared)
        from budget.web.deciding import ACTIONS, decide

        if action not in ACTIONS:
            raise HTTPException(404)
        form = await read_form(request, self._sessions)
        await run_in_threadpool(decide, place.folder, action, form)
        return RedirectResponse(f"/folder/{place.name}/board", 303)
