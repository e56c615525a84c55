"""What is done to projects and their members together with what is in them. A project always has an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.domain.changes import Change
from tracker.domain.project import ProjectRole
from tracker.domain.query import MemberQuery
from tracker.domain.refusals import LastOwner, TooManyAssigned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tracker.domain.project import Member, Membership, Project
    from tracker.domain.task import Task

MOST = 500  # tasks, and members: what one operation takes along one by one, so that it can be taken back


def owners_of(project_id: str) -> MemberQuery:
    """Return what finds as many owners as are needed to know whether somebody is the last."""
    return MemberQuery(project_id, ProjectRole.OWNER, limit=2)


def check_owner_left(before: Membership, after: Membership | None, owners: Iterable[Member]) -> None:
    """Raise LastOwner where nobody would own the project any more; ``owners`` are those that ``owners_of`` finds."""
    ends = before.owns and not (after and after.owns)
    if ends and not any(owner.membership.id != before.id for owner in owners):
        raise LastOwner


def with_role(project: Project, membership: Membership, role: ProjectRole, owners: Iterable[Member]) -> Membership:
    """Return a membership with a role; LastOwner where no owner would be left, InboxIsPersonal for an inbox."""
    project.check_shareable()
    changed = membership.changed(role)
    check_owner_left(membership, changed, owners)
    return changed


def removal(
    project: Project, membership: Membership, owners: Iterable[Member], assigned: Sequence[Task], *, at: datetime
) -> tuple[Change, ...]:
    """Return what becomes true when somebody leaves a project: what they had to do is nobody's.

    ``assigned`` are the tasks of it that they have to do. Raises LastOwner where no owner would be left,
    InboxIsPersonal for an inbox, TooManyAssigned for more than MOST tasks.
    """
    project.check_shareable()
    check_owner_left(membership, None, owners)
    if len(assigned) > MOST:
        raise TooManyAssigned(MOST)
    return Change(membership, None), *(Change(task, task.changed(at=at, assignee_id=None)) for task in assigned)


def deletion(project: Project, members: Sequence[Member], tasks: Sequence[Task]) -> tuple[Change, ...]:
    """Return what becomes true when a project is deleted with its members and tasks; InboxIsPersonal for an inbox.

    Each of them is a change of its own, so that all of it can be taken back; with more than MOST members or tasks the
    project goes alone, they go with it, and it is final: a log that has no member leaving says so.
    """
    project.check_shareable()
    whole = Change(project, None)
    if len(members) > MOST or len(tasks) > MOST:
        return (whole,)
    return whole, *(Change(member.membership, None) for member in members), *(Change(task, None) for task in tasks)
