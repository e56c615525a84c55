"""Runs of jobs: what happens by itself, in windows of time, each of which one run claims for itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

HOLD = timedelta(seconds=10)  # without a sign of life for so long, a run is taken over
MOST_TRIES = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class JobState(StrEnum):
    """How a run stands: somebody works on it, it waits for its next try, it is through, or nobody tries it again."""

    RUNNING = "running"
    WAITING = "waiting"
    FINISHED = "finished"
    PARKED = "parked"


def window_at(at: datetime, every: timedelta) -> datetime:
    """Return the start of the window that an instant is in; windows are counted from 1970 on, in UTC."""
    return at - (at - _EPOCH) % every


@dataclass(frozen=True)
class JobRun:
    """One window of one job, claimed by whoever writes it first and is kept by whoever writes it last.

    Each step of the work commits together with the run's next version, so that whoever lost it can change nothing any
    more. ``position`` is where to go on, ``done`` how many things were done so far, ``failed`` how many could not be;
    ``problem`` names the kind of the last failure. ``tries`` counts the beginnings since something was done last.
    """

    job: str
    window: datetime
    started_at: datetime
    held_until: datetime
    finished_at: datetime | None = None
    state: JobState = JobState.RUNNING
    tries: int = 1
    position: str = ""
    done: int = 0
    failed: int = 0
    problem: str | None = None
    version: int = 1

    @classmethod
    def begun(cls, job: str, window: datetime, *, at: datetime) -> JobRun:
        """Return the first try of a window."""
        return cls(job, window, at, at + HOLD)

    @property
    def id(self) -> str:
        """The pair that names it."""
        return f"{self.job}/{self.window.isoformat()}"

    @property
    def is_over(self) -> bool:
        """Whether nobody will try it again."""
        return self.state in {JobState.FINISHED, JobState.PARKED}

    def can_be_had(self, at: datetime) -> bool:
        """Whether there is something left to do, and nobody at it who showed a sign of life."""
        return not self.is_over and at >= self.held_until

    def taken_over(self, *, at: datetime) -> JobRun:
        """Return the next try; parked where too many in a row came to nothing."""
        if self.tries >= MOST_TRIES:
            return self._next(state=JobState.PARKED, finished_at=at)
        return self._next(state=JobState.RUNNING, tries=self.tries + 1, held_until=at + HOLD)

    def advanced(self, position: str, *, done: int, at: datetime) -> JobRun:
        """Return it after a step that did so many things: it is alive, and has not tried in vain."""
        return self._next(position=position, done=self.done + done, tries=1, held_until=at + HOLD)

    def passed_over(self, position: str, problem: str, *, at: datetime) -> JobRun:
        """Return it after a step that failed and is not to hold up the others."""
        return self._next(position=position, failed=self.failed + 1, problem=problem, held_until=at + HOLD)

    def interrupted(self, *, at: datetime) -> JobRun:
        """Return it with more to do than there was time for: whoever comes next goes on."""
        return self._next(state=JobState.WAITING, tries=0, held_until=at)

    def broken_off(self, problem: str, *, at: datetime) -> JobRun:
        """Return it after a try that failed as a whole: the next one waits, each time twice as long, or never comes."""
        if self.tries >= MOST_TRIES:
            return self._next(state=JobState.PARKED, problem=problem, finished_at=at)
        pause = timedelta(seconds=2 ** (self.tries - 1))
        return self._next(state=JobState.WAITING, problem=problem, held_until=at + pause)

    def finished(self, *, at: datetime) -> JobRun:
        """Return it with nothing left to do."""
        return self._next(state=JobState.FINISHED, finished_at=at, held_until=at)

    def _next(self, **members: object) -> JobRun:
        return replace(self, version=self.version + 1, **members)  # type: ignore[arg-type]  # members of its own, by name
