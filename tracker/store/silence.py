"""Whether a database is silent: it neither answers nor refuses, so that whoever asks it waits for nothing.

Refusing costs nothing, so a database that refuses goes on being asked by everybody, and is noticed at once when it is
back. One that is silent is asked by nobody but whoever looks after it, until that one has heard something.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker.domain.refusals import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


class Silent(Unavailable):
    """The database was asked and said nothing, or is known to say nothing."""

    detail = "The database does not answer; try again in a moment."


class Silence:
    """What is known of one database, by all threads."""

    def __init__(self) -> None:
        """Nothing bad is known."""
        self._known = False
        self._here = threading.local()

    def begin(self) -> None:
        """Say that it is silent."""
        self._known = True

    def end(self) -> None:
        """Say that it was heard."""
        self._known = False

    def refuse(self) -> None:
        """Raise Silent where that is known, unless this thread is to find out."""
        if self._known and not getattr(self._here, "asks", False):
            raise Silent

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Let this thread find out: whatever it hears that is not Unavailable ends the silence."""
        self._here.asks = True
        try:
            yield
        except Unavailable:
            raise
        except Exception:
            self.end()
            raise
        else:
            self.end()
        finally:
            self._here.asks = False
