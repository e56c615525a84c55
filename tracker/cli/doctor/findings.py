"""What the doctor finds, and looking without being held up: whatever is asked may be frozen."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracker.settings import Settings

PATIENCE = 20.0  # seconds for all looks together; what they ask has two to five of its own


class Verdict(StrEnum):
    """How a finding is: ``bad`` ends with exit code 1, a ``note`` does not."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and what to do about it where there is something to do."""

    verdict: Verdict
    subject: str
    text: str


@dataclass(frozen=True)
class Look:
    """A look at something; ``needs`` names the settings that have to be usable for it."""

    subject: str
    at: Callable[[Settings], Iterable[Finding]]
    needs: frozenset[str] = frozenset()


class _Looking(threading.Thread):
    """A look that nobody has to wait for."""

    def __init__(self, look: Look, settings: Settings) -> None:
        super().__init__(daemon=True)
        self.look, self.settings = look, settings
        silent = f"nothing came of it in {PATIENCE:.0f} seconds: something hangs; see whether it can be reached"
        self.found = [Finding(Verdict.BAD, look.subject, silent)]

    def run(self) -> None:
        try:
            self.found = list(self.look.at(self.settings))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the rest is to be seen; its text may hold a secret
            failed = f"it cannot be looked at ({type(problem).__name__}); please report this, it is a bug"
            self.found = [Finding(Verdict.BAD, self.look.subject, failed)]


def look_at_all(looks: Iterable[Look], settings: Settings) -> Iterator[Finding]:
    """Yield what is found, in the order of the looks, all of which are had at once."""
    until = time.monotonic() + PATIENCE
    threads = [_Looking(look, settings) for look in looks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
        yield from thread.found
