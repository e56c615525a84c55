"""The statements for what happens by itself: runs of jobs, what they look for, what they tell, what they throw away."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    not_,
    select,
    tuple_,
)

from tracker.domain.job import JobRun
from tracker.domain.notification import Notification
from tracker.domain.reminder import ReminderKind
from tracker.domain.task import Status
from tracker.store.contract import Perishable
from tracker.store.sql.filters import is_one_of, is_open
from tracker.store.sql.rows import KINDS, TASK_COLUMNS
from tracker.store.sql.tables import (
    INSTANT,
    claims,
    job_runs,
    memberships,
    notifications,
    password_resets,
    positions,
    projects,
    reminders,
    sessions,
    tasks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

    from sqlalchemy import BindParameter, Column, FromClause, Select

    from tracker.store.sql.database import Database
    from tracker.store.sql.prepared import Prepared

_limit = bindparam("limit", type_=Integer)
_EITHER = (False, True)
_NOTHING: ColumnElement[Any] = literal_column("0")
_ANYTHING: ColumnElement[Any] = literal_column("1")
_OVER: Mapping[Perishable, Column[Any]] = {
    Perishable.SESSIONS: sessions.c.expires_at,
    Perishable.PASSWORD_RESETS: password_resets.c.expires_at,
    Perishable.CLAIMS: claims.c.at,
    Perishable.REMINDERS: reminders.c.due_at,
    Perishable.NOTIFICATIONS: notifications.c.created_at,
    Perishable.JOB_RUNS: job_runs.c.window,
}
_JOB_RUNS = select(*KINDS[JobRun].columns).where(job_runs.c.job == bindparam("job"))
_POSITION = select(positions.c.head, positions.c.version).where(
    positions.c.consumer == bindparam("consumer"), positions.c.project_id == bindparam("project_id")
)


@dataclass(frozen=True, slots=True)
class UpkeepReads:
    """All of them."""

    settled: Prepared
    unreminded: Prepared
    behind: Prepared
    position: Prepared
    job_run: Prepared
    job_runs: Prepared
    notifications: Mapping[tuple[bool, bool, bool], Prepared]
    """By whether they are of every project, the unread ones alone, and named by their ids."""
    purge: Mapping[Perishable, Prepared]

    @classmethod
    def of(cls, database: Database) -> UpkeepReads:
        """Compile them."""
        prepare, postgresql = database.prepare, database.is_postgresql
        return cls(
            settled=prepare(_settled(postgresql=postgresql), planned_once=False),
            unreminded=prepare(_unreminded(), planned_once=False),
            behind=prepare(_behind()),
            position=prepare(_POSITION),
            job_run=prepare(_JOB_RUNS.where(job_runs.c.window == bindparam("window", type_=INSTANT))),
            job_runs=prepare(_JOB_RUNS.order_by(job_runs.c.window.desc()).limit(_limit)),
            notifications={
                # Not planned once where a list is given: it is one of text, until the driver has written it out.
                kinds: prepare(_notifications(*kinds, postgresql=postgresql), planned_once=not kinds[-1])
                for kinds in product(_EITHER, _EITHER, _EITHER)
            },
            purge={what: prepare(_purge(over)) for what, over in _OVER.items()},
        )


def _instant(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=INSTANT)


def _word(value: StrEnum) -> ColumnElement[Any]:
    return literal_column(f"'{value}'")


def _settled(*, postgresql: bool) -> Select[Any]:
    days: Any = func.coalesce(projects.c.archive_done_after_days, bindparam("default_days", type_=Integer))
    long = func.make_interval(_NOTHING, _NOTHING, _NOTHING, days) if postgresql else days * literal_column("86400000")
    # Words, not parameters: so the index of those that are done and not archived is found.
    done = and_(tasks.c.status == _word(Status.DONE), tasks.c.archived_at.is_(None))
    long_ago = tasks.c.updated_at <= _instant("at").op("-")(long)
    # Said of the projects too: nobody looks into those that come before.
    onwards = projects.c.id >= bindparam("after_project_id", type_=projects.c.id.type)
    return _by_place(_with_project().where(done, long_ago, onwards, _comes_after()), tasks)


def _unreminded() -> Select[Any]:
    near = tasks.c.overdue_after.between(_instant("since"), _instant("until"))
    there = tasks.c.archived_at.is_(None), projects.c.archived_at.is_(None)
    found = _with_project().where(near, is_open(), *there, not_(_noticed()), _comes_after())
    # First found, then put in order. Nearly all of what is due was noticed before: a planner that hopes to fill a page
    # soon goes through every task there is, in the order that was asked for, and finds nothing.
    due = found.cte("due").prefix_with("MATERIALIZED")
    return _by_place(select(due), due)


def _noticed() -> ColumnElement[bool]:
    is_over = tasks.c.overdue_after < _instant("at")
    kind = case((is_over, _word(ReminderKind.OVERDUE)), else_=_word(ReminderKind.DUE_SOON))
    of_task = and_(reminders.c.task_id == tasks.c.id, reminders.c.due_at == tasks.c.overdue_after)
    return exists(select(_ANYTHING).select_from(reminders).where(of_task, reminders.c.kind == kind))


def _with_project() -> Select[Any]:
    return select(*TASK_COLUMNS).join_from(tasks, projects, tasks.c.project_id == projects.c.id)


def _comes_after() -> ColumnElement[bool]:
    place = tasks.c.project_id, tasks.c.id
    return tuple_(*place) > tuple_(*(bindparam(f"after_{c.name}", type_=c.type) for c in place))


def _by_place(statement: Select[Any], found: FromClause) -> Select[Any]:
    return statement.order_by(found.c.project_id, found.c.id).limit(_limit)


def _behind() -> Select[Any]:
    head, version = (func.coalesce(column, _NOTHING) for column in (positions.c.head, positions.c.version))
    theirs = and_(positions.c.project_id == projects.c.id, positions.c.consumer == bindparam("consumer"))
    return (
        select(projects.c.id, head, version)
        .outerjoin_from(projects, positions, theirs)
        .where(projects.c.head > head, projects.c.id > bindparam("after"))
        .order_by(projects.c.id)
        .limit(_limit)
    )


def _notifications(every_project: bool, unread: bool, named: bool, *, postgresql: bool) -> Select[Any]:  # noqa: FBT001 - the three parts of a key
    ids, theirs = notifications.c.id, notifications.c.user_id == bindparam("user_id")
    # A bound that was not asked for is the last id there can be, so that it makes no shape of its own.
    statement = select(*KINDS[Notification].columns).where(theirs, ids < bindparam("before"), ids <= bindparam("up_to"))
    if not every_project:
        statement = statement.where(notifications.c.project_id.in_(_own_projects()))
    if unread:
        statement = statement.where(notifications.c.read_at.is_(None))
    if named:
        statement = statement.where(is_one_of(ids, "ids", postgresql=postgresql))
    return statement.order_by(ids.desc()).limit(_limit)


def _own_projects() -> Select[Any]:
    return select(memberships.c.project_id).where(memberships.c.user_id == bindparam("user_id"))


def _purge(over: Column[Any]) -> Any:
    table = over.table
    key: list[ColumnElement[Any]] = list(table.primary_key)
    old = select(*key).where(over < _instant("before")).order_by(over).limit(_limit)
    return delete(table).where(tuple_(*key).in_(old)).returning(key[0])
