"""Who has to know the token, and how it is given."""

from urllib.parse import quote

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from budget.web.forms import LONGEST
from budget.web.pages import Pages
from budget.web.sessions import Sessions

_OPEN = ("/sign-in", "/static/")
_WRONG_SECONDS = 1.0  # that a wrong token costs


class Door:
    """Lets in who has given the token; pages send others to where it is asked for."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app, self._sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        path = request.url.path
        if self._sessions.may_see(request) or path.startswith(_OPEN):
            await self._app(scope, receive, send)
            return
        wants_page = "text/html" in request.headers.get("accept", "") and request.method == "GET"
        answer: Response = (
            RedirectResponse(f"/sign-in?to={quote(path, safe='/')}", 303)
            if wants_page
            else PlainTextResponse("The token is missing; see docs/guide/app.md.\n", 401)
        )
        await answer(scope, receive, send)


def sign_in_routes(pages: Pages, sessions: Sessions) -> list[Route]:
    """The page that asks for the token."""

    def ask(request: Request) -> Response:
        if not sessions.needs_token:
            return RedirectResponse("/", 303)
        return _page(request, "")

    async def take(request: Request) -> Response:
        async with request.form(max_files=0, max_fields=5) as form:
            given, to = str(form.get("token", "")), str(form.get("to", ""))
        if len(given) > 2 * LONGEST or not sessions.is_token(given.strip()):
            await anyio.sleep(_WRONG_SECONDS)
            return _page(request, "That is not the token.")
        answer = RedirectResponse(_own(to), 303)
        sessions.keep(answer, sessions.begin())
        return answer

    def _page(request: Request, wrong: str) -> Response:
        to = _own(request.query_params.get("to", "/"))
        return pages.answer(
            request, "sign_in.html", {}, status=401 if wrong else 200, to=to, wrong=wrong
        )

    return [
        Route("/sign-in", ask, methods=["GET"]),
        Route("/sign-in", take, methods=["POST"]),
    ]


def _own(path: str) -> str:
    """A path of this page; the first one, where it would lead elsewhere."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_own else "/"
