"""Cursors on the wire: opaque, signed, and good for one list alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from tracker.domain.query import Cursor
from tracker.domain.refusals import CursorRefused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SIGNATURE = 12  # bytes: a forged cursor gains nothing, it only has to be told apart
_VALUE = 1 + 8  # what it is, and how much
_NOTHING, _NUMBER, _INSTANT = b"-", b"n", b"t"


def _written(value: datetime | int | None) -> bytes:
    match value:
        case None:
            return _NOTHING + bytes(8)
        case int():
            return _NUMBER + value.to_bytes(8, signed=True)
        case _:
            return _INSTANT + ((value - _EPOCH) // _MILLISECOND).to_bytes(8, signed=True)


def _read(written: bytes) -> datetime | int | None:
    kind, number = written[:1], int.from_bytes(written[1:], signed=True)
    if kind == _NOTHING:
        return None
    return number if kind == _NUMBER else _EPOCH + number * _MILLISECOND


class Cursors:
    """Seals places in lists, and opens what it sealed."""

    def __init__(self, key: str) -> None:
        """Derive a key of its own from the installation's secret."""
        own = hmac.digest(key.encode(), b"tracker cursors", hashlib.sha256)
        self._signing = hmac.new(own, digestmod=hashlib.sha256)  # copied: to begin anew looks the algorithm up again

    def seal(self, cursor: Cursor, of: str) -> str:
        """Return a cursor as text; ``of`` names the list with its owner, filters and order."""
        position = _written(cursor.value) + cursor.id.encode()
        return base64.urlsafe_b64encode(self._sign(position, of) + position).rstrip(b"=").decode()

    def open(self, text: str | None, of: str) -> Cursor | None:
        """Return the place a text stands for in the list ``of``; CursorRefused for any text not sealed for it."""
        if text is None:
            return None
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except binascii.Error as wrong:
            raise CursorRefused from wrong
        signature, position = sealed[:_SIGNATURE], sealed[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(position, of)):
            raise CursorRefused
        return Cursor(_read(position[:_VALUE]), position[_VALUE:].decode())

    def _sign(self, position: bytes, of: str) -> bytes:
        signing = self._signing.copy()
        signing.update(of.encode() + b"\0" + position)
        return signing.digest()[:_SIGNATURE]
