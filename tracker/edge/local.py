"""AUTH_ENABLE=False, on one's own machine: whoever sends no token is the built-in local administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import new_id
from tracker.domain.refusals import Taken
from tracker.domain.registration import new_account
from tracker.domain.session import Session
from tracker.domain.user import Role, User

if TYPE_CHECKING:
    from tracker.domain.clock import Clock
    from tracker.store.contract import Store


class LocalAdministrator:
    """Whoever every request without a token comes from when AUTH_ENABLE is False."""

    USERNAME, EMAIL = "local", "local@localhost"

    def __init__(self, store: Store, now: Clock) -> None:
        """Log in, and register first where this installation has no local administrator yet."""
        self._store, self._now = store, now
        self._session = self._log_in()

    def claims(self) -> dict[str, Any]:
        """Return the claims of a session that is alive: a new one where somebody logged out of the last."""
        session, user = self._store.session(self._session.id), self._store.user(self._session.user_id)
        if session is None or user is None or not session.alive(user, self._now()):
            self._session = self._log_in()
        return {"sub": self._session.user_id, "sid": self._session.id}

    def _log_in(self) -> Session:
        session = Session.new(self._user(), at=self._now())
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
