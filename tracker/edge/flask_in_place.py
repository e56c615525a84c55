"""Flask, called where Connexion's chain ends: in the same thread, with what Connexion routed to, and nothing around it.

Private names of connexion 3.3.0 and flask 3.1.3 are used here and in ``stack.py`` alone; ``tests/edge/test_stack.py``
breaks when they change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connexion.apps.flask import FlaskApi, FlaskASGIApp
from connexion.middleware.abstract import ROUTING_CONTEXT
from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface

from tracker.edge.call import CALL, Answer, Call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Endpoint = Callable[[Call], Answer]
    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

ENDPOINTS = "tracker.endpoints"
_SCOPE = "tracker.scope"


class FlaskInPlace(FlaskASGIApp):
    """Flask, called where the chain ends, in the same thread."""

    def __init__(self) -> None:
        """Make the Flask application."""
        self.app = _Flask("tracker", static_folder=None)
        self.app.session_interface = _NoSessions()
        self.app.config["TRAP_HTTP_EXCEPTIONS"] = True  # as Connexion sets it: nothing is answered by Flask itself

    def add_api(self, specification: object, *, name: str | None = None, **kwargs: object) -> FlaskApi:
        """Register the operations as Flask's own routes."""
        api = _Api(specification, **kwargs)
        self.app.register_blueprint(api.blueprint, **({"name": name} if name else {}))
        views: Mapping[str, Any] = self.app.view_functions
        self.app.rules = {views[rule.endpoint].operation_id: rule for rule in self.app.url_map.iter_rules()}
        return api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the body is in the call
        """Answer with what Flask answers, without writing it down as WSGI in between."""
        context = self.app.request_context(_environ(scope))
        error: Exception | None = None
        context.push()
        try:
            answer: Any = self.app.full_dispatch_request()
        except Exception as raised:
            error = raised
            raise
        finally:
            context.pop(error)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})


class _Request(Request):
    """What Flask needs to dispatch: what a handler needs is in the call, and of nothing else anything is made."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ, self.shallow = environ, True
        self.method, self.path = environ["REQUEST_METHOD"], environ["PATH_INFO"]

    def close(self) -> None:
        """Nothing was opened."""


class _Flask(Flask):
    """Dispatches to the operation that Connexion routed to: two routers that both decide can disagree.

    Nothing is registered that would run before or after an operation, on teardown, or as a coroutine: nobody looks for
    it on every request, by blueprint and by name.
    """

    rules: Mapping[str, Any]
    request_class = _Request
    response_class = Answer  # type: ignore[assignment]  # complete as it is: nobody adds anything to it

    def create_url_adapter(self, request: Request | None) -> Any:
        """Return what answers Flask's question where a request is to go."""
        return None if request is None else _Routed(self.rules, request.environ[_SCOPE])

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view as it is: all of them are plain functions."""
        return func

    def preprocess_request(self) -> None:
        """Nothing runs before an operation."""

    def process_response(self, response: Any) -> Any:
        """Nothing runs after it, and there is no session to save."""
        return response

    def do_teardown_request(self, exc: object = None) -> None:
        """Nothing runs when its context ends."""

    def do_teardown_appcontext(self, exc: object = None) -> None:
        """Nothing runs when that of the application ends."""


class _Routed:
    """Connexion's routing of one request, in the form of Werkzeug's."""

    def __init__(self, rules: Mapping[str, Any], scope: Scope) -> None:
        self._rules, self._scope = rules, scope

    def match(self, *, return_rule: bool) -> tuple[Any, dict[str, Scope]]:  # noqa: ARG002 - Werkzeug's signature
        """Return the rule, and the one thing that a view takes: the parameters of the path are in the call."""
        operation_id = self._scope["extensions"][ROUTING_CONTEXT]["operation_id"]
        return self._rules[operation_id], {"scope": self._scope}


_NO_SESSION = NullSession()


class _NoSessions(SessionInterface):
    """There are no cookies here."""

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - Flask's signature
        return _NO_SESSION


def _environ(scope: Scope) -> dict[str, Any]:
    """Return what Flask needs to dispatch; what a handler needs is in the call."""
    call: Call = scope["extensions"][CALL]
    return {"REQUEST_METHOD": call.method, "PATH_INFO": call.path, _SCOPE: scope}


class _Api(FlaskApi):
    """Makes views once; Connexion's own wraps the handler anew on every request."""

    def make_operation(self, operation: Any) -> _View:
        return _View(operation.operation_id)


class _View:
    """What Flask calls for an operation."""

    def __init__(self, operation_id: str) -> None:
        self.operation_id = self.__name__ = operation_id  # Flask asks functions for their names

    def __call__(self, scope: Scope) -> Answer:
        endpoints: Mapping[str, Endpoint] = scope["extensions"][ENDPOINTS]
        return endpoints[self.operation_id](scope["extensions"][CALL])
