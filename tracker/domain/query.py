"""What a list is asked for, and what it answers: pages by position, never by offset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from tracker.domain.task import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

    from tracker.domain.access import Scope
    from tracker.domain.project import ProjectRole
    from tracker.domain.task import Status, Task
    from tracker.domain.task_line import TaskLine
    from tracker.domain.user import Role, UserStatus

DEFAULT_LIMIT = 50


class Archived(StrEnum):
    """Whether archived tasks are left out, are all there is, or are among the others."""

    EXCLUDE = "exclude"
    ONLY = "only"
    INCLUDE = "include"


class SortKey(StrEnum):
    """What tasks can be sorted by; those that are due at no time come last, whichever way."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    DUE = "due"
    PRIORITY = "priority"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list; what is equal is in the order of its ids, the same way."""

    key: SortKey = SortKey.CREATED_AT
    descending: bool = True

    @staticmethod
    @cache
    def named(name: str) -> Order:
        """Return the order that the contract calls so: a key, with ``-`` in front for descending."""
        return Order(SortKey(name.removeprefix("-")), name.startswith("-"))

    def place_of(self, task: Task) -> Cursor:
        """Return the place of a task."""
        return Cursor(_VALUES[self.key](task), task.id)

    def place_of_line(self, line: TaskLine) -> Cursor:
        """Return the place of a task that is told by its line."""
        return Cursor(_WRITTEN_VALUES[self.key](line), line.id)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of one task in a list: the value it is sorted by, and its id. A page begins right after it."""

    value: datetime | int | None
    id: str


_VALUES: Mapping[SortKey, Callable[[Task], datetime | int | None]] = {
    SortKey.CREATED_AT: lambda task: task.created_at,
    SortKey.UPDATED_AT: lambda task: task.updated_at,
    SortKey.DUE: lambda task: task.overdue_after(),
    SortKey.PRIORITY: lambda task: task.priority.rank,
    SortKey.NUMBER: lambda task: task.number,
}
_WRITTEN_VALUES: Mapping[SortKey, Callable[[TaskLine], datetime | int | None]] = {
    SortKey.CREATED_AT: lambda line: datetime.fromisoformat(line.created_at),
    SortKey.UPDATED_AT: lambda line: datetime.fromisoformat(line.updated_at),
    SortKey.DUE: lambda line: datetime.fromisoformat(line.overdue_after) if line.overdue_after else None,
    SortKey.PRIORITY: lambda line: Priority(line.priority).rank,
    SortKey.NUMBER: lambda line: line.number,
}


class TaskFilter(NamedTuple):
    """Which tasks: those for which everything that is given here holds.

    Of several ids, statuses, priorities or labels any will do; all ``words`` must begin a word of the title or
    description, and no words at all (which is not None) find nothing. What is ``after`` an instant may be at it, what
    is ``before`` one is earlier; what is due is so at its last instant. ``overdue`` is as of ``at``, which must be
    given with it.
    """

    ids: tuple[str, ...] = ()
    project_id: str | None = None
    status: tuple[Status, ...] = ()
    priority: tuple[Priority, ...] = ()
    label: tuple[str, ...] = ()
    assignee_id: str | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    overdue: bool | None = None
    at: datetime | None = None
    created_after: datetime | None = None
    updated_after: datetime | None = None
    archived: Archived = Archived.EXCLUDE
    words: tuple[str, ...] | None = None


_WHATEVER = TaskFilter()


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Tasks in any of ``scopes`` that the filter lets through, in an order, from after ``cursor``, up to ``limit``."""

    scopes: tuple[Scope, ...]
    limit: int = DEFAULT_LIMIT
    cursor: Cursor | None = None
    filter: TaskFilter = _WHATEVER
    order: Order = Order()


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list; ``next`` is where the following one begins, None at the end."""

    items: tuple[Task, ...]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Users of a role and a status, where they are named, by id, those that come after one, ``limit`` at the most."""

    role: Role | None = None
    status: UserStatus | None = None
    after: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class ProjectQuery:
    """Projects of a member (None: all there are), the newest (by id) first, those before one, ``limit`` at the most."""

    member_id: str | None = None
    archived: Archived = Archived.EXCLUDE
    before: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """Members of a project, of one role where it is named, by user id, those after one, ``limit`` at the most."""

    project_id: str
    role: ProjectRole | None = None
    after: str | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class NotificationQuery:
    """A user's notifications, the newest (by id) first: before one, up to and with another, ``limit`` at the most.

    Of projects that the user is no member of there are none, unless they see ``every_project``, those that are gone
    too. Where ``unread``, only those that are; where ``ids`` are given, only those with one of them.
    """

    user_id: str
    every_project: bool = False
    unread: bool = False
    ids: tuple[str, ...] = ()
    up_to: str | None = None
    before: str | None = None
    limit: int = DEFAULT_LIMIT


Place = tuple[str, str]
"""The project and the id of a task: where to go on among the tasks of all projects."""


@dataclass(frozen=True, slots=True)
class SettledQuery:
    """Tasks that are ``settled`` at an instant, by the days of their project, or by default; none where both are None.

    By project and id, those after a place, ``limit`` at the most.
    """

    at: datetime
    default_days: int | None
    after: Place | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class UnremindedQuery:
    """Tasks of projects that are not archived with something to notice at an instant that no reminder says yet.

    By project and id, those after a place, ``limit`` at the most.
    """

    at: datetime
    soon: timedelta
    after: Place | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days in a time zone: ``first`` to before ``end``, which is from instant ``begins`` to before ``ends``."""

    first: date
    end: date
    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, first: date, count: int, zone: ZoneInfo) -> Days:
        """Return so many days."""
        end = first + timedelta(days=count)
        begins, ends = (datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in (first, end))
        return cls(first, end, begins, ends)


@dataclass(frozen=True, slots=True)
class SummaryQuery:
    """What to count of the tasks in any of ``scopes`` (of one project) that are not archived, at an instant."""

    scopes: tuple[Scope, ...]
    project_id: str | None
    at: datetime
    today: Days
    this_week: Days

    @classmethod
    def of(cls, scopes: tuple[Scope, ...], project_id: str | None, *, at: datetime, zone: ZoneInfo) -> SummaryQuery:
        """Return what to count where it is today in a zone; its week is that of ISO 8601, from Monday to Sunday."""
        today = at.astimezone(zone).date()
        monday = today - timedelta(days=today.weekday())
        return cls(scopes, project_id, at, Days.of(today, 1, zone), Days.of(monday, 7, zone))


@dataclass(frozen=True, slots=True)
class Summary:
    """How many tasks there are in each status; and of the open ones how many are overdue, due today, due this week.

    One that is due at a minute is due on the day that minute falls on in the zone that was asked for; one that is due
    on a day is due on that day as it is written, whatever its zone.
    """

    by_status: Mapping[Status, int]
    overdue: int
    due_today: int
    due_this_week: int
