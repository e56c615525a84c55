"""What the driver says of its commands and connections, handed to those who watch."""

from __future__ import annotations

from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pymongo import monitoring

from tracker.observed import ran

if TYPE_CHECKING:
    from tracker.store.watch import Watch

_MICROSECONDS = 1e6


class Commands(monitoring.CommandListener):
    """Tells of each command by its name: the driver calls this in the thread that asked."""

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Nothing: it is told of once it has ended."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Tell of it."""
        self._ended(event)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Tell of it."""
        self._ended(event)

    def _ended(self, event: Any) -> None:
        ran(event.command_name, 1, perf_counter() - event.duration_micros / _MICROSECONDS)


class Connections(monitoring.ConnectionPoolListener):
    """Tells of the connections that are in use."""

    def __init__(self, watch: Watch, size: int) -> None:
        """A pool of so many is opened with the client."""
        self._watch, self._size, self._in_use, self._lock = watch, size, 0, Lock()
        watch.pool_opened(size)

    def connection_check_out_started(self, event: object) -> None:  # noqa: ARG002 - the signature is the driver's
        """Tell where all are in use."""
        if self._in_use >= self._size:
            self._watch.connection_awaited()

    def connection_checked_out(self, event: object) -> None:  # noqa: ARG002 - likewise
        """Tell of it."""
        with self._lock:
            self._in_use += 1
        self._watch.connection_taken()

    def connection_checked_in(self, event: object) -> None:  # noqa: ARG002 - likewise
        """Tell of it."""
        with self._lock:
            self._in_use -= 1
        self._watch.connection_returned()

    def pool_created(self, event: object) -> None:
        """Nothing."""

    def pool_ready(self, event: object) -> None:
        """Nothing."""

    def pool_cleared(self, event: object) -> None:
        """Nothing."""

    def pool_closed(self, event: object) -> None:
        """Nothing."""

    def connection_created(self, event: object) -> None:
        """Nothing."""

    def connection_ready(self, event: object) -> None:
        """Nothing."""

    def connection_closed(self, event: object) -> None:
        """Nothing."""

    def connection_check_out_failed(self, event: object) -> None:
        """Nothing."""


def listeners(watch: Watch | None, size: int) -> list[Any]:
    """Return what the driver is to tell."""
    return [Commands()] if watch is None else [Commands(), Connections(watch, size)]
