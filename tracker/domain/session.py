"""Sessions: one per login. Access tokens name their session; refresh tokens rotate, and a used one ends the session.

All sessions of a user end at once when the user's ``session_generation`` goes up: each names the one it began in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from tracker.domain.identity import new_id, new_secret, secret_id

if TYPE_CHECKING:
    from tracker.domain.user import User

SESSION_LIFETIME = timedelta(days=30)


@dataclass(frozen=True)
class Session:
    """One login, alive until ``ended_at`` or ``expires_at``, or until its user is in another generation."""

    id: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    generation: int = 1
    version: int = 1

    @classmethod
    def new(cls, user: User, *, at: datetime) -> Session:
        """Return a session of a user, as they were read, that begins at ``at``."""
        return cls(new_id(), user.id, at, at + SESSION_LIFETIME, None, user.session_generation)

    def alive(self, user: User, at: datetime) -> bool:
        """Whether its tokens are good at ``at`` for its user, as they are now."""
        ended = self.ended_at is not None or self.generation != user.session_generation
        return not ended and at < self.expires_at and user.active

    def kept(self, user: User) -> Session:
        """Return this session in the user's present generation: the one from which all others are ended."""
        return replace(self, generation=user.session_generation, version=self.version + 1)

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
        secret = new_secret()
        return cls(secret_id(secret), session_id, at), secret

    def used(self, *, at: datetime) -> RefreshToken:
        """Return this link, spent."""
        return replace(self, used_at=at, version=self.version + 1)


class Tokens(Protocol):
    """Makes access tokens."""

    lifetime: timedelta

    def issue(self, user: User, session: Session, *, at: datetime) -> str:
        """Return a signed token that names the user and the session, good from ``at`` for ``lifetime``."""
