"""Somebody who runs jobs in a world, and sees what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.builders import a_task
from tracker.domain.changes import Change
from tracker.domain.query import NotificationQuery
from tracker.domain.task import Status, Task
from tracker.jobs.runner import Job, Runner
from tracker.jobs.schedule import Policy, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.world import Person, World
    from tracker.domain.job import JobRun
    from tracker.domain.project import Project
    from tracker.jobs.work import Work

MINUTE = timedelta(minutes=1)


def a_job(run: Callable[[Work], object], **members: Any) -> Job:
    """Return a job that runs once a minute."""
    return Job(**{"name": "try", "every": MINUTE, "does": "things done", "run": run, **members})


class Shift:
    """Runs the jobs of a policy, or others."""

    def __init__(self, world: World) -> None:
        self.world, self.store, self.clock = world, world.store, world.clock

    def runner(self, *jobs: Job, policy: Policy | None = None) -> Runner:
        return Runner(self.store, jobs or table(policy or Policy()), self.clock)

    def run(self, name: str, **policy: Any) -> JobRun:
        """Run a job now, in a window that nobody had yet, and return how it went."""
        self.clock.advance(milliseconds=1)
        return self.runner(policy=Policy(**policy)).run_now(name)

    def task(self, project: Project, **members: Any) -> Task:
        """Put a task into a project, as somebody created it now, and return it as it is kept."""
        at = self.clock()
        task = a_task(project, **{"created_at": at, "updated_at": at, **members})
        self.world.add(task)
        return self.now(task)

    def done_task(self, project: Project, **members: Any) -> Task:
        """Put a task that is done by now into a project."""
        return self.task(project, status=Status.DONE, completed_at=self.clock(), **members)

    def done_tasks(self, project: Project, count: int, **members: Any) -> None:
        """Put so many of them into a project, in one commit."""
        at = self.clock()
        whole = {"status": Status.DONE, "completed_at": at, "created_at": at, "updated_at": at, **members}
        self.world.add(*(a_task(project, **whole) for _ in range(count)))

    def change(self, task: Task, **members: Any) -> Task:
        """Change a task, one version on, and return it."""
        present = self.now(task)
        self.world.commit(Change(present, replace(present, version=present.version + 1, **members)))
        return self.now(task)

    def now(self, task: Task) -> Task:
        """Return a task as it is by now."""
        present = self.store.task(task.id)
        assert present is not None
        return present

    def told(self, person: Person) -> list[tuple[str, str]]:
        """Return what somebody was told of, the newest first: the kind and the title."""
        notifications = self.store.notifications(NotificationQuery(person.id, limit=200))
        return [(notification.kind.value, notification.title) for notification in notifications]

    def logged(self, project: Project, entity: str) -> list[str]:
        """Return who did what is in a project's log of one kind of thing."""
        return [entry.actor_id for entry in self.store.log(project.id, limit=5000) if entry.entity == entity]

    def go_to(self, at: datetime) -> None:
        """Set the clock."""
        self.clock.at = at
