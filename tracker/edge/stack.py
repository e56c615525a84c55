"""Connexion and Flask, put together so that a request runs through both in one thread, to its end, without waiting.

Connexion loads the document, routes each operationId to its handler and asks for security; Flask dispatches and
answers. Replaced are the three parts that fail or wait (docs/decisions has the measurements): the request validation,
the operation that is rebuilt on every request, and the bridge of threads in front of Flask. The middlewares that serve
a Swagger UI, validate responses and start lifespans are left out: other rooms do these.

Private names of connexion 3.3.0 are used here and nowhere else; ``tests/edge/test_stack.py`` breaks when they change.
"""

from __future__ import annotations

import contextvars
import re
import warnings
from functools import cache, lru_cache, partial
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
from starlette.routing import Match

from tracker.domain.refusals import Unauthenticated
from tracker.edge.call import CALL, Answer, Call
from tracker.edge.problems import NoSuchPath
from tracker.edge.validation import RequestValidator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from tracker.edge.document import Document, Json
    from tracker.edge.security import Bearer

    Endpoint = Callable[[Call], Response]
    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Coroutine[None, None, None]]


_SCOPE = "tracker.scope"
_STACK = "tracker.stack"


class Stack:
    """The whole chain as a function from a Call to an Answer."""

    def __init__(self, document: Document, endpoints: Mapping[str, Endpoint], bearer: Bearer) -> None:
        """Answer every operation of the document by its endpoint; KeyError where one has none."""
        self.endpoints = {operation.id: endpoints[operation.id] for operation in document.operations}
        self.bearer = bearer
        self._chain, self._owner = _chain(document)

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
            "extensions": {CALL: call, _STACK: self},
            "app": self._owner,
        }
        coroutine = self._chain(scope, _nothing_to_receive, partial(_collect, messages))
        try:
            contextvars.copy_context().run(coroutine.send, None)
        except StopIteration:
            return Answer(messages[0]["status"], messages[0]["headers"], messages[1]["body"])
        except ProblemException as problem:
            raise _refusal(problem) from problem
        coroutine.close()
        raise RuntimeError("something in the chain waited: it has to run to its end in one thread")


@cache
def _chain(document: Document) -> tuple[App, Any]:
    """Return the chain for a document, and what Connexion calls its owner: what it routes to is looked up in the Stack.

    It keeps nothing of a request, so that one is enough for a process, whoever builds how many stacks of it.
    """
    validators = {operation.id: RequestValidator(operation) for operation in document.operations}
    app = connexion.FlaskApp(
        "tracker",
        middlewares=[RoutingMiddleware, SecurityMiddleware, partial(Contract, validators=validators)],
        resolver=Resolver(lambda _operation_id: _answered_by_its_stack),
        security_map={"bearer": _BearerHandler},
        swagger_ui_options=SwaggerUIOptions(swagger_ui=False, serve_spec=False),
    )
    app.middleware.app = FlaskInPlace()
    app.app = app.middleware.app.app
    app.add_api(_outline(document))
    # Built now: Connexion would build it on the first request, and many first requests build it many times.
    chain, app.middleware.middleware_stack = app.middleware._build_middleware_stack()  # noqa: SLF001 - it has no public name
    for middleware in app.middleware.middleware_stack:
        if isinstance(middleware, RoutingMiddleware):
            middleware.router = DirectRouter(middleware.router)
    return chain, app.middleware


class DirectRouter:
    """Connexion's router, which tries one path after the other: asked first for the one that the guard has found.

    What that one does not match by itself, or what no guard has seen, goes the long way.
    """

    def __init__(self, router: Any) -> None:
        """Take the router that has all paths of one document beneath a mount."""
        self._router = router
        self._routes = {route.endpoint.operation_id: route for mount in router.routes for route in mount.routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to Connexion's operation of its path and method."""
        operation = scope["extensions"][CALL].operation
        route = self._routes.get(operation.id) if operation is not None else None
        match, routed = (Match.NONE, {}) if route is None else route.matches(scope)
        if route is not None and match is Match.FULL:
            scope.update(routed)
            await route.app(scope, receive, send)
        else:
            await self._router(scope, receive, send)


def _answered_by_its_stack() -> None:
    """Stand for every operation where Connexion wants a function of it."""


def _outline(document: Document) -> Json:
    """Return what Connexion needs of the document: which paths there are, by which methods, and who may pass.

    It takes seconds to check the rest against the schema of OpenAPI, which ``tracker openapi --check`` does once and
    for all. Connexion tries one path after the other and takes the first that fits: they come as the document has them,
    but words before parameters where both would fit.
    """
    paths: Json = document.root["paths"]
    places = {_first_part(path): place for place, path in reversed(list(enumerate(paths)))}
    order = sorted(paths, key=lambda path: (places[_first_part(path)], [part[:1] == "{" for part in path.split("/")]))
    return {
        **{name: document.root[name] for name in ("openapi", "info", "security")},
        "components": {"securitySchemes": document.root["components"]["securitySchemes"]},
        "paths": {path: {method: _outlined(path, paths[path][method]) for method in paths[path]} for path in order},
    }


def _first_part(path: str) -> str:
    return path.split("/")[1]


def _outlined(path: str, operation: Json) -> Json:
    names = re.findall(r"{(\w+)}", path)
    return {
        **{name: operation[name] for name in ("operationId", "security") if name in operation},
        "parameters": [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names],
        "responses": {"default": {"description": "As the document says."}},
    }


async def _nothing_to_receive() -> dict[str, Any]:
    raise RuntimeError("the body is in the call")


async def _collect(messages: list[dict[str, Any]], message: dict[str, Any]) -> None:
    messages.append(message)


def _refusal(problem: ProblemException) -> Exception:
    """Return what Connexion refused by itself as ours: a token that is needed and is not there."""
    return Unauthenticated() if problem.status == 401 else problem  # noqa: PLR2004 - HTTP's own number


class _BearerHandler:
    """What Connexion asks for the ``bearer`` scheme; its own inspects the function's signature on every request."""

    def get_fn(self, security_scheme: object, required_scopes: object) -> Callable[[Any], Any]:  # noqa: ARG002 - Connexion's signature
        return self._verify

    def _verify(self, connexion_request: Any) -> Any:
        extensions = connexion_request.scope["extensions"]
        call: Call = extensions[CALL]
        call.claims = extensions[_STACK].bearer.claims(call)
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


_NOTHING = BytesIO()


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
            response = self.app.full_dispatch_request()
        except Exception as raised:
            error = raised
            raise
        finally:
            context.pop(error)
        body = response.get_data()
        headers = tuple([(_header_name(name), value.encode("latin-1")) for name, value in response.headers])
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@lru_cache
def _header_name(name: str) -> bytes:
    return name.lower().encode()


class _Flask(Flask):
    """Dispatches to the operation that Connexion routed to: two routers that both decide can disagree.

    Nothing is registered that would run before or after an operation, on teardown, or as a coroutine: nobody looks for
    it on every request, by blueprint and by name.
    """

    rules: Mapping[str, Any]

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

    def match(self, *, return_rule: bool) -> tuple[Any, dict[str, str]]:  # noqa: ARG002 - Werkzeug's signature
        operation_id = self._scope["extensions"][ROUTING_CONTEXT]["operation_id"]
        return self._rules[operation_id], self._scope["path_params"]


_NO_SESSION = NullSession()


class _NoSessions(SessionInterface):
    """There are no cookies here."""

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002 - Flask's signature
        return _NO_SESSION


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
        "wsgi.input": _NOTHING,
        _SCOPE: scope,
        CALL: call,
    }


class _Api(FlaskApi):
    """Makes views once; Connexion's own wraps the handler anew on every request."""

    def make_operation(self, operation: Any) -> Callable[..., Response]:
        return _View(operation.operation_id)


class _View:
    """What Flask calls for an operation."""

    def __init__(self, operation_id: str) -> None:
        self.operation_id = self.__name__ = operation_id  # Flask asks functions for their names

    def __call__(self, **_path: str) -> Response:
        stack: Stack = request.environ[_SCOPE]["extensions"][_STACK]
        return stack.endpoints[self.operation_id](request.environ[CALL])
