"""Many at once: nothing is lost, nothing is given twice, nobody waits for ever."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.builders import (
    AT,
    Person,
    a_job_run,
    a_membership,
    a_person,
    a_project,
    a_reminder,
    a_task,
    added,
    added_tasks,
    changes,
    removed,
)
from tests.racing import PATIENCE, outcomes_at_once
from tracker.domain.access import Scope
from tracker.domain.changes import Change, ChangeSet
from tracker.domain.query import TaskQuery
from tracker.domain.refusals import Taken, Unavailable
from tracker.store.contract import Stale
from tracker.store.deciding import decide_and_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracker.domain.project import Project
    from tracker.domain.task import Task
    from tracker.store.contract import Store

MANY = 64


def patiently(act: Callable[[], object]) -> object:
    """Act again where no connection was free: more threads than connections is what these tests are about."""
    for _ in range(20):
        try:
            return act()
        except Unavailable:
            continue
    raise AssertionError("no connection was free, twenty times")


def numbers(store: Store) -> list[int]:
    return sorted(task.number for task in store.tasks(TaskQuery((Scope(None),), 200)).items)


def test_numbers_given_at_once_are_all_different(store: Store, kitchen: Project) -> None:
    outcomes_at_once(MANY, lambda _: patiently(lambda: added(store, a_task(kitchen))))
    assert numbers(store) == list(range(1, MANY + 1))
    heads = [entry.head for entry in store.log(kitchen.id)]
    assert heads == [1, *range(1, MANY + 2)]  # the project and its owner together, then one commit a task


def test_changes_to_different_tasks_of_one_project_all_succeed(store: Store, kitchen: Project) -> None:
    tasks = added_tasks(store, *(a_task(kitchen) for _ in range(MANY)))

    def rename(n: int) -> object:
        task = tasks[n]
        return patiently(lambda: store.commit(changes(Change(task, replace(task, title=f"{n}", version=2)))))

    outcomes = outcomes_at_once(MANY, rename)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert {task.title for task in store.tasks(TaskQuery((Scope(None),), 200)).items} == {str(n) for n in range(MANY)}
    assert sorted(entry.head for entry in store.log(kitchen.id, after=2)) == list(range(3, MANY + 3))


def test_of_many_that_change_one_version_one_succeeds(store: Store, kitchen: Project) -> None:
    [kept] = added_tasks(store, a_task(kitchen))

    def rename(n: int) -> object:
        return patiently(lambda: store.commit(changes(Change(kept, replace(kept, title=f"{n}", version=2)))))

    outcomes = outcomes_at_once(16, rename)
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 15
    winner = next(n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Stale))
    found = store.task(kept.id)
    assert found is not None
    assert (found.title, found.version) == (str(winner), 2)


def test_what_is_decided_again_loses_no_increment(store: Store, kitchen: Project) -> None:
    task = a_task(kitchen, title="0")
    added(store, task)

    def one_more() -> ChangeSet:
        found = store.task(task.id)
        assert found is not None
        return changes(Change(found, replace(found, title=str(int(found.title) + 1), version=found.version + 1)))

    outcomes_at_once(32, lambda _: patiently(lambda: decide_and_commit(one_more, store.commit)))
    found = store.task(task.id)
    assert found is not None
    assert found.title == "32"


def test_whoever_was_beaten_is_not_beaten_for_ever(store: Store, kitchen: Project) -> None:
    tasks = added_tasks(store, a_task(kitchen, title="0"), a_task(kitchen, title="0"))

    def one_more() -> ChangeSet:
        found = [task for before in tasks if (task := store.task(before.id))]
        risen = [replace(task, title=str(int(task.title) + 1), version=task.version + 1) for task in found]
        return changes(*(Change(before, after) for before, after in zip(found, risen, strict=True)))

    def six_more(_: int) -> None:
        for _ in range(6):
            patiently(lambda: decide_and_commit(one_more, store.commit))

    assert outcomes_at_once(8, six_more) == [None] * 8
    assert [task.title for before in tasks if (task := store.task(before.id))] == ["48", "48"]


def test_commits_that_cross_over_two_projects_do_not_deadlock(store: Store, kitchen: Project) -> None:
    garden = a_project()
    pairs = [(a_task(kitchen), a_task(garden)) for _ in range(16)]
    kept = added(store, garden, *(task for pair in pairs for task in pair)).arrived

    def rename_five_times(n: int) -> None:
        before = [kept[task.id] for task in pairs[n]]
        for _ in range(5):
            after = [replace(task, version=task.version + 1) for task in before]
            crossing = [Change(b, a) for b, a in zip(before, after, strict=True)]
            in_turn = changes(*(crossing if n % 2 else reversed(crossing)))
            patiently(partial(store.commit, in_turn))
            before = list(after)

    # Each has tasks of their own: nobody can be beaten, so a Stale would be the end of a deadlock.
    assert outcomes_at_once(16, rename_five_times) == [None] * 16
    assert [store.task(task.id) for task in pairs[0]] == [replace(kept[task.id], version=6) for task in pairs[0]]


def test_commits_that_cross_over_two_tasks_do_not_deadlock(store: Store, kitchen: Project) -> None:
    tasks = [a_task(kitchen), a_task(kitchen)]
    kept = list(added(store, *tasks).arrived.values())
    crossing = [Change(task, replace(task, version=2)) for task in kept]

    def rename(n: int) -> object:
        return patiently(lambda: store.commit(changes(*(crossing if n % 2 else reversed(crossing)))))

    beaten = [outcome.entity_id for outcome in outcomes_at_once(16, rename) if isinstance(outcome, Stale)]
    # The first row in the order of ids is what every loser was beaten at.
    assert beaten == [min(task.id for task in kept)] * 15


def test_of_many_who_register_with_one_address_one_succeeds(store: Store) -> None:
    people = [a_person(email="ann@example.org" if n % 2 else "ANN@example.org") for n in range(16)]
    outcomes = outcomes_at_once(16, lambda n: patiently(lambda: added(store, *people[n])))
    assert sum(isinstance(outcome, Taken) for outcome in outcomes) == 15
    assert [store.user(person.user.id) is not None for person in people].count(True) == 1


def test_of_many_that_require_one_head_one_succeeds(store: Store, kitchen: Project) -> None:
    def create(_: int) -> object:
        lone = changes(Change(None, a_task(kitchen)), required_heads={kitchen.id: 1})
        return patiently(lambda: store.commit(lone))

    outcomes = outcomes_at_once(16, create)
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == 15
    assert numbers(store) == [1]


def test_of_many_that_claim_one_window_of_a_job_one_has_it(store: Store) -> None:
    runs = [a_job_run(started_at=AT + timedelta(seconds=n)) for n in range(16)]
    outcomes = outcomes_at_once(16, lambda n: patiently(lambda: added(store, runs[n])))
    assert store.job_run("tidy", AT) == the_one_that_won(runs, outcomes)


def test_of_many_that_take_over_one_run_one_has_it(store: Store) -> None:
    lost = a_job_run()
    added(store, lost)
    taken = [lost.taken_over(at=AT + timedelta(seconds=n)) for n in range(16)]
    outcomes = outcomes_at_once(16, lambda n: patiently(lambda: store.commit(changes(Change(lost, taken[n])))))
    assert store.job_run("tidy", AT) == the_one_that_won(taken, outcomes)


def test_of_many_that_notice_one_deadline_one_does(store: Store, kitchen: Project) -> None:
    (task,) = added_tasks(store, a_task(kitchen))
    reminders = [a_reminder(task, created_at=AT + timedelta(seconds=n)) for n in range(16)]
    outcomes = outcomes_at_once(16, lambda n: patiently(lambda: added(store, reminders[n])))
    won = the_one_that_won(reminders, outcomes)
    assert [(entry.head, entry.after) for entry in store.log(kitchen.id, after=2)] == [(3, won)]


def test_of_many_that_read_on_in_one_log_one_moves_on(store: Store, kitchen: Project) -> None:
    for _ in range(2):  # where no position is kept yet, and where one is
        present = store.position("post", kitchen.id)
        moved = [present.moved_to(n) for n in range(16)]
        steps = [changes(Change(present.kept, position)) for position in moved]
        outcomes = outcomes_at_once(16, lambda n: patiently(lambda: store.commit(steps[n])))  # noqa: B023 - they are all back before it changes
        assert store.position("post", kitchen.id) == the_one_that_won(moved, outcomes)


def the_one_that_won(those: list[Any], outcomes: list[Any]) -> object:
    """Return the only one of those whose commit was not stale."""
    (won,) = [one for one, outcome in zip(those, outcomes, strict=True) if not isinstance(outcome, Stale)]
    return won


def test_a_project_deleted_while_tasks_are_added_leaves_none_behind(store: Store) -> None:
    garden = a_project()
    added(store, garden)

    def delete_unless_added_to() -> None:
        while (found := store.project(garden.id)) is not None:
            with suppress(Stale):
                patiently(lambda: removed(store, found))

    def add_or_delete(n: int) -> None:
        if n == 0:
            delete_unless_added_to()
        else:
            patiently(lambda: added(store, a_task(garden)))

    outcomes_at_once(16, add_or_delete)
    assert store.project(garden.id) is None
    assert numbers(store) == []
    heads = [entry.head for entry in store.log(garden.id)]
    assert heads == list(range(1, len(heads) + 1))


def test_pages_turned_during_writes_hold_what_was_there_just_once(store: Store, ann: Person) -> None:
    garden = a_project()
    steady = [a_task(garden, created_at=AT + timedelta(seconds=n // 3)) for n in range(40)]
    added(store, garden, a_membership(garden, ann.user), *steady)
    passing = partial(a_task, garden, created_at=AT + timedelta(seconds=7))
    with repeated(lambda: pass_through(store, passing())):
        scans = [turned(store, TaskQuery((Scope(ann.user.id),), 7)) for _ in range(20)]
    wanted = {task.id for task in steady}
    for found in scans:
        assert sorted(task_id for task_id in found if task_id in wanted) == sorted(wanted)
        assert len(found) == len(set(found))


def pass_through(store: Store, task: Task) -> None:
    removed(store, added(store, task).arrived[task.id])


def turned(store: Store, query: TaskQuery) -> list[str]:
    """Return the ids on all pages of a query."""
    page = store.tasks(query)
    found = [task.id for task in page.items]
    assert page.next != query.cursor
    return found if page.next is None else found + turned(store, replace(query, cursor=page.next))


@contextmanager
def repeated(act: Callable[[], object]) -> Iterator[None]:
    """Do something over and over in another thread, meanwhile."""
    done = threading.Event()

    def repeat() -> None:
        while not done.is_set():
            act()

    repeating = threading.Thread(target=repeat)
    repeating.start()
    yield
    done.set()
    repeating.join(PATIENCE)
    assert not repeating.is_alive()


def test_a_reader_never_sees_half_a_commit(store: Store, kitchen: Project) -> None:
    present = added_tasks(store, *(a_task(kitchen, title="0") for _ in range(5)))

    def rename_all() -> None:
        after = [replace(task, title=str(task.version), version=task.version + 1) for task in present]
        store.commit(changes(*(Change(b, a) for b, a in zip(present, after, strict=True))))
        present[:] = after

    with repeated(rename_all):
        seen = [{task.title for task in store.tasks(TaskQuery((Scope(None),))).items} for _ in range(100)]
    assert {len(titles) for titles in seen} == {1}
    assert len({title for titles in seen for title in titles}) > 1
