"""What every answer about several tasks has in common: what is asked for, of what is seen, and how long it holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tracker.domain.access import Permission, Scope
from tracker.domain.clock import rfc3339
from tracker.domain.query import Archived, TaskFilter, TaskQuery
from tracker.domain.refusals import NotFound
from tracker.domain.task_line import next_overdue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.api.representations import Filters
    from tracker.domain.access import Actor
    from tracker.domain.task_line import TaskLine
    from tracker.store.contract import Reader


def asked_in(filters: Filters, actor: Actor) -> dict[str, Any]:
    """Return what is asked for in so many words: what is given, and somebody's id for ``me``."""
    given = {name: value for name, value in filters.items() if value not in {None, ()}}
    return {**given, "assignee_id": actor.id} if given.get("assignee_id") == "me" else given


def stands_until(lines: Sequence[TaskLine], wanted: TaskFilter) -> datetime | None:
    """Return the instant until which time alone changes nothing of a list: neither what is in it nor what it says."""
    assert wanted.at is not None, "a list is made at an instant"  # noqa: S101 - a programming error, not input
    if wanted.overdue is not None:
        return full_minute(wanted.at)
    last = next_overdue(lines, rfc3339(wanted.at))
    return None if last is None else datetime.fromisoformat(last)


def scopes_within(actor: Actor, project_id: str | None, store: Reader) -> tuple[Scope, ...]:
    """Return the tasks that the actor can see; NotFound for a project that they cannot."""
    scopes = actor.scopes(Permission.READ_TASK)
    foreign = project_id is not None and actor.role_in(project_id) is None
    if project_id and foreign and (Scope(None) not in scopes or store.project(project_id) is None):
        raise NotFound("project")
    return scopes


def check_is_known(user_id: str | None, actor: Actor, scopes: tuple[Scope, ...], store: Reader) -> None:
    """Refuse somebody with whom the actor shares no project, and of whom they see no task; an admin sees everybody."""
    if user_id is None or user_id == actor.id:
        return
    if Scope(None) in scopes:
        known = store.user(user_id) is not None
    else:
        theirs = TaskQuery(scopes, 1, filter=TaskFilter(assignee_id=user_id, archived=Archived.INCLUDE))
        known = bool(actor.memberships.keys() & store.memberships(user_id).keys() or store.tasks(theirs).items)
    if not known:
        raise NotFound("user")


def full_minute(at: datetime) -> datetime:
    """Return the next full minute: deadlines pass and days begin at those. One that is just now is the next."""
    begun = at.replace(second=0, microsecond=0)
    return at if begun == at else begun + timedelta(minutes=1)
