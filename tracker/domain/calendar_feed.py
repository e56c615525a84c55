"""A user's calendar as other programs read it: whoever knows its address, and nobody who does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tracker.domain.access import Scope
from tracker.domain.identity import new_secret, secret_id
from tracker.domain.query import Order, SortKey, TaskFilter, TaskQuery
from tracker.domain.task import CLOSED, Status

if TYPE_CHECKING:
    from tracker.domain.user import User

MOST = 2000  # events of one calendar
LOOKED_BACK = timedelta(days=90)  # what was due before that is in no calendar any more, done or not
_OPEN = tuple(status for status in Status if status not in CLOSED)


@dataclass(frozen=True)
class CalendarFeed:
    """A user's one feed, until they revoke it. ``id`` is the SHA-256 of its token, in hex, which is kept nowhere.

    It outlives every session and the password: a calendar program cannot log in. Of a disabled user there is none.
    """

    id: str
    user_id: str
    created_at: datetime
    version: int = 1

    @classmethod
    def issue(cls, user_id: str, *, at: datetime) -> tuple[CalendarFeed, str]:
        """Return a feed of a user, and its token: 256 random bits as 43 URL-safe characters."""
        token = new_secret()
        return cls(secret_id(token), user_id, at), token


def due_tasks_of(user: User, *, at: datetime) -> TaskQuery:
    """Return the query for what a user's calendar shows: open tasks with a deadline, the nearest first.

    They are of projects that the user belongs to, and the user created them or has them to do. Where the past begins
    moves once a day, so that the calendar is the same from one look to the next.
    """
    since = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - LOOKED_BACK
    wanted = TaskFilter(status=_OPEN, due_after=since, at=at)
    return TaskQuery((Scope(user.id, involved=True),), MOST, filter=wanted, order=Order(SortKey.DUE, descending=False))
