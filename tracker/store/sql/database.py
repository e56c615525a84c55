"""The engine with its connections, and the two things done on one: a read, and a transaction."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from tracker.domain.refusals import Unavailable
from tracker.observed import ran
from tracker.store.silence import Silent
from tracker.store.sql.connections import Connections
from tracker.store.sql.engine import is_no_id, open_engine, refused
from tracker.store.sql.prepared import AS_THEY_ARE, Prepared
from tracker.store.sql.streams import on_postgresql, on_sqlite
from tracker.store.sql.transaction import Lost, OnPostgreSQL, OnSQLite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ClauseElement
    from sqlalchemy.pool import PoolProxiedConnection

    from tracker.store.sql.prepared import Row, Values
    from tracker.store.sql.streams import Stream
    from tracker.store.sql.transaction import Transaction
    from tracker.store.sql.waits import Wait
    from tracker.store.watch import Watch

_PATIENCE = 5.0
_LONGEST = 15.0  # seconds; PostgreSQL ends a statement by itself after five, and a transaction that idles too

Made = TypeVar("Made")


class Database:
    """One database. Safe for threads, of which ``connections`` can be inside at once."""

    def __init__(self, url: str, *, connections: int, watch: Watch | None = None) -> None:
        """Make the engine; nothing is connected yet."""
        self.engine = open_engine(url, connections=connections)
        if watch is not None:
            watch.pool_opened(connections)
        self.is_postgresql = self.engine.dialect.name == "postgresql"
        self._transaction = OnPostgreSQL if self.is_postgresql else OnSQLite
        self._writing = threading.Lock()
        self.connections = Connections(self.engine, size=connections, watch=watch)

    def prepare(
        self,
        statement: ClauseElement,
        columns: Iterable[str] | None = None,
        *,
        planned_once: bool = True,
        value_names: Mapping[str, str] = AS_THEY_ARE,
    ) -> Prepared:
        """Return a statement compiled for this database; what it takes is that of Prepared."""
        dialect = self.engine.dialect
        return Prepared(statement, dialect, columns, planned_once=planned_once, value_names=value_names)

    def read(self, statement: Prepared, values: Values) -> Sequence[Row]:
        """Return the rows of one statement."""
        return _once_more_if_lost(lambda: self._read(statement, values))

    def write(self, work: Callable[[Transaction], Made]) -> Made:
        """Return what ``work`` made in a transaction, once that is committed; roll back where anything raises."""
        if self.is_postgresql:
            return _once_more_if_lost(lambda: self._write(work))
        # SQLite has one writer at a time: threads that queue here are woken in turn, those it lets wait poll.
        if not self._writing.acquire(timeout=_PATIENCE):
            raise Unavailable
        try:
            return _once_more_if_lost(lambda: self._write(work))
        finally:
            self._writing.release()

    @contextmanager
    def snapshot(self, preparation: str) -> Iterator[Stream]:
        """Give what streams the rows of statements, all of them as they were at one instant."""
        connection, wait = self.connections.take()
        if wait is not None:
            self.connections.waits.end(wait)  # it takes as long as there is to read
        cursor: Any = connection.cursor()
        stream = on_postgresql if self.is_postgresql else on_sqlite
        try:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.is_postgresql else "BEGIN")
            if self.is_postgresql:
                cursor.execute(preparation)
            yield partial(stream, cursor)
        except Exception as error:
            raise refused(error) from error
        finally:
            self._end(connection, cursor)

    def probe(self, statement: Prepared, values: Values) -> Sequence[Row]:
        """Return the rows of one statement, asked also of a database that is silent: what says anything is not."""
        with self.connections.silence.asked():
            try:
                rows = self.read(statement, values)
            except Silent:
                raise
            except Unavailable:
                self.connections.silence.end()
                raise
            self.connections.waits.cut(after=_LONGEST)
            return rows

    def give_up(self) -> None:
        """End every wait, and let nobody begin another until a probe has heard something; SQLite is no server."""
        if self.is_postgresql:
            self.connections.silence.begin()
            self.connections.waits.cut()

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.engine.dispose()

    def _read(self, statement: Prepared, values: Values) -> Sequence[Row]:
        connection, wait = self.connections.take()
        try:
            cursor: Any = connection.cursor()
            statement.make_ready(cursor, _ready(connection))
            began = perf_counter()
            cursor.execute(*statement.sent(values))
            ran(statement.name, 1, began)
            return statement.rows(cursor)
        except Exception as error:
            if is_no_id(error):
                return []
            if _is_dead(connection):
                self.connections.discard(connection)
                raise (Silent if wait and wait.cut else Lost) from error
            raise refused(error) from error
        finally:
            self.connections.give_back(connection, wait)

    def _write(self, work: Callable[[Transaction], Made]) -> Made:
        if visit := self.connections.present_visit():
            visit.foreseen = visit.asking = None
        connection, wait = self.connections.take()
        transaction: Transaction | None = None
        try:
            transaction = self._transaction(connection.cursor(), _ready(connection))
            made = work(transaction)
            transaction.commit()
        except BaseException as error:
            dead = _is_dead(connection) or isinstance(error, Lost)
            self._undo(transaction, connection)
            if dead:
                raise _ended(transaction, wait) from error
            raise (refused(error) if isinstance(error, Exception) else error) from error
        else:
            return made
        finally:
            self.connections.give_back(connection, wait)

    def _end(self, connection: PoolProxiedConnection, cursor: Any) -> None:
        try:
            cursor.execute("ROLLBACK")
        except Exception:  # noqa: BLE001 - whatever it is: nobody may inherit this connection
            connection.invalidate()
        finally:
            self.connections.put_back(connection)

    def _undo(self, transaction: Transaction | None, connection: PoolProxiedConnection) -> None:
        try:
            if transaction is not None:
                transaction.roll_back()
        except Exception:  # noqa: BLE001 - whatever it is: nobody may inherit this connection
            self.connections.discard(connection)


def _ready(connection: PoolProxiedConnection) -> set[str]:
    """Return the statements that a connection has planned, for as long as it lives."""
    ready: set[str] = connection.info.setdefault("tracker_ready", set())
    return ready


def _is_dead(connection: PoolProxiedConnection) -> bool:
    return bool(getattr(connection.dbapi_connection, "closed", 0))


def _ended(transaction: Transaction | None, wait: Wait | None) -> type[Exception]:
    if wait is not None and wait.cut:
        return Silent
    return Unavailable if transaction and transaction.committing else Lost


def _once_more_if_lost(attempt: Callable[[], Made]) -> Made:
    try:
        return attempt()
    except Lost:
        pass
    try:
        return attempt()
    except Lost as lost:
        raise Unavailable from lost
