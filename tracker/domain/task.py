"""Tasks: what they are made of, how they move, and when they are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo, available_timezones

from tracker.domain.identity import new_id
from tracker.domain.refusals import IllegalTransition, UnknownTimezone


class Status(StrEnum):
    """Where a task stands in its workflow. Archiving is not a status."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    DONE = "done"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """How much it matters."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """Its place among the others, from 0 for what matters least."""
        return _RANKS[self]


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}
CLOSED = frozenset({Status.DONE, Status.CANCELLED})

TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    Status.TODO: (Status.IN_PROGRESS, Status.BLOCKED, Status.DONE, Status.CANCELLED),
    Status.IN_PROGRESS: (Status.TODO, Status.BLOCKED, Status.DONE, Status.CANCELLED),
    Status.BLOCKED: (Status.TODO, Status.IN_PROGRESS, Status.CANCELLED),
    Status.DONE: (Status.TODO, Status.IN_PROGRESS),
    Status.CANCELLED: (Status.TODO,),
}


@dataclass(frozen=True)
class Due:
    """A day, or a minute of a day, in a time zone. Without a time it means that day to its end; without a zone, UTC."""

    date: date
    time: time | None = None
    timezone: str | None = None

    def overdue_after(self) -> datetime:
        """Return the last instant at which it is not overdue: the minute named, or the end of the day."""
        kept: datetime | None = self.__dict__.get(_KEPT)
        return _last_instant(self.date, self.time, self.timezone) if kept is None else kept


_KEPT = "_last_instant"  # with this first letter it is no member of a record


@lru_cache(maxsize=4096)
def _last_instant(on: date, at: time | None, timezone: str | None) -> datetime:
    """Return the last instant of a day, or of a minute of it; it is remembered: many tasks are due on few days."""
    moment = datetime.combine(on, at or time(), tzinfo=zone_named(timezone))
    if at is None:
        moment = datetime.combine(on + timedelta(days=1), time(), tzinfo=moment.tzinfo)
    return moment.astimezone(UTC)


def due_as_kept(on: date, at: time | None, timezone: str | None, overdue_after: datetime) -> Due:
    """Return a deadline whose last instant is known: the one that was computed when it was written."""
    due = Due.__new__(Due)  # a frozen dataclass sets each member the long way: a page has fifty of these
    due.__dict__.update({"date": on, "time": at, "timezone": timezone, _KEPT: overdue_after})
    return due


@cache
def _zones() -> frozenset[str]:
    # A machine's own zone has a name there too, and means another place on another machine.
    return frozenset(available_timezones() - {"localtime", "Factory"})


def zone_named(name: str | None) -> ZoneInfo:
    """Return a zone of the IANA database, UTC where none is named; UnknownTimezone where there is none of the name."""
    if name is not None and name not in _zones():
        raise UnknownTimezone
    return ZoneInfo(name or "UTC")


class TaskMembers(TypedDict, total=False):
    """What a client may set of a task; a member that is absent stays as it is."""

    project_id: str
    title: str
    description: str
    status: Status
    priority: Priority
    labels: tuple[str, ...]
    due: Due | None
    assignee_id: str | None


@dataclass(frozen=True)
class Task:
    """One thing to be done. ``number`` counts per project and is given by the store; 0 until then."""

    id: str
    project_id: str
    number: int
    title: str
    description: str
    status: Status
    priority: Priority
    labels: tuple[str, ...]
    due: Due | None
    assignee_id: str | None
    created_by: str
    completed_at: datetime | None
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @classmethod
    def new(cls, *, by: str, at: datetime, **members: Unpack[TaskMembers]) -> Task:
        """Return a task with at least a ``project_id`` and a ``title``; one born in another status has moved there."""
        differing = _BLANK.differing_in(members, at=at)
        return _BLANK.with_members(**differing, id=new_id(), created_by=by, created_at=at, updated_at=at)

    @property
    def closed(self) -> bool:
        """Whether there is nothing to be done about it any more."""
        return self.status in CLOSED

    @property
    def allowed_statuses(self) -> tuple[Status, ...]:
        """The statuses it may move to from here."""
        return TRANSITIONS[self.status]

    def overdue_after(self) -> datetime | None:
        """Return the instant after which it is overdue, or None; UnknownTimezone where there is no such zone."""
        return self.due.overdue_after() if self.due else None

    def overdue(self, at: datetime) -> bool:
        """Whether its deadline has passed at an instant and it is still open."""
        return self.due is not None and not self.closed and at > self.due.overdue_after()

    def changed(self, *, at: datetime, **members: Unpack[TaskMembers]) -> Task:
        """Return this task with ``members`` in place of its own, one version on; itself where nothing differs.

        In another project it has no number yet.

        Raises IllegalTransition for a status it may not move to, UnknownTimezone for a zone that does not exist.
        """
        differing = self.differing_in(members, at=at)
        return self.with_members(**differing, updated_at=at, version=self.version + 1) if differing else self

    def archived(self, *, at: datetime) -> Task:
        """Return this task, put away; one that was put away before stays as it was."""
        return self if self.archived_at else self.with_members(archived_at=at, updated_at=at, version=self.version + 1)

    def unarchived(self, *, at: datetime) -> Task:
        """Return this task, taken out again; one that was not put away stays as it was."""
        if self.archived_at is None:
            return self
        return self.with_members(archived_at=None, updated_at=at, version=self.version + 1)

    def settled(self, days: int, *, at: datetime) -> bool:
        """Whether it is to be archived by itself: done for so many days of 24 hours, and left alone since.

        Whoever takes it out of the archive, or changes it otherwise, has it before them for as many days again.
        """
        done = self.status is Status.DONE and self.archived_at is None
        return done and self.updated_at <= at - timedelta(days=days)

    def with_members(self, **members: Any) -> Task:
        """Return this task with these members just as they are: what they bring about is the caller's to say.

        As ``dataclasses.replace`` does it, which sets each member of a frozen one the long way.
        """
        task = object.__new__(Task)
        object.__setattr__(task, "__dict__", vars(self) | members)
        return task

    def differing_in(self, members: TaskMembers, *, at: datetime) -> dict[str, Any]:
        """Return those of the members that are not its own, and what they bring about."""
        own = vars(self)
        differing: dict[str, Any] = {name: value for name, value in members.items() if value != own[name]}
        if due := differing.get("due"):
            due.overdue_after()
        if "project_id" in differing:
            differing["number"] = 0
        if "status" in differing:
            differing["completed_at"] = self._completed_at(differing["status"], at)
        return differing

    def _completed_at(self, status: Status, at: datetime) -> datetime | None:
        if status not in self.allowed_statuses:
            raise IllegalTransition(self.status, self.allowed_statuses)
        return at if status is Status.DONE else None


_BORN = datetime(1970, 1, 1, tzinfo=UTC)
_BLANK = Task(
    id="",
    project_id="",
    number=0,
    title="",
    description="",
    status=Status.TODO,
    priority=Priority.NONE,
    labels=(),
    due=None,
    assignee_id=None,
    created_by="",
    completed_at=None,
    archived_at=None,
    created_at=_BORN,
    updated_at=_BORN,
)
