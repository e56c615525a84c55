"""Whether this process can serve: looked at all the time by a thread of its own, so that who asks waits for nothing.

It is not ready while the database does not answer or has an older schema, and from the moment it was told to stop. Only
a database that is silent is asked by nobody else meanwhile (see ``store/silence.py``); Redis is no reason either way.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from tracker.domain.refusals import Unavailable
from tracker.store.contract import OLDER

if TYPE_CHECKING:
    from tracker.edge.shared_redis import SharedRedis
    from tracker.store.contract import Store

PAUSE = 0.5  # seconds between two looks
SILENT = 12  # so many slices without an answer to a look: the database is silent
_SLICE = 0.1  # seconds; counted, not measured: where this process itself stands still, nobody is blamed for it
_GONE = "The database does not answer."
_BUG = "The database answers with an error; the log of this server has the rest."
_STOPPING = "This server is about to stop; ask another one."
_UNKNOWN = "The database has not answered yet."

_log = logging.getLogger("tracker")


class Lookout:
    """Looks at what a process needs, and keeps what it saw. Until it is started, whoever asks looks for themselves."""

    def __init__(self, store: Store) -> None:
        """Look at a store."""
        self._store = store
        self._missing: str | None = None
        self._draining, self._started = False, False
        self._look_at_work, self._looks = 0, 0  # the number of the look that waits for an answer, 0 for none
        self._known, self._stopped = threading.Event(), threading.Event()

    @property
    def draining(self) -> bool:
        """Whether the process was told to stop."""
        return self._draining

    def start(self) -> None:
        """Return after the first look: what this process is asked before it knows would be turned away for nothing."""
        self._started, self._missing = True, _UNKNOWN
        for work in (self._look_on, self._watch):
            threading.Thread(target=work, name="lookout", daemon=True).start()
        self._known.wait()

    def drain(self) -> None:
        """Say from now on that this process is not ready."""
        self._draining = True

    def stop(self) -> None:
        """Look no more; whoever is waiting for an answer is left to it."""
        self._stopped.set()

    def checks(self, redis: SharedRedis | None = None) -> dict[str, str]:
        """Return how each thing is that this process uses; Unavailable, naming what is missing, where it cannot."""
        if self._draining:
            raise Unavailable(_STOPPING)
        if not self._started:
            self._store.ping()
        elif self._missing is not None:
            raise Unavailable(self._missing)
        known = {"redis": "gone" if redis.is_left_alone else "ok"} if redis else {}
        return {"database": "ok", **known}

    def _look_on(self) -> None:
        while not self._stopped.is_set():
            self._looks += 1
            self._look_at_work = self._looks
            missing = self._look()
            self._look_at_work = 0
            self._saw(missing)
            self._stopped.wait(PAUSE)

    def _look(self) -> str | None:
        try:
            self._store.ping()
        except Unavailable as gone:
            return OLDER if gone.detail == OLDER else _GONE
        except Exception:  # noqa: BLE001 - whatever it is: it does not end the looking
            _log.exception("the database cannot be looked at")
            return _BUG
        return None

    def _watch(self) -> None:
        look, slices = 0, 0
        while not self._stopped.wait(_SLICE):
            slices = slices + 1 if look == self._look_at_work else 0
            look = self._look_at_work
            if look and slices == SILENT:
                self._saw(_GONE)
                self._store.give_up()

    def _saw(self, missing: str | None) -> None:
        before, self._missing = self._missing, missing
        self._known.set()
        if missing != before and not self._stopped.is_set():
            if missing is not None:
                _log.warning("not ready: %s", missing)
            elif before != _UNKNOWN:
                _log.warning("ready again")
