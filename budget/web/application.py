"""The application: which address is answered by what."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from annotation.errors import InputError
from budget.web.collection_pages import CollectionPages
from budget.web.guard import Guard
from budget.web.pages import TABS, Pages, static_file
from budget.web.places import find_places, place_named
from budget.web.run_pages import RunPages
from budget.web.sessions import Sessions
from budget.web.settings import WebSettings
from budget.web.signing_in import Door, sign_in_routes

_TYPES = {"js": "text/javascript", "css": "text/css", "txt": "text/plain", "svg": "image/svg+xml"}
_FOR_GOOD = {"Cache-Control": "max-age=31536000, immutable"}  # the address changes with the file
_ADDRESS = {404: "There is no such page here.", 405: "This address does not take that."}


def make_application(settings: WebSettings) -> ASGIApp:
    """Everything that `labelmix app` serves, guarded."""
    sessions = Sessions(settings)
    pages = Pages(settings, sessions)
    collections = CollectionPages(settings, pages, sessions)
    runs = RunPages(settings, pages)

    def prepare() -> None:
        runs.prepared()
        collections.prepared()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # The first page that is opened need not wait for it, then.
        threading.Thread(target=prepare, daemon=True).start()
        yield
        await run_in_threadpool(collections.close)

    def home(request: Request) -> Response:
        places = find_places(settings.folders)
        facts = {
            "folders": [
                {"name": own.name, "folder": str(own.folder), "kind": own.kind} for own in places
            ]
        }
        return pages.answer(request, "home.html", facts, places=places)

    def first_page(request: Request) -> Response:
        place = place_named(settings.folders, request.path_params["place"])
        if not TABS[place.kind]:
            raise InputError(
                f"{place.folder}: holds neither a run (result.json) nor a collection "
                "(collection.sqlite); begin one there with 'labelmix run' or 'labelmix collect "
                "new', or name another folder."
            )
        return RedirectResponse(f"/folder/{place.name}/{TABS[place.kind][0].path}", 303)

    routes = [
        *both("/", home),
        Route("/index.json", home),
        Route("/static/{name}", _static),
        *sign_in_routes(pages, sessions),
        Route("/folder/{place}", first_page),
        *collections.routes(),
        *runs.routes(),
    ]
    inner = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={
            InputError: pages.on_input_error,
            HTTPException: _on_http_error(pages),
            Exception: _on_fault(pages),
        },
    )
    return Guard(Door(inner, sessions), settings)


def both(path: str, endpoint: Callable[[Request], Response]) -> list[Route]:
    """A page, and its JSON beside it."""
    return [Route(path, endpoint)] + ([] if path == "/" else [Route(f"{path}.json", endpoint)])


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    try:
        content = static_file(name)
    except FileNotFoundError:
        raise HTTPException(404) from None
    kind = _TYPES.get(name.rpartition(".")[2], "text/plain")
    return Response(content, media_type=kind, headers=_FOR_GOOD)


def _on_http_error(pages: Pages) -> Callable[[Request, Exception], Response]:
    def handler(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        message = _ADDRESS.get(error.status_code, error.detail)
        return pages.told(request, message, error.status_code)

    return handler


def _on_fault(pages: Pages) -> Callable[[Request, Exception], Response]:
    def handler(request: Request, error: Exception) -> Response:
        told = "labelmix made a mistake; the terminal in which labelmix app runs says more."
        return pages.told(request, told, 500)

    return handler
