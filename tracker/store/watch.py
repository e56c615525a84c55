"""What a store tells of its connections to whoever counts them. Of statements it tells ``tracker.observed``."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Somebody who counts connections."""

    def pool_opened(self, size: int) -> None:
        """Take note that so many connections may be open from now on."""

    def connection_taken(self) -> None:
        """Take note that somebody uses one."""

    def connection_returned(self) -> None:
        """Take note that they do not any more."""

    def connection_awaited(self) -> None:
        """Take note that all were in use when somebody wanted one."""
