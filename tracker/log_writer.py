"""How log lines leave: through a queue with a bound, written by one thread, so that nobody ever waits for a reader.

Whoever reads stderr may be stopped, a pipe that is full then takes nothing more, and a thread that writes to it waits
for good. Here only the writer waits; what does not fit into the queue meanwhile is dropped, and counted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections import deque
from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

LINES = 10_000
_GATHERED = 0.02  # seconds for which lines are gathered before they are written at once
_FAREWELL = 2.0  # seconds that the last lines have at the end of a process


class QueuedLines(logging.Handler):
    """Writes formatted lines to stderr; ``lost`` is how many it had to drop so far."""

    def __init__(self, stream: TextIO | None = None, lines: int = LINES) -> None:
        """Write to ``stream``, or to what is stderr now."""
        super().__init__()
        self._stream, self._bound = stream or sys.stderr, lines
        self.lost = 0
        self._begin()

    def emit(self, record: logging.LogRecord) -> None:
        """Format it here, where it is known what is being done, and leave it to the writer."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - logging's own way: a line that cannot be told stops nobody
            line = f"a log line of {record.pathname}:{record.lineno} could not be formatted"
        if self._pid != os.getpid():
            self._begin()  # a fork takes no threads along
        if len(self._waiting) >= self._bound:
            self._dropped += 1
            self.lost += 1
            return
        self._waiting.append(line)
        if not self._some.is_set():
            self._some.set()

    def flush(self) -> None:
        """Return when all is written that was said before, or when a moment has passed."""
        until = monotonic() + _FAREWELL
        while (self._waiting or self._writing) and self._pid == os.getpid() and monotonic() < until:
            sleep(0.001)

    def _begin(self) -> None:
        self._pid, self._dropped, self._writing = os.getpid(), 0, False
        self._waiting: deque[str] = deque()
        self._some = threading.Event()
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def _write(self) -> None:
        while True:
            self._some.wait()
            sleep(_GATHERED)
            self._some.clear()
            self._writing = True
            while lines := self._taken():
                _put(self._stream, "\n".join([*lines, ""]))
            self._writing = False

    def _taken(self) -> list[str]:
        lines = [self._waiting.popleft() for _ in range(min(len(self._waiting), 256))]
        if lines and self._dropped:
            dropped, self._dropped = self._dropped, 0
            lines.append(self.format(_told(dropped)))
        return lines


def lost() -> int:
    """Return how many lines this process has lost so far."""
    return sum(handler.lost for handler in logging.getLogger().handlers if isinstance(handler, QueuedLines))


def _told(lines: int) -> logging.LogRecord:
    said = "%s log lines were dropped: nobody read them in time"
    return logging.LogRecord("tracker", logging.WARNING, __file__, 0, said, (lines,), None)


def _put(stream: TextIO, text: str) -> None:
    """Write text, past Python's buffer where there is a file behind: whose lock it would hold for good."""
    with contextlib.suppress(OSError, ValueError):  # nobody is there to tell it to
        try:
            file = stream.fileno()
        except (AttributeError, OSError):  # a test's own
            stream.write(text)
            stream.flush()
            return
        rest = text.encode("utf-8", "replace")
        while rest:
            rest = rest[os.write(file, rest) :]
