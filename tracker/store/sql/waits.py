"""Who waits for PostgreSQL, and how that is ended from outside.

Seen on PostgreSQL 15 and its library: where the server's processes stand still, neither statement_timeout nor
tcp_user_timeout nor keepalives end a wait, for the kernel beneath them acknowledges everything. Shutting the socket
down from another thread does, within a millisecond. A connection that is only being made has no socket to shut yet, and
the library takes no less than two seconds for its timeout: it is made in a thread that can be left to itself.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SLICE = 0.05  # seconds; how soon whoever is being connected notices that there is no use


class Wait:
    """A connection in somebody's hands."""

    __slots__ = ("cut", "file", "since")

    def __init__(self, file: int) -> None:
        """Begin now; ``file`` is the descriptor of the socket."""
        self.file, self.since, self.cut = file, time.monotonic(), False

    def rest(self) -> None:
        """Wait for nothing until it goes on: nobody has to cut it."""
        self.since = math.inf

    def goes_on(self) -> bool:
        """Begin anew, with another question on the same connection; False where it was cut."""
        self.since = time.monotonic()
        return not self.cut


class Waits:
    """All of them, of one database and process."""

    def __init__(self) -> None:
        """Nobody waits yet."""
        self._lock = threading.Lock()
        self._all: set[Wait] = set()

    def begin(self, connection: Any) -> Wait:
        """Take note of a connection; it must not be closed before ``end``."""
        wait = Wait(connection.fileno())
        with self._lock:
            self._all.add(wait)
        return wait

    def end(self, wait: Wait) -> None:
        """Forget it: from here on its descriptor may be that of something else."""
        with self._lock:
            self._all.discard(wait)

    def cut(self, *, after: float = 0.0) -> None:
        """Break every connection that has been in somebody's hands for so many seconds; they hear it at once."""
        began_before = time.monotonic() - after
        with self._lock:
            for wait in self._all:
                if wait.since <= began_before:
                    wait.cut = True
                    _shut(wait.file)


def _shut(file: int) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(file)) as other:
        other.shutdown(socket.SHUT_RDWR)


class Attempt:
    """A connection that is being made, in a thread that nobody has to wait for."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        """Begin."""
        self._connect = connect
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._left = False
        self._made: Any = None
        self._error: BaseException | None = None
        threading.Thread(target=self._try, name="connecting", daemon=True).start()

    def result(self, go_on: Callable[[], None]) -> Any:
        """Return the connection, or raise why there is none; ``go_on`` raises once there is no use in waiting."""
        try:
            while not self._over.wait(_SLICE):
                go_on()
        except BaseException:
            self._leave()
            raise
        if self._error is not None:
            raise self._error
        return self._made

    def _try(self) -> None:
        try:
            made = self._connect()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for it
            self._error = error
        else:
            with self._lock:
                self._made = made
                if self._left:
                    made.close()
        self._over.set()

    def _leave(self) -> None:
        with self._lock:
            self._left = True
            if self._made is not None:
                self._made.close()
