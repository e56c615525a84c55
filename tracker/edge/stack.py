"""Connexion and Flask, put together so that a request runs through both in one thread, to its end, without waiting.

Connexion loads the document, routes each operationId to its handler and asks for security; Flask dispatches and
answers. Replaced are the three parts that fail or wait (docs/decisions has the measurements): the request validation,
the operation that is rebuilt on every request, and the bridge of threads in front of Flask. The middlewares that serve
a Swagger UI, validate responses and start lifespans are left out: other rooms do these.

Private names of connexion 3.3.0 are used here and nowhere else; ``tests/edge/test_stack.py`` breaks when they change.
"""

from __future__ import annotations

import contextvars
import warnings
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():  # it imports Starlette's test client, which warns of the HTTP library it would use
    warnings.simplefilter("ignore")
    import connexion
from connexion.apps.flask import FlaskApi, FlaskASGIApp
from connexion.exceptions import ProblemException
from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver
from connexion.security import NO_VALUE
from flask import Flask, Request, Response, request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

from tracker.domain.refusals import Unauthenticated
from tracker.edge.call import CALL, Answer, Call
from tracker.edge.problems import NoSuchPath
from tracker.edge.validation import RequestValidator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from werkzeug.routing import Map

    from tracker.edge.document import Document
    from tracker.edge.security import Bearer

    Endpoint = Callable[[Call], Response]
    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Stack:
    """The whole chain as a function from a Call to an Answer."""

    def __init__(self, document: Document, endpoints: Mapping[str, Endpoint], bearer: Bearer) -> None:
        """Route every operation of the document to its endpoint, by operationId."""
        validators = {operation.id: RequestValidator(operation) for operation in document.operations}
        app = connexion.FlaskApp(
            "tracker",
            middlewares=[RoutingMiddleware, SecurityMiddleware, partial(Contract, validators=validators)],
            resolver=Resolver(lambda operation_id: endpoints[operation_id]),
            security_map={"bearer": lambda: _BearerHandler(bearer)},
            swagger_ui_options=SwaggerUIOptions(swagger_ui=False, serve_spec=False),
        )
        app.middleware.app = FlaskInPlace(app.app)
        app.add_api(document.root)
        # Built now: Connexion would build it on the first request, and many first requests build it many times.
        self._app, app.middleware.middleware_stack = app.middleware._build_middleware_stack()  # noqa: SLF001 - it has no public name
        self._owner = app.middleware

    def __call__(self, call: Call) -> Answer:
        """Run a call through to its answer; whatever is raised on the way is raised here."""
        messages: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "method": call.method,
            "path": call.path,
            "root_path": "",
            "query_string": call.query,
            "headers": [],
            "extensions": {CALL: call},
            "app": self._owner,
        }
        coroutine = self._app(scope, _nothing_to_receive, partial(_collect, messages))
        try:
            contextvars.copy_context().run(coroutine.send, None)
        except StopIteration:
            return Answer(messages[0]["status"], messages[0]["headers"], messages[1]["body"])
        except ProblemException as problem:
            raise _refusal(problem) from problem
        coroutine.close()
        raise RuntimeError("something in the chain waited: it has to run to its end in one thread")


async def _nothing_to_receive() -> dict[str, Any]:
    raise RuntimeError("the body is in the call")


def _no_writing(_chunk: bytes) -> None:
    raise RuntimeError("answers are whole")


async def _collect(messages: list[dict[str, Any]], message: dict[str, Any]) -> None:
    messages.append(message)


def _refusal(problem: ProblemException) -> Exception:
    """Return what Connexion refused by itself as ours: a token that is needed and is not there."""
    return Unauthenticated() if problem.status == 401 else problem  # noqa: PLR2004 - HTTP's own number


class _BearerHandler:
    """What Connexion asks for the ``bearer`` scheme; its own inspects the function's signature on every request."""

    def __init__(self, bearer: Bearer) -> None:
        self._bearer = bearer

    def get_fn(self, security_scheme: object, required_scopes: object) -> Callable[[Any], Any]:  # noqa: ARG002 - Connexion's signature
        return self._verify

    def _verify(self, connexion_request: Any) -> Any:
        call: Call = connexion_request.scope["extensions"][CALL]
        call.claims = self._bearer.claims(call)
        return NO_VALUE if call.claims is None else call.claims


class Contract(SpecMiddleware):
    """Holds a routed request to the document, and lets nothing past that Connexion did not route."""

    def __init__(self, app: App, validators: Mapping[str, RequestValidator]) -> None:
        """Take one validator an operation."""
        self._app = app
        self._validators = validators

    def add_api(self, specification: object, **kwargs: object) -> None:
        """Nothing: the validators were made from the same document."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise a bad token before a bad request: who is not known is not told what the contract says."""
        call: Call = scope["extensions"][CALL]
        operation_id = scope["extensions"].get(ROUTING_CONTEXT, {}).get("operation_id")
        if operation_id is None:
            raise NoSuchPath
        if call.refusal is not None:
            raise call.refusal
        call.arguments = self._validators[operation_id].arguments(call, scope["path_params"])
        await self._app(scope, receive, send)


class FlaskInPlace(FlaskASGIApp):
    """Flask, called where the chain ends, in the same thread."""

    def __init__(self, flask_app: Flask) -> None:
        """Take the Flask application that ``connexion.FlaskApp`` made.

        It is told what it would find out anew on every request: there are no cookies, and one host is like another.
        """
        self.app = flask_app
        flask_app.session_interface = _NoSessions()
        flask_app.create_url_adapter = partial(_url_adapter, flask_app.url_map)  # type: ignore[method-assign]  # made for it

    def add_api(self, specification: object, *, name: str | None = None, **kwargs: object) -> FlaskApi:
        """Register the operations as Flask's own routes."""
        api = _Api(specification, **kwargs)
        self.app.register_blueprint(api.blueprint, **({"name": name} if name else {}))
        return api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the body is in the call
        """Answer with what Flask answers."""
        started: dict[str, Any] = {"type": "http.response.start"}

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None
        ) -> Callable[[bytes], object]:
            started["status"] = int(status[:3])
            started["headers"] = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers)
            return _no_writing

        body = b"".join(self.app.wsgi_app(_environ(scope), start_response))
        await send(started)
        await send({"type": "http.response.body", "body": body})


class _NoSessions(SessionInterface):
    """Flask's sessions are cookies; a bearer token is not one."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - Flask's signature
        return self._none

    def save_session(self, app: Flask, session: object, response: Response) -> None:
        """Nothing: there is none."""


def _url_adapter(url_map: Map, flask_request: Request | None) -> MapAdapter | None:
    if flask_request is None:
        return None
    return MapAdapter(url_map, "tracker", "/", "", "http", flask_request.path, flask_request.method)


def _environ(scope: Scope) -> dict[str, Any]:
    """Return what Flask needs to dispatch; what a handler needs is in the call."""
    call: Call = scope["extensions"][CALL]
    return {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": call.path,
        "QUERY_STRING": "",
        "SERVER_NAME": "tracker",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        CALL: call,
    }


class _Api(FlaskApi):
    """Makes views once; Connexion's own wraps the handler anew on every request."""

    def make_operation(self, operation: Any) -> Callable[..., Response]:
        endpoint: Endpoint = operation.function

        def view(**_path: str) -> Response:
            return endpoint(request.environ[CALL])

        return view
