"""Connections in and out of hands: taken, kept for a visit, given back, broken off where the database is silent."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import event

from tracker.store.silence import Silence, Silent
from tracker.store.sql.engine import refused
from tracker.store.sql.waits import Attempt, Waits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine
    from sqlalchemy.pool import PoolProxiedConnection

    from tracker.domain.task import Task
    from tracker.store.sql.foresight import Asking
    from tracker.store.sql.prepared import Values
    from tracker.store.sql.waits import Wait
    from tracker.store.watch import Watch

    Held = tuple[PoolProxiedConnection, Wait | None]

_LONGEST_STAY = 10.0  # seconds for which a thread uses a connection that the pool has not seen


class Connections:
    """Those of one database and process. Safe for threads, of which ``size`` can have one in their hands at once."""

    def __init__(self, engine: Engine, *, size: int, watch: Watch | None) -> None:
        """Take the engine whose pool they come from."""
        self.silence, self.waits = Silence(), Waits()
        self._engine, self._size, self._watch = engine, size, watch
        self._is_server = engine.dialect.name == "postgresql"
        self._here = threading.local()
        self._taken: set[int] = set()  # by id; to ask the pool how many there are takes its lock each time
        if self._is_server:
            event.listen(engine, "do_connect", self._connect)

    def take(self) -> Held:
        """Return a connection, and who waits for it; to be given back by the same thread."""
        self.silence.refuse()
        return self._at_hand() or self._new()

    def give_back(self, connection: PoolProxiedConnection, wait: Wait | None) -> None:
        """Let others have it: at once where somebody may wait for it, else when the visit is over."""
        visit = self.present_visit()
        good = connection.is_valid and not (wait and wait.cut)
        if visit is not None and visit.held is None and good and not self._are_all_taken():
            visit.held = connection, wait
        else:
            self.put_back(connection, wait)

    def visit(self) -> Visit:
        """Return what a thread is in while it asks several times: it takes one connection for all of them.

        To take one from the pool costs as much as reading some rows.
        """
        return Visit(self)

    def stay(self) -> Stay:
        """Return what a thread is in while it visits again and again: between two visits it keeps its connection.

        Where somebody may wait for it, the pool gets it back, as it does of a thread that is in no stay.
        """
        return Stay(self)

    def present_visit(self) -> Visit | None:
        """Return the visit that this thread is in, if it is in one."""
        visit: Visit | None = getattr(self._here, "visit", None)
        return visit

    def discard(self, connection: PoolProxiedConnection) -> None:
        """Have nobody get it again."""
        connection.invalidate()
        # What ended this connection ended those that were made before it: the next one has to be new.
        self._engine.dispose()

    def enter(self, visit: Visit) -> Visit | None:
        """Begin a visit of this thread; return the one that it is in already."""
        before = self.present_visit()
        self._here.visit = visit
        return before

    def leave(self, visit: Visit, before: Visit | None) -> None:
        """End a visit."""
        self._here.visit = before
        if visit.held is not None:
            self._put_aside(visit.held)

    def settle(self, stay: Stay | None) -> None:
        """Have this thread keep its connection in a stay from now on; in None it keeps none."""
        ended: Stay | None = getattr(self._here, "stay", None)
        self._here.stay = stay
        if ended is not None and ended.held is not None:
            self._close(*ended.held)

    def put_back(self, connection: PoolProxiedConnection, wait: Wait | None = None) -> None:
        """Let others have it at once."""
        if self._watch is not None:
            self._watch.connection_returned()
        self._close(connection, wait)

    def _put_aside(self, held: Held) -> None:
        stay: Stay | None = getattr(self._here, "stay", None)
        if stay is None or self._are_all_taken() or not stay.keeps(held):
            self.put_back(*held)
        elif self._watch is not None:
            self._watch.connection_returned()

    def _at_hand(self) -> Held | None:
        held = self._kept()
        if held is None:
            return None
        connection, wait = held
        if wait is not None and not wait.goes_on():
            self.put_back(connection, wait)  # it was cut while nobody asked
            return None
        return held

    def _kept(self) -> Held | None:
        visit = self.present_visit()
        if visit is not None and visit.held is not None:
            held, visit.held = visit.held, None
            return held
        stay: Stay | None = getattr(self._here, "stay", None)
        if stay is None or stay.held is None:
            return None
        held, stay.held = stay.held, None
        if stay.is_long():
            self._close(*held)  # the pool has to say whether it is too old to be used
            return None
        if self._watch is not None:
            self._watch.connection_taken()
        return held

    def _new(self) -> Held:
        connection = self._from_pool()
        if self._watch is not None:
            self._watch.connection_taken()
        if not self._is_server:
            return connection, None
        wait = self.waits.begin(connection)
        try:
            self.silence.refuse()  # once more: whoever gave up meanwhile has cut all waits but this
        except Silent:
            self.put_back(connection, wait)
            raise
        return connection, wait

    def _from_pool(self) -> PoolProxiedConnection:
        if self._watch is not None and self._are_all_taken():
            self._watch.connection_awaited()
        try:
            connection = self._engine.raw_connection()
        except Silent:
            raise
        except Exception as error:
            raise refused(error) from error
        self._taken.add(id(connection))
        return connection

    def _are_all_taken(self) -> bool:
        return len(self._taken) >= self._size

    def _connect(self, dialect: Any, _record: object, arguments: Sequence[Any], options: Values) -> Any:
        attempt = Attempt(lambda: dialect.connect(*arguments, **options))
        return attempt.result(self.silence.refuse)

    def _close(self, connection: PoolProxiedConnection, wait: Wait | None) -> None:
        if wait is not None:
            self.waits.end(wait)
            if wait.cut and connection.is_valid:
                connection.invalidate()  # it was cut with its answer in hand
        self._taken.discard(id(connection))
        connection.close()


class Visit:
    """A stretch in which one thread asks; ``held`` is the connection that is at hand between two questions.

    ``foreseen`` is what was read along because it will be asked for: an id, and the task that it is of; and ``asking``
    is the request for a page, with those that are.
    """

    __slots__ = ("_before", "_connections", "asking", "foreseen", "held")

    def __init__(self, connections: Connections) -> None:
        """Nothing is taken before it is asked for."""
        self._connections = connections
        self._before: Visit | None = None
        self.held: Held | None = None
        self.foreseen: tuple[str, Task | None] | None = None
        self.asking: Asking | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._before = self._connections.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Give back what was taken."""
        self._connections.leave(self, self._before)


class Stay:
    """A stretch in which one thread visits; ``held`` is the connection that it keeps between two visits."""

    __slots__ = ("_connections", "_kept", "_until", "held")

    def __init__(self, connections: Connections) -> None:
        """Nothing is kept before it was taken for a visit."""
        self._connections = connections
        self._kept: PoolProxiedConnection | None = None
        self._until = 0.0
        self.held: Held | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._connections.settle(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Give back what is kept."""
        self._connections.settle(None)

    def keeps(self, held: Held) -> bool:
        """Keep a connection, unless there is one already; return whether it is kept."""
        if self.held is not None:
            return False
        connection, wait = held
        if connection is not self._kept:
            self._kept, self._until = connection, time.monotonic() + _LONGEST_STAY
        if wait is not None:
            wait.rest()
        self.held = held
        return True

    def is_long(self) -> bool:
        """Whether it is long ago that the pool has seen the connection."""
        return time.monotonic() > self._until
