"""Pages from templates, and the same facts as JSON: one answer for people, one for machines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from analysis.html_page import page_environment
from annotation.errors import InputError, MachineError
from annotation.locks import FolderInUseError
from budget.web.places import NoSuchFolderError, ShownFolder
from budget.web.sessions import Sessions
from budget.web.settings import WebSettings
from budget.web.words import words_of

_STATIC = "budget.web"
STYLES = {"page.css": ("analysis", "page_style.css")}


@dataclass(frozen=True)
class Tab:
    """One of the pages of a place."""

    path: str
    title: str


TABS: Mapping[str, tuple[Tab, ...]] = {
    "collection": (Tab("board", "Board"), Tab("quality", "Quality"), Tab("data", "Data")),
    "run": (Tab("explore", "Explore"), Tab("trials", "Trials")),
    "nothing": (),
}


@cache
def static_file(name: str) -> bytes:
    """A file that pages load; only ours are there, whatever the name is.

    Raises FileNotFoundError if there is none.
    """
    if name in STYLES:
        package, file = STYLES[name]
        return files(package).joinpath(file).read_bytes()
    for own in files(_STATIC).joinpath("static").iterdir():
        if own.name == name:
            return own.read_bytes()
    raise FileNotFoundError(name)


@cache
def static_address(name: str) -> str:
    """Where a file is, with a mark of its content: browsers may keep it for good."""
    return f"/static/{name}?{sha256(static_file(name)).hexdigest()[:12]}"


def wants_json(request: Request) -> bool:
    """Whether the address ends in .json, or asks for it."""
    return request.url.path.endswith(".json") or request.query_params.get("format") == "json"


class Pages:
    """Makes the answers of one application."""

    def __init__(self, settings: WebSettings, sessions: Sessions) -> None:
        self._settings, self._sessions = settings, sessions
        self._templates: Environment = page_environment(PackageLoader("budget.web"))
        self._templates.globals["static"] = static_address

    def answer(
        self,
        request: Request,
        template: str,
        facts: BaseModel | Mapping[str, object],
        place: ShownFolder | None = None,
        status: int = 200,
        **values: object,
    ) -> Response:
        """The facts as a page, or as JSON where that is asked for."""
        if wants_json(request):
            return as_json(facts, status)
        word = self._sessions.word(request)
        is_new = word is None
        word = word or self._sessions.begin()
        path = request.url.path.rpartition("/")[2]
        text = self._templates.get_template(template).render(
            place=place,
            tabs=() if place is None else TABS[place.kind],
            here=path,
            words=words_of(path) if template != "told.html" else [],
            form_token=self._sessions.form_token(word),
            who=self._settings.who,
            **values,
        )
        response = HTMLResponse(text, status)
        if is_new and not self._sessions.needs_token:
            self._sessions.keep(response, word)
        return response

    def on_input_error(self, request: Request, error: Exception) -> Response:
        """What went wrong, in its line."""
        assert isinstance(error, InputError)
        return self.told(request, str(error), status_of(error))

    def told(self, request: Request, message: str, status: int) -> Response:
        """A page of one line, and a way back."""
        if request.url.path.endswith("/changes"):
            return PlainTextResponse(f"{message}\n", status)
        values = {"message": message, "back": _back(request)}
        is_part = request.headers.get("hx-request") == "true"
        template = "told_part.html" if is_part else "told.html"
        return self.answer(request, template, {"error": message}, None, status, **values)


def _back(request: Request) -> str:
    """The folder's own page, or the list of folders, where there is none to go back to."""
    name = str(request.path_params.get("place", ""))
    is_post = request.method == "POST" and name.replace("-", "").replace("_", "").isalnum()
    return f"/folder/{name}" if is_post else "/"


def status_of(error: InputError) -> int:
    """The status of an answer that tells of this error."""
    match error:
        case NoSuchFolderError():
            return 404
        case FolderInUseError():
            return 409
        case MachineError():
            return 503
        case _:
            return 400


def as_json(facts: BaseModel | Mapping[str, object], status: int = 200) -> Response:
    """Facts for machines; money as texts, exactly."""
    if isinstance(facts, BaseModel):
        text = facts.model_dump_json(indent=2)
    else:
        text = json.dumps(facts, indent=2, default=str)
    return Response(text, status, media_type="application/json")
