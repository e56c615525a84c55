"""A window of a job that somebody works on, step by step.

Each step commits what it changes together with how far the run is: whoever has lost the window to somebody else, having
been gone too long, can change nothing any more; and who takes it over goes on where the last step ended.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import SYSTEM, new_id
from tracker.domain.outbox import Position
from tracker.domain.refusals import Contended, Unavailable
from tracker.store.deciding import decide_and_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker.domain.clock import Clock
    from tracker.domain.job import JobRun
    from tracker.store.contract import Store

BUDGET = timedelta(seconds=20)  # less than a broker waits before it gives a message to somebody else

_log = logging.getLogger("tracker")


class TakenOver(Exception):
    """Somebody else works on this window by now."""


class Work:
    """What a job is given to work with."""

    def __init__(self, store: Store, clock: Clock, run: JobRun, *, stopped: Callable[[], bool]) -> None:
        """Begin, or go on, with a run that is ours, until ``stopped``."""
        self.store, self.clock, self.run = store, clock, run
        self._until, self._stopped = clock() + BUDGET, stopped
        self._interrupted = False

    def has_time(self) -> bool:
        """Whether to begin with something more; what is left is for the next run."""
        self._interrupted = self._stopped() or self.clock() >= self._until
        return not self._interrupted

    def step(self, position: str, decide: Callable[[], Sequence[Change]]) -> int:
        """Commit what is decided, and that we are at a position; return how many changes there were.

        ``decide`` is asked again where somebody was first at one of them. What fails is passed over, so that it does
        not hold up the rest: the log says why, and the next run tries it again.
        """
        try:
            return self._change(position, decide)
        except (TakenOver, Unavailable):
            raise
        except Contended as beaten:  # no bug: a busy project, or another window of this job at the same
            _log.warning("job %s: others were always first at %s, and it goes on behind it", self.run.job, position)
            return self._pass_over(position, beaten)
        except Exception as problem:  # noqa: BLE001 - whatever it is: one project does not stop the others
            _log.exception("job %s: failed at %s, and goes on behind it", self.run.job, position)
            return self._pass_over(position, problem)

    def note(self, done: int) -> None:
        """Commit that so many things were done which are no changes."""
        self._commit(lambda: (self.run.advanced(self.run.position, done=done, at=self.clock()), ()))

    def end(self) -> None:
        """Commit that it is finished, or that time ran out."""
        run, at = self.run, self.clock()
        self._commit(lambda: (run.interrupted(at=at) if self._interrupted else run.finished(at=at), ()))

    def break_off(self, problem: Exception) -> None:
        """Commit that this try came to nothing."""
        self._commit(lambda: (self.run.broken_off(type(problem).__name__, at=self.clock()), ()))

    def _pass_over(self, position: str, problem: Exception) -> int:
        failed = self.run.passed_over(position, type(problem).__name__, at=self.clock())
        self._commit(lambda: (failed, ()))
        return 0

    def _change(self, position: str, decide: Callable[[], Sequence[Change]]) -> int:
        made: list[Change] = []

        def decided() -> tuple[JobRun, Sequence[Change]]:
            made[:] = decide()
            done = sum(not isinstance(change.entity, Position) for change in made)
            return self.run.advanced(position, done=done, at=self.clock()), made

        self._commit(decided)
        return len(made)

    def _commit(self, decide: Callable[[], tuple[JobRun, Sequence[Change]]]) -> None:
        changes, _ = decide_and_commit(lambda: self._change_set(*decide()), self.store.commit)
        self.run = cast("JobRun", changes.changes[0].after)

    def _change_set(self, after: JobRun, changes: Sequence[Change]) -> ChangeSet:
        present = self.store.job_run(self.run.job, self.run.window)
        if present is None or present.version != self.run.version:
            raise TakenOver
        return ChangeSet(new_id(), SYSTEM, self.clock(), (Change(self.run, after), *changes))
