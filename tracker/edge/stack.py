"""Connexion and Flask, put together so that a request runs through both in one thread, to its end, without waiting.

Connexion loads the document, routes each operationId to its handler and asks for security; Flask dispatches and
answers. Replaced are the three parts that fail or wait (docs/decisions has the measurements): the request validation,
the operation that is rebuilt on every request, and the bridge of threads in front of Flask. The middlewares that serve
a Swagger UI, validate responses and start lifespans are left out: other rooms do these.

Private names of connexion 3.3.0 are used here and in ``flask_in_place.py`` alone; ``tests/edge/test_stack.py`` breaks
when they change.
"""

from __future__ import annotations

import contextvars
import re
import warnings
from functools import cache, partial
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():  # it imports Starlette's test client, which warns of the HTTP library it would use
    warnings.simplefilter("ignore")
    import connexion
from connexion.exceptions import ProblemException
from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityAPI, SecurityMiddleware, SecurityOperation
from connexion.options import SwaggerUIOptions
from connexion.resolver import Resolver
from connexion.security import NO_VALUE
from starlette.routing import Match

from tracker.domain.refusals import Unauthenticated
from tracker.edge.call import CALL, Answer, Call
from tracker.edge.flask_in_place import ENDPOINTS, FlaskInPlace
from tracker.edge.problems import NoSuchPath
from tracker.edge.validation import RequestValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from tracker.edge.document import Document, Json
    from tracker.edge.flask_in_place import Endpoint, Receive, Scope, Send
    from tracker.edge.security import Bearer

    App = Callable[[Scope, Receive, Send], Coroutine[None, None, None]]


_BEARER = "tracker.bearer"


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
            "extensions": {CALL: call, ENDPOINTS: self.endpoints, _BEARER: self.bearer},
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
        middlewares=[RoutingMiddleware, _Security, partial(Contract, validators=validators)],
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
        call.claims = extensions[_BEARER].claims(call)
        return NO_VALUE if call.claims is None else call.claims


class _Asked:
    """What Connexion's security asks of a request: its own makes Starlette's of each, which nobody reads."""

    __slots__ = ("context", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.context: dict[str, Any] = {}


class _SecurityOperation(SecurityOperation):
    """Connexion's, which verifies who asks for an operation before it is gone on with."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.security:
            await self.verification_fn(_Asked(scope))
        await self.next_app(scope, receive, send)


class _SecurityAPI(SecurityAPI):
    def make_operation(self, operation: Any) -> Any:
        factory = self.security_handler_factory
        return _SecurityOperation.from_operation(operation, next_app=self.next_app, security_handler_factory=factory)


class _Security(SecurityMiddleware):
    api_cls = _SecurityAPI


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
