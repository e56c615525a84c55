"""The statements that read projects, their members, and all tasks of one project."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, select

from tracker.domain.project import Membership, Project
from tracker.domain.query import Archived
from tracker.store.sql.rows import KINDS, TASK_COLUMNS
from tracker.store.sql.tables import memberships, projects, tasks, users

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Select

    from tracker.store.sql.database import Database
    from tracker.store.sql.prepared import Prepared

_limit = bindparam("limit", type_=Integer)

_ARCHIVED: Mapping[Archived, tuple[ColumnElement[bool], ...]] = {
    Archived.EXCLUDE: (projects.c.archived_at.is_(None),),
    Archived.ONLY: (projects.c.archived_at.is_not(None),),
    Archived.INCLUDE: (),
}
_MEMBERSHIP = select(*KINDS[Membership].columns).where(
    memberships.c.project_id == bindparam("project_id"), memberships.c.user_id == bindparam("user_id")
)


@dataclass(frozen=True, slots=True)
class ProjectReads:
    """All of them, by what makes two queries differ in more than their values."""

    projects: Mapping[tuple[bool, Archived], Prepared]
    """By whether they are one member's."""
    membership: Prepared
    members: Mapping[bool, Prepared]
    """By whether a role is asked for."""
    tasks: Mapping[bool, Prepared]
    """By whether they are one assignee's."""

    @classmethod
    def of(cls, database: Database) -> ProjectReads:
        """Compile them."""
        prepare, either = database.prepare, (False, True)
        return cls(
            projects={
                (member, archived): prepare(_projects(member=member, archived=archived))
                for member, archived in product(either, Archived)
            },
            membership=prepare(_MEMBERSHIP),
            members={role: prepare(_members(role=role)) for role in either},
            tasks={assignee: prepare(_tasks(assignee=assignee)) for assignee in either},
        )


def _projects(*, member: bool, archived: Archived) -> Select[Any]:
    """Return the statement for projects, the newest first: those of one member where that is asked for."""
    statement = select(*KINDS[Project].columns).where(projects.c.id < bindparam("before"))
    if member:
        own = memberships.c.project_id == projects.c.id, memberships.c.user_id == bindparam("member_id")
        statement = statement.join_from(projects, memberships, own[0]).where(own[1])
    return statement.where(*_ARCHIVED[archived]).order_by(projects.c.id.desc()).limit(_limit)


def _members(*, role: bool) -> Select[Any]:
    """Return the statement for a project's members with their usernames, by user id, of one role where asked for."""
    statement = (
        select(*KINDS[Membership].columns, users.c.username)
        .join_from(memberships, users, memberships.c.user_id == users.c.id)
        .where(memberships.c.project_id == bindparam("project_id"), memberships.c.user_id > bindparam("after"))
    )
    if role:
        statement = statement.where(memberships.c.role == bindparam("role"))
    return statement.order_by(memberships.c.user_id).limit(_limit)


def _tasks(*, assignee: bool) -> Select[Any]:
    """Return the statement for the tasks of a project, by id: those that one has to do where that is asked for."""
    statement = select(*TASK_COLUMNS).where(tasks.c.project_id == bindparam("project_id"))
    if assignee:
        statement = statement.where(tasks.c.assignee_id == bindparam("assignee_id"))
    return statement.order_by(tasks.c.id).limit(_limit)
