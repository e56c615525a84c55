"""Values that stand in a statement as they are, because nothing in them could end a literal.

psycopg2 makes an object of each value, prepares it for its connection and asks it for its bytes, whatever it is: of a
task that is created that took a fifth of all instructions. What is written here has letters, digits and a few marks in
it, none of which means anything between quotes; all else is left to psycopg2.
"""

from __future__ import annotations

import string
from datetime import date, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from tracker.domain.clock import iso_day, rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Kinds = tuple[type, ...]
    Chosen = Callable[[Any], Sequence[Any]]

_PLAIN = f"{string.ascii_letters}{string.digits}_.:+ -".encode()
_SHAPES = 256  # of one statement, which of its values are absent: few of those that can be ever are

_WRITTEN: Mapping[type, Callable[..., str]] = {
    datetime: lambda at: at.isoformat() if at.microsecond % 1000 else rfc3339(at),
    date: iso_day,
}


class Literals:
    """Writes the values of one statement, again and again.

    Of what kind each value is decides how all of them are written, and that is worked out once. Where a value had to be
    quoted, as titles have, that one is left to psycopg2 from then on: the others are looked through at once.
    """

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._shapes: dict[Kinds, _Shape] = {}
        self._quoted: frozenset[int] = frozenset()

    def __call__(self, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """Return the values as PostgreSQL reads them, ``%s`` for those that have to be quoted, and these, in order."""
        kinds = tuple(map(type, values))
        # What a shape writes in quotes is looked through each time, whatever other threads have found out meanwhile.
        while not _are_plain((shape := self._shape_of(kinds)).texts(values)):
            texts = ((at, value) for at, value in enumerate(values) if isinstance(value, str))
            self._quoted |= {at for at, text in texts if not _are_plain((text,))}
            self._shapes = {}
        return shape.written(values), shape.others(values)

    def _shape_of(self, kinds: Kinds) -> _Shape:
        shape = self._shapes.get(kinds)
        if shape is None:
            if len(self._shapes) >= _SHAPES:
                self._shapes = {}
            shape = self._shapes[kinds] = _Shape.of(kinds, self._quoted)
        return shape


class _Shape(NamedTuple):
    """How values of certain kinds are written: a place for each, and which of them are texts, or left to others."""

    places: str
    texts: Chosen
    written_first: Sequence[tuple[int, Callable[..., str]]]
    placed: Chosen
    others: Chosen

    @classmethod
    def of(cls, kinds: Kinds, quoted: frozenset[int]) -> _Shape:
        """Work it out; texts that are ``quoted`` are left to others."""
        texts = [at for at, kind in enumerate(kinds) if issubclass(kind, str) and at not in quoted]
        written_first = [(at, _WRITTEN[kind]) for at, kind in enumerate(kinds) if kind in _WRITTEN]
        numbers = [at for at, kind in enumerate(kinds) if kind is int]
        in_quotes = {*texts, *(at for at, _ in written_first)}
        placed = sorted({*in_quotes, *numbers})
        absent = [at for at, kind in enumerate(kinds) if kind is type(None)]
        forms = {**dict.fromkeys(numbers, "%s"), **dict.fromkeys(in_quotes, "'%s'"), **dict.fromkeys(absent, "NULL")}
        places = ", ".join(forms.get(at, "%%s") for at in range(len(kinds)))
        others = [at for at in range(len(kinds)) if at not in forms]
        return cls(places, chosen(texts), written_first, chosen(placed), chosen(others))

    def written(self, values: Sequence[Any]) -> str:
        """Return them with a comma between each two."""
        if self.written_first:
            values = list(values)
            for at, write in self.written_first:
                values[at] = write(values[at])
        return self.places % self.placed(values)


def _are_plain(texts: Sequence[str]) -> bool:
    # By bytes: a regex takes twenty times as long to look at a character.
    text = "".join(texts)
    return text.isascii() and not text.encode().translate(None, _PLAIN)


def chosen(places: Sequence[int] | Sequence[str]) -> Chosen:
    """Return what takes the values that have these places in a sequence, or these names."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])
