"""The composition root of the web: it knows every room, no room knows it."""

from __future__ import annotations

import logging.config
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tracker.api import accounts, health, tasks
from tracker.api.cursors import Cursors
from tracker.domain import clock
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.refusals import Taken
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.user import Role
from tracker.edge.commits import Carrier, Misfit
from tracker.edge.document import Document
from tracker.edge.document import document_bytes as document_bytes  # noqa: PLC0414 - the command line prints it
from tracker.edge.front import Front
from tracker.edge.guard import Guard
from tracker.edge.pages import Pages
from tracker.edge.passwords import Argon2Passwords
from tracker.edge.responder import Responder
from tracker.edge.security import Actors, Bearer
from tracker.edge.stack import Stack
from tracker.edge.tokens import AccessTokens
from tracker.logs import logging_config
from tracker.settings import Settings
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker.api.reply import Reply
    from tracker.domain.clock import Clock
    from tracker.domain.user import User
    from tracker.store.contract import Store

THREADS = 4
_MODULES = {"Accounts": accounts, "Health": health, "Tasks": tasks}


def create_app() -> Front:
    """Return the ASGI application of one server process, configured by its environment."""
    settings = Settings()
    logging.config.dictConfig(logging_config(settings))
    store = open_store(settings, connections=THREADS)
    return Front(responder(settings, store), threads=THREADS, close=store.close)


def responder(settings: Settings, store: Store, *, now: Clock = clock.now) -> Responder:
    """Return the whole application behind the sockets, on a store whose schema is at hand."""
    document = Document(document_bytes())
    access_tokens = tokens(settings)
    everybody = None if settings.auth_enable else LocalAdministrator(store, now).claims
    collaborators = {
        "passwords": passwords(settings),
        "tokens": access_tokens,
        "cursors": Cursors(settings.secret_key.get_secret_value()),
        "first_user_is_admin": settings.development,
    }
    actors = Actors(store, now)
    endpoints = {
        operation.id: Carrier(
            operation,
            handler_of(operation.id, operation.tag),
            store=store,
            actors=actors,
            clock=now,
            collaborators=collaborators,
        ).carry_out
        for operation in document.operations
    }
    guard = Guard(document.operations, hosts=settings.allowed_hosts)
    bearer = Bearer(access_tokens, now, everybody=everybody)
    return Responder(guard, Pages(document), Stack(document, endpoints, bearer))


def handler_of(operation_id: str, tag: str) -> Callable[..., Reply]:
    """Return the function of an operation: ``createTask`` of ``Tasks`` is ``create_task`` in ``api/tasks.py``."""
    name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation_id)
    handler: Callable[..., Reply] | None = getattr(_MODULES.get(tag), name, None)
    if handler is None:
        raise Misfit(f"{operation_id} has no handler {name} in the module of the tag {tag}")
    return handler


def open_store(settings: Settings, *, connections: int) -> Store:
    """Return the store the settings name, neither connected nor migrated yet."""
    return SqlStore.open(settings.database_url, connections=connections)


def tokens(settings: Settings) -> AccessTokens:
    """Return what issues and checks access tokens."""
    return AccessTokens(
        settings.secret_key.get_secret_value(),
        algorithm=settings.algorithm,
        lifetime=timedelta(minutes=settings.access_token_expire_minutes),
    )


def passwords(settings: Settings) -> Argon2Passwords:
    """Return what hashes passwords: over all server processes, one at a time per core."""
    return Argon2Passwords(settings.password_policy, parallel=max(1, (os.cpu_count() or 1) // settings.workers))


class LocalAdministrator:
    """Whoever every request without a token comes from when AUTH_ENABLE is False."""

    USERNAME, EMAIL = "local", "local@localhost"

    def __init__(self, store: Store, now: Clock) -> None:
        """Log in, and register first where this installation has no local administrator yet."""
        self._store, self._now = store, now
        self._session = self._log_in()

    def claims(self) -> dict[str, Any]:
        """Return the claims of a session that is alive: a new one where somebody logged out of the last."""
        session = self._store.session(self._session.id)
        if session is None or not session.alive(self._now()):
            self._session = self._log_in()
        return {"sub": self._session.user_id, "sid": self._session.id}

    def _log_in(self) -> Session:
        session = Session.new(self._user().id, at=self._now())
        self._commit(session.user_id, Change(None, session))
        return session

    def _user(self) -> User:
        user = self._store.user_named(username=self.USERNAME)
        if user is not None:
            return user
        user, changes = new_account(
            username=self.USERNAME, email=self.EMAIL, role=Role.ADMIN, password_hash="", at=self._now()
        )
        try:
            self._commit(user.id, *changes)
        except Taken:  # another server process was first
            return self._user()
        return user

    def _commit(self, user_id: str, *changes: Change) -> None:
        self._store.commit(ChangeSet(new_id(), user_id, self._now(), changes))
