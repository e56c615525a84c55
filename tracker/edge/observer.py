"""What those who watch are told of a request: once, from its coming in until its answer is about to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker import observed
from tracker.observed import Observers, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.edge.call import Answer, Call
    from tracker.edge.guard import Guard
    from tracker.edge.pages import Pages

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"
UNMATCHED = "unmatched"
PAGE = "page"


class Routes:
    """Knows what a call is for, as data to count by: one of few names, whatever was sent."""

    def __init__(self, guard: Guard, pages: Pages) -> None:
        """Take what knows the paths of the contract, and those of the pages."""
        self._guard, self._pages = guard, pages

    def __call__(self, call: Call) -> tuple[str, str]:
        """Return the template of its path, and its operation."""
        if self._pages.at(call.path) is not None:
            return call.path, PAGE
        return self._guard.place(call) or (UNMATCHED, UNMATCHED)


def unknown(_call: Call) -> tuple[str, str]:
    """Stand for Routes where nobody watches."""
    return UNMATCHED, UNMATCHED


class Watched:
    """Has those who watch told of every request."""

    def __init__(self, observers: Observers | None = None, routes: Callable[[Call], tuple[str, str]] = unknown) -> None:
        """Take those who watch, and what knows the templates."""
        self._observers, self._routes = observers or Observers(), routes

    def began(self, call: Call) -> Request:
        """Tell of a call that is to be answered; ``ended`` has to follow."""
        route, operation = self._routes(call)
        request = call.observed = Request(
            name=operation,
            about={"request_id": call.request_id},
            method=call.method if call.method in METHODS else OTHER,
            route=route,
            traceparent=call.headers.get("traceparent", ""),
        )
        self._observers.began(request)
        return request

    def ended(self, request: Request, call: Call, answer: Answer | None) -> None:
        """Tell of its answer before that is sent: once it is out, it has been counted."""
        if answer is not None:
            request.status, request.size = answer.status, len(answer.body)
            change = answer[b"operation-id"]
            request.change = change.decode() if change else None
        if call.claims:
            request.user_id = str(call.claims["sub"])
        self._observers.ended(request)


def attributed(respond: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """Return ``respond``, with all that happens in its thread meanwhile told of the call it answers."""

    def answer(call: Call) -> Answer:
        with observed.at(call.observed):
            return respond(call)

    return answer
