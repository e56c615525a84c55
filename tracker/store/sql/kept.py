"""Everything in a database: read in one snapshot, and written in one transaction."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, func, insert, literal_column, select, text, update

from tracker.domain.changes import LogEntry
from tracker.domain.refusals import Unavailable
from tracker.domain.task import Task
from tracker.domain.user import User
from tracker.store.kept import ENTITIES, SORTED_BY, Account, NotEmpty
from tracker.store.sql.rows import KINDS, TASK_COLUMNS, entity_of, log_entry_of, task_of
from tracker.store.sql.tables import installation, log_entries, projects, users

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from sqlalchemy import Select

    from tracker.store.kept import Kept
    from tracker.store.sql.database import Database
    from tracker.store.sql.prepared import Row
    from tracker.store.sql.transaction import Transaction

AT_ONCE = 500  # rows that are in memory at the same time
_TABLES: Mapping[type[Any], Any] = {
    kind: log_entries if kind is LogEntry else KINDS[ENTITIES[kind]].table for kind in SORTED_BY
}
# Nobody is to come in between, and how long whoever reads or writes the file takes is not the database's to say.
_ALONE = text("LOCK TABLE projects, users, log_entries IN EXCLUSIVE MODE")
_WITHOUT_HURRY = (
    "SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)"
)
_KEPT = (*(table.c[column.name] for table, column in ((users, c) for c in KINDS[User].columns)), users.c.access_version)


class Carrying:
    """The statements for it, compiled for one database."""

    def __init__(self, database: Database) -> None:
        """Compile them."""
        self._database = database
        prepare, postgresql = database.prepare, database.is_postgresql
        self._selects = {kind: prepare(_select(kind, postgresql=postgresql)) for kind in SORTED_BY}
        self._inserts = {
            kind: prepare(insert(table), [column.name for column in table.c]) for kind, table in _TABLES.items()
        }
        self._count = prepare(_count())
        self._nothing = prepare(_is_anything())
        self._retire = prepare(_retire())
        before = (text(_WITHOUT_HURRY), _ALONE) if postgresql else ()
        self._before = [prepare(statement, planned_once=False) for statement in before]

    def count(self) -> int:
        """Return how many rows there are."""
        count: int = self._database.read(self._count, {})[0][0]
        return count

    def everything(self) -> Generator[Kept, None, None]:
        """Yield all there is, in one snapshot."""
        with self._database.snapshot(_WITHOUT_HURRY) as stream:
            for kind, statement in self._selects.items():
                made = _MADE.get(kind) or _entity(kind)
                yield from map(made, stream(statement, AT_ONCE))

    def restore(self, kept: Iterator[Kept]) -> None:
        """Write it all, in one transaction; what it is read from can be read once."""
        source = iter([kept])
        self._database.write(lambda transaction: self._write(transaction, next(source, None)))

    def _write(self, transaction: Transaction, kept: Iterator[Kept] | None) -> None:
        if kept is None:
            raise Unavailable
        for statement in self._before:
            transaction.send(statement, {})
        (found,) = transaction.ask(self._nothing, {}) or (0,)
        if found:
            raise NotEmpty
        while several := list(islice(kept, AT_ONCE)):
            for one in several:
                transaction.send(self._inserts[type(one)], _row(one))
            transaction.settle()
        transaction.send(self._retire, {})
        transaction.settle()


def _select(kind: type[Any], *, postgresql: bool) -> Select[Any]:
    table = _TABLES[kind]
    order = [_in_bytes(table.c[name], postgresql=postgresql) for name in SORTED_BY[kind]]
    return select(*_columns(kind)).order_by(*order)


def _columns(kind: type[Any]) -> Sequence[Any]:
    if kind is LogEntry:
        return [*log_entries.c]
    if kind is Account:
        return _KEPT
    return TASK_COLUMNS if kind is Task else KINDS[kind].columns


def _in_bytes(column: Any, *, postgresql: bool) -> Any:
    """Return what sorts alike on every database: text by its bytes, whatever the language of the server."""
    is_text = isinstance(column.type, Text)
    return column.collate("C") if postgresql and is_text else column


def _entity(kind: type[Any]) -> Callable[[Row], Kept]:
    return lambda row: entity_of(KINDS[kind], row)


def _account(row: Row) -> Account:
    return Account(entity_of(KINDS[User], row[:-1]), row[-1])


_MADE: Mapping[type[Any], Callable[[Row], Kept]] = {Account: _account, Task: task_of, LogEntry: log_entry_of}


def _row(one: Kept) -> dict[str, Any]:
    if isinstance(one, Account):
        return {**KINDS[User].row(one.user), "access_version": one.access_version}
    if isinstance(one, LogEntry):
        return {column.name: getattr(one, column.name) for column in log_entries.c}
    return KINDS[type(one)].row(one)


def _count() -> Select[Any]:
    counts = [select(func.count()).select_from(table).scalar_subquery() for table in _TABLES.values()]
    total: Any = counts[0]
    for count in counts[1:]:
        total = total + count
    return select(total)


def _is_anything() -> Select[Any]:
    there = [select(func.count()).select_from(table).scalar_subquery() for table in (projects, users, log_entries)]
    return select(there[0] + there[1] + there[2])


def _retire() -> Any:
    """Return the statement that sums up the heads at which projects were deleted, as the log has them."""
    ended = log_entries.c.entity == literal_column("'project'"), log_entries.c.after.is_(None)
    heads = select(func.coalesce(func.sum(log_entries.c.head), 0)).where(*ended).scalar_subquery()
    return update(installation).values(retired_heads=heads)
