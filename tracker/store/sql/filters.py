"""What a TaskFilter asks for, as conditions of a statement: each has a name, so that a set of names is a shape.

Of lists, each is one parameter however long it is: an array on PostgreSQL, JSON on SQLite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, any_, bindparam, cast, exists, func, literal_column, not_, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from tracker.domain.query import Archived, TaskFilter
from tracker.domain.task import CLOSED
from tracker.store.sql.rows import as_words
from tracker.store.sql.tables import INSTANT, LABELS, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import BindParameter, Column, ColumnElement

    Condition = ColumnElement[bool]

_c = tasks.c
_AS_GIVEN = ("ids", "project_id", "status", "priority", "label", "assignee_id", "words")
_INSTANTS = ("due_before", "due_after", "created_after", "updated_after")
_ONE_BY_ONE = frozenset({"ids", "status", "priority", "label"})


def names_of(asked: TaskFilter) -> frozenset[str]:
    """Return the names of the conditions that a filter is made of."""
    names = {name for name in (*_AS_GIVEN, *_INSTANTS) if getattr(asked, name) not in {None, ()}}
    if asked.words is not None:
        names.add("words")
    if asked.overdue is not None:
        names.add("overdue" if asked.overdue else "not_overdue")
    if asked.archived is not Archived.INCLUDE:
        names.add(asked.archived.value)
    return frozenset(names)


def values_of(asked: TaskFilter, *, postgresql: bool) -> dict[str, Any]:
    """Return the values for the conditions of a filter, under the names of their parameters."""
    values = {name: getattr(asked, name) for name in ("project_id", "assignee_id", "at", *_INSTANTS)}
    values |= {name: list(getattr(asked, name)) for name in _ONE_BY_ONE}
    if asked.words is not None:
        values["words"] = _as_query(asked.words) if postgresql else [as_words([word]) for word in asked.words]
    return values


def condition(name: str, *, postgresql: bool) -> Condition:
    """Return a condition by its name."""
    if name in _ONE_BY_ONE | {"words"}:
        return (_ON_POSTGRESQL if postgresql else _ON_SQLITE)[name]()
    return _CONDITIONS[name]()


def is_open() -> Condition:
    """Return whether a task is neither done nor cancelled."""
    return and_(*(_c.status != literal_column(f"'{status.value}'") for status in sorted(CLOSED)))


def is_overdue() -> Condition:
    """Return whether a task's deadline has passed ``:at`` and it is open."""
    return and_(is_open(), _c.overdue_after < _instant("at"))


def _instant(name: str) -> BindParameter[Any]:
    return bindparam(name, type_=INSTANT)


_CONDITIONS: Mapping[str, Callable[[], Condition]] = {
    "project_id": lambda: _c.project_id == bindparam("project_id"),
    "assignee_id": lambda: _c.assignee_id == bindparam("assignee_id"),
    "due_before": lambda: _c.overdue_after < _instant("due_before"),
    "due_after": lambda: _c.overdue_after >= _instant("due_after"),
    "created_after": lambda: _c.created_at >= _instant("created_after"),
    "updated_after": lambda: _c.updated_at >= _instant("updated_after"),
    "overdue": is_overdue,
    "not_overdue": lambda: or_(_c.overdue_after.is_(None), not_(is_overdue())),
    Archived.EXCLUDE.value: lambda: _c.archived_at.is_(None),
    Archived.ONLY.value: lambda: _c.archived_at.is_not(None),
}


def is_one_of(column: Column[str], name: str, *, postgresql: bool) -> Condition:
    """Return whether a column has one of the values of a parameter that is a list."""
    return _one_of(column, name) if postgresql else _among(column, name)


def _one_of(column: Column[str], name: str | None = None) -> Condition:
    return column == any_(bindparam(name or column.name, type_=ARRAY(column.type)))


def _as_query(words: tuple[str, ...]) -> str:
    """Return what finds texts in which each of these begins a word; a word has no quotes in it."""
    return " & ".join(f"'{word}':*" for word in words)


_ON_POSTGRESQL: Mapping[str, Callable[[], Condition]] = {
    "ids": lambda: _one_of(_c.id, "ids"),
    "status": lambda: _one_of(_c.status),
    "priority": lambda: _one_of(_c.priority),
    "label": lambda: _c.labels.bool_op("&&")(bindparam("label", type_=ARRAY(Text))),
    "words": lambda: _c.words.bool_op("@@")(cast(bindparam("words", type_=Text), TSQUERY)),
}


def _values(name: str) -> Any:
    """Return the rows of a parameter that is a list."""
    return func.json_each(bindparam(name, type_=LABELS)).table_valued("value", name=f"given_{name}")


def _among(column: Any, name: str) -> Condition:
    found: Condition = column.in_(select(_values(name).c.value))
    return found


def _labelled() -> Condition:
    label = func.json_each(_c.labels).table_valued("value", name="label")
    return exists(select(literal_column("1")).select_from(label).where(_among(label.c.value, "label")))


def _has_words() -> Condition:
    word = _values("words")
    missing = exists(
        select(literal_column("1")).select_from(word).where(func.instr(_c.words, word.c.value) == literal_column("0"))
    )
    return and_(func.json_array_length(bindparam("words", type_=LABELS)) > literal_column("0"), not_(missing))


_ON_SQLITE: Mapping[str, Callable[[], Condition]] = {
    "ids": lambda: _among(_c.id, "ids"),
    "status": lambda: _among(_c.status, "status"),
    "priority": lambda: _among(_c.priority, "priority"),
    "label": _labelled,
    "words": _has_words,
}
