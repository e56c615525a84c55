"""What both take from the task itself: where a status leads, how an instant is written, and the cost of a password."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import jwt

from bench.data import KEY, TOKEN_MINUTES
from tracker.edge.tokens import AUDIENCE, ISSUER

if TYPE_CHECKING:
    from datetime import date
    from typing import Any

ALLOWED = {
    "todo": ["in_progress", "blocked", "done", "cancelled"],
    "in_progress": ["todo", "blocked", "done", "cancelled"],
    "blocked": ["todo", "in_progress", "cancelled"],
    "done": ["todo", "in_progress"],
    "cancelled": ["todo"],
}
RANKS = {"none": 0, "low": 1, "medium": 2, "high": 3, "urgent": 4}


def now() -> datetime:
    """Return the time in whole milliseconds, as it is written."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def written(at: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def end_of(day: date | None) -> datetime | None:
    """Return the instant after which something due on a day is overdue."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) if day else None


def is_overdue(status: str, after: datetime | None) -> bool:
    """Whether a task is overdue now."""
    return after is not None and status not in {"done", "cancelled"} and datetime.now(UTC) > after


def user_of(token: str) -> str:
    """Return the id of the user a token names; raises jwt.PyJWTError."""
    claims: dict[str, Any] = jwt.decode(token, KEY, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER)
    return str(claims["sub"])


def token_for(user_id: str, session_id: str) -> dict[str, Any]:
    """Return what somebody gets who logs in."""
    at = datetime.now(UTC)
    lifetime = timedelta(minutes=TOKEN_MINUTES)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user_id, "sid": session_id, "iat": at, "exp": at + lifetime}
    token = jwt.encode({**claims, "jti": secrets.token_hex(16)}, KEY, algorithm="HS256")
    return {
        "access_token": token,
        "token": token,
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
        "refresh_token": secrets.token_urlsafe(32),
    }
