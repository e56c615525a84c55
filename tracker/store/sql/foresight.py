"""Pages that are read along with who asks for them: one trip to PostgreSQL instead of two.

Who asks for the same list again is known by the session and by what was asked; which page that is shows when the store
is asked for it, and is remembered. Where an answer is remembered upstream the store is not asked: only what was read
twice in a row is foreseen the third time. A guess that is wrong costs time, and is given to nobody.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from tracker.store.sql.connections import Visit
    from tracker.store.sql.database import Database
    from tracker.store.sql.pages import Shape
    from tracker.store.sql.prepared import Row, Values
    from tracker.store.sql.statements import Statements

_MOST = 512  # pages that are expected: half a kilobyte each
_OFTEN = 2


class Expected(NamedTuple):
    """The page that was asked for last, and how many times in a row."""

    shape: Shape
    values: Values
    times: int


class Asking(NamedTuple):
    """A request under way: what it is known by, what was expected of it, and the rows that were read along, if any.

    Two requests may be known by the same number: the page that is expected says which one is meant, and for whom.
    """

    key: int
    expected: Expected | None
    rows: Sequence[Row] | None = None

    def is_for(self, shape: Shape, values: Values) -> bool:
        """Whether this page is the one that was expected."""
        expected = self.expected
        return expected is not None and expected.shape == shape and expected.values == values


class Foresight:
    """What the sessions of one process ask for. Safe for threads; the oldest is forgotten first."""

    def __init__(self, database: Database, statements: Statements) -> None:
        """Nothing is expected yet."""
        self._database, self._statements = database, statements
        self._expected: OrderedDict[int, Expected] = OrderedDict()

    def standing(self, visit: Visit, session_id: str, asked: Hashable) -> Sequence[Row]:
        """Return the row of who asks, if there is one, and keep what is read along with it for the visit."""
        key = hash((session_id, asked))
        expected = self._expected.get(key)
        values = {"id": session_id}
        if expected is None or expected.times < _OFTEN:
            visit.asking = Asking(key, expected)
            found = self._database.read(self._statements.standing_and_heads, values)
        else:
            statement = self._statements.standing_and_page(expected.shape)
            found, rows = _parted(self._database.read(statement, {**expected.values, **values}))
            visit.asking = Asking(key, expected, rows)
        if expected is not None and expected.times:
            self._expected[key] = expected._replace(times=0)  # until it is asked for
        return found

    def page(self, asking: Asking, shape: Shape, values: Values) -> Sequence[Row]:
        """Return the rows of a page that is asked for, which will be expected the next time."""
        as_expected = asking.is_for(shape, values)
        if shape.is_first_and_plain:
            before = asking.expected.times if as_expected and asking.expected else 0
            self._expect(asking.key, Expected(shape, values, min(before + 1, _OFTEN)))
        if as_expected and asking.rows is not None:
            return asking.rows
        return self._database.read(self._statements.page(shape), values)

    def _expect(self, key: int, expected: Expected) -> None:
        self._expected[key] = expected
        while len(self._expected) > _MOST:
            self._expected.popitem(last=False)


def _parted(rows: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return who asks, if there is anybody, and the page: every task has a title."""
    there_is_somebody = bool(rows) and rows[0][1] is None
    return (rows[:1], rows[1:]) if there_is_somebody else ((), rows)
