"""Tasks that are found in all projects at once, and changed project by project: a commit for each."""

from __future__ import annotations

from functools import partial
from itertools import chain, groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracker.domain.changes import Change
    from tracker.domain.query import Place
    from tracker.domain.task import Task
    from tracker.jobs.work import Work

    Find = Callable[[Place | None], Sequence[Task]]
    Decide = Callable[[Sequence[Task]], Sequence[Change]]

BATCH = 100  # tasks in one commit


def change_by_project(work: Work, find: Find, decide: Decide) -> None:
    """Change what is found, for as long as there is time, from where the last run ended.

    ``find`` returns tasks by project and id, from behind a place on. It is asked again, and so is ``decide``, where
    somebody else was first at one of them.
    """
    while work.has_time() and (found := find(_place(work.run.position))):
        for _, tasks in groupby(found, key=lambda task: task.project_id):
            _step(work, find, decide, list(tasks))


def _step(work: Work, find: Find, decide: Decide, tasks: Sequence[Task]) -> None:
    before = _place(work.run.position)
    attempts = chain((tasks,), iter(partial(_of_project, find, before, tasks[0].project_id), None))
    work.step(f"{tasks[-1].project_id}/{tasks[-1].id}", lambda: decide(next(attempts)))


def _of_project(find: Find, before: Place | None, project_id: str) -> Sequence[Task]:
    return [task for task in find(before) if task.project_id == project_id]


def _place(position: str) -> Place | None:
    project_id, _, task_id = position.partition("/")
    return (project_id, task_id) if position else None
