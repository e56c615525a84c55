"""A server that takes connections and never says a word, as one does that is stopped or whose disk hangs."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def silent_server() -> Iterator[int]:
    """Give the port at 127.0.0.1 of one; the system takes the connections for it."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])
