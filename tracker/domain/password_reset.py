"""The way back in for who forgot the password: a secret that an admin has made and hands over, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tracker.domain.identity import new_secret, secret_id

if TYPE_CHECKING:
    from tracker.domain.user import User

RESET_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class PasswordReset:
    """A user's one secret, until ``expires_at``. ``id`` is its SHA-256, in hex: the secret itself is kept nowhere.

    Whoever uses it deletes it. It is void in another ``generation`` of the user's sessions: they have another password
    by now, or were shut out.
    """

    id: str
    user_id: str
    generation: int
    created_at: datetime
    expires_at: datetime
    version: int = 1

    @classmethod
    def issue(cls, user: User, *, at: datetime) -> tuple[PasswordReset, str]:
        """Return a reset of a user's password, and its secret: 256 random bits as 43 URL-safe characters."""
        secret = new_secret()
        return cls(secret_id(secret), user.id, user.session_generation, at, at + RESET_LIFETIME), secret

    def good(self, user: User, at: datetime) -> bool:
        """Whether it opens the way at ``at`` for its user, as they are now."""
        return user.active and self.generation == user.session_generation and at < self.expires_at
