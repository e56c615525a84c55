"""The statement that counts tasks for a summary: all its numbers in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Date, and_, bindparam, func, literal_column, or_, select

from tracker.domain.query import Summary
from tracker.domain.task import Status
from tracker.store.sql import scopes
from tracker.store.sql.filters import is_open, is_overdue
from tracker.store.sql.tables import INSTANT, tasks

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from tracker.domain.query import Days, SummaryQuery
    from tracker.store.sql.prepared import Row

_c = tasks.c
_STATUSES = tuple(Status)


class Shape(NamedTuple):
    """What two summaries have in common that one statement counts."""

    scopes: scopes.Shapes
    of_project: bool

    @classmethod
    def of(cls, query: SummaryQuery) -> Shape:
        """Return the shape of a query."""
        return cls(scopes.shapes_of(query.scopes), query.project_id is not None)


def values_of(query: SummaryQuery) -> dict[str, Any]:
    """Return the values for the statement of a query's shape."""
    return {
        **scopes.values_of(query.scopes),
        "project_id": query.project_id,
        "at": query.at,
        **_of_days("today", query.today),
        **_of_days("week", query.this_week),
    }


def summary(shape: Shape, *, postgresql: bool) -> Select[Any]:
    """Return the statement for a summary."""
    counted = (
        *(_c.status == literal_column(f"'{status.value}'") for status in _STATUSES),
        is_overdue(),
        and_(is_open(), _is_due_in("today")),
        and_(is_open(), _is_due_in("week")),
    )
    numbers: list[Any] = [func.count().filter(condition) for condition in counted]
    seen = scopes.visible(shape.scopes, postgresql=postgresql)
    statement = select(*numbers).select_from(tasks).where(seen, _c.archived_at.is_(None))
    return statement.where(_c.project_id == bindparam("project_id")) if shape.of_project else statement


def summary_of(row: Row) -> Summary:
    """Return the summary in a row of its statement."""
    *by_status, overdue, due_today, due_this_week = row
    return Summary(dict(zip(_STATUSES, by_status, strict=True)), overdue, due_today, due_this_week)


def _of_days(name: str, days: Days) -> dict[str, Any]:
    return {
        f"{name}_first": days.first,
        f"{name}_end": days.end,
        f"{name}_begins": days.begins,
        f"{name}_ends": days.ends,
    }


def _is_due_in(name: str) -> ColumnElement[bool]:
    """Return whether a task is due in some days: on one of them as it is written, or at a minute of them."""
    first, end = (bindparam(f"{name}_{edge}", type_=Date) for edge in ("first", "end"))
    begins, ends = (bindparam(f"{name}_{edge}", type_=INSTANT) for edge in ("begins", "ends"))
    on_a_day = and_(_c.due_time.is_(None), _c.due_date >= first, _c.due_date < end)
    at_a_minute = and_(_c.due_time.is_not(None), _c.overdue_after >= begins, _c.overdue_after < ends)
    return or_(on_a_day, at_a_minute)
