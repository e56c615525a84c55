"""Whoever a change concerns is told of it, once, and out of the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.racing import at_once
from tracker.domain.changes import Change
from tracker.domain.query import NotificationQuery
from tracker.domain.refusals import Unavailable
from tracker.domain.task import Due, Status
from tracker.domain.user import Role, UserStatus
from tracker.jobs.work import Work

if TYPE_CHECKING:
    from tests.jobs.shift import Shift
    from tests.world import Person, World
    from tracker.domain.project import Project
    from tracker.store.contract import Store


def everywhere(person: Person, limit: int = 50) -> NotificationQuery:
    return NotificationQuery(person.id, every_project=True, limit=limit)


def test_whoever_is_given_a_task_is_told_so(
    shift: Shift, world: World, ann: Person, ben: Person, kitchen: Project
) -> None:
    task = {"title": "Water the plants", "project_id": kitchen.id, "assignee_id": ben.id}
    assert world.of(ann).post("/tasks", task).status == 201
    shift.run("notify")

    assert shift.told(ben) == [("assigned", "Water the plants")]
    assert shift.told(ann) == []


def test_who_takes_a_task_on_by_themselves_is_not_told(
    shift: Shift, world: World, ben: Person, kitchen: Project
) -> None:
    task = {"title": "Water the plants", "project_id": kitchen.id, "assignee_id": ben.id}
    assert world.of(ben).post("/tasks", task).status == 201
    shift.run("notify")

    assert shift.told(ben) == []


def test_assignee_and_creator_are_told_of_what_becomes_due_and_overdue_and_is_archived(
    shift: Shift, ann: Person, ben: Person, kitchen: Project
) -> None:
    task = shift.task(kitchen, created_by=ann.id, assignee_id=ben.id, due=Due(shift.clock().date()))
    shift.run("remind")
    shift.clock.advance(days=1)
    shift.run("remind")
    shift.run("notify")
    shift.change(task, status=Status.DONE, completed_at=shift.clock(), updated_at=shift.clock())
    shift.run("archive", archive_done_after_days=0)
    shift.run("notify")

    for person in (ann, ben):
        kinds = [kind for kind, _ in shift.told(person) if kind != "assigned"]
        assert kinds == ["archived", "overdue", "due_soon"]


def test_who_created_a_task_and_has_it_to_do_is_told_once(shift: Shift, ann: Person, kitchen: Project) -> None:
    shift.done_task(kitchen, created_by=ann.id, assignee_id=ann.id)
    shift.run("archive", archive_done_after_days=0)
    shift.run("notify")

    assert [kind for kind, _ in shift.told(ann)].count("archived") == 1


def test_who_cannot_see_the_project_any_more_is_not_told(
    shift: Shift, world: World, ann: Person, ben: Person, kitchen: Project
) -> None:
    shift.done_task(kitchen, created_by=ben.id)
    assert world.of(ann).delete(f"/projects/{kitchen.id}/members/{ben.id}").status == 204
    shift.run("archive", archive_done_after_days=0)
    shift.run("notify")

    assert shift.store.notifications(everywhere(ben)) == []


def test_who_is_shut_out_is_not_told(shift: Shift, world: World, ben: Person, kitchen: Project) -> None:
    shift.done_task(kitchen, created_by=ben.id)
    world.commit(Change(ben.user, replace(ben.user, status=UserStatus.DISABLED, version=2)))
    shift.run("archive", archive_done_after_days=0)
    shift.run("notify")

    assert shift.told(ben) == []


def test_an_admin_is_told_of_what_they_made_in_projects_of_others(shift: Shift, world: World, kitchen: Project) -> None:
    root = world.person("root", Role.ADMIN)
    shift.done_task(kitchen, created_by=root.id)
    shift.run("archive", archive_done_after_days=0)
    shift.run("notify")

    notifications = shift.store.notifications(everywhere(root))
    assert [notification.kind for notification in notifications] == ["archived"]


def test_a_deadline_that_is_none_any_more_is_not_told(shift: Shift, ann: Person, kitchen: Project) -> None:
    task = shift.task(kitchen, created_by=ann.id, due=Due(shift.clock().date()))
    shift.run("remind")
    shift.change(task, due=None)
    shift.run("notify")

    assert shift.told(ann) == []


def test_what_is_read_twice_is_told_once(shift: Shift, ann: Person, kitchen: Project) -> None:
    shift.done_tasks(kitchen, 30, created_by=ann.id)
    shift.run("archive", archive_done_after_days=0)
    shift.clock.advance(milliseconds=1)
    notify = shift.runner().jobs["notify"]
    at_once(4, lambda n: shift.runner(replace(notify, name=f"notify-{n}")).tick(f"notify-{n}"))
    shift.run("notify")

    assert len(shift.told(ann)) == 30


def test_a_reader_that_fell_far_behind_misses_nothing(shift: Shift, ann: Person, kitchen: Project) -> None:
    for _ in range(3):
        shift.done_tasks(kitchen, 200, created_by=ann.id)
        shift.run("archive", archive_done_after_days=0)
    shift.run("notify")

    assert len(shift.store.notifications(everywhere(ann, limit=1000))) == 600


def test_a_reader_that_dies_before_its_commit_tells_it_the_next_time(
    shift: Shift, ann: Person, kitchen: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift.done_task(kitchen, created_by=ann.id)
    shift.run("archive", archive_done_after_days=0)

    def lose_the_database(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(Work, "step", lose_the_database)
        with pytest.raises(Unavailable):
            shift.run("notify")
    shift.run("notify")

    assert [kind for kind, _ in shift.told(ann)] == ["archived"]


def test_a_project_that_comes_back_is_not_told_of_twice(
    shift: Shift, world: World, ann: Person, kitchen: Project
) -> None:
    shift.done_task(kitchen, created_by=ann.id)
    shift.run("archive", archive_done_after_days=0)
    shift.run("notify")
    operation = world.of(ann).delete(f"/projects/{kitchen.id}").headers["operation-id"]
    shift.run("notify")
    assert world.of(ann).post(f"/operations/{operation}/undo").status == 200
    shift.run("notify")

    assert [kind for kind, _ in shift.told(ann)] == ["archived"]
