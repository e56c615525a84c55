"""A transaction written out in full, BEGIN to COMMIT, on one cursor of a connection in autocommit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tracker.store.sql.prepared import Prepared, Row, Values


class Transaction(Protocol):
    """Statements that become true together, once somebody says ``commit``."""

    committing: bool
    """Whether COMMIT was sent: from then on a lost connection leaves the outcome unknown."""

    def send(self, statement: Prepared, values: Values) -> None:
        """Have a statement run whose outcome nobody has to see."""

    def ask(self, statement: Prepared, values: Values) -> Row | None:
        """Run a statement and return the one row it gives, or None."""

    def matched(self, statement: Prepared, values: Values) -> bool:
        """Run a statement and return whether it found a row."""

    def commit(self) -> None:
        """Make it true."""

    def roll_back(self) -> None:
        """Make it as if it had never been."""


class OnPostgreSQL:
    """What has nothing to say travels with the next statement that has: BEGIN and COMMIT then cost no round trip."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._waiting = [b"BEGIN"]
        self.committing = False

    def send(self, statement: Prepared, values: Values) -> None:
        self._waiting.append(self._cursor.mogrify(statement.text, statement.bound(values)))

    def ask(self, statement: Prepared, values: Values) -> Row | None:
        self.send(statement, values)
        self._run()
        return next(iter(statement.rows(self._cursor)), None)

    def matched(self, statement: Prepared, values: Values) -> bool:
        self.send(statement, values)
        self._run()
        return bool(self._cursor.rowcount)

    def commit(self) -> None:
        self._waiting.append(b"COMMIT")
        self.committing = True
        self._run()

    def roll_back(self) -> None:
        self._cursor.execute("ROLLBACK")

    def _run(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._cursor.execute(b";".join(waiting))


class OnSQLite:
    """Inside the process there is no round trip to save: everything runs as it comes."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self.committing = False
        cursor.execute("BEGIN IMMEDIATE")

    def send(self, statement: Prepared, values: Values) -> None:
        self._cursor.execute(statement.text, statement.bound(values))

    def ask(self, statement: Prepared, values: Values) -> Row | None:
        self.send(statement, values)
        return next(iter(statement.rows(self._cursor)), None)

    def matched(self, statement: Prepared, values: Values) -> bool:
        self.send(statement, values)
        return bool(self._cursor.rowcount)

    def commit(self) -> None:
        self.committing = True
        self._cursor.execute("COMMIT")

    def roll_back(self) -> None:
        if self._cursor.connection.in_transaction:
            self._cursor.execute("ROLLBACK")
