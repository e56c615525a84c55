"""Tasks that have been done for long enough are archived, each of them once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.jobs.shift import Shift, a_job
from tests.racing import at_once
from tracker.domain.changes import Change
from tracker.domain.identity import new_id
from tracker.domain.project import ProjectRole
from tracker.domain.refusals import Contended
from tracker.domain.task import Status, Task
from tracker.jobs.archive import archive

if TYPE_CHECKING:
    from tests.world import Person, World
    from tracker.domain.changes import ChangeSet
    from tracker.domain.project import Project
    from tracker.store.contract import Receipt, Store


def with_days(world: World, ann: Person, days: int | None) -> Project:
    project = world.project({ann: ProjectRole.OWNER})
    present = world.store.project(project.id)
    assert present is not None
    if days is not None:
        world.commit(Change(present, replace(present, archive_done_after_days=days, version=2)))
    return project


def test_a_done_task_is_archived_when_its_days_have_passed_and_not_before(shift: Shift, kitchen: Project) -> None:
    task = shift.done_task(kitchen)
    shift.clock.advance(days=7, milliseconds=-2)
    shift.run("archive", archive_done_after_days=7)
    assert shift.now(task).archived_at is None
    shift.run("archive", archive_done_after_days=7)

    assert shift.now(task).archived_at == shift.clock()
    assert shift.now(task).version == task.version + 1


@pytest.mark.parametrize(
    ("done_at", "archived_at"),
    [
        (datetime(2028, 2, 28, 12, tzinfo=UTC), datetime(2028, 2, 29, 12, tzinfo=UTC)),  # a leap day is a day
        (datetime(2027, 2, 28, 12, tzinfo=UTC), datetime(2027, 3, 1, 12, tzinfo=UTC)),
        (datetime(2027, 3, 27, 22, 30, tzinfo=UTC), datetime(2027, 3, 28, 22, 30, tzinfo=UTC)),  # 23 hours in Berlin
        (datetime(2027, 10, 30, 22, 30, tzinfo=UTC), datetime(2027, 10, 31, 22, 30, tzinfo=UTC)),  # 25 hours there
    ],
)
def test_a_day_has_24_hours_whatever_clocks_do(
    shift: Shift, kitchen: Project, done_at: datetime, archived_at: datetime
) -> None:
    shift.go_to(done_at)
    task = shift.done_task(kitchen)
    shift.go_to(archived_at)
    shift.clock.advance(milliseconds=-2)
    shift.run("archive", archive_done_after_days=1)
    assert shift.now(task).archived_at is None
    shift.run("archive", archive_done_after_days=1)

    assert shift.now(task).archived_at == archived_at


def test_each_project_has_days_of_its_own_or_those_of_the_installation(shift: Shift, world: World, ann: Person) -> None:
    projects = [with_days(world, ann, days) for days in (1, 30, None)]
    tasks = [shift.done_task(project) for project in projects]
    shift.clock.advance(days=8)
    shift.run("archive", archive_done_after_days=7)

    assert [bool(shift.now(task).archived_at) for task in tasks] == [True, False, True]


def test_without_any_days_nothing_is_archived(shift: Shift, kitchen: Project) -> None:
    task = shift.done_task(kitchen)
    shift.clock.advance(days=4000)

    assert shift.run("archive").done == 0
    assert shift.now(task) == task


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
def test_what_is_not_done_is_not_archived(shift: Shift, kitchen: Project, status: Status) -> None:
    task = shift.task(kitchen, status=status)
    shift.run("archive", archive_done_after_days=0)

    assert shift.now(task) == task


def test_what_somebody_took_out_again_stays_for_as_many_days(shift: Shift, kitchen: Project) -> None:
    task = shift.done_task(kitchen)
    shift.clock.advance(days=7)
    shift.run("archive", archive_done_after_days=7)
    at = shift.clock()
    shift.change(task, archived_at=None, updated_at=at)
    shift.clock.advance(days=6)
    shift.run("archive", archive_done_after_days=7)
    assert shift.now(task).archived_at is None
    shift.clock.advance(days=1)
    shift.run("archive", archive_done_after_days=7)

    assert shift.now(task).archived_at == shift.clock()


def test_what_is_archived_by_itself_can_be_taken_back_whole(shift: Shift, world: World, ann: Person) -> None:
    kitchen = world.project({ann: ProjectRole.OWNER})
    tasks = [shift.done_task(kitchen) for _ in range(3)]
    shift.run("archive", archive_done_after_days=0)
    (operation,) = {entry.operation_id for entry in shift.store.log(kitchen.id) if entry.actor_id == "system"}

    assert world.of(ann).post(f"/operations/{operation}/undo").json == {"undone": 3}
    assert not any(shift.now(task).archived_at for task in tasks)


def test_more_than_one_batch_in_many_projects_is_archived_each_once(shift: Shift, world: World, ann: Person) -> None:
    projects = [world.project({ann: ProjectRole.OWNER}) for _ in range(12)]
    for project in projects:
        shift.done_tasks(project, 21)
    run = shift.run("archive", archive_done_after_days=0)

    assert run.done == 252
    for project in projects:
        assert shift.logged(project, "task").count("system") == 21
    assert shift.run("archive", archive_done_after_days=0).done == 0


def test_two_runs_at_once_archive_each_task_once(shift: Shift, world: World, ann: Person) -> None:
    projects = [world.project({ann: ProjectRole.OWNER}) for _ in range(4)]
    for project in projects:
        shift.done_tasks(project, 30)
    run = partial(archive, default_days=0)

    def work(n: int) -> None:  # in a window of its own: nobody is held off by another
        runner = shift.runner(a_job(run, name=f"archive-{n}"))
        runner.tick(f"archive-{n}")

    at_once(4, work)

    for project in projects:
        assert shift.logged(project, "task").count("system") == 30


def test_what_somebody_changes_meanwhile_is_left_to_them_and_the_rest_is_archived(
    shift: Shift, kitchen: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [shift.done_task(kitchen) for _ in range(3)]
    commit, rivals = store.commit, iter([tasks[1]])

    def strike_and_commit(changes: ChangeSet, *rest: Any) -> Receipt:
        if any(isinstance(change.entity, Task) and change.before for change in changes.changes):
            for task in rivals:  # one, once, between what was found and what is committed
                reopened = task.changed(at=shift.clock(), status=Status.IN_PROGRESS)
                commit(changes._replace(operation_id=new_id(), changes=(Change(task, reopened),)))
        return commit(changes, *rest)

    monkeypatch.setattr(store, "commit", strike_and_commit)
    run = shift.run("archive", archive_done_after_days=0)

    assert [bool(shift.now(task).archived_at) for task in tasks] == [True, False, True]
    assert (run.done, run.failed) == (2, 0)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_one_project_that_cannot_be_changed_does_not_hold_up_the_others(
    shift: Shift, world: World, ann: Person, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    projects = sorted((world.project({ann: ProjectRole.OWNER}) for _ in range(3)), key=lambda project: project.id)
    tasks = [shift.done_task(project) for project in projects]
    commit = shift.store.commit

    def refuse_one(changes: ChangeSet, *rest: Any) -> Receipt:
        if any(getattr(change.entity, "project_id", None) == projects[which].id for change in changes.changes):
            raise Contended
        return commit(changes, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(shift.store, "commit", refuse_one)
        run = shift.run("archive", archive_done_after_days=0)
    assert (run.done, run.failed, run.problem) == (2, 1, "Contended")
    assert [bool(shift.now(task).archived_at) for task in tasks] == [at != which for at in range(3)]
    shift.run("archive", archive_done_after_days=0)

    assert all(shift.now(task).archived_at for task in tasks)
