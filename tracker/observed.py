"""What is being done right now, as those see it who watch: a request that is answered, or a run of a job.

Each is told once, where it begins and ends: by the edge, and by what runs jobs. Logs, metrics and traces are observers
of that; handlers, jobs and stores know none of them. It says what was done by whom and how it went, never with what.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger("tracker")


class Trace(Protocol):
    """What a trace keeps of something that is being done."""

    def ran(self, statement: str, count: int, began: float, ended: float) -> None:
        """Take note of a trip to the database."""


@dataclass(slots=True, kw_only=True)
class Doing:
    """Something with a beginning and an end.

    ``name`` is that of the operation or the job; ``about`` stands on each log line that is written meanwhile.
    ``began`` is an instant of ``perf_counter``, and ``seconds`` how long it took, once it has ended.
    """

    name: str
    about: dict[str, str]
    began: float = field(default_factory=perf_counter)
    seconds: float = 0.0
    statements: int = 0
    in_database: float = 0.0
    trace: Trace | None = None


@dataclass(slots=True, kw_only=True)
class Request(Doing):
    """A request. ``route`` is the template of its path; ``change`` the Operation-Id of what it committed."""

    method: str
    route: str
    traceparent: str = ""
    status: int = 500
    size: int = 0
    user_id: str | None = None
    change: str | None = None


@dataclass(slots=True, kw_only=True)
class Run(Doing):
    """A run of a job. ``done`` and ``failed`` are how many things it did, and passed over."""

    outcome: str = "failed"
    done: int = 0
    failed: int = 0


class Observer(Protocol):
    """Somebody who watches."""

    def began(self, doing: Doing, /) -> None:
        """Take note that something begins."""

    def ended(self, doing: Doing, /) -> None:
        """Take note that it has ended, and of all that is known of it now."""


class Observers:
    """All who watch."""

    def __init__(self, *observers: Observer) -> None:
        """Tell them in this order of what begins, and in the opposite one of what ends."""
        self._observers = observers

    def began(self, doing: Doing) -> None:
        """Tell them that something begins."""
        for observer in self._observers:
            _tell(observer.began, doing)

    def ended(self, doing: Doing) -> None:
        """Tell them that it has ended."""
        doing.seconds = perf_counter() - doing.began
        for observer in reversed(self._observers):
            _tell(observer.ended, doing)

    @contextmanager
    def watching(self, doing: Doing) -> Iterator[None]:
        """Tell them of something that is done meanwhile."""
        self.began(doing)
        try:
            yield
        finally:
            self.ended(doing)


def _tell(told: Callable[[Doing], None], doing: Doing) -> None:
    try:
        told(doing)
    except Exception:  # noqa: BLE001 - whatever it is: what is watched goes on
        _log.exception("something that was done could not be observed")


_doing: ContextVar[Doing | None] = ContextVar("doing", default=None)


def doing() -> Doing | None:
    """Return what this thread is at."""
    return _doing.get()


class at:  # noqa: N801 - it reads as a word, as those of contextlib do
    """Has this thread be at something meanwhile."""

    __slots__ = ("_token", "_what")

    def __init__(self, what: Doing | None) -> None:
        """Take what it is at."""
        self._what = what

    def __enter__(self) -> None:
        """Begin."""
        self._token = _doing.set(self._what)

    def __exit__(self, *_raised: object) -> None:
        """Be at what it was at before."""
        _doing.reset(self._token)


def ran(statement: str, count: int, began: float) -> None:
    """Take note of a trip to the database that ends now: the name of its last statement, and how many there were."""
    present = _doing.get()
    if present is not None:
        ended = perf_counter()
        present.statements += count
        present.in_database += ended - began
        if present.trace is not None:
            present.trace.ran(statement, count, began, ended)
