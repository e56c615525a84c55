"""A file that is touched again and again: how a process that listens nowhere says that it gets on.

It says nothing about the broker or the database: starting a process anew because those are gone helps nobody.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FRESH = 60.0  # seconds; it is touched every five, and what takes longest is given up after twenty


def touch(file: Path) -> None:
    """Say that we get on. Where that cannot be said the file grows old, and that tells as much."""
    with suppress(OSError):
        file.touch()


def age(file: Path) -> float | None:
    """Return how many seconds ago somebody got on; None if nobody ever has."""
    try:
        return time.time() - file.stat().st_mtime
    except OSError:
        return None
