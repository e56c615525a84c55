"""The statements that list tasks, made by the shape of a query: what it asks for, without the values.

A page begins after the place where the one before ended, in the order of a column and then of the ids: what stood
still in between is neither missed nor repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Integer, Text, and_, bindparam, cast, literal_column, null, or_, select, true, tuple_, union_all

from tracker.domain.query import Archived, Order, SortKey
from tracker.store.sql import filters, reads, scopes
from tracker.store.sql.packed import packed_task
from tracker.store.sql.rows import TASK_COLUMNS
from tracker.store.sql.tables import tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Column, ColumnElement, CompoundSelect, FromClause, Select, Subquery

    from tracker.domain.query import TaskQuery

_SORTED_BY: Mapping[SortKey, Column[Any]] = {
    SortKey.CREATED_AT: tasks.c.created_at,
    SortKey.UPDATED_AT: tasks.c.updated_at,
    SortKey.DUE: tasks.c.overdue_after,
    SortKey.PRIORITY: tasks.c.priority_rank,
    SortKey.NUMBER: tasks.c.number,
}
# These are found by an index of their own in all projects at once, and what is found is few.
_FOUND_AT_ONCE = frozenset({"ids", "project_id", "label", "words"})
# All there is to a shape for which a connection keeps a plan; any other is planned with its values, which pays.
_PLAIN = frozenset({"project_id", Archived.EXCLUDE.value})
# Projects whose first tasks are merged one project at a time. Measured on PostgreSQL, a page of 50 in ms: with one
# project 0.44, and 0.56 where it is looked at first which begin first; with 30 1.4 and 1.6; with 1,000 45 and 8.
_FEW = 32
_ONE: ColumnElement[int] = literal_column("1", Integer)


class Shape(NamedTuple):
    """What two queries have in common that one statement answers; the users in their scopes are values of it."""

    scopes: scopes.Shapes
    filter: frozenset[str]
    order: Order
    goes_on: bool
    goes_on_at_nothing: bool
    """Whether it goes on among those that have no value to sort by."""
    of_many: bool
    """Whether there may be more than a few projects to search."""

    @classmethod
    def of(cls, query: TaskQuery) -> Shape:
        """Return the shape of a query."""
        cursor = query.cursor
        names = filters.names_of(query.filter)
        at_nothing = cursor is not None and cursor.value is None
        of_many = not scopes.are_few(query.scopes, most=_FEW)
        return cls(scopes.shapes_of(query.scopes), names, query.order, cursor is not None, at_nothing, of_many)

    @property
    def is_first_and_plain(self) -> bool:
        """Whether it is where a list begins, of those few."""
        return self.is_plain and not self.goes_on

    @property
    def is_plain(self) -> bool:
        """Whether it is one of the few that are asked for all the time."""
        return self.filter <= _PLAIN


def values_of(query: TaskQuery, shape: Shape, *, postgresql: bool) -> dict[str, Any]:
    """Return the values for the statement of a query's shape; one row more than a page tells whether it goes on.

    For a plain shape they are the same whenever it is asked for.
    """
    wanted = query.filter
    asked = {"project_id": wanted.project_id} if shape.is_plain else filters.values_of(wanted, postgresql=postgresql)
    values = {**asked, **scopes.values_of(query.scopes), "limit": query.limit + 1}
    if query.cursor is not None:
        values |= {"place": query.cursor.value, "id": query.cursor.id}
    return values


def page(shape: Shape, *, postgresql: bool) -> Select[Any]:
    """Return the statement for a page of tasks, in rows of the database's form.

    On PostgreSQL it takes the first of each project from its index and merges those, so that a page costs what it shows
    and not what there is; of many projects only those whose first tasks come first. That needs LATERAL, which SQLite
    has not.
    """
    if not postgresql:
        return _visible(shape, TASK_COLUMNS, postgresql=False)
    found = _visible(shape, _columns(shape), postgresql=True) if shape.filter & _FOUND_AT_ONCE else _merged(shape)
    # Packed once it is cut to a page: whatever is only sorted would be packed else.
    page = found.subquery("page")
    return select(*packed_task(page.c)).order_by(*_by(shape.order, page.c))


def standing_and_page(shape: Shape) -> CompoundSelect[Any]:
    """Return the statement for who holds a session, in a row with neither title nor description, and then a page.

    PostgreSQL runs the parts of a UNION ALL one after the other, and the rows of each come in its order: it could run
    them side by side only where none has a LIMIT.
    """
    nothing = cast(null(), Text)
    who = reads.standing(heads=True, postgresql=True).add_columns(nothing.label("title"), nothing.label("description"))
    return union_all(who, select(page(shape, postgresql=True).subquery("listed")))


def _visible(shape: Shape, columns: Iterable[Column[Any]], *, postgresql: bool) -> Select[Any]:
    wanted = select(*columns).where(scopes.visible(shape.scopes, postgresql=postgresql))
    return _first(wanted, shape, postgresql=postgresql)


def _columns(shape: Shape) -> list[Column[Any]]:
    """Return those that make a task, and the one it is sorted by where that is not among them."""
    return [*TASK_COLUMNS, *({_SORTED_BY[shape.order.key]} - set(TASK_COLUMNS))]


def _first(statement: Select[Any], shape: Shape, *, postgresql: bool) -> Select[Any]:
    asked = (filters.condition(name, postgresql=postgresql) for name in sorted(shape.filter))
    statement = statement.where(*asked)
    if shape.goes_on:
        statement = statement.where(_after_place(shape))
    return _in_order(statement, shape.order, tasks.c)


def _in_order(statement: Select[Any], order: Order, columns: Any) -> Select[Any]:
    return statement.order_by(*_by(order, columns)).limit(bindparam("limit", type_=Integer))


def _by(order: Order, columns: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    value = columns[_SORTED_BY[order.key].name]
    by = (value.desc(), columns.id.desc()) if order.descending else (value.asc(), columns.id.asc())
    return (by[0].nulls_last() if order.key is SortKey.DUE else by[0]), by[1]


def _after_place(shape: Shape) -> ColumnElement[bool]:
    value, id_ = _SORTED_BY[shape.order.key], tasks.c.id
    place, last_id = bindparam("place", type_=value.type), bindparam("id", type_=id_.type)
    if shape.goes_on_at_nothing:
        return and_(value.is_(None), id_ < last_id if shape.order.descending else id_ > last_id)
    here, there = tuple_(value, id_), tuple_(place, last_id)
    after = here < there if shape.order.descending else here > there
    return or_(after, value.is_(None)) if value.nullable else after


def _merged(shape: Shape) -> Select[Any]:
    searched = scopes.searched(shape.scopes).subquery("searched")
    if shape.of_many:  # no task is on a page but of the projects that begin first, as many as it has tasks
        begins = _first_in(searched, [tasks.c.id, _SORTED_BY[shape.order.key]], shape).limit(_ONE).lateral("begins")
        searched = _joined(searched, begins, [searched.c.id], shape).subquery("beginning")
    first = _first_in(searched, _columns(shape), shape).lateral("first")
    return _joined(searched, first, first.c, shape)


def _first_in(searched: Subquery, columns: Iterable[Column[Any]], shape: Shape) -> Select[Any]:
    """Return the first tasks of one of the projects that are searched."""
    within = select(*columns).where(tasks.c.project_id == searched.c.id)
    if not scopes.is_whole_projects(shape.scopes):
        within = within.where(scopes.visible(shape.scopes, postgresql=True))
    return _first(within, shape, postgresql=True)


def _joined(searched: Subquery, first: FromClause, columns: Iterable[Any], shape: Shape) -> Select[Any]:
    return _in_order(select(*columns).select_from(searched.join(first, true())), shape.order, first.c)
