"""The same handlers under stock Connexion: its own middlewares, validators, security and JSON, Flask behind a2wsgi.

What is measured is the edge: handlers, store, the actor's read and the commit are Tracker's own; a token is decoded as
its documentation does it, and an answer is a dict that Connexion encodes.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import connexion
import jwt
from connexion.resolver import Resolver
from flask import request

from tracker import app, wiring
from tracker.domain import clock
from tracker.domain.query import DEFAULT_LIMIT
from tracker.edge.call import Call
from tracker.edge.commits import DRY_RUN, Carrier
from tracker.edge.document import Document, contract
from tracker.edge.idempotency import Records
from tracker.edge.security import Actors
from tracker.edge.tokens import AUDIENCE, ISSUER
from tracker.edge.validation import RequestValidator
from tracker.settings import Settings
from tracker.store.deciding import decide_and_commit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tracker.api.reply import Body
    from tracker.store.contract import Store

    Answer = tuple[Body | None, int, dict[str, str]]
    Claims = dict[str, Any]
    Scope = dict[str, Any]
    App = Callable[[Scope, object, object], Awaitable[None]]

THREADS = 10  # what a2wsgi has; Connexion gives no way to ask for another number


def create_app() -> App:
    """Return the application of one server process."""
    settings = Settings()
    document = contract()
    operations = Operations(settings, document, wiring.open_store(settings, connections=THREADS))
    root = copy.deepcopy(document.root)
    root["components"]["securitySchemes"]["bearerAuth"]["x-bearerInfoFunc"] = "bench.stock.claims"
    stock = connexion.FlaskApp("bench.stock")
    stock.add_api(root, resolver=Resolver(lambda operation_id: getattr(operations, operation_id, _not_measured)))
    return _with_own_extensions(stock)


def _with_own_extensions(stock: App) -> App:
    """Give each request an ``extensions`` of its own.

    Granian 2.8.7 gives all requests the same dict. Connexion keeps there who asks and for what: of two requests at the
    same time, one would be answered as if the other's user had sent it.
    """

    async def separate(scope: Scope, receive: object, send: object) -> None:
        await stock({**scope, "extensions": {}}, receive, send)

    return separate


def claims(token: str) -> Claims | None:
    """Return the claims of a good token: what Connexion asks for in the document's ``x-bearerInfoFunc``."""
    try:
        return jwt.decode(token, _KEY, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER)
    except jwt.PyJWTError:
        return None


_KEY = Settings().secret_key.get_secret_value()


class Operations:
    """What is measured, taking the arguments that Connexion makes of a request; named as in the document."""

    def __init__(self, settings: Settings, document: Document, store: Store) -> None:
        """Build Tracker's handlers on a store."""
        collaborators = app.collaborators(settings, app.tokens(settings))
        actors = Actors(store, clock.now)
        self._carriers = {
            operation.id: Carrier(
                operation,
                app.handler_of(operation.id, operation.tag),
                store=store,
                actors=actors,
                clock=clock.now,
                records=Records(settings.secret_key.get_secret_value()),
                collaborators=collaborators,
            )
            for operation in document.operations
            if hasattr(self, operation.id)
        }
        self._defaults = {
            operation.id: {n: v for n, v in RequestValidator(operation)._defaults.items() if n != DRY_RUN}
            for operation in document.operations
            if hasattr(self, operation.id)
        }

    def getTask(self, task_id: str, token_info: Claims) -> Answer:  # noqa: N802 - an operationId
        return self._answer("getTask", token_info, {"task_id": task_id})

    def listTasks(self, token_info: Claims, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Answer:  # noqa: N802
        return self._answer("listTasks", token_info, {"limit": limit, "cursor": cursor})

    def createTask(self, body: dict[str, Any], token_info: Claims) -> Answer:  # noqa: N802
        return self._answer("createTask", token_info, {"body": body})

    def changeTaskStatus(self, task_id: str, body: dict[str, Any], token_info: Claims) -> Answer:  # noqa: N802
        return self._answer("changeTaskStatus", token_info, {"task_id": task_id, "body": body})

    def login(self, body: dict[str, Any]) -> Answer:
        return self._answer("login", None, {"body": body})

    def _answer(self, operation_id: str, token_info: Claims | None, arguments: Mapping[str, Any]) -> Answer:
        call = Call(request.method, request.path, request.query_string, {}, "", claims=token_info)
        call.arguments = {**self._defaults[operation_id], **arguments}
        carrier = self._carriers[operation_id]
        decision, receipt = decide_and_commit(
            partial(carrier._decide, call, dry=False), partial(carrier._commit, call, dry=False)
        )
        reply = decision.reply
        body = reply.told(receipt)
        # Connexion encodes the body. The type has to be named: where problems are declared too, it cannot tell.
        headers = {"Content-Type": "application/json", "Cache-Control": "private, no-cache"}
        if body is not None and "version" in body:
            headers["ETag"] = f'"{body["version"]}"'
        if reply.location:
            headers["Location"] = reply.location
        return body, reply.status, headers


def _not_measured() -> Answer:
    return None, 501, {}
