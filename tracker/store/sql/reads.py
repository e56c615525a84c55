"""The statements that read, each of them one round trip. Those of a list are made by the shape of its query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from tracker.domain.project import ProjectRole
from tracker.domain.user import Role
from tracker.store.sql.rows import TASK_COLUMNS
from tracker.store.sql.tables import log_entries, memberships, projects, sessions, tasks, users

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Select

    from tracker.domain.access import Scope
    from tracker.domain.query import TaskQuery
    from tracker.store.sql.rows import Kind

_heads = func.coalesce(func.sum(projects.c.head), 0)
_own_heads = (
    select(_heads)
    .join_from(memberships, projects, memberships.c.project_id == projects.c.id)
    .where(memberships.c.user_id == users.c.id)
    .correlate(users)
)

# The sum of bigints is a numeric on PostgreSQL, and a Decimal in Python, unless it is cast back.
STANDING = (
    select(
        users.c.id,
        sessions.c.id,
        users.c.role,
        users.c.status,
        users.c.inbox_id,
        users.c.access_version,
        cast(
            case(
                (users.c.role == literal_column(f"'{Role.ADMIN.value}'"), select(_heads).scalar_subquery()),
                else_=_own_heads.scalar_subquery(),
            ),
            BigInteger,
        ),
        sessions.c.expires_at,
        sessions.c.ended_at,
    )
    .join_from(sessions, users, sessions.c.user_id == users.c.id)
    .where(sessions.c.id == bindparam("id"))
)
MEMBERSHIPS = select(memberships.c.project_id, memberships.c.role).where(memberships.c.user_id == bindparam("user_id"))
HAS_USERS = select(exists(select(users.c.id)))
TASK = select(*TASK_COLUMNS).where(tasks.c.id == bindparam("id"))
LOG = (
    select(log_entries)
    .where(log_entries.c.project_id == bindparam("project_id"), log_entries.c.head > bindparam("after"))
    .order_by(log_entries.c.head, log_entries.c.n)
    .limit(bindparam("limit", type_=Integer))
)


def one(kind: Kind, column: str = "id") -> Select[Any]:
    """Return the statement for the entity whose ``column`` has the value ``:value``."""
    return select(*kind.columns).where(kind.table.c[column] == bindparam("value"))


class Shape(NamedTuple):
    """What two queries have in common that one statement answers; the users in their scopes are values of it."""

    scopes: tuple[tuple[frozenset[ProjectRole], bool] | None, ...]
    """For each scope its roles and whether one has to be involved; None for every task."""
    goes_on: bool

    @classmethod
    def of(cls, query: TaskQuery) -> Shape:
        """Return the shape of a query."""
        return cls(tuple(_scope_shape(scope) for scope in query.scopes), query.cursor is not None)


def _scope_shape(scope: Scope) -> tuple[frozenset[ProjectRole], bool] | None:
    return None if scope.user_id is None else (scope.roles, scope.involved)


def values_of(query: TaskQuery) -> dict[str, Any]:
    """Return the values for the statement of a query's shape; one row more than a page tells whether it goes on."""
    values: dict[str, Any] = {"limit": query.limit + 1}
    for at, scope in enumerate(query.scopes):
        if scope.user_id is not None:
            values[f"user_{at}"] = scope.user_id
    if query.cursor is not None:
        values |= {"created_at": query.cursor.created_at, "id": query.cursor.id}
    return values


def page(shape: Shape, *, by_project: bool) -> Select[Any]:
    """Return the statement for a page of tasks.

    ``by_project`` takes the newest of each project from its index and merges those, so that a page costs what it shows
    and not what there is; it needs LATERAL, which SQLite has not.
    """
    return _merged(shape) if by_project else _newest(select(*TASK_COLUMNS).where(_visible(shape)), shape)


def _newest(statement: Select[Any], shape: Shape) -> Select[Any]:
    c = tasks.c
    if shape.goes_on:
        place = tuple_(bindparam("created_at", type_=c.created_at.type), bindparam("id", type_=c.id.type))
        statement = statement.where(tuple_(c.created_at, c.id) < place)
    return (
        statement.where(c.archived_at.is_(None))
        .order_by(c.created_at.desc(), c.id.desc())
        .limit(bindparam("limit", type_=Integer))
    )


def _visible(shape: Shape) -> ColumnElement[bool]:
    return or_(false(), *(_in_scope(at, scope) for at, scope in enumerate(shape.scopes)))


def _in_scope(at: int, scope: tuple[frozenset[ProjectRole], bool] | None) -> ColumnElement[bool]:
    if scope is None:
        return true()
    roles, involved = scope
    within = tasks.c.project_id.in_(select(memberships.c.project_id).where(_member(at, roles)))
    return and_(within, _does(at)) if involved else within


def _member(at: int, roles: frozenset[ProjectRole]) -> ColumnElement[bool]:
    is_user: ColumnElement[bool] = memberships.c.user_id == bindparam(f"user_{at}")
    if roles == frozenset(ProjectRole):
        return is_user
    # Spelled out: an IN of SQLAlchemy has its values put in at each execution, which is what a prepared text avoids.
    return and_(is_user, or_(false(), *(memberships.c.role == role.value for role in sorted(roles))))


def _does(at: int) -> ColumnElement[bool]:
    user: BindParameter[str] = bindparam(f"user_{at}")
    return or_(tasks.c.created_by == user, tasks.c.assignee_id == user)


def _merged(shape: Shape) -> Select[Any]:
    searched = _searched(shape).subquery("searched")
    within = select(*TASK_COLUMNS).where(tasks.c.project_id == searched.c.id)
    if len(shape.scopes) != 1 or (shape.scopes[0] or ((), False))[1]:
        within = within.where(_visible(shape))
    newest = _newest(within, shape).lateral("newest")
    return (
        select(*newest.c)
        .select_from(searched.join(newest, true()))
        .order_by(newest.c.created_at.desc(), newest.c.id.desc())
        .limit(bindparam("limit", type_=Integer))
    )


def _searched(shape: Shape) -> Select[Any]:
    """Return the projects that hold all a query can find, each of them once."""
    if None in shape.scopes:
        return select(projects.c.id)
    members = [_member(at, scope[0]) for at, scope in enumerate(shape.scopes) if scope]
    found = select(memberships.c.project_id.label("id")).where(or_(false(), *members))
    return found if len(members) == 1 else found.distinct()
