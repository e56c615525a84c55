"""Who runs a job when. However many ask for a window of it, in however many processes, one of them has it."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker.domain.changes import Change, ChangeSet
from tracker.domain.identity import SYSTEM, new_id
from tracker.domain.job import JobRun, JobState, window_at
from tracker.domain.refusals import Refusal
from tracker.jobs.work import TakenOver, Work
from tracker.observed import Observers, Run, at
from tracker.store.contract import Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, timedelta

    from tracker.domain.clock import Clock
    from tracker.store.contract import Reader, Store

_log = logging.getLogger("tracker")


@dataclass(frozen=True)
class Job:
    """Something that happens by itself, once in each window of ``every``.

    ``does`` names what its runs count. ``idle`` is whether there is nothing to do; None where only a run can tell.
    """

    name: str
    every: timedelta
    does: str
    run: Callable[[Work], object]
    idle: Callable[[Reader], bool] | None = None


class Runner:
    """Runs jobs on a store. Safe to use from many threads and processes at once."""

    def __init__(self, store: Store, jobs: Iterable[Job], clock: Clock, observers: Observers | None = None) -> None:
        """Take the table of jobs, and who watches."""
        self._observers = observers or Observers()
        self._store, self._clock = store, clock
        self.jobs: Mapping[str, Job] = {job.name: job for job in jobs}
        self._over: dict[str, datetime] = {}  # the last window of a job in which there is nothing left to do
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have whatever runs end after the step it is at; somebody else goes on from there."""
        self._stopped.set()

    def tick(self, name: str) -> None:
        """Do what there is to do of a job right now: nothing, where its window has been run or somebody runs it.

        A window that passed while nobody was there is caught up with the present one: a job looks at what there is, not
        at when it was called. Raises what the job raises, once that is noted; later ticks try again.
        """
        job = self.jobs[name]
        window = window_at(self._clock(), job.every)
        if self._over.get(name) == window:
            return
        run = self._store.job_run(name, window)
        if (run and run.is_over) or (run is None and job.idle and job.idle(self._store)):
            self._over[name] = window
            return
        claimed = self._claimed(run, JobRun.begun(name, window, at=self._clock()))
        if claimed is not None:
            self._run(job, claimed)

    def run_now(self, name: str) -> JobRun:
        """Run a job whatever its window says, and return how it went."""
        at = self._clock()
        run = self._claimed(None, JobRun.begun(name, at, at=at))
        if run is None:
            raise TakenOver
        return self._run(self.jobs[name], run)

    def _claimed(self, present: JobRun | None, first: JobRun) -> JobRun | None:
        """Return the run of a window that is ours from now on; None where it is not to be had, or is parked."""
        if present and not present.can_be_had(first.started_at):
            return None
        run = present.taken_over(at=first.started_at) if present else first
        try:
            self._store.commit(ChangeSet(new_id(), SYSTEM, first.started_at, (Change(present, run),)))
        except Stale:
            return None
        if run.state is JobState.PARKED:
            _log.error("job %s: parked after %s tries in a row that came to nothing", run.job, run.tries)
            return None
        return run

    def _run(self, job: Job, run: JobRun) -> JobRun:
        watched = Run(name=job.name, about={"job": job.name, "run": run.window.isoformat()})
        with self._observers.watching(watched), at(watched):
            return self._worked(job, run, watched)

    def _worked(self, job: Job, run: JobRun, watched: Run) -> JobRun:
        work = Work(self._store, self._clock, run, stopped=self._stopped.is_set)
        try:
            job.run(work)
            work.end()
        except TakenOver:
            watched.outcome = "taken_over"
            _log.warning("job %s: somebody else has taken over", job.name)
        except Exception as problem:
            _note_failure(work, problem)
            raise
        else:
            watched.outcome = "finished" if work.run.state is JobState.FINISHED else "interrupted"
        finally:
            watched.done, watched.failed = work.run.done - run.done, work.run.failed - run.failed
        _tell(job, work.run)
        return work.run


def _note_failure(work: Work, problem: Exception) -> None:
    try:
        work.break_off(problem)
    except (Refusal, TakenOver):
        _log.warning("job %s: that it failed could not be noted", work.run.job)
    if work.run.state is JobState.PARKED:
        _log.error("job %s: parked after %s tries in a row that came to nothing", work.run.job, work.run.tries)


def _tell(job: Job, run: JobRun) -> None:
    if run.done:
        _log.info("job %s: %s: %s", job.name, job.does, run.done)
