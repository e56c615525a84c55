"""Sessions: one per login. Access tokens name their session; refresh tokens rotate, and a used one ends the session."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from tracker.domain.identity import new_id

if TYPE_CHECKING:
    from tracker.domain.user import User

SESSION_LIFETIME = timedelta(days=30)


@dataclass(frozen=True)
class Session:
    """One login, alive until ``ended_at`` or ``expires_at``."""

    id: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    version: int = 1

    @classmethod
    def new(cls, user_id: str, *, at: datetime) -> Session:
        """Return a session that begins at ``at``."""
        return cls(new_id(), user_id, at, at + SESSION_LIFETIME, None)

    def alive(self, at: datetime) -> bool:
        """Whether its tokens are good at ``at``."""
        return self.ended_at is None and at < self.expires_at

    def ended(self, *, at: datetime) -> Session:
        """Return this session, over; one that is over stays as it was."""
        return self if self.ended_at else replace(self, ended_at=at, version=self.version + 1)


@dataclass(frozen=True)
class RefreshToken:
    """One link in a session's chain. ``id`` is the SHA-256 of the secret, in hex: the secret itself is kept nowhere."""

    id: str
    session_id: str
    created_at: datetime
    used_at: datetime | None = None
    version: int = 1

    @classmethod
    def issue(cls, session_id: str, *, at: datetime) -> tuple[RefreshToken, str]:
        """Return a new link and its secret: 256 random bits as 43 URL-safe characters."""
        secret = secrets.token_urlsafe(32)
        return cls(cls.id_of(secret), session_id, at), secret

    @staticmethod
    def id_of(secret: str) -> str:
        """Return the id under which a secret is kept."""
        return hashlib.sha256(secret.encode()).hexdigest()

    def used(self, *, at: datetime) -> RefreshToken:
        """Return this link, spent."""
        return replace(self, used_at=at, version=self.version + 1)


class Tokens(Protocol):
    """Makes access tokens."""

    lifetime: timedelta

    def issue(self, user: User, session: Session, *, at: datetime) -> str:
        """Return a signed token that names the user and the session, good from ``at`` for ``lifetime``."""
