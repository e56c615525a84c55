"""What holds the lines of an export together: their order, and that what one refers to came before it.

It keeps what grows with the people and the projects of an installation, and nothing that grows with its tasks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker.domain.calendar_feed import CalendarFeed
from tracker.domain.changes import LogEntry
from tracker.domain.notification import Notification
from tracker.domain.project import Membership, Project
from tracker.domain.task import Task
from tracker.domain.user import folded
from tracker.store.kept import SORTED_BY, Account
from tracker.transfer.lines import Wrong

if TYPE_CHECKING:
    from tracker.domain.user import User
    from tracker.store.kept import Kept

_RANK = {kind: rank for rank, kind in enumerate(SORTED_BY)}


class Together:
    """What came before, as far as anything may refer to it."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._last: tuple[Any, ...] = ()
        self._projects: dict[str, tuple[int, int]] = {}  # by id, their heads and the last numbers that were given
        self._users: set[str] = set()
        self._taken: set[tuple[str, str]] = set()

    def add(self, name: str, one: Kept) -> None:
        """Take a thing in; Wrong where it does not fit what came before."""
        try:
            self._check_order(one)
            self._check(one)
        except Wrong as wrong:
            raise wrong.within(name) from None

    def _check_order(self, one: Kept) -> None:
        thing = one.user if isinstance(one, Account) else one
        place = _RANK[type(one)], *(getattr(thing, by) for by in SORTED_BY[type(one)])
        if place <= self._last:
            raise Wrong("", f"is not where it belongs: {' and '.join(SORTED_BY[type(one)])} put the lines in order")
        self._last = place

    def _check(self, one: Kept) -> None:
        match one:
            case Project():
                self._projects[one.id] = one.head, one.last_number
            case Account():
                self._check_user(one.user)
            case CalendarFeed() | Membership() | Notification():
                self._check_of_person(one)
            case Task() | LogEntry():
                self._check_within(one)
            case _:
                pass

    def _check_user(self, user: User) -> None:
        self._check_project("inbox_id", user.inbox_id)
        self._check_taken("username", folded(user.username))
        self._check_taken("email", folded(user.email))
        self._users.add(user.id)

    def _check_of_person(self, one: CalendarFeed | Membership | Notification) -> None:
        if isinstance(one, CalendarFeed):
            self._check_taken("user_id", one.user_id)
        if isinstance(one, Membership):
            self._check_project("project_id", one.project_id)
        if one.user_id not in self._users:
            raise Wrong("user_id", "names a user who is not there")

    def _check_within(self, one: Task | LogEntry) -> None:
        """Hold a task to the numbers of its project, and an entry of the log to its head: a log outlives a project."""
        if isinstance(one, Task):
            self._check_project("project_id", one.project_id)
            if not 1 <= one.number <= self._projects[one.project_id][1]:
                raise Wrong("number", "is from 1 to the last_number of its project")
        elif one.project_id in self._projects and one.head > self._projects[one.project_id][0]:
            raise Wrong("head", "is not greater than the head of its project")

    def _check_project(self, member: str, project_id: str) -> None:
        if project_id not in self._projects:
            raise Wrong(member, "names a project that is not there")

    def _check_taken(self, member: str, value: str) -> None:
        if (member, value) in self._taken:
            raise Wrong(member, "is taken by a line before")
        self._taken.add((member, value))
