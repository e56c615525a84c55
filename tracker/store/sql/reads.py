"""The statements that read, each of them one round trip; those that read lists of tasks are in ``pages.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    select,
)

from tracker.domain.session import Session
from tracker.domain.user import Role, User
from tracker.store.sql.packed import packed, packed_task
from tracker.store.sql.rows import KINDS, TASK_COLUMNS
from tracker.store.sql.tables import claims, installation, log_entries, memberships, projects, sessions, tasks, users

if TYPE_CHECKING:
    from sqlalchemy import Select

    from tracker.store.sql.rows import Kind

_heads = func.coalesce(func.sum(projects.c.head), 0)
_own_heads = (
    select(_heads)
    .join_from(memberships, projects, memberships.c.project_id == projects.c.id)
    .where(memberships.c.user_id == users.c.id)
    .correlate(users)
)

_all_heads = select(_heads).scalar_subquery() + select(installation.c.retired_heads).scalar_subquery()

_of_this_generation = sessions.c.generation == users.c.session_generation

# The sum of bigints is a numeric on PostgreSQL, and a Decimal in Python, unless it is cast back.
_seen_heads = cast(
    case(
        (users.c.role == literal_column(f"'{Role.ADMIN.value}'"), _all_heads),
        else_=_own_heads.scalar_subquery(),
    ),
    BigInteger,
)
_who = sessions.join(users, and_(sessions.c.user_id == users.c.id, _of_this_generation))


def standing(*, heads: bool = False, postgresql: bool) -> Select[Any]:
    """Return the statement for who holds a session, in a row of the database's form; without ``heads`` they are NULL.

    To sum them up reads a row of each project that is seen, and for an admin of each that there is.
    """
    columns = (
        users.c.id,
        sessions.c.id,
        users.c.role,
        users.c.status,
        users.c.inbox_id,
        users.c.access_version,
        _seen_heads if heads else null(),
        sessions.c.expires_at,
        sessions.c.ended_at,
    )
    who = [packed(columns)] if postgresql else columns
    return select(*who).select_from(_who).where(sessions.c.id == bindparam("id"))


def standing_and_task(*, postgresql: bool) -> Select[Any]:
    """Return the statement for the same, and then the task ``:task_id``; nothing but NULL where there is none."""
    task = packed_task(tasks.c) if postgresql else TASK_COLUMNS
    read = standing(postgresql=postgresql).add_columns(*task)
    return read.outerjoin(tasks, tasks.c.id == bindparam("task_id"))


MEMBERSHIPS = select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == bindparam("user_id"))
HAS_USERS = select(exists(select(users.c.id)))
TASK = select(*TASK_COLUMNS).where(tasks.c.id == bindparam("id"))
_log = (
    select(log_entries)
    .where(log_entries.c.project_id == bindparam("project_id"), log_entries.c.head > bindparam("after"))
    .order_by(log_entries.c.head, log_entries.c.n)
    .limit(bindparam("limit", type_=Integer))
)
LOG = _log
LOG_OF_ENTITY = _log.where(log_entries.c.entity_id == bindparam("entity_id"))
OPERATION = (
    select(log_entries)
    .where(log_entries.c.operation_id == bindparam("operation_id"))
    .order_by(log_entries.c.project_id, log_entries.c.head, log_entries.c.n)
)
CLAIMED = select(claims.c.fingerprint, claims.c.at, claims.c.answer).where(
    claims.c.owner == bindparam("owner"), claims.c.key == bindparam("key")
)


_lives = and_(sessions.c.ended_at.is_(None), sessions.c.expires_at > bindparam("at", type_=sessions.c.expires_at.type))
SESSIONS = (
    select(*KINDS[Session].columns)
    .join_from(sessions, users, and_(sessions.c.user_id == users.c.id, _of_this_generation))
    .where(users.c.id == bindparam("user_id"), sessions.c.id < bindparam("before"), _lives)
    .order_by(sessions.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)


def users_of(*, role: bool, status: bool) -> Select[Any]:
    """Return the statement for users by id, of one role or status where that is asked for."""
    statement = select(*KINDS[User].columns).where(users.c.id > bindparam("after"))
    if role:
        statement = statement.where(users.c.role == bindparam("role"))
    if status:
        statement = statement.where(users.c.status == bindparam("status"))
    return statement.order_by(users.c.id).limit(bindparam("limit", type_=Integer))


def one(kind: Kind, column: str = "id") -> Select[Any]:
    """Return the statement for the entity whose ``column`` has the value ``:value``."""
    return select(*kind.columns).where(kind.table.c[column] == bindparam("value"))
