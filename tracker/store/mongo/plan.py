"""What a ChangeSet asks of a store: which projects it is in, what it rests on, and what it writes elsewhere."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

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
from tracker.store.effects import has_project, needs_number, project_of, projects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracker.domain.changes import Change, ChangeSet

# Whose run of a job it is comes first: who has lost it is told so, whatever else is wrong.
_ORDER = (
    JobRun, Position, Task, Reminder, Membership, RefreshToken, PasswordReset, CalendarFeed, Session, User, Notification
)  # fmt: skip
_RANK = {kind: at for at, kind in enumerate(_ORDER)}
_CREATED = (User, Session, RefreshToken, PasswordReset, CalendarFeed, Notification, JobRun, Position)


class Plan:
    """One ChangeSet, sorted by what has to be done for it."""

    def __init__(self, changes: ChangeSet) -> None:
        """Leave out what changes nothing."""
        self.set = changes
        self.changes = tuple(change for change in changes.changes if not change.idle)
        gone = [change.before for change in self.changes if change.after is None]
        ended = {project.id: project.head for project in gone if isinstance(project, Project)}
        self.required: Mapping[str, int] = {**ended, **changes.required_heads}

    @cached_property
    def touched(self) -> list[str]:
        """The projects that something changes in, or that change themselves, by id."""
        return sorted({project_id for change in self.changes for project_id in projects_of(change)})

    @cached_property
    def held(self) -> list[str]:
        """Those, and the projects that only have to be as they were, by id."""
        return sorted({*self.touched, *self.required})

    @cached_property
    def others(self) -> list[Change]:
        """What is in no project, in the order in which a crash in between does the least harm.

        What is to be one of a kind makes room first. What is new comes before what it takes the place of, so that who
        comes back with the old one still finds that; and how far somebody has come is the last to be told.
        """
        return sorted((change for change in self.changes if not has_project(change.entity)), key=_late)

    def change_of(self, project_id: str) -> Change | None:
        """Return the change of a project itself."""
        themselves = (change for change in self.changes if isinstance(change.entity, Project))
        return next((change for change in themselves if change.entity.id == project_id), None)

    def within(self, project_id: str) -> list[Change]:
        """Return the changes of what is in a project, by kind and id."""
        inside = [change for change in self.changes if project_id in projects_of(change)]
        return in_order(change for change in inside if not isinstance(change.entity, Project))

    def arriving(self, project_id: str) -> list[Task]:
        """Return the tasks that are to be given a number in a project, in their order."""
        tasks = [change.after for change in self.changes if needs_number(change)]
        return [task for task in tasks if isinstance(task, Task) and project_of(task) == project_id]


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Return changes by kind and id: the first that is stale is what a commit is beaten at."""
    return sorted(changes, key=lambda change: (_RANK[type(change.entity)], change.entity.id))


def _late(change: Change) -> tuple[int, int, str]:
    kind, id_ = type(change.entity), change.entity.id
    if change.after is None:
        return 0, _RANK[kind], id_
    if change.before is None:
        return 1, _CREATED.index(kind), id_
    return 2, -_RANK[kind], id_
