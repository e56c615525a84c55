"""Scopes as conditions of a statement: which tasks they hold, and which projects hold all of those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, any_, bindparam, false, func, or_, select, true

from tracker.domain.project import ProjectRole
from tracker.store.sql.tables import memberships, projects, tasks

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement, Select

    from tracker.domain.access import Scope

    Shapes = tuple[tuple[frozenset[ProjectRole], bool] | None, ...]
    """For each scope its roles and whether one has to be involved; None for every task."""


def shapes_of(scopes: tuple[Scope, ...]) -> Shapes:
    """Return what scopes ask for but for whom."""
    return tuple(None if scope.user_id is None else (scope.roles, scope.involved) for scope in scopes)


def values_of(scopes: tuple[Scope, ...]) -> dict[str, str]:
    """Return the users of scopes, under the names of their parameters."""
    return {f"user_{at}": scope.user_id for at, scope in enumerate(scopes) if scope.user_id is not None}


def are_few(scopes: tuple[Scope, ...], *, most: int) -> bool:
    """Whether the projects of scopes are no more than that, as far as it is known: whoever sees all may see many."""
    return all(scope.user_id is not None and (scope.projects or 0) <= most for scope in scopes)


def visible(shapes: Shapes, *, postgresql: bool) -> ColumnElement[bool]:
    """Return whether a task is in any of the scopes."""
    return or_(false(), *(_in_scope(at, shape, postgresql=postgresql) for at, shape in enumerate(shapes)))


def searched(shapes: Shapes) -> Select[Any]:
    """Return the projects that hold all that is in the scopes, each of them once."""
    if None in shapes:
        return select(projects.c.id)
    members = [_member(at, shape[0]) for at, shape in enumerate(shapes) if shape]
    found = select(memberships.c.project_id.label("id")).where(or_(false(), *members))
    return found if len(members) == 1 else found.distinct()


def is_whole_projects(shapes: Shapes) -> bool:
    """Whether every task of the projects that are searched is in the scopes."""
    return len(shapes) == 1 and not (shapes[0] or ((), False))[1]


def _in_scope(at: int, shape: tuple[frozenset[ProjectRole], bool] | None, *, postgresql: bool) -> ColumnElement[bool]:
    if shape is None:
        return true()
    roles, involved = shape
    theirs: Any = select(memberships.c.project_id).where(_member(at, roles))
    # An array is made once. PostgreSQL would search a text index again for each row of a subquery.
    within = (
        tasks.c.project_id == any_(func.array(theirs.scalar_subquery()))
        if postgresql
        else tasks.c.project_id.in_(theirs)
    )
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
