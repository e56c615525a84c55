"""The statements that write, compiled once for a database. Parameters that say which row begin with ``is_``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, bindparam, delete, func, insert, literal_column, or_, select, update

from tracker.domain.user import Role
from tracker.store.sql.rows import KINDS
from tracker.store.sql.single import Single
from tracker.store.sql.tables import claims, installation, log_entries, memberships, projects, tasks, users

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Select, Table, Update

    from tracker.domain.changes import Entity
    from tracker.store.sql.database import Database
    from tracker.store.sql.prepared import Prepared
    from tracker.store.sql.rows import Kind

# The store alone moves these: an entity is replaced without them.
_KEPT: Mapping[Table, frozenset[str]] = {
    projects: frozenset({"head", "last_number"}),
    users: frozenset({"access_version"}),
    tasks: frozenset({"project_id", "number"}),
}


@dataclass(frozen=True, slots=True)
class KindWrites:
    """What can be done to one kind of entity. ``replace`` and ``delete`` match a row on its key and version."""

    kind: Kind
    create: Prepared
    replace: Prepared
    delete: Prepared

    @classmethod
    def of(cls, kind: Kind, database: Database) -> KindWrites:
        """Compile them."""
        table, prepare = kind.table, database.prepare
        columns = [column.name for column in table.c]
        match = [_is(column) for column in (*table.primary_key, table.c.version)]
        kept = _KEPT.get(table, frozenset()) | {*table.primary_key.columns.keys()}
        return cls(
            kind=kind,
            create=prepare(insert(table), columns),
            replace=prepare(
                update(table).where(*match),
                [name for name in columns if name not in kept],
            ),
            delete=prepare(delete(table).where(*match)),
        )

    def match(self, entity: Entity) -> dict[str, Any]:
        """Return the values that find the row of an entity as it was read."""
        found = {f"is_{column.name}": getattr(entity, column.name) for column in self.kind.table.primary_key}
        return {**found, "is_version": entity.version}


@dataclass(frozen=True, slots=True)
class Writes:
    """All of them."""

    kinds: Mapping[type[Any], KindWrites]
    next_head: Prepared
    next_required_head: Prepared
    hold_head: Prepared
    retire_heads: Prepared
    move_task: Prepared
    raise_access: Prepared
    hold_contents: tuple[Prepared, ...]
    who_sees: Prepared
    log: Prepared
    forget_claim: Prepared
    keep_claim: Prepared
    single: Single | None
    """The shorter way of PostgreSQL."""

    @classmethod
    def of(cls, database: Database) -> Writes:
        """Compile them."""
        prepare, required = database.prepare, _is(projects.c.head)
        return cls(
            kinds={entity: KindWrites.of(kind, database) for entity, kind in KINDS.items()},
            next_head=prepare(_next_head(_is(projects.c.id))),
            next_required_head=prepare(_next_head(_is(projects.c.id), required)),
            hold_head=prepare(select(projects.c.head).where(_is(projects.c.id), required).with_for_update(read=True)),
            retire_heads=prepare(_retire_heads(bindparam("by", type_=BigInteger))),
            move_task=prepare(update(tasks).where(_is(tasks.c.id)), ["project_id", "number"]),
            raise_access=prepare(_raise_access(bindparam("by", type_=Integer)).where(_is(users.c.id))),
            hold_contents=tuple(map(prepare, (_held(tasks, tasks.c.id), _held(memberships, memberships.c.user_id)))),
            who_sees=prepare(select(users.c.id).where(_sees(projects.c.id))),
            log=prepare(insert(log_entries), [column.name for column in log_entries.c]),
            forget_claim=prepare(delete(claims).where(_is(claims.c.owner), _is(claims.c.key), _is_older(claims.c.at))),
            keep_claim=prepare(insert(claims), [column.name for column in claims.c]),
            single=Single.of(database) if database.is_postgresql else None,
        )


def _is(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column == bindparam(f"is_{column.key}")


def _is_older(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column <= bindparam("is_before", type_=column.type)


def _next_head(*which: ColumnElement[bool]) -> Any:
    created = bindparam("created", type_=BigInteger)
    return (
        update(projects)
        .where(*which)
        .values(head=projects.c.head + literal_column("1"), last_number=projects.c.last_number + created)
        .returning(projects.c.head, projects.c.last_number)
    )


def _held(table: Table, by: ColumnElement[Any]) -> Select[Any]:
    """Return the statement that locks what is in a project, row by row in the order of the commits that change it."""
    rows = select(by).where(table.c.project_id == bindparam("is_id")).order_by(by).with_for_update()
    return select(func.count()).select_from(rows.subquery())


def _retire_heads(by: Any) -> Update:
    return update(installation).values(retired_heads=installation.c.retired_heads + by)


def _raise_access(by: Any) -> Update:
    return update(users).values(access_version=users.c.access_version + by)


def _sees(project_id: ColumnElement[Any]) -> ColumnElement[bool]:
    members = select(memberships.c.user_id).where(memberships.c.project_id == bindparam(f"is_{project_id.key}"))
    return or_(users.c.role == Role.ADMIN.value, users.c.id.in_(members))
