"""A transaction written out in full, BEGIN to COMMIT, on one cursor of a connection in autocommit."""

from __future__ import annotations

import select
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from tracker.observed import ran

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.store.sql.prepared import Prepared, Row, Values


class Lost(Exception):
    """The connection was dead, and nothing came of it."""


class Transaction(Protocol):
    """Statements that become true together, once somebody says ``commit``."""

    committing: bool
    """Whether COMMIT was sent: from then on a lost connection leaves the outcome unknown."""

    def send(self, statement: Prepared, values: Values) -> None:
        """Have a statement run whose outcome nobody has to see."""

    def ask(self, statement: Prepared, values: Values) -> Row | None:
        """Run a statement and return the one row it gives, or None."""

    def ask_all(self, statement: Prepared, values: Values) -> Sequence[Row]:
        """Run a statement and return every row it gives."""

    def matched(self, statement: Prepared, values: Values) -> bool:
        """Run a statement and return whether it found a row."""

    def alone(self, statement: Prepared, values: Values) -> Row | None:
        """Run one statement that is all there is to commit, and return the one row it gives, or None."""

    def settle(self) -> None:
        """Return when all that was sent has been run."""

    def commit(self) -> None:
        """Make it true."""

    def roll_back(self) -> None:
        """Make it as if it had never been."""


class OnPostgreSQL:
    """What has nothing to say travels with the next statement that has: BEGIN and COMMIT then cost no round trip."""

    def __init__(self, cursor: Any, ready: set[str]) -> None:
        self._cursor = cursor
        self._ready = ready
        self._waiting = [b"BEGIN"]
        self._last = "BEGIN"
        self.committing = False

    def send(self, statement: Prepared, values: Values) -> None:
        statement.make_ready(self._cursor, self._ready)
        self._waiting.append(self._cursor.mogrify(*statement.sent(values)))
        self._last = statement.name

    def ask(self, statement: Prepared, values: Values) -> Row | None:
        return next(iter(self.ask_all(statement, values)), None)

    def ask_all(self, statement: Prepared, values: Values) -> Sequence[Row]:
        self.send(statement, values)
        self._run()
        return statement.rows(self._cursor)

    def matched(self, statement: Prepared, values: Values) -> bool:
        self.send(statement, values)
        self._run()
        return bool(self._cursor.rowcount)

    def alone(self, statement: Prepared, values: Values) -> Row | None:
        self._look()
        statement.make_ready(self._cursor, self._ready)
        text, given = statement.sent(values)
        self._waiting.clear()  # no BEGIN: the statement is a transaction of its own
        self.committing = True
        began = perf_counter()
        self._cursor.execute(text, given)
        ran(statement.name, 1, began)
        return next(iter(statement.rows(self._cursor)), None)

    def settle(self) -> None:
        if self._waiting:
            self._run()

    def commit(self) -> None:
        if not self.committing:
            if self._waiting[:1] == [b"BEGIN"]:
                self._look()
            self._waiting.append(b"COMMIT")
            self._last, self.committing = "COMMIT", True
            self._run()

    def roll_back(self) -> None:
        self._cursor.execute("ROLLBACK")

    def _look(self) -> None:
        """Raise Lost where the connection is over, before all is sent at once: from then on the outcome is unknown."""
        if _has_ended(self._cursor.connection):
            raise Lost

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        began = perf_counter()
        self._cursor.execute(b";".join(waiting))
        ran(self._last, len(waiting), began)


def _has_ended(connection: Any) -> bool:
    """Whether the server has something to say on an idle connection: that it is over."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class OnSQLite:
    """Inside the process there is no round trip to save: everything runs as it comes."""

    def __init__(self, cursor: Any, _ready: set[str]) -> None:
        self._cursor = cursor
        self.committing = False
        self._run("BEGIN", "BEGIN IMMEDIATE", {})

    def send(self, statement: Prepared, values: Values) -> None:
        self._run(statement.name, *statement.sent(values))

    def ask(self, statement: Prepared, values: Values) -> Row | None:
        return next(iter(self.ask_all(statement, values)), None)

    def ask_all(self, statement: Prepared, values: Values) -> Sequence[Row]:
        self.send(statement, values)
        return statement.rows(self._cursor)

    def matched(self, statement: Prepared, values: Values) -> bool:
        self.send(statement, values)
        return bool(self._cursor.rowcount)

    def alone(self, statement: Prepared, values: Values) -> Row | None:
        return self.ask(statement, values)

    def settle(self) -> None:
        pass

    def commit(self) -> None:
        self.committing = True
        self._run("COMMIT", "COMMIT", {})

    def _run(self, name: str, text: str, values: Values) -> None:
        began = perf_counter()
        self._cursor.execute(text, values)
        ran(name, 1, began)

    def roll_back(self) -> None:
        if self._cursor.connection.in_transaction:
            self._cursor.execute("ROLLBACK")
