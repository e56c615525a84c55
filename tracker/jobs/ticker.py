"""The table of jobs, run in one thread of a server that has no broker."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from tracker.domain.refusals import Unavailable

if TYPE_CHECKING:
    from tracker.jobs.runner import Runner

PAUSE = 1.0

_log = logging.getLogger("tracker")


class Ticker:
    """Asks for each job once a second, for as long as it runs."""

    def __init__(self, runner: Runner, *, pause: float = PAUSE) -> None:
        """Make the thread; ``start`` starts it."""
        self._runner, self._pause = runner, pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Return once the job that is at work has ended, or left the rest to somebody else."""
        self._stopped.set()
        self._runner.stop()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause):
            for name in self._runner.jobs:
                self._tick(name)

    def _tick(self, name: str) -> None:
        try:
            if not self._stopped.is_set():
                self._runner.tick(name)
        except Unavailable as gone:
            _log.warning("job %s: %s", name, gone.detail, extra={"job": name})
        except Exception:  # noqa: BLE001 - whatever it is: it does not stop the other jobs
            _log.exception("job %s failed", name, extra={"job": name})
