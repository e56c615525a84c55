"""Deadlines that are near, or have passed, are noticed: once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.domain.changes import Change
from tracker.domain.query import UnremindedQuery
from tracker.domain.reminder import reminder_of
from tracker.jobs.projects import BATCH, change_by_project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from tracker.domain.query import Place
    from tracker.domain.task import Task
    from tracker.jobs.work import Work


def remind(work: Work, *, soon: timedelta) -> None:
    """Notice what is overdue, and what will be within ``soon``."""

    def find(after: Place | None) -> Sequence[Task]:
        return work.store.unreminded(UnremindedQuery(work.clock(), soon, after, BATCH))

    def noticed(tasks: Sequence[Task]) -> Sequence[Change]:
        at = work.clock()
        reminders = filter(None, (reminder_of(task, at=at, soon=soon) for task in tasks))
        return [Change(None, reminder) for reminder in reminders]

    change_by_project(work, find, noticed)
