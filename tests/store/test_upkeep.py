"""What happens by itself, as every store keeps it: reminders, notifications, positions in the log, runs of jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.builders import (
    AT,
    Person,
    a_job_run,
    a_notification,
    a_position,
    a_project,
    a_reminder,
    a_task,
    a_user,
    added,
    added_tasks,
    changes,
    removed,
    replaced,
)
from tracker.domain.changes import Change
from tracker.domain.identity import new_id
from tracker.domain.job import JobState
from tracker.domain.outbox import Position
from tracker.domain.query import NotificationQuery
from tracker.domain.reminder import ReminderKind
from tracker.store.contract import Stale

if TYPE_CHECKING:
    from tracker.domain.job import JobRun
    from tracker.domain.notification import Notification
    from tracker.domain.project import Project
    from tracker.domain.reminder import Reminder
    from tracker.domain.task import Task
    from tracker.store.contract import Store

MOMENT, MINUTE = timedelta(milliseconds=1), timedelta(minutes=1)


class Things(NamedTuple):
    """One of each."""

    reminder: Reminder
    notification: Notification
    position: Position
    job_run: JobRun


@pytest.fixture
def task(store: Store, kitchen: Project) -> Task:
    (task,) = added_tasks(store, a_task(kitchen))
    return task


@pytest.fixture
def things(ann: Person, kitchen: Project, task: Task) -> Things:
    return Things(a_reminder(task), a_notification(ann.user, task), a_position(kitchen), a_job_run())


def head(store: Store, project: Project) -> int:
    found = store.project(project.id)
    assert found is not None
    return found.head


# What a commit promises of them.


def test_each_is_created_once_and_matched_on_its_version(store: Store, things: Things) -> None:
    for first in things:
        added(store, first)
        second = replaced(store, first)
        for late in (Change(first, replace(first, version=2)), Change(first, None), Change(None, first)):
            with pytest.raises(Stale):
                store.commit(changes(late))
        removed(store, second)
        for gone in (Change(second, replace(second, version=3)), Change(second, None)):
            with pytest.raises(Stale) as stale:
                store.commit(changes(gone))
            assert stale.value.entity_id == first.id
        added(store, first)


def test_of_what_there_is_one_of_a_second_is_stale(store: Store, things: Things) -> None:
    added(store, *things)
    for second in (
        replace(things.reminder, created_at=AT + MOMENT, version=2),
        replace(things.notification, title="Water the roses"),
        replace(things.position, head=7),
        replace(things.job_run, started_at=AT + MOMENT, position="p-7"),
    ):
        with pytest.raises(Stale):
            added(store, second)


def test_what_is_another_stands_beside_it(store: Store, kitchen: Project, things: Things) -> None:
    reminder, notification, position, job_run = things
    others = (
        replace(reminder, kind=ReminderKind.DUE_SOON),
        replace(reminder, due_at=AT + MOMENT),
        replace(reminder, task_id=new_id()),
        replace(notification, id=new_id()),
        replace(position, consumer="another"),
        replace(position, project_id=new_id()),
        replace(job_run, job="another"),
        replace(job_run, window=AT + MOMENT),
    )
    assert added(store, *things, *others).heads == {kitchen.id: 3}


def test_a_reminder_stands_in_the_log_of_its_project_and_is_part_of_what_happened_to_its_task(
    store: Store, kitchen: Project, task: Task
) -> None:
    before = head(store, kitchen)
    reminder = a_reminder(task, due_at=AT + MOMENT, created_at=AT + 2 * MOMENT)
    receipt = store.commit(changes(Change(None, reminder), actor_id="system"))

    (entry,) = store.log(kitchen.id, after=before)
    assert (entry.entity, entry.entity_id, entry.actor_id) == ("reminder", task.id, "system")
    assert (entry.before, entry.after) == (None, reminder)
    assert receipt.heads == {kitchen.id: before + 1} == {kitchen.id: head(store, kitchen)}
    assert store.log(kitchen.id, entity_id=task.id)[-1] == entry


def test_a_reminder_that_goes_is_logged_as_it_was(store: Store, kitchen: Project, task: Task) -> None:
    for reminder in (a_reminder(task, kind=kind) for kind in ReminderKind):
        added(store, reminder)
        removed(store, reminder)

        created, deleted = store.log(kitchen.id)[-2:]
        assert (created.before, created.after, deleted.before, deleted.after) == (None, reminder, reminder, None)


def test_a_reminder_in_a_project_that_is_gone_is_stale(store: Store) -> None:
    with pytest.raises(Stale):
        added(store, a_reminder(a_task(a_project())))


def test_the_others_move_no_head_and_make_no_entry(store: Store, kitchen: Project, things: Things) -> None:
    before = head(store, kitchen), store.log(kitchen.id)
    for thing in (things.notification, things.position, things.job_run):
        added(store, thing)
        removed(store, replaced(store, thing))

    assert (head(store, kitchen), store.log(kitchen.id)) == before
    assert added(store, things.notification, things.position, things.job_run).heads == {}


def test_a_notification_of_nobody_is_stale(store: Store, task: Task) -> None:
    with pytest.raises(Stale):
        added(store, a_notification(a_user(), task))


def test_whoever_has_lost_their_run_changes_nothing(store: Store, ann: Person, kitchen: Project, task: Task) -> None:
    run = a_job_run()
    added(store, run)
    taken = replaced(store, run, tries=2)
    before = store.log(kitchen.id)
    work = (
        Change(None, a_reminder(task)),
        Change(None, a_notification(ann.user, task)),
        Change(None, a_position(kitchen)),
        Change(task, task.archived(at=AT)),
    )

    with pytest.raises(Stale) as stale:
        store.commit(changes(*work, Change(run, run.advanced("p-7", done=4, at=AT))))

    assert stale.value.entity_id == run.id
    assert store.job_run(run.job, run.window) == taken
    assert store.task(task.id) == task
    assert store.log(kitchen.id) == before
    assert store.position("post", kitchen.id) == Position("post", kitchen.id)
    assert store.notifications(NotificationQuery(ann.user.id)) == []
    store.commit(changes(*work, Change(taken, taken.advanced("p-7", done=4, at=AT))))


def test_a_run_does_not_go_on_where_its_step_came_to_nothing(store: Store, kitchen: Project, task: Task) -> None:
    run, position = a_job_run(), a_position(kitchen)
    added(store, run, position)
    replaced(store, task, title="Somebody was first")
    advanced = Change(run, run.advanced("p-7", done=1, at=AT))

    for beaten in (Change(task, task.archived(at=AT)), Change(None, position)):
        with pytest.raises(Stale):
            store.commit(changes(advanced, beaten))
        assert store.job_run(run.job, run.window) == run


# Runs of jobs.


def test_a_run_is_read_as_it_was_kept(store: Store) -> None:
    runs = [
        a_job_run(window=AT + MOMENT, started_at=AT + 2 * MOMENT, held_until=AT + 3 * MOMENT),
        a_job_run(state=JobState.WAITING, tries=3, position="p-7/t-8", done=2**40, failed=7, problem="OSError"),
        a_job_run(job="sweep", state=JobState.PARKED, finished_at=AT + MOMENT),
        a_job_run(job="mow", state=JobState.FINISHED, finished_at=AT, version=9),
    ]
    added(store, *runs)

    assert [store.job_run(run.job, run.window) for run in runs] == runs
    assert store.job_run("tidy", AT + 2 * MOMENT) is None
    assert store.job_run("nothing", AT) is None


def test_the_runs_of_a_job_are_its_latest_windows(store: Store) -> None:
    runs = [a_job_run(window=AT + n * MINUTE, started_at=AT - n * MINUTE) for n in range(12)]
    added(store, *runs[::2], a_job_run(job="another", window=AT + 99 * MINUTE), *runs[1::2])

    assert store.job_runs("tidy") == runs[:1:-1]
    assert store.job_runs("tidy", limit=3) == runs[:8:-1]
    assert store.job_runs("tidy", limit=20) == runs[::-1]
    assert store.job_runs("nothing") == []


# How far a consumer has read.


def caught_up(store: Store, *projects: Project, consumer: str = "post") -> None:
    """Have a consumer read everything there is of some projects."""
    for project in projects:
        position = store.position(consumer, project.id)
        store.commit(changes(Change(position.kept, position.moved_to(head(store, project)))))


def test_a_consumer_is_behind_in_a_project_that_is_new_to_it_from_the_first_commit_on(
    store: Store, kitchen: Project
) -> None:
    assert store.behind("post") == [Position("post", kitchen.id)] == [store.position("post", kitchen.id)]
    assert store.behind("post")[0].kept is None


def test_a_consumer_that_has_read_everything_is_behind_in_nothing_until_a_head_moves_on(
    store: Store, kitchen: Project
) -> None:
    caught_up(store, kitchen)
    assert store.behind("post") == []
    added_tasks(store, a_task(kitchen))

    assert store.behind("post") == [Position("post", kitchen.id, head=1, version=1)]
    caught_up(store, kitchen)
    assert store.behind("post") == []
    assert store.position("post", kitchen.id) == Position("post", kitchen.id, head=2, version=2)


def test_consumers_read_each_at_their_own_pace(store: Store, kitchen: Project) -> None:
    caught_up(store, kitchen, consumer="press")

    assert store.behind("press") == []
    assert store.behind("post") == [Position("post", kitchen.id)]
    assert store.position("post", kitchen.id).version == 0


def test_what_a_consumer_is_behind_in_is_told_by_project_each_once(store: Store, kitchen: Project) -> None:
    projects = [kitchen, *(a_project() for _ in range(6))]
    added(store, *projects[1:])
    caught_up(store, *projects[2:4])
    added_tasks(store, a_task(projects[3]))
    expected = [Position("post", project.id, *((1, 1) if project is projects[3] else ())) for project in projects]
    del expected[2]

    for limit in range(1, 8):
        found: list[Position] = []
        while page := store.behind("post", after=found[-1].project_id if found else None, limit=limit):
            assert len(page) <= limit
            found += page
        assert found == sorted(expected, key=lambda position: position.project_id)


def test_nobody_is_behind_in_a_project_that_is_gone_and_how_far_they_were_is_kept(
    store: Store, kitchen: Project
) -> None:
    garden = a_project()
    added(store, garden)
    caught_up(store, kitchen, garden)
    added_tasks(store, a_task(garden))
    removed(store, replace(garden, head=2))

    assert store.behind("post") == []
    assert store.position("post", garden.id) == Position("post", garden.id, head=1, version=1)


def test_of_a_project_that_is_there_again_a_consumer_reads_on_where_it_was(store: Store, kitchen: Project) -> None:
    garden = a_project()
    added(store, garden)
    caught_up(store, kitchen, garden)
    removed(store, replace(garden, head=1))
    back = added(store, replace(garden, head=2, version=3))

    assert back.heads == {garden.id: 3}
    assert store.behind("post") == [Position("post", garden.id, head=1, version=1)]
    assert [entry.head for entry in store.log(garden.id, after=1)] == [2, 3]
