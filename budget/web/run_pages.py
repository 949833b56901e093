"""The pages of a finished run: the explorer, and what was trained."""

from threading import Lock
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from annotation.errors import InputError
from budget.web.pages import Pages, wants_json
from budget.web.places import ShownFolder, place_named
from budget.web.settings import WebSettings

if TYPE_CHECKING:
    from analysis.run.result import RunResult
    from budget.web.explore_form import RunQuestion
    from budget.web.explore_view import ExploreFacts
    from budget.web.known_runs import KnownRuns


class RunPages:
    """Answers all that is asked about runs."""

    def __init__(self, settings: WebSettings, pages: Pages) -> None:
        self._settings, self._pages = settings, pages
        self._known: KnownRuns | None = None
        self._lock = Lock()

    def routes(self) -> list[Route]:
        """Addresses below /folder/NAME."""
        return [
            Route("/folder/{place}/explore", self._explore),
            Route("/folder/{place}/explore.json", self._explore),
            Route("/folder/{place}/explore/turns", self._turns),
            Route("/folder/{place}/trials", self._trials),
            Route("/folder/{place}/trials.json", self._trials),
        ]

    def prepared(self) -> "KnownRuns":
        """What all pages of runs import: it takes a second, once, in one thread."""
        with self._lock:
            if self._known is None:
                from budget.web import explore_form, explore_view, trials_view  # noqa: F401
                from budget.web.known_runs import KnownRuns

                self._known = KnownRuns()
            return self._known

    def _run(self, request: Request) -> "tuple[ShownFolder, RunResult]":
        place = place_named(self._settings.folders, request.path_params["place"])
        if place.kind != "run":
            raise HTTPException(404)
        return place, self.prepared().result(place.folder)

    def _explore(self, request: Request) -> Response:
        place, result = self._run(request)
        from budget.web.explore_form import fields_of, methods_of, read_question
        from budget.web.explore_view import explore_view

        given = dict(request.query_params)
        is_part = request.headers.get("hx-request") == "true"
        values: dict[str, object] = {"query": "", "wrong": "", "answer": None}
        status = 200
        try:
            asked = read_question(result, given)
            facts = self._decided(place, result, asked, wants_json(request))
            values |= {"query": asked.query, "answer": explore_view(facts)}
        except InputError as error:
            if wants_json(request):
                raise
            facts, asked = None, None
            # A slider on its way through what cannot be is no failure of the page.
            status, values["wrong"] = 200 if is_part else 400, _plainly(str(error))
        values |= {
            "fields": fields_of(result, given),
            "methods": methods_of(result, given),
            "run": result.name,
            "target": result.target,
        }
        template = "explore_part.html" if is_part else "explore.html"
        answer = self._pages.answer(request, template, facts or {}, place, status, **values)
        if is_part and asked is not None:
            own = f"?{asked.query}" if asked.query else ""
            answer.headers["HX-Replace-Url"] = f"/folder/{place.name}/explore{own}"
        return answer

    def _decided(
        self, place: ShownFolder, result: "RunResult", asked: "RunQuestion", with_sides: bool
    ) -> "ExploreFacts":
        from budget.decision.prepared import prepared
        from budget.decision.replan import replanned
        from budget.web.explore_view import ExploreFacts

        own = prepared(result, asked.options, str(place.folder))
        decision = replanned(own, asked.options, with_sides)
        curves = self.prepared().curves(place.folder, own, asked.options)
        return ExploreFacts(decision=decision, by_budget=curves)

    def _turns(self, request: Request) -> Response:
        """What would turn the decision: it takes longer than the rest, so it comes after it."""
        place, result = self._run(request)
        from budget.decision.prepared import prepared
        from budget.decision.replan import replanned
        from budget.web.explore_form import read_question
        from budget.web.explore_view import turns_view

        asked = read_question(result, dict(request.query_params))
        own = prepared(result, asked.options, str(place.folder))
        decision = replanned(own, asked.options)
        is_part = request.headers.get("hx-request") == "true"
        template = "turns_part.html" if is_part else "turns.html"
        return self._pages.answer(
            request, template, decision, place, turns=turns_view(decision), query=asked.query
        )

    def _trials(self, request: Request) -> Response:
        place, result = self._run(request)
        from budget.web.trials_view import trials_of, trials_view

        facts = trials_of(result)
        return self._pages.answer(request, "trials.html", facts, place, trials=trials_view(facts))


def _plainly(message: str) -> str:
    """A message without the names of options, which the page does not have."""
    for option, words in (
        ("--value-per-point", "what a point is worth:"),
        ("--error-rate", "error rate"),
        ("--budget", "the budget"),
        ("--cost", "cost"),
    ):
        message = message.replace(option, words)
    return message[:1].upper() + message[1:]
