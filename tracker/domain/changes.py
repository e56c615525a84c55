"""A write as a value: what was, what is to be, who says so. The store makes a ChangeSet true, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.job import JobRun
from tracker.domain.notification import Notification
from tracker.domain.outbox import Position
from tracker.domain.password_reset import PasswordReset
from tracker.domain.project import Membership, Project
from tracker.domain.reminder import Reminder
from tracker.domain.session import RefreshToken, Session
from tracker.domain.task import Task
from tracker.domain.user import User

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

Logged = Project | Membership | Task | Reminder
Entity = Logged | User | Session | RefreshToken | PasswordReset | CalendarFeed | Notification | JobRun | Position

LONGEST_COMMIT = 5000  # entries: more than any operation can make in one project


class Change(NamedTuple):
    """Created when ``before`` is None, deleted when ``after`` is None, else replaced; idle when both are the same."""

    before: Entity | None
    after: Entity | None

    @property
    def entity(self) -> Entity:
        """The newest that is known of the thing that changes."""
        entity = self.after or self.before
        assert entity is not None, "a change is of something"  # noqa: S101 - a programming error, not input
        return entity

    @property
    def idle(self) -> bool:
        """Whether nothing changes: an empty patch, a move to the status it has."""
        return self.before == self.after


class ChangeSet(NamedTuple):
    """Changes that become true together; ``operation_id`` is the commit's own, ``required_heads`` what it rests on."""

    operation_id: str
    actor_id: str
    at: datetime
    changes: tuple[Change, ...]
    required_heads: Mapping[str, int] = MappingProxyType({})

    @property
    def touched(self) -> tuple[str, ...]:
        """The ids of the entities that are replaced or deleted: what others could be first at."""
        return tuple(change.before.id for change in self.changes if change.before is not None)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One change in a project's log, at the place ``(project_id, head, n)``: what was, and what has been since.

    ``entity_id`` is the id of what changed; of a reminder that of its task, whose activity it is part of.
    """

    project_id: str
    head: int
    n: int
    operation_id: str
    actor_id: str
    at: datetime
    entity: str
    entity_id: str
    before: Logged | None
    after: Logged | None


def whole_commits(log: Callable[..., list[LogEntry]], after: int, limit: int) -> tuple[list[LogEntry], bool]:
    """Return as many commits as there is room for, but one at the least, and whether there are more.

    ``log`` returns the entries with a head greater than ``after``, in order, ``limit`` at the most.
    """
    entries = log(after=after, limit=limit + 1)
    if len(entries) <= limit:
        return entries, False
    whole = [entry for entry in entries if entry.head != entries[limit].head]
    if not whole:
        entries = log(after=entries[0].head - 1, limit=LONGEST_COMMIT + 1)
        whole = [entry for entry in entries if entry.head == entries[0].head]
    return whole, len(whole) < len(entries)
