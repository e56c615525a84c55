"""The form of an export: a first line that says what it is, a line for each thing, a last one that says it is whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

from tracker.transfer.lines import KINDS, written

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT, VERSION = "tracker-export", 1
FIRST, LAST = "header", "end"


def first_line(contract_version: str) -> bytes:
    """Return the first line."""
    return written({FIRST: {"format": FORMAT, "version": VERSION, "contract": contract_version}})


class Summary:
    """How many lines of each kind there were so far, and the SHA-256 of all of them, without the first and the last."""

    def __init__(self) -> None:
        """Nothing so far."""
        self._hash = hashlib.sha256()
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, line: bytes) -> None:
        """Count a line."""
        self._hash.update(line)
        self._counts[kind] += 1

    @property
    def sha256(self) -> str:
        """The hash, in hex."""
        return self._hash.hexdigest()

    @property
    def total(self) -> int:
        """How many there were of all kinds."""
        return self._counts.total()

    @property
    def members(self) -> Mapping[str, Any]:
        """What the last line says."""
        return {"counts": {kind: self._counts[kind] for kind in KINDS}, "sha256": self.sha256}

    def last_line(self) -> bytes:
        """Return the last line."""
        return written({LAST: self.members})
