"""In: everything of an export, held to what it has to be, into an empty store; all of it or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import orjson

from tracker.domain.refusals import Refusal
from tracker.store.contract import Stale
from tracker.transfer.form import FIRST, FORMAT, LAST, VERSION, Summary
from tracker.transfer.lines import KINDS, Wrong, kept_of, line_of
from tracker.transfer.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker.store.contract import Store
    from tracker.store.kept import Kept

LONGEST = 4 * 1024 * 1024  # bytes of a line


class Damaged(Refusal):
    """What is to be imported is no export, or not all of one."""


class Lines(Protocol):
    """What a file is here."""

    def readline(self, size: int, /) -> bytes: ...


def restore(store: Store, lines: Lines, *, seen: Callable[[int], object]) -> Summary:
    """Have a store hold what an export says; ``seen`` is told how many bytes were read. Damaged, and nothing is there.

    A line is refused by its number and the member that is wrong, never by what stands there.
    """
    reading = _Reading(lines, seen)
    try:
        store.restore(reading.things())
    except Stale:
        near = f"line {reading.number} or one of those before it"
        raise Damaged(
            f"The number of a task of a project, or something else there is one of, is there twice: {near}."
        ) from None
    return reading.summary


class _Reading:
    """One file, read once."""

    def __init__(self, lines: Lines, seen: Callable[[int], object]) -> None:
        self._lines, self._seen = lines, seen
        self._together = Together()
        self.summary = Summary()
        self.number = 0

    def things(self) -> Iterator[Kept]:
        """Yield each thing; whoever has come to the end has had all of them."""
        self._check_first(*self._next())
        while True:
            name, members, line = self._next()
            if name == LAST:
                break
            yield self._kept(name, members, line)
        if members != self.summary.members:
            raise self._damaged("the counts or the hash are not those of the lines before")
        if self._lines.readline(1):
            raise self._damaged("something follows what has to be the last line")

    def _check_first(self, name: str, members: Any, _line: bytes) -> None:
        told = members if name == FIRST and isinstance(members, dict) else {}
        if told.get("format") != FORMAT:
            raise self._damaged("this is not an export of Tracker")
        if told.get("version") != VERSION:
            raise self._damaged(f"header.version is {VERSION} in what this version of Tracker reads")

    def _kept(self, name: str, members: Any, line: bytes) -> Kept:
        if name not in KINDS:
            raise self._damaged("it is of no kind that this version knows")
        try:
            kept = kept_of(name, members)
            self._together.add(name, kept)
        except Wrong as wrong:
            raise self._damaged(str(wrong)) from None
        if line_of(kept) != line:
            raise self._damaged(f"{name} is not written as an export writes it")
        self.summary.add(name, line)
        return kept

    def _next(self) -> tuple[str, Any, bytes]:
        line = self._lines.readline(LONGEST)
        self.number += 1
        self._seen(len(line))
        if len(line) == LONGEST:
            raise self._damaged(f"it has more than {LONGEST} bytes")
        if not line.endswith(b"\n"):
            raise self._damaged("the file ends here, before its last line: it was cut off")
        try:
            ((name, members),) = orjson.loads(line).items()
        except (ValueError, AttributeError):
            raise self._damaged("it is not a JSON object with one member") from None
        return name, members, line

    def _damaged(self, what: str) -> Damaged:
        return Damaged(f"Line {self.number}: {what}. Nothing was imported.")
