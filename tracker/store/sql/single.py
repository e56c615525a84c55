"""A commit of one task as one statement: a task created, or replaced where it is. Almost every write is one of these.

PostgreSQL alone takes a statement that writes in several places; it is a transaction of its own, so that a commit costs
one round trip instead of two or three. The order of locks is that of ``commit.py``: the task's row, then its project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, cast, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import JSON, JSONB

from tracker.domain.task import Task
from tracker.store.contract import Receipt, Stale
from tracker.store.effects import moves, needs_number
from tracker.store.sql.rows import KINDS
from tracker.store.sql.tables import log_entries, projects, tasks

if TYPE_CHECKING:
    from sqlalchemy import CTE, Column, ColumnElement, Select

    from tracker.domain.changes import ChangeSet
    from tracker.store.sql.database import Database
    from tracker.store.sql.prepared import Prepared
    from tracker.store.sql.transaction import Transaction

_TO = {column.name: f"to_{column.name}" for column in tasks.c}  # what sets a column may not have its name
_VALUE_NAMES = {parameter: column for column, parameter in _TO.items()}
_STAYS = {"id", "project_id", "number"}
_LOGGED = ("operation_id", "actor_id", "at", "entity_id", "before", "after")


@dataclass(frozen=True, slots=True)
class Single:
    """The two statements; each returns the project's new head and last number, or no row where it found none."""

    create: Prepared
    replace: Prepared

    @classmethod
    def of(cls, database: Database) -> Single:
        """Compile them."""
        return cls(*(database.prepare(each, value_names=_VALUE_NAMES) for each in (_create(), _replace())))

    def commit(self, changes: ChangeSet, transaction: Transaction) -> Receipt | None:
        """Commit a task that is created, or replaced where it is; None, and nothing is sent, where there is more to do.

        Stale where its row is not what it was decided on, or its project is gone.
        """
        change = _only(changes)
        if change is None:
            return None
        before, after = change
        row = transaction.alone(self.replace if before else self.create, _values_of(changes, before, after))
        if row is None:
            raise Stale(after.id if before else after.project_id)
        head, number = row
        return Receipt({after.project_id: head}, {} if before else {after.id: after.with_members(number=number)})


def _only(changes: ChangeSet) -> tuple[Task | None, Task] | None:
    """Return what the one task that changes was and is to be; None where it is no task, or not all that changes."""
    changing = [change for change in changes.changes if not change.idle]
    if len(changing) != 1 or changes.required_heads:
        return None
    (change,) = changing
    before, after = change.before, change.after
    if isinstance(before, Task):
        return (before, after) if isinstance(after, Task) and not moves(change) else None
    return (None, after) if isinstance(after, Task) and needs_number(change) else None


def _values_of(changes: ChangeSet, before: Task | None, after: Task) -> dict[str, Any]:
    return KINDS[Task].row(after) | {
        "is_version": before.version if before else 0,
        "log_operation_id": changes.operation_id,
        "log_actor_id": changes.actor_id,
        "log_at": changes.at,
        "log_entity_id": after.id,
        "log_before": before,
        "log_after": after,
    }


def _create() -> Select[Any]:
    head = _next_head(projects.c.id == _to(tasks.c.project_id), created=1)
    columns = list(tasks.c)
    given = [head.c.last_number if column is tasks.c.number else _typed(_to(column)) for column in columns]
    made = insert(tasks).from_select(columns, select(*given).select_from(head)).cte("made")
    # The number is known here alone: the record that the log keeps has a place for it.
    numbered = func.jsonb_build_object(literal_column("'number'"), head.c.last_number, type_=JSONB)
    record = cast(_log("after"), JSONB).concat(numbered)
    return select(head.c.head, head.c.last_number).add_cte(made, _logged(head, cast(record, JSON)))


def _replace() -> Select[Any]:
    changed = {column.name: _to(column) for column in tasks.c if column.name not in _STAYS}
    found = tasks.c.id == _to(tasks.c.id), tasks.c.version == bindparam("is_version", type_=Integer)
    task = update(tasks).where(*found).values(changed).returning(tasks.c.project_id).cte("changed")
    head = _next_head(projects.c.id == task.c.project_id, created=0)
    return select(head.c.head, head.c.last_number).add_cte(_logged(head, _typed(_log("after"))))


def _next_head(which: ColumnElement[bool], *, created: int) -> CTE:
    numbers = {"head": projects.c.head + literal_column("1")}
    if created:
        numbers["last_number"] = projects.c.last_number + literal_column(str(created))
    raised = update(projects).where(which).values(numbers)
    return raised.returning(projects.c.id, projects.c.head, projects.c.last_number).cte("head")


def _logged(head: CTE, after: ColumnElement[Any]) -> CTE:
    given = {name: _typed(_log(name)) for name in _LOGGED} | {
        "project_id": head.c.id,
        "head": head.c.head,
        "n": literal_column("1"),
        "entity": literal_column("'task'"),
        "after": after,
    }
    entry = select(*given.values()).select_from(head)
    return insert(log_entries).from_select(list(given), entry).cte("logged")


def _to(column: Column[Any]) -> ColumnElement[Any]:
    return bindparam(_TO[column.name], type_=column.type)


def _log(name: str) -> ColumnElement[Any]:
    return bindparam(f"log_{name}", type_=log_entries.c[name].type)


def _typed(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a value that says what it is: what a SELECT hands to an INSERT is text otherwise."""
    return cast(value, value.type)
