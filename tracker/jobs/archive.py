"""Tasks that have been done for long enough are archived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker.domain.changes import Change
from tracker.domain.query import SettledQuery
from tracker.jobs.projects import BATCH, change_by_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.domain.query import Place
    from tracker.domain.task import Task
    from tracker.jobs.work import Work


def archive(work: Work, *, default_days: int | None) -> None:
    """Archive what is settled, by the days of each project, or by ``default_days`` where it has no rule of its own."""

    def find(after: Place | None) -> Sequence[Task]:
        return work.store.settled(SettledQuery(work.clock(), default_days, after, BATCH))

    def archived(tasks: Sequence[Task]) -> Sequence[Change]:
        at = work.clock()
        return [Change(task, task.archived(at=at)) for task in tasks]

    change_by_project(work, find, archived)
